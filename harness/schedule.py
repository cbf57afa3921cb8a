"""When which fault happens: a schedule is data, written to the run, replayed by ``--schedule``, shrunk, and carried between clusters.

Pure; knows no kind of fault: what a kind's arguments may be is asked of the ``rules`` that the caller brings. A file looks like

    {"version": 1, "faults": [
      {"kind": "partition", "start_s": 5, "end_s": 12, "args": {"shape": "halves"}},
      {"kind": "kill",      "start_s": 3, "end_s": 5,  "args": {"target": "leader"}}
    ]}

``id`` and ``args`` may be left out. What the arguments leave open (which halves) is drawn by ``nemesis.schedules.complete_schedule``.
Every reader collects all problems of a document and raises them as one PlanError.
"""

from __future__ import annotations

import copy
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from harness.errors import PlanError, suggest

SCHEDULE_VERSION = 1
LATEST_S = 7 * 86400.0  # the longest run that a plan allows
PROBLEMS_SHOWN_MAX = 20
_SHOWN_MAX = 60
_NAME = re.compile(r"[a-z][a-z0-9-]*\Z")

# Per kind: (arguments, seconds that the fault lasts) → problems, each "argument: what is wrong, and what would be right".
Rules = Mapping[str, Callable[[Mapping[str, Any], float], Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """One fault. ``start_s`` and ``end_s`` count from the start of the run; ``args`` is JSON data whose meaning is the kind's.

    ``id`` is its name in the run, and stays when other faults are shrunk away.
    """

    id: int
    kind: str
    start_s: float
    end_s: float
    args: Mapping[str, Any] = field(default_factory=dict)

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s

    def to_json(self) -> dict[str, Any]:
        """The fault as a JSON object of its own."""
        return {
            "id": self.id,
            "kind": self.kind,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "args": copy.deepcopy(dict(self.args)),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """All faults of a run, sorted by start (then id); ids differ. ``source`` names the file in messages, and is not compared.

    Raises PlanError if the faults are not sorted, or share an id.
    """

    faults: tuple[PlannedFault, ...] = ()
    source: str = field(default="schedule", compare=False)

    def __post_init__(self) -> None:
        if list(self.faults) != sorted(self.faults, key=_when):
            raise PlanError(f"{self.source}: the faults of a schedule must be sorted by their start")
        if problems := list(_shared_ids(fault.id for fault in self.faults)):
            _refuse(self.source, problems)

    def to_json(self) -> dict[str, Any]:
        """The schedule as a JSON document, with its format's version."""
        return {"version": SCHEDULE_VERSION, "faults": [fault.to_json() for fault in self.faults]}

    def dumps(self) -> str:
        """The text of a schedule file: the same for equal schedules, one fault per line, keys sorted."""
        lines = ",\n".join("  " + json.dumps(fault.to_json(), sort_keys=True) for fault in self.faults)
        faults = f"[\n{lines}\n]" if lines else "[]"
        return f'{{"faults": {faults},\n"version": {SCHEDULE_VERSION}}}\n'

    @classmethod
    def from_json(
        cls, document: Any, where: str, rules: Rules | None = None, time_limit_s: float | None = None
    ) -> Schedule:
        """The schedule of a JSON document; ``where`` names its file in messages.

        ``rules`` judge kinds and arguments, ``time_limit_s`` is when the last fault must have ended; without them neither is judged.
        Raises PlanError with all problems.
        """
        problems = list(_document_problems(document))
        entries = document["faults"] if not problems else []
        for number, entry in enumerate(entries, 1):
            label = _label(entry, number)
            problems += [f"{label}{problem}" for problem in _fault_problems(entry, rules, time_limit_s)]
        if not problems:
            problems += _shared_ids(entry["id"] for entry in entries if "id" in entry)
        if problems:
            _refuse(where, problems)
        return cls(faults=tuple(sorted(_numbered(entries), key=_when)), source=where)

    @classmethod
    def load(cls, path: Path, rules: Rules | None = None, time_limit_s: float | None = None) -> Schedule:
        """The schedule of a file; see ``from_json``. Raises PlanError."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_object, parse_constant=_constant)
        except OSError as error:
            raise PlanError(f"{path}: cannot be read ({error.strerror})") from error
        except UnicodeDecodeError as error:
            raise PlanError(f"{path}: not UTF-8 text (byte {error.start})") from error
        except json.JSONDecodeError as error:
            raise PlanError(f"{path}: line {error.lineno}, column {error.colno}: not JSON ({error.msg})") from error
        except ValueError as error:
            raise PlanError(f"{path}: not a JSON document ({error})") from error
        except RecursionError as error:
            raise PlanError(f"{path}: not a schedule (nested too deeply)") from error
        return cls.from_json(document, str(path), rules, time_limit_s)

    def validate(self, rules: Rules, time_limit_s: float) -> None:
        """Raises PlanError with all that is wrong with kinds, times and arguments."""
        problems = [
            f"{_label(entry, fault.id)}{problem}"
            for fault in self.faults
            for entry in [fault.to_json()]
            for problem in _fault_problems(entry, rules, time_limit_s)
        ]
        if problems:
            _refuse(self.source, problems)


def shown(value: Any) -> str:
    """A JSON value as it stands in a message: on one line, and short."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 3] + "..."


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number (true and false are not)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_time(value: Any) -> bool:
    return is_number(value) and 0 <= value <= LATEST_S


# Field of a fault → (does the value fit, what would be right, must it be there).
_FIELDS: Mapping[str, tuple[Callable[[Any], bool], str, bool]] = {
    "kind": (lambda v: isinstance(v, str) and bool(_NAME.match(v)), 'the name of a fault, such as "partition"', True),
    "start_s": (_is_time, "seconds from the start of the run, 0 to a week", True),
    "end_s": (_is_time, "seconds from the start of the run, 0 to a week", True),
    "id": (lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 0, "a whole number from 0", False),
    "args": (lambda v: isinstance(v, Mapping), 'an object such as {"target": "leader"}', False),
}


def _document_problems(document: Any) -> Iterator[str]:
    """What is wrong with a document around its faults."""
    if not isinstance(document, Mapping):
        yield f'{shown(document)} is not a schedule: write {{"version": {SCHEDULE_VERSION}, "faults": [...]}}'
        return
    for name in sorted(set(document) - {"version", "faults"}):
        yield f"{shown(name)}: unknown field: {suggest(name, ('version', 'faults'))}"
    version = document.get("version")
    if version is None:
        yield f'version is missing: write "version": {SCHEDULE_VERSION}'
    elif version != SCHEDULE_VERSION or isinstance(version, bool):
        yield f"version: {shown(version)}, but this splitbrain reads schedules of version {SCHEDULE_VERSION}"
    if not isinstance(document.get("faults"), list):
        found = f"{shown(document['faults'])} is not" if "faults" in document else "missing, must be"
        yield f'faults: {found} a list such as [{{"kind": "kill", "start_s": 3, "end_s": 5}}]'


def _fault_problems(entry: Any, rules: Rules | None, time_limit_s: float | None) -> Iterator[str]:
    """What is wrong with one fault; each begins with the field."""
    if not isinstance(entry, Mapping):
        yield f'{shown(entry)} is not a fault: write {{"kind": "kill", "start_s": 3, "end_s": 5, "args": {{}}}}'
        return
    yield from _field_problems(entry)
    fit = {name for name, (fits, _, _) in _FIELDS.items() if name in entry and fits(entry[name])}
    length_s = math.inf  # of a fault whose times are broken nothing is said to be too long
    if {"start_s", "end_s"} <= fit:
        if entry["end_s"] > entry["start_s"]:
            length_s = entry["end_s"] - entry["start_s"]
        else:
            yield f"end_s: {shown(entry['end_s'])} is not after start_s {shown(entry['start_s'])}"
    if "end_s" in fit and time_limit_s is not None and entry["end_s"] > time_limit_s:
        yield f"end_s: {shown(entry['end_s'])} is after the time limit of {time_limit_s:g} s, when all is healed"
    if rules is None or "kind" not in fit:
        return
    if entry["kind"] not in rules:
        yield f"kind: unknown fault {shown(entry['kind'])}: {suggest(entry['kind'], rules)}"
    elif "args" in fit or "args" not in entry:
        yield from (f"args.{problem}" for problem in rules[entry["kind"]](entry.get("args", {}), length_s))


def _field_problems(entry: Mapping[str, Any]) -> Iterator[str]:
    """Fields of a fault that are unknown, missing, or no such value."""
    for name in sorted(set(entry) - set(_FIELDS)):
        yield f"{shown(name)}: unknown field: {suggest(name, _FIELDS)}"
    for name, (fits, right, required) in _FIELDS.items():
        if name in entry and not fits(entry[name]):
            yield f"{name}: {shown(entry[name])} is not {right}"
        elif name not in entry and required:
            yield f"{name} is missing: {right}"


def _label(entry: Any, number: int) -> str:
    """How a message names a fault: by its id, or by its place in the file counted from 1 (which becomes its id)."""
    if not isinstance(entry, Mapping):
        return f"fault {number}: "
    fits_id = "id" in entry and _FIELDS["id"][0](entry["id"])
    kind = f" ({entry['kind']})" if isinstance(entry.get("kind"), str) and _NAME.match(entry["kind"]) else ""
    return f"fault {entry['id'] if fits_id else number}{kind}, "


def _shared_ids(ids: Iterator[int]) -> Iterator[str]:
    for fault_id, count in Counter(ids).items():
        if count > 1:
            yield f"fault {fault_id}, id: {count} faults have the id {fault_id}, but ids must differ"


def _numbered(entries: Sequence[Mapping[str, Any]]) -> Iterator[PlannedFault]:
    """The faults of a file; one without an id gets its place in the file, or the next number that nobody has."""
    taken = {entry["id"] for entry in entries if "id" in entry}
    for number, entry in enumerate(entries, 1):
        fault_id = entry.get("id")
        if fault_id is None:
            fault_id = number
            while fault_id in taken:
                fault_id += 1
            taken.add(fault_id)
        yield PlannedFault(
            id=fault_id,
            kind=entry["kind"],
            start_s=float(entry["start_s"]),
            end_s=float(entry["end_s"]),
            args=copy.deepcopy(dict(entry.get("args", {}))),
        )


def _when(fault: PlannedFault) -> tuple[float, int]:
    return fault.start_s, fault.id


def _refuse(where: str, problems: Sequence[str]) -> NoReturn:
    if len(problems) == 1:
        raise PlanError(f"{where}: {problems[0]}")
    lines = [f"  {problem}" for problem in problems[:PROBLEMS_SHOWN_MAX]]
    if len(problems) > PROBLEMS_SHOWN_MAX:
        lines.append(f"  and {len(problems) - PROBLEMS_SHOWN_MAX} more")
    raise PlanError("\n".join([f"{where}: {len(problems)} problems", *lines]))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; a key that stands twice is a slip of the pen that JSON readers hide."""
    for name, count in Counter(name for name, _ in pairs).items():
        if count > 1:
            raise ValueError(f"the key {shown(name)} stands {count} times in one object")
    return dict(pairs)


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that JSON knows")
