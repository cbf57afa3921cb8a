"""The coordinator of the transactions of a node's clients: a snapshot, what is read of it, and the phases of the commit.

Two phases (Gray 1978): all participants vote; if all said yes, the commit is written into the coordinator's log, and they are told. Whoever
has voted yes must wait for that. A coordinator that comes back tells what stands in its log; all else was aborted.

Three phases (Skeen 1981): between the two, all are told that all have voted yes ("pre-commit"). So whoever has heard that knows that all
agree, and who has not knows that nobody has committed yet: none needs the coordinator any more. One that comes back knows nothing.
That holds only if whoever is taken for dead is (``termination``).

A client is told "commit" when that cannot change any more, and a definite error if it is aborted. Transactions that write nothing need
none of this: they read one snapshot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal
from targets.queue.quorum import Copies
from targets.txn.store.bugs import Bugs
from targets.txn.store.config import SERIALIZABLE, THREE, TWO, Config
from targets.txn.store.decisions import Decision, Decisions
from targets.txn.store.groups import Groups
from targets.txn.store.placement import CLOCK, Placement
from targets.txn.store.requests import REQUESTS, Request, request_of
from targets.txn.store.shard import ABORT, COMMIT, PRECOMMITTED, YES, Prepared

UNDECIDED, UNKNOWN = "undecided", "unknown"
RELAY_S = 4.0  # patience with the coordinator of a node that is none
HASTE_S = 0.05  # the seeded bug silence-is-consent: patience with those who vote
STAMP_S = 0.5  # patience with the clock once all have voted
TELL_S = 2.0  # after so long without an answer a participant is told again
RETRY_S = 0.03  # between two looks at a key that is locked


@dataclass(frozen=True, slots=True, kw_only=True)
class _Txn:
    """A transaction that is to be committed. ``parts``: shard → what it is asked to vote on."""

    name: str
    parts: Mapping[str, Prepared]


class Coordinator:
    """``between``: how many transactions are between their first vote and their decision."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, groups: Groups, placement: Placement) -> None:
        self._env, self._config, self._bugs = env, config, bugs
        self._groups, self._placement = groups, placement
        self._decisions = Decisions(env.storage)
        self._number = 0
        self._copies = Copies()
        self._running: dict[str, tuple[str, int | None]] = {}  # txn → (undecided or outcome, stamp), until all know it
        self.between = 0
        for type_ in REQUESTS:
            env.on(type_, self._on_request)
        env.on("outcome", self._on_outcome)

    def start(self) -> None:
        """``init`` has been answered: what was decided in an earlier life is told."""
        for decision in self._decisions.open.values():
            self._running[decision.txn] = (COMMIT, decision.stamp)
            self._env.spawn(self._tell(decision.txn, decision.shards))

    # What is asked

    def _on_request(self, message: Message) -> Coroutine[Any, Any, Body] | None:
        if self._copies.is_copy(message):
            return None
        who, body = self._placement.coordinator_for(self._env.node_id), message["body"]
        return self._carry_out(body) if who == self._env.node_id else self._relay(who, body)

    def _on_outcome(self, message: Message) -> Body:
        """What became of a transaction: a participant asks."""
        presumed = (ABORT if self._config.protocol == TWO else UNKNOWN, None)
        state, stamp = self._running.get(message["body"]["txn"], presumed)
        return {"type": "outcome_ok", "state": state, "stamp": stamp}

    async def _relay(self, coordinator: str, body: Body) -> Body:
        try:
            return await self._env.rpc(coordinator, body, RELAY_S)
        except TimeoutError as error:
            raise Refusal(codes.TIMEOUT, f"the coordinator {coordinator} did not answer") from error

    async def _carry_out(self, body: Body) -> Body:
        deadline_s = self._env.monotonic() + self._config.patience_s
        request = request_of(body)
        start = await self._stamp(deadline_s)
        values = await self._read(request.slots, start, deadline_s)
        writes, reply = request.work(values)
        if writes:
            await self._commit(self._named(request, start, writes), start, deadline_s)
        return reply

    # The snapshot

    async def _stamp(self, deadline_s: float) -> int:
        result = await self._call(CLOCK, ["stamp"], deadline_s)
        if result is None:
            raise Refusal(codes.UNAVAILABLE, "no stamp is to be had")
        stamp: int = result["stamp"]
        return stamp

    async def _read(self, slots: Sequence[str], start: int, deadline_s: float) -> dict[str, Any]:
        parts: dict[str, list[str]] = {}
        for slot in slots:
            parts.setdefault(self._placement.shard_of(slot), []).append(slot)
        stamp = None if self._bugs.snapshot_too_late else start
        found = await _all([self._look(shard, part, stamp, deadline_s) for shard, part in parts.items()])
        return {slot: value for part in found for slot, (value,) in part.items()}

    async def _look(self, shard: str, slots: list[str], stamp: int | None, deadline_s: float) -> dict[str, Any]:
        wait_until_s = min(deadline_s, self._env.monotonic() + self._config.lock_wait_s)
        while True:
            result = await self._call(shard, ["read", slots, stamp], deadline_s)
            if result is None:
                raise Refusal(codes.UNAVAILABLE, f"{shard} cannot be read")
            if "values" in result:
                return dict(result["values"])
            if "forgotten" in result or self._env.monotonic() >= wait_until_s:
                raise Refusal(codes.TXN_CONFLICT, f"a key of {shard} is being committed")
            await asyncio.sleep(RETRY_S)

    # The commit

    def _named(self, request: Request, start: int, writes: Mapping[str, Any]) -> _Txn:
        self._number += 1
        name = f"{self._env.node_id}-{self._decisions.life}-{self._number}"
        reads = request.slots if self._config.isolation == SERIALIZABLE else ()
        of: dict[str, list[str]] = {}
        for slot in dict.fromkeys([*reads, *writes]):
            of.setdefault(self._placement.shard_of(slot), []).append(slot)
        parts = {
            shard: Prepared(
                coordinator=self._env.node_id,
                shards=list(of),
                start=start,
                reads=[slot for slot in slots if slot in reads],
                writes={slot: writes[slot] for slot in slots if slot in writes},
            )
            for shard, slots in of.items()
        }
        return _Txn(name=name, parts=parts)

    async def _commit(self, txn: _Txn, start: int, deadline_s: float) -> None:
        """All phases. Raises Refusal if it is not committed, definite if it certainly never will be."""
        self._running[txn.name] = (UNDECIDED, None)
        self.between += 1
        try:
            stamp = await self._agreed(txn, start, deadline_s)
            if self._config.decide_s:
                await asyncio.sleep(self._config.decide_s)
            if stamp is None:
                self._decide(txn, ABORT, None)
                raise Refusal(codes.TXN_CONFLICT, "a participant did not agree")
            if self._config.protocol == THREE:
                await self._pre_commit(txn, stamp)
            elif not self._bugs.decision_not_logged:
                self._decisions.commit(Decision(txn.name, stamp, list(txn.parts)))
            self._decide(txn, COMMIT, stamp)
        finally:
            self.between -= 1

    async def _agreed(self, txn: _Txn, start: int, deadline_s: float) -> int | None:
        """The stamp of the commit; None if somebody did not vote yes in time."""
        early = await self._stamp_or_none(deadline_s) if self._bugs.stamp_before_votes else None
        if self._bugs.silence_is_consent:
            deadline_s = self._env.monotonic() + HASTE_S
        votes = await _all([self._vote(txn.name, shard, part, deadline_s) for shard, part in txn.parts.items()])
        agreed = all(vote == YES for vote in votes)
        if self._bugs.commit_at_first_vote:
            agreed = YES in votes
        if self._bugs.silence_is_consent:
            agreed = all(vote in (YES, None) for vote in votes)
        if not agreed:
            return None
        return early or await self._stamp_or_none(self._env.monotonic() + STAMP_S)

    async def _stamp_or_none(self, deadline_s: float) -> int | None:
        result = await self._call(CLOCK, ["stamp"], deadline_s)
        return result["stamp"] if result else None

    async def _vote(self, txn: str, shard: str, part: Prepared, deadline_s: float) -> str | None:
        result = await self._call(shard, ["prepare", txn, asdict(part)], deadline_s)
        return None if result is None else result["vote"]

    async def _pre_commit(self, txn: _Txn, stamp: int) -> None:
        """Tell all that all have voted yes. Who does not answer is taken for dead, and will ask.

        Raises Refusal if they have taken over; or if none answers: then nobody could commit if this node died, too.
        """
        until_s = self._env.monotonic() + self._config.dead_s
        told = await _all([self._call(shard, ["precommit", txn.name, stamp, ""], until_s) for shard in txn.parts])
        states = {known["state"] for known in told if known is not None}
        if not states or not states <= {PRECOMMITTED, COMMIT}:
            del self._running[txn.name]
            raise Refusal(codes.TIMEOUT, "the participants decide without their coordinator")

    def _decide(self, txn: _Txn, outcome: str, stamp: int | None) -> None:
        self._running[txn.name] = (outcome, stamp)
        self._env.spawn(self._tell(txn.name, list(txn.parts)))

    async def _tell(self, txn: str, shards: Sequence[str]) -> None:
        """Tell all participants, until they know. Of an abort nobody needs to be told: in two phases it is presumed."""
        outcome, stamp = self._running[txn]
        left = list(shards)
        while left:
            until_s = self._env.monotonic() + TELL_S
            acks = await _all([self._call(shard, ["decide", txn, outcome, stamp, ""], until_s) for shard in left])
            enough = any(acks) and self._bugs.decision_forgotten_early
            if enough or (outcome == ABORT and self._config.protocol == TWO):
                break
            left = [shard for shard, ack in zip(left, acks, strict=True) if ack is None]
        del self._running[txn]
        if txn in self._decisions.open:
            self._decisions.end(txn)

    async def _call(self, group: str, command: list[Any], until_s: float) -> Body | None:
        """The result, or None if there is none by then."""
        left_s = until_s - self._env.monotonic()
        try:
            return await self._groups.call(group, command, left_s) if left_s > 0 else None
        except TimeoutError:
            return None


async def _all(asked: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """The results of all, side by side. Raises Refusal, the first of those that were raised."""
    try:
        async with asyncio.TaskGroup() as tasks:
            made = [tasks.create_task(one) for one in asked]
    except* Refusal as refused:
        refusal = refused.exceptions[0]
    else:
        return [task.result() for task in made]
    raise refusal
