"""Where each public corpus keeps its histories, and what it says of them. Nothing is judged here.

* Knossos ``data/``: ``data/<model>/good/*.edn`` and ``data/<model>/bad/*.edn``, models cas-register, multi-register,
  mutex and so on.
* Porcupine ``test_data/``: ``jepsen/etcd_NNN.log``, whose verdicts stand in porcupine_test.go, other ``etcd_*.log`` without one, and
  ``kv/*.txt``, whose names end in -ok or -bad.
* elle-cli ``histories/``: ``<tool>/<model>/good|bad/*.edn|json``, judged by the models that test.sh names: ``--model MODEL FILE``, the
  option also as a variable of the shell; where a line goes on with true or false, that is the verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from checkers.linearizable.models import Model, frozen
from checkers.linearizable.objects import MULTI_REGISTER
from harness.formats.edn import Keyword

# Its one history says in a comment what its registers begin with.
_BEGUN = replace(MULTI_REGISTER, init=tuple((frozen(Keyword(name)), 0) for name in "xy"))
# What Knossos and elle-cli call models, and which of ours they are.
MODELS: dict[str, str | Model] = {
    "cas-register": "cas-register",
    "register": "register",
    "multi-register": _BEGUN,
    "mutex": "mutex",
    "knossos-register": "register",
    "knossos-cas-register": "cas-register",
    "knossos-mutex": "mutex",
    "fifo-queue": "fifo-queue",
    "unordered-queue": "unordered-queue",
    "set": "set",
}
_ETCD_TEST = re.compile(r"checkJepsen\(t,\s*(\d+),\s*(true|false)\)")
_ELLE_CASE = re.compile(
    r"(?:-m|--model|\$\w+)\s+(?P<model>[a-z][\w-]+)\s+(?P<file>\S+)(?:.*?\b(?P<answer>true|false)\b)?"
)
_ANSWERS = {"true": True, "false": False, "good": True, "bad": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """A history with the model to judge it by, and what the corpus says (None: nothing)."""

    path: Path
    model: str | Model
    valid: bool | None

    @property
    def name(self) -> str:
        """The model's."""
        return self.model if isinstance(self.model, str) else self.model.name


def find(root: Path) -> Iterator[Oracle]:
    """All oracles at or below ``root``, whatever corpora lie there, in a fixed order."""
    for search in (_knossos, _etcd, _kv, _elle):
        yield from search(root)


def _knossos(root: Path) -> Iterator[Oracle]:
    for path in sorted(root.rglob("*.edn")):
        verdict, model = path.parent.name, path.parent.parent.name
        if verdict in ("good", "bad") and model in MODELS:
            yield Oracle(path=path, model=MODELS[model], valid=verdict == "good")


def _etcd(root: Path) -> Iterator[Oracle]:
    known: dict[int, bool] = {}
    for folder in (root, *root.parents[:2]):
        test = folder / "porcupine_test.go"
        if test.is_file():
            known |= {int(number): answer == "true" for number, answer in _ETCD_TEST.findall(test.read_text())}
    for path in sorted(root.rglob("etcd_*.log")):
        number = path.stem[5:]
        yield Oracle(path=path, model="cas-register", valid=known.get(int(number)) if number.isdecimal() else None)


def _kv(root: Path) -> Iterator[Oracle]:
    for path in sorted(root.rglob("*.txt")):
        if path.parent.name == "kv" and path.stem.endswith(("-ok", "-bad")):
            yield Oracle(path=path, model="string-kv", valid=path.stem.endswith("-ok"))


def _elle(root: Path) -> Iterator[Oracle]:
    for script in sorted(root.rglob("test.sh")):
        for line in script.read_text().splitlines():
            found = _ELLE_CASE.search(line)
            if found and found["model"] in MODELS:
                path = next(
                    (base / found["file"] for base in (script.parent, root) if (base / found["file"]).is_file()), None
                )
                if path is not None:
                    valid = _ANSWERS.get(found["answer"] or path.parent.name)
                    yield Oracle(path=path, model=MODELS[found["model"]], valid=valid)
