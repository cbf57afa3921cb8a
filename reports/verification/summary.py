"""A verification as Markdown: the summary that GitHub shows beside a job, or what one pastes into an issue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reports.verification.rows import NAMES, SIGNS, canary, detect, expected, failed, kinds, rate, where
from reports.wording import sentence

# Characters that could begin markup, a link, a mention, or HTML. Every one is escaped, so that a value is always text. A dash begins
# something at the start alone.
_MARKUP = re.compile(r"(^-|[\\`*_{}\[\]()#+!|<>&~@$:])")


def render(document: Mapping[str, Any]) -> str:
    """The whole summary."""
    columns = kinds(document)
    head = ["row", "claim", *map(text, columns), "status", "detected in", "after"]
    lines = [
        f"## splitbrain: {document['verdict']}",
        "",
        text(document["reason"]),
        "",
        text(canary(document)),
        "",
        _line(head),
        _line(["---"] * len(head)),
        *(_line(_cells(claim, columns)) for claim in document["claims"]),
    ]
    for claim in failed(document):
        lines += ["", *_failure(claim)]
    for name, found in (document.get("findings") or {}).items():
        if found:
            lines += ["", f"### {text(NAMES.get(name, name))}", "", *(f"- {text(finding)}" for finding in found)]
    return "\n".join([*lines, "", f"Repeat: {code(document.get('repeat', ''))}", ""])


def text(value: Any) -> str:
    """A value as Markdown text that cannot be anything else."""
    return _MARKUP.sub(r"\\\1", sentence(value))


def code(value: Any) -> str:
    """A value as code; backticks in it make the fence longer."""
    words = sentence(value, 2_000)
    longest = max((len(run) for run in re.findall("`+", words)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {words} {fence}" if longest else f"`{words}`"


def _cells(claim: Mapping[str, Any], columns: list[str]) -> list[str]:
    cells = {sentence(kind): cell for kind, cell in claim["cells"].items()}
    signs = [SIGNS[cells[column]["status"]][0] if column in cells else "" for column in columns]
    return [
        text(claim["row"]),
        text(f"{claim['target']} {claim['claim']}" + ("" if claim["cluster"] == "sim" else f" ({claim['cluster']})")),
        *signs,
        text(SIGNS[claim["status"]][1]) if claim["status"] != "VIOLATED" else "**VIOLATED**",
        text(rate(claim)),
        text(detect(claim)),
    ]


def _failure(claim: Mapping[str, Any]) -> list[str]:
    lines = [
        f"### {text(claim['status'])}: {text(where(claim))}",
        "",
        f"{text(claim['statement'])} Expected: {text(expected(claim))}.",
    ]
    lines += ["", text(claim["reason"])]
    smallest = claim.get("smallest")
    return [*lines, "", f"Repeat: {code(smallest['repeat'])}"] if smallest else lines


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
