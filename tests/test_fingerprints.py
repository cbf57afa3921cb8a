"""What a comparison of a checker with its definition rests on: a change of that is seen, and a change of anything else is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import fingerprints

FILES = {
    "checkers/__init__.py": 'CHECKERS = {"one": "checkers.one:make", "two": "checkers.two.check:make"}\n',
    "checkers/words.py": "def told():\n    return 1\n",
    "checkers/one.py": "from checkers import words\n\ndef make():\n    return words.told()\n",
    "checkers/two/__init__.py": "",
    "checkers/two/check.py": "def make():\n    return 2\n",
    "checkers/two/other.py": "LIMIT = 3\n",
    "tests/__init__.py": "",
    "tests/helpers.py": "SEEDS = 4\n\ndef rolled():\n    return SEEDS\n\ndef other():\n    return 5\n",
    "tests/brute.py": "def all_orders():\n    return 6\n",
    "tests/test_one.py": "from checkers.one import make\nfrom tests import brute\nfrom tests.helpers import rolled\n\n"
    "def defined():\n    return brute.all_orders()\n\ndef test_twin():\n    assert make() == defined() + rolled()\n\n"
    "def test_more():\n    assert make()\n",
}
TWIN = "tests/test_one.py::test_twin"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(fingerprints, "ROOT", tmp_path)
    monkeypatch.setattr(fingerprints, "CHECKERS", tmp_path / "checkers")
    monkeypatch.setattr(fingerprints, "TABLE", tmp_path / "checkers" / "__init__.py")
    return tmp_path


def numbers() -> tuple[str, str, str]:
    fingerprints._tree.cache_clear()
    return (
        fingerprints.of_checker("checkers.one"),
        fingerprints.of_checker("checkers.two.check"),
        fingerprints.of_test(TWIN),
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "moved"),
    [
        ("checkers/one.py", "words.told()", "words.told() + 1", (True, False, False)),
        ("checkers/words.py", "return 1", "return 7", (True, False, False)),  # imported
        ("checkers/two/check.py", "return 2", "return 7", (False, True, False)),
        ("checkers/two/other.py", "LIMIT = 3", "LIMIT = 7", (False, True, False)),  # of its package
        ("checkers/one.py", "def make():", "def make():  # a comment", (False, False, False)),
        ("checkers/__init__.py", "}", ', "three": "checkers.three:make"}', (False, False, False)),
        ("tests/test_one.py", "defined() + rolled()", "rolled()", (False, False, True)),
        ("tests/brute.py", "return 6", "return 7", (False, False, True)),  # a module used as a whole
        ("tests/helpers.py", "SEEDS = 4", "SEEDS = 7", (False, False, True)),  # used by what is used
        ("tests/helpers.py", "return 5", "return 7", (False, False, False)),
        ("tests/test_one.py", "assert make()\n", "assert not make()\n", (False, False, False)),  # another test
    ],
)
def test_what_counts_is_what_is_used(tree: Path, file: str, old: str, new: str, moved: tuple[bool, ...]) -> None:
    before = numbers()
    text = (tree / file).read_text()
    assert old in text
    (tree / file).write_text(text.replace(old, new))
    assert tuple(one != other for one, other in zip(before, numbers(), strict=True)) == moved
