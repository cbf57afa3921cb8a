"""The checker ``atomic-commit``: does a transaction happen everywhere or nowhere? By names:

* ``disagreement``: one participant committed it, another one aborted it (at any time: a decision is for good);
* ``changed-decision``: one participant did both;
* ``wrong-answer``: a client was told that it is committed, and a participant aborted it; or that it is aborted, and one committed it;
* ``commit-despite-no``: a participant had voted no (or was to), and it was committed;
* ``blocked``: a participant had voted yes and did not learn the outcome for longer than ``blocked_max_s`` seconds. Without that bound
  the times are figures: two-phase commit blocks while its coordinator is down (Skeen 1981; Gray and Lamport 2006), and keeps its promises.

What is known of transactions, and from where, see ``sightings``. Where a client's operation ended unknown, either outcome is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from checkers.commits.sightings import ABORT, COMMIT, NO, Logs, Sight, Txn, Unjudgeable, end_s, txns_of
from checkers.findings import Findings, unknown
from checkers.wording import Narrator, count, listed, name
from harness.history import History
from harness.verdict import Budget, Checker, Verdict

NAME = "atomic-commit"
DISAGREEMENT, CHANGED, WRONG, DESPITE_NO, BLOCKED = (
    "disagreement",
    "changed-decision",
    "wrong-answer",
    "commit-despite-no",
    "blocked",
)


def make(*, blocked_max_s: float | None = None) -> Checker:
    """Does a transaction happen everywhere or nowhere? Option blocked_max_s: for how long a participant may wait for the outcome."""
    return AtomicCommit(blocked_max_s=blocked_max_s)


@dataclass(slots=True, kw_only=True)
class AtomicCommit:
    """See the module. Satisfies ``harness.verdict.ReadsNodeLogs``; a history may do without logs."""

    blocked_max_s: float | None = None
    logs: Logs = field(default_factory=dict)
    name: str = field(default=NAME, init=False)

    def with_logs(self, logs: Logs) -> Checker:
        return replace(self, logs=logs)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            txns = txns_of(calls, self.logs)
        except (Unjudgeable, TypeError, ValueError) as problem:
            return unknown(NAME, f"not a record of transactions: {problem}")
        found = Findings(NAME, Narrator(calls))
        waits = [(txn, *wait) for txn in txns for wait in txn.blocked(end_s(calls))]
        for txn in txns:
            _disagreement(txn, found)
            _wrong_answer(txn, found)
            _despite_no(txn, found)
        for txn, who, since_s, until_s in waits:
            if self.blocked_max_s is not None and until_s - since_s > self.blocked_max_s:
                how = f"{name(who)} had voted yes for transaction {name(txn.name)} and did not know the outcome"
                found.add(BLOCKED, _rows(txn.sights), f"{how} from {since_s:.3f} s to {until_s:.3f} s")
        seconds = sorted((until_s - since_s for _, _, since_s, until_s in waits), reverse=True)
        stats = {
            "transactions": len(txns),
            "committed": sum(bool(txn.decided(COMMIT)) for txn in txns),
            "aborted": sum(bool(txn.decided(ABORT)) for txn in txns),
            "participants": len({sight.who for txn in txns for sight in txn.sights}),
            "waits": len(waits),
            "blocked_s": {"total": round(sum(seconds), 3), "max": round(seconds[0], 3) if seconds else 0.0},
        }
        doubt = _doubt(txns, stats)
        if self.blocked_max_s is not None and (history.time_ns < 0).any():
            doubt = doubt or "the history has no times, so it is not known for how long anybody was blocked"
        return found.verdict(doubt=doubt, fine=_fine(stats), stats=stats)


def _doubt(txns: Sequence[Txn], stats: Mapping[str, Any]) -> str:
    if not stats["committed"]:
        return f"of {count(len(txns), 'transaction')} none is known to have been committed by a participant, so there was nothing to judge"
    if stats["participants"] < 2:
        return "all that is known is of one participant, so nobody could disagree with it"
    return ""


def _fine(stats: Mapping[str, Any]) -> str:
    did = f"{stats['committed']:,} committed, {stats['aborted']:,} aborted"
    most = (
        f"; a participant waited for the outcome for at most {stats['blocked_s']['max']:.3f} s"
        if stats["waits"]
        else ""
    )
    return f"each of {count(stats['transactions'], 'transaction')} happened everywhere or nowhere ({did}){most}"


def _disagreement(txn: Txn, found: Findings) -> None:
    commits, aborts = txn.decided(COMMIT), txn.decided(ABORT)
    both = {sight.who for sight in commits} & {sight.who for sight in aborts}
    for who in sorted(both):
        mine = [next(sight for sight in sights if sight.who == who) for sights in (commits, aborts)]
        first, second = sorted(mine, key=lambda sight: sight.since_s)
        how = f"{name(who)} {_did(first)} transaction {name(txn.name)} {_when(first)}, and {_did(second)} it {_when(second)}"
        found.add(CHANGED, _rows([first, second]), how)
    if commits and aborts and not both:
        one, other = commits[0], aborts[0]
        how = f"{name(one.who)} committed transaction {name(txn.name)} {_when(one)}, but {name(other.who)} aborted it {_when(other)}"
        found.add(DISAGREEMENT, _rows([one, other]), how)


def _wrong_answer(txn: Txn, found: Findings) -> None:
    for row, told in txn.told:
        against = txn.decided(ABORT if told == COMMIT else COMMIT)
        if against:
            word = "committed" if told == COMMIT else "aborted"
            who = f"{found.say.who(row)} was told {found.say.ended(row)} that transaction {name(txn.name)} is {word}"
            found.add(
                WRONG,
                [row, *_rows(against[:1])],
                f"{who}, but {name(against[0].who)} {_did(against[0])} it {_when(against[0])}",
            )


def _despite_no(txn: Txn, found: Findings) -> None:
    against = sorted(who for who, vote in txn.votes.items() if vote == NO)
    commits = txn.decided(COMMIT)
    if against and commits:
        how = f"{listed(map(name, against))} voted no on transaction {name(txn.name)}, but {name(commits[0].who)} committed it"
        found.add(DESPITE_NO, _rows(commits[:1]), f"{how} {_when(commits[0])}")


def _did(sight: Sight) -> str:
    return "committed" if sight.state == COMMIT else "aborted"


def _when(sight: Sight) -> str:
    return f"at {sight.since_s:.3f} s" if sight.row is None else f"by {sight.until_s:.3f} s"


def _rows(sights: Sequence[Sight]) -> list[int]:
    return sorted({sight.row for sight in sights if sight.row is not None})
