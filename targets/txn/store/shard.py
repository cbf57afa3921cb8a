"""A participant: the state of one shard, which its replicas share. Deterministic: it knows no time.

Keys have versions, each with the stamp of its commit. A transaction that is *prepared* here has been voted yes for: what it reads and
writes is locked until it is decided. Commands; each may come again, and then changes nothing:

* ``["read", [slot, ...], stamp]``: the keys as they were at ``stamp``. Nothing is answered of a key that is locked for writing: the one
  who holds it may have an earlier stamp, or get one. Whoever locks it afterwards gets a later one;
* ``["prepare", txn, fields]``: vote. ``fields`` are those of ``Prepared``. No, if a key is locked by another one (so nobody waits, and
  there is no deadlock), or was written after the snapshot of the transaction: under snapshot isolation a key that it writes ("first
  committer wins"; Berenson and others, SIGMOD 1995), under serializability one that it reads, too;
* ``["precommit", txn, stamp, by]``: all have voted yes, and the commit will have this stamp (three phases alone). It is refused unless it
  comes from who decides: the coordinator ("") until somebody has taken over, then whoever did so last;
* ``["decide", txn, outcome, stamp, by]``: the first decision counts. What knows nothing of a transaction aborts it. Who decides instead of
  the coordinator is refused as above; what was decided elsewhere (by "") never is;
* ``["inquire", txn, by]``: what is known of it. Who has not voted by then never will: it is aborted. ``by``, unless it is "", names a
  participant's attempt to decide instead of the coordinator, which it takes for dead: it takes over here.

Every replica writes ``vote`` and ``decide`` into its node's log when it carries them out; after a restart it may do so again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from targets.node.env import Body
from targets.txn.store.bugs import Bugs

COMMIT, ABORT, PREPARED, PRECOMMITTED = "commit", "abort", "prepared", "precommitted"
YES, NO = "yes", "no"
# So many versions of a key are kept: a snapshot that needs an older one is refused.
VERSIONS_MAX = 8
# So many outcomes are remembered, far more than transactions can be in doubt at a time.
OUTCOMES_MAX = 10_000

Tell = Callable[..., None]  # (event, **fields)


@dataclass(slots=True, kw_only=True)
class Prepared:
    """A transaction that was voted yes for. ``shards``: all participants; ``start``: the stamp of its snapshot; ``stamp``: that of its
    commit, as soon as it is known that all agree; ``by``: who has taken over from the coordinator, "" for nobody.
    """

    coordinator: str
    shards: list[str]
    start: int
    reads: list[str]
    writes: dict[str, Any]
    stamp: int | None = None
    by: str = ""


class Shard:
    """A ``targets.kv.raft.machine.StateMachine``."""

    def __init__(self, bugs: Bugs, *, validates_reads: bool) -> None:
        self._bugs, self._validates_reads = bugs, validates_reads and not bugs.reads_not_validated
        self._versions: dict[str, list[list[Any]]] = {}  # slot → [[stamp, value], ...], the latest last
        self._outcomes: dict[str, list[Any]] = {}  # txn → [outcome, stamp]
        self.prepared: dict[str, Prepared] = {}
        self.tell: Tell = _nobody  # until the node has recovered

    def apply(self, command: list[Any]) -> Body:
        """Carry out ``command``."""
        return _COMMANDS[command[0]](self, *command[1:])

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON."""
        prepared = {txn: asdict(one) for txn, one in self.prepared.items()}
        versions = {slot: list(found) for slot, found in self._versions.items()}
        return {"versions": versions, "outcomes": dict(self._outcomes), "prepared": prepared}

    def load(self, dump: dict[str, Any]) -> None:
        """Take over what ``dump`` returned, here or on another server. What was decided meanwhile is told."""
        known = self._outcomes
        self._versions = {slot: list(found) for slot, found in dump["versions"].items()}
        self._outcomes = dict(dump["outcomes"])
        self.prepared = {txn: Prepared(**fields) for txn, fields in dump["prepared"].items()}
        for txn, (outcome, _) in self._outcomes.items():
            if txn not in known:
                self.tell("decide", txn=txn, outcome=outcome)

    # Commands

    def read(self, slots: list[str], stamp: int | None) -> Body:
        """The command "read". Without a stamp: what is latest here."""
        if not self._bugs.reads_ignore_locks and self._locked(slots, ()):
            return {"locked": True}
        found = {slot: self._at(slot, stamp) for slot in slots}
        return {"values": found} if None not in found.values() else {"forgotten": True}

    def _prepare(self, txn: str, fields: Mapping[str, Any]) -> Body:
        decided = self._outcomes.get(txn)
        if decided is not None:
            return {"vote": NO if decided[0] == ABORT else YES}
        if txn not in self.prepared:
            one = Prepared(**fields)
            if self._refuses(one):
                self.tell("vote", txn=txn, vote=NO)
                self._settle(txn, ABORT, None)
                return {"vote": NO}
            self.prepared[txn] = one
            self.tell("vote", txn=txn, vote=YES)
        return {"vote": YES}

    def _precommit(self, txn: str, stamp: int, by: str) -> Body:
        one = self.prepared.get(txn)
        if one is not None and one.by == by:
            one.stamp = stamp
        return self._known(txn)

    def _decide(self, txn: str, outcome: str, stamp: int | None, by: str) -> Body:
        overtaken = by and txn in self.prepared and self.prepared[txn].by != by
        if txn not in self._outcomes and not overtaken:
            one = self.prepared.pop(txn, None)
            if one is None or outcome != COMMIT:
                self._settle(txn, ABORT, None)
            else:
                for slot, value in one.writes.items():
                    self._versions.setdefault(slot, []).append([stamp, value])
                    del self._versions[slot][:-VERSIONS_MAX]
                self._settle(txn, COMMIT, stamp)
        return self._known(txn)

    def _inquire(self, txn: str, by: str) -> Body:
        one = self.prepared.get(txn)
        if one is not None:
            one.by = by or one.by
        elif txn not in self._outcomes:
            self._settle(txn, ABORT, None)
        return self._known(txn)

    # Within

    def _known(self, txn: str) -> Body:
        if txn in self._outcomes:
            state, stamp = self._outcomes[txn]
            return {"state": state, "stamp": stamp}
        one = self.prepared.get(txn)
        if one is None:
            return {"state": None, "stamp": None}
        return {"state": PREPARED if one.stamp is None else PRECOMMITTED, "stamp": one.stamp}

    def _settle(self, txn: str, outcome: str, stamp: int | None) -> None:
        self._outcomes[txn] = [outcome, stamp]
        for oldest in list(islice(self._outcomes, max(0, len(self._outcomes) - OUTCOMES_MAX))):
            del self._outcomes[oldest]
        self.tell("decide", txn=txn, outcome=outcome)

    def _refuses(self, one: Prepared) -> bool:
        reads = one.reads if self._validates_reads else []
        if self._locked([*reads, *one.writes], one.writes):
            return True
        if self._bugs.first_committer_unchecked:
            return False
        return any(self._versions[slot][-1][0] > one.start for slot in [*reads, *one.writes] if slot in self._versions)

    def _locked(self, slots: Collection[str], writes: Collection[str]) -> bool:
        """Whether somebody who is prepared writes one of ``slots``, or reads one of ``writes``."""
        if self._bugs.locks_released_at_vote:
            return False
        others = self.prepared.values()
        if any(slot in other.writes for other in others for slot in slots):
            return True
        return self._validates_reads and any(slot in other.reads for other in others for slot in writes)

    def _at(self, slot: str, stamp: int | None) -> list[Any] | None:
        """[value] as of ``stamp`` (null if there was none); None if that is forgotten."""
        versions = self._versions.get(slot, [])
        for found, value in reversed(versions):
            if stamp is None or found <= stamp:
                return [value]
        return None if len(versions) == VERSIONS_MAX else [None]


def _nobody(_event: str, **_fields: Any) -> None:
    """Who is told while a node recovers."""


_COMMANDS: dict[str, Callable[..., Body]] = {
    "read": Shard.read,
    "prepare": Shard._prepare,  # noqa: SLF001 - its own table
    "precommit": Shard._precommit,  # noqa: SLF001
    "decide": Shard._decide,  # noqa: SLF001
    "inquire": Shard._inquire,  # noqa: SLF001
}
