"""Every command that the README and the pages below docs/ name is one: it is parsed, and each run is planned, in the simulator."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

import click
import pytest

from harness.cli import planning
from harness.cli.main import main

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = sorted(
    {said for page in PAGES for said in re.findall(r"`splitbrain ([a-z][^`]+)`", page.read_text(encoding="utf-8"))}
)
# What stands for something of the reader's, which is not here; and what no simulator can host.
UNPLANNED = {"./node", "faults.json", "hosts.toml", "kv/mtls"}
LETTERS = {"N": "7", "W": "file-appends"}


class _Planned(BaseException):
    """Nothing is to be run."""


def words(command: str) -> list[str]:
    return [LETTERS.get(word, word) for word in shlex.split(command)]


@pytest.mark.parametrize("command", COMMANDS)
def test_it_is_understood(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, *rest = words(command)
    chosen = main.get_command(click.Context(main), name)
    assert chosen is not None, f"there is no command {name}"
    if not rest:
        return
    context = chosen.make_context(name, list(rest))
    if name != "run" or UNPLANNED & set(rest):
        return

    def plan(request: planning.Request) -> None:
        planning.make_plan(dataclasses.replace(request, cluster="sim"))
        raise _Planned

    monkeypatch.setattr("harness.cli.run.make_plan", plan)
    with pytest.raises(_Planned):
        context.invoke(chosen.callback, **context.params)  # type: ignore[arg-type]  # every command of ours has one
