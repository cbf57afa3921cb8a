"""The checker ``files``: did a distributed file system keep what it promised? The operations stand in ``harness.files``, the anomalies in

    names        lost-file, resurrected-file, phantom-file
    namespace    nonlinearizable: the names of all files together
    records      lost-record, stale-read, wrong-offset, duplicate-record, phantom-record, corrupt-read, unreadable-file
    regions      lost-write, undefined-region (and stale-read, wrong-offset)
    replicas     replicas-differ, under-replicated

The content of a file is judged close to open: whatever was acknowledged before a read began must be in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from checkers.files import names, namespace, records, regions, replicas
from checkers.files.lives import Lives
from checkers.files.steps import Step, Unjudgeable, steps_of
from checkers.findings import Findings, unknown
from checkers.wording import Narrator, count, listed
from harness.errors import PlanError
from harness.files import APPEND, CONTENT, NAMESPACE, WRITE
from harness.history import History
from harness.verdict import Budget, Checker, Validity, Verdict

NAME = "files"


def make(
    *, replication: int | None = None, at_least_once: bool = False, undefined: bool = False, by_name: bool = False
) -> Checker:
    """Did a distributed file system keep its files? Options: how many replicas each must have in the end (replication); may a record be
    there twice (at_least_once), may overlapping writes mix (undefined); clients never go by what they remember of a name (by_name).

    Raises PlanError.
    """
    if replication is not None and (type(replication) is not int or replication < 1):
        raise PlanError(f"replication is {replication!r}; it must be a whole number of at least 1")
    return Files(replication=replication, at_least_once=at_least_once, undefined=undefined, by_name=by_name)


@dataclass(slots=True, kw_only=True)
class Files:
    """See the module."""

    replication: int | None = None
    at_least_once: bool = False
    undefined: bool = False
    by_name: bool = False
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        allowed = [records.DUPLICATE] * self.at_least_once + [regions.UNDEFINED] * self.undefined
        found = Findings(NAME, Narrator(calls), allowed)
        try:
            steps = steps_of(calls)
            writers = records.writers_of(steps)
        except Unjudgeable as problem:
            return unknown(NAME, f"not a history of files: {problem}")
        lives, looks = Lives(steps, by_name=self.by_name), replicas.last_looks(steps)
        views = records.views_of(steps, looks)
        names.judge_names(steps, found)
        doubts = [_namespace(steps, budget, found)]
        records.judge_strangers(views, writers, lives, found)
        tally = records.judge_appends(steps, views, lives, found)
        written = regions.judge_writes(steps, views, lives, found)
        replicas.judge_sameness(steps, lives, looks, found, exact=not self.at_least_once)
        if self.replication is not None:
            replicas.judge_counts(looks, self.replication, found)
            doubts += [] if looks else ["nobody has seen how many replicas there were in the end"]
        fine = _fine(steps, tally, written, looks)
        doubts += [_doubt(steps, tally, written)]
        if not fine and not any(doubts):
            doubts.append("nothing was done to files, so there was nothing to judge")
        stats = self._stats(history, steps, tally, looks)
        return found.verdict(
            doubt="; ".join(filter(None, doubts)),
            fine=listed(fine or [""]) + found.allowed_words(),
            stats=stats,
        )

    def _stats(
        self, history: History, steps: Sequence[Step], tally: records.Tally, looks: dict[str, Step]
    ) -> dict[str, Any]:
        few = None if self.replication is None else replicas.restored_s(history, steps, self.replication)
        return {
            "names": sum(step.f in NAMESPACE for step in steps),
            "contents": sum(step.f in CONTENT for step in steps),
            "acknowledged_records": tally.acknowledged,
            "judged_records": len(tally.due),
            "duplicate_share": round(len(tally.doubled) / len(tally.shown), 6) if tally.shown else None,
            "acknowledged_writes": sum(step.f == WRITE and step.ok for step in steps),
            "files_with_replicas_seen": len(looks),
            "under_replicated_s": few,
        }


def _namespace(steps: Sequence[Step], budget: Budget, found: Findings) -> str:
    """Judge the namespace as a whole, if the rules for each name have found nothing; the doubt that is left."""
    if found.counts:
        return ""
    case = namespace.case_of(steps, budget)
    if case.found is None or case.found.validity is Validity.UNKNOWN:
        return namespace.undecided(case, budget)
    if case.found.validity is Validity.INVALID:
        rows, reason = namespace.told(case, found.say)
        found.add(namespace.NAME, rows, reason)
    return ""


def _doubt(steps: Sequence[Step], tally: records.Tally, written: int) -> str:
    if not any(step.ok or step.answer for step in steps):
        return "not one operation on files was answered, so there was nothing to judge"
    if any(step.f == APPEND and step.ok for step in steps) and not tally.due and not _named(steps):
        return "no read had to have any acknowledged record, so there was nothing to judge"
    if any(step.f == WRITE and step.ok for step in steps) and not written:
        return "no read had to show any acknowledged write, so there was nothing to judge"
    return ""


def _named(steps: Sequence[Step]) -> bool:
    """Whether names were given and taken away, so that content is not all that was judged."""
    return any(step.f in ("delete", "rename") and step.ok for step in steps)


def _fine(steps: Sequence[Step], tally: records.Tally, written: int, looks: dict[str, Step]) -> list[str]:
    parts = []
    if many := sum(step.f in NAMESPACE for step in steps):
        parts.append(f"an order that respects real time explains {count(many, 'operation')} on names")
    if tally.due:
        parts.append(f"each of {count(len(tally.due), 'acknowledged record')} stood where it was said to")
    if written:
        parts.append(f"{count(written, 'look')} at writes showed the last ones")
    if looks:
        parts.append(f"the replicas of {count(len(looks), 'file')} held what was acknowledged")
    return parts
