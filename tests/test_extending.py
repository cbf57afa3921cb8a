"""The worked examples of docs/extending.md: their files and their one line each, in a copy of the tree, do what the text says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOC = ROOT / "docs/extending.md"
PACKAGES = ("harness", "targets", "nemesis", "checkers", "reports")
TABLES = {
    "targets/__init__.py": ("splitbrain.targets", "TARGETS"),
    "checkers/__init__.py": ("splitbrain.checkers", "CHECKERS"),
    "nemesis/__init__.py": ("splitbrain.faults", "FAULTS"),
}
_BLOCK = re.compile(r"^```python\n# (?P<insert>in )?(?P<path>\S+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"^    splitbrain (?P<argv>.*?)(?:\s+# exit (?P<code>\d+).*)?$", re.MULTILINE)


def sections() -> dict[str, str]:
    """The text below each heading of the second level."""
    parts = re.split(r"^## (.+)$", DOC.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def blocks(text: str) -> Iterator[tuple[str, str, bool]]:
    """(path, code, whether it is lines for a table there) of every block that names its file."""
    for found in _BLOCK.finditer(text):
        yield found["path"], found["code"], found["insert"] is not None


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages, with all that the examples write and add."""
    copy = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path, code, insert in (block for text in sections().values() for block in blocks(text)):
        place = copy / path
        if not insert:
            assert not place.exists(), f"{path} is there already"
            place.write_text(code, encoding="utf-8")
            continue
        lines = place.read_text(encoding="utf-8").splitlines(keepends=True)
        at = next(at for at, line in enumerate(lines) if line.startswith(TABLES[path][1]))
        place.write_text("".join([*lines[: at + 1], code, *lines[at + 1 :]]), encoding="utf-8")
    return copy


def splitbrain(tree: Path, argv: list[str]) -> subprocess.CompletedProcess[str]:
    """The command of the copy, in its directory."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    command = [sys.executable, "-P", "-m", "harness.cli", *argv]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.process
@pytest.mark.parametrize("name", ["A target", "A checker", "A fault"])
def test_every_command_does_what_the_text_says(name: str, tree: Path) -> None:
    commands = [(shlex.split(found["argv"]), int(found["code"] or 0)) for found in _LINE.finditer(sections()[name])]
    assert len(commands) >= 3
    for argv, code in commands:
        ended = splitbrain(tree, argv)
        assert ended.returncode == code, f"{shlex.join(argv)}\n{ended.stdout}{ended.stderr}"


@pytest.mark.parametrize("name", ["A target", "A checker", "A fault"])
def test_an_example_is_its_files_and_one_line(name: str) -> None:
    written = list(blocks(sections()[name]))
    lines = [code for _, code, insert in written if insert]
    assert [code.count("\n") for code in lines] == [1]
    assert len(written) - 1 == (2 if name == "A target" else 1)
    for path, _, insert in written:
        assert insert == (path in TABLES)


def test_the_examples_keep_the_rules_of_the_tree(tree: Path) -> None:
    files = [path for text in sections().values() for path, _, insert in blocks(text) if not insert]
    assert len(files) == 4
    shutil.copy(ROOT / "pyproject.toml", tree / "pyproject.toml")
    for tool in (["ruff", "check"], ["ruff", "format", "--check"]):
        ended = subprocess.run(
            [Path(sys.executable).parent / tool[0], *tool[1:], *files],
            cwd=tree,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_another_distribution_names_the_same_things(tree: Path) -> None:
    text = sections()["In a distribution of your own"]
    found = re.search(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found
    named = tomllib.loads(found[1])["project"]["entry-points"]
    for path, (group, _) in TABLES.items():
        (line,) = (code for part in sections().values() for where, code, _ in blocks(part) if where == path)
        name, _, value = line.strip().rstrip(",").replace('"', "").partition(": ")
        module, _, attr = value.partition(":")
        assert named[group] == {name: f"our_extras.{module.rpartition('.')[2]}:{attr}"}


def test_it_is_found_by_entry_points(tree: Path, tmp_path: Path) -> None:
    """The checker outside the tree, installed as a distribution is: a module and its metadata on the path."""
    (tmp_path / "our_extras").mkdir()
    (tmp_path / "our_extras/deadline.py").write_text((tree / "checkers/deadline.py").read_text())
    metadata = tmp_path / "our_splitbrain_extras-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: our-splitbrain-extras\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[splitbrain.checkers]\ndeadline = our_extras.deadline:make\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-m", "harness.cli", "list", "checkers", "--json"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert '"deadline"' in ended.stdout
