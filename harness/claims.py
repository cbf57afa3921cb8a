"""Files of claims: what somebody says of a target, as TOML, read and checked with all errors at once.

    version = 1
    title = "what our store promises"          # optional

    [[claim]]                                  # one that the target carries (splitbrain list claims)
    target = "kv/raft"
    claim = "minority-refuses"
    row = "1"                                  # optional: the line of a table that it belongs to
    clusters = ["sim", "local"]                # optional, else where the verification is asked to run, else sim

    [[claim]]                                  # one of your own
    target = "kv/raft"
    name = "linearizable-under-partitions"
    workload = "register"
    model = "linearizable"                     # optional: the model by which runs are judged, by its name in the field
    faults = ["partition", "kill"]
    violates = ["stale-read"]                  # optional: it is known to break, and must be seen to
    checkers.availability.progress_s = 3.0     # optional: judge also by these, with these options
    settings.rate = 50.0                       # optional: fields of the plan; "options" and "workload_options" are tables in it
    seeds = 10                                 # optional

Pure: the text comes as a parameter, and so does what is known of targets.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from harness.errors import PlanError, suggest
from harness.protocols import Claim, Target

CLAIMS_VERSION = 1
SEEDS_MAX = 1_000_000
_ENTRY = re.compile(r"^[ \t]*\[\[[ \t]*claim[ \t]*\]\]", re.MULTILINE)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")
# Keys of a claim that the file itself makes, and the types that TOML must give them.
_OWN: Mapping[str, type] = {
    "name": str,
    "topic": str,
    "statement": str,
    "model": str,
    "workload": str,
    "faults": list,
    "violates": list,
    "checkers": dict,
    "settings": dict,
    "seeds": int,
    "source": str,
}
_COMMON: Mapping[str, type] = {"target": str, "claim": str, "row": str, "clusters": list, "seeds": int}
_WORDS = {str: "text", list: "a list of texts", dict: "a table", int: "a whole number"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One claim to be verified: of which target, where, and where it is written (``row`` of a table, ``line`` of the file)."""

    target: str
    claim: Claim
    row: str = ""
    clusters: tuple[str, ...] = ()
    line: int = 0

    @property
    def name(self) -> str:
        """Target and claim: unique in a file."""
        return f"{self.target}:{self.claim.name}"

    @property
    def breaks(self) -> bool:
        """Whether the claim is known to be broken, so that a run must show it."""
        return bool(self.claim.violates)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFile:
    """All cases of one file, in its order."""

    path: str
    title: str
    cases: tuple[Case, ...]


@dataclass(slots=True)
class _Reading:
    """What is known while a file is read: its path, who knows targets, and all that was found wrong."""

    path: str
    target_of: Callable[[str], Target]
    problems: list[str] = field(default_factory=list)

    def wrong(self, line: int, sentence: str) -> None:
        self.problems.append(f"{self.path}:{line}: {sentence}")


def parse_claims(text: str, path: str, target_of: Callable[[str], Target]) -> ClaimFile:
    """The claims in ``text``; ``path`` names the file in messages, ``target_of`` finds a target or raises PlanError.

    Raises PlanError with a sentence per mistake, each with its line.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanError(f"{path}: not a TOML document: {error}") from error
    reading = _Reading(path, target_of)
    version = document.get("version")
    if type(version) is not int or version != CLAIMS_VERSION:
        raise PlanError(f"{path}: claims of version {version!r}: write version = {CLAIMS_VERSION}")
    _known(reading, 1, document, ("version", "title", "claim"))
    entries = document.get("claim", [])
    if not isinstance(entries, list) or not entries:
        raise PlanError(f"{path}: no claim in it: each begins with [[claim]]")
    lines = [text.count("\n", 0, found.start()) + 1 for found in _ENTRY.finditer(text)]
    # An array written in one piece has no line of its own per claim.
    numbered = lines if len(lines) == len(entries) else [1] * len(entries)
    cases = [_case(reading, line, entry) for line, entry in zip(numbered, entries, strict=True)]
    found = [case for case in cases if case is not None]
    _unique(reading, found)
    if reading.problems:
        raise PlanError("; ".join(reading.problems))
    return ClaimFile(path=path, title=str(document.get("title") or path), cases=tuple(found))


def _case(reading: _Reading, line: int, entry: Any) -> Case | None:
    if not isinstance(entry, Mapping):
        reading.wrong(line, "a claim is a table: write [[claim]]")
        return None
    carried = "claim" in entry
    types = _COMMON if carried else {**_COMMON, **_OWN}
    if not (_known(reading, line, entry, types) and _typed(reading, line, entry, types)):
        return None
    try:
        target = reading.target_of(entry["target"])
    except KeyError:
        reading.wrong(line, 'a claim needs a target: target = "kv/raft"')
        return None
    except PlanError as error:
        reading.wrong(line, str(error))
        return None
    claim = _carried(reading, line, entry, target) if carried else _own(reading, line, entry, target)
    if claim is None:
        return None
    clusters = tuple(entry.get("clusters", ()))
    return Case(target=target.name, claim=claim, row=entry.get("row", ""), clusters=clusters, line=line)


def _carried(reading: _Reading, line: int, entry: Mapping[str, Any], target: Target) -> Claim | None:
    claims = {claim.name: claim for claim in target.claims}
    name = entry["claim"]
    if name not in claims:
        reading.wrong(line, f"target {target.name} carries no claim {name!r}: {suggest(name, claims)}")
        return None
    return _with_seeds(claims[name], entry.get("seeds"))


def _own(reading: _Reading, line: int, entry: Mapping[str, Any], target: Target) -> Claim | None:
    values = {name: value for name, value in entry.items() if name in _OWN}
    name = values.get("name", "")
    if not _NAME.match(name):
        reading.wrong(line, f'a claim needs a name of small letters, digits and dashes, not {name!r}: name = "no-loss"')
        return None
    workload = values.get("workload", target.workloads[0])
    if workload not in target.workloads:
        reading.wrong(line, f"target {target.name} has no workload {workload!r}: {suggest(workload, target.workloads)}")
        return None
    plain = {"topic": name, "statement": name.replace("-", " "), "model": "", "faults": (), **values}
    lists = {key: tuple(plain.get(key, ())) for key in ("faults", "violates")}
    return Claim(**{**plain, **lists, "workload": workload})


def _with_seeds(claim: Claim, seeds: int | None) -> Claim:
    if seeds is None:
        return claim
    return Claim(**{**{part.name: getattr(claim, part.name) for part in fields(Claim)}, "seeds": seeds})


def _known(reading: _Reading, line: int, table: Mapping[str, Any], names: Iterable[str]) -> bool:
    unknown = [name for name in table if name not in names]
    for name in unknown:
        reading.wrong(line, f"unknown key {name!r}: {suggest(name, names)}")
    return not unknown


def _typed(reading: _Reading, line: int, entry: Mapping[str, Any], types: Mapping[str, type]) -> bool:
    wrong = [(name, value) for name, value in entry.items() if not _fits(value, types[name])]
    for name, value in wrong:
        reading.wrong(line, f"{name} must be {_WORDS[types[name]]}, not {value!r}")
    seeds = entry.get("seeds", 1)
    if not wrong and not 1 <= seeds <= SEEDS_MAX:
        reading.wrong(line, f"seeds must be 1 to {SEEDS_MAX}, not {seeds}")
        return False
    return not wrong


def _fits(value: Any, kind: type) -> bool:
    if kind is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if kind is dict:
        return isinstance(value, Mapping)
    return type(value) is kind


def _unique(reading: _Reading, cases: Iterable[Case]) -> None:
    lines: dict[str, int] = {}
    for case in cases:
        if case.name in lines:
            first = lines[case.name]
            reading.wrong(case.line, f"{case.claim.name!r} of {case.target} stands in line {first} already")
        lines.setdefault(case.name, case.line)
