"""What a participant does that has voted yes and does not hear the outcome. Its leader asks: first the coordinator, then the others.

Two phases: if one of the others knows the outcome, or has not voted (so it never will), that is the outcome. If all of them have voted
yes, nobody knows, and all wait until the coordinator is back: the protocol blocks (Bernstein, Hadzilacos, Goodman 1987, section 7.4,
the cooperative termination protocol).

Three phases (Skeen 1981; section 7.5 there): who does not answer for ``dead_s`` is taken for dead. The living decide: to commit if one of
them has heard that all agree, else to abort. Before anybody commits, all the living have heard it, so that who dies then leaves nobody
behind who would abort. Several may try at once: who asks takes over from those who asked before, and these decide nothing any more.

A participant has lived if its shard has had one leader since it voted. One that was dead meanwhile has not seen what the living did: it
counts for nothing and decides nothing, unless all participants answer, or one of them knows the outcome (section 7.5.3 there).

**The assumption.** Nodes crash, and messages between those that live arrive: so whoever lived and is silent for ``dead_s`` is dead. Any
protocol that never blocks needs that (Skeen; Keidar and Dolev 1998 show what is left without it: who has no majority must wait).
How long elections take does not matter, since a shard that has elected a leader has not lived; how long a leader stays who cannot reach a
majority does, and options that allow it to be silent for ``dead_s`` are refused (``config.alive_s``). Partitions, pauses and slow links
break the assumption, and tear transactions apart.
"""

from __future__ import annotations

import asyncio
from typing import Any

from targets.node.env import Body, Env, Refusal
from targets.txn.store.bugs import Bugs
from targets.txn.store.config import TWO, Config
from targets.txn.store.coordinator import UNDECIDED, UNKNOWN
from targets.txn.store.groups import Groups
from targets.txn.store.placement import CLOCK
from targets.txn.store.shard import ABORT, COMMIT, PRECOMMITTED, Prepared, Shard

CHECKS = 4  # so often in the time after which a participant asks
CALL_S = 1.0  # patience with the coordinator, and with the others where nothing follows from their silence
DECIDED = (COMMIT, ABORT)
AGAIN_MAX_S = 0.1  # after so long at most, drawn anew, somebody who was overtaken tries again
Known = tuple[str, int | None]  # (state, stamp)
UNHEARD: Known = (UNKNOWN, None)
OPEN: Known = (UNDECIDED, None)
OVERTAKEN: Known = ("overtaken", None)

Name = tuple[str, str]  # (shard, txn)


class Termination:
    """Watches the shards that this node leads."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, groups: Groups) -> None:
        self._env, self._config, self._bugs, self._groups = env, config, bugs, groups
        self._shards = {name: one for name, one in groups.machines.items() if isinstance(one, Shard)}
        self._voted: dict[Name, int] = {}  # the term in which this node, as the leader, has voted yes
        self._asking: dict[Name, None] = {}
        self._attempts = 0
        groups.when_voted, groups.has_led = self._has_voted, self._has_led

    async def watch(self) -> None:
        """For ever: ask for the outcome of all that has been waiting for it for ``ask_s``."""
        since_s: dict[tuple[str, str, bool], float] = {}
        while True:
            await asyncio.sleep(self._config.ask_s / CHECKS)
            now_s, seen_s = self._env.monotonic(), since_s
            waiting = dict(self._waiting())
            self._voted = {name: term for name, term in self._voted.items() if name in waiting}
            since_s = {
                (*name, one.stamp is None): seen_s.get((*name, one.stamp is None), now_s)
                for name, one in waiting.items()
            }
            for name, one in waiting.items():
                if now_s - since_s[*name, one.stamp is None] >= self._config.ask_s and name not in self._asking:
                    self._asking[name] = None
                    self._env.spawn(self._end(name, one))

    def _waiting(self) -> list[tuple[Name, Prepared]]:
        return [
            ((shard, txn), one)
            for shard, machine in self._shards.items()
            if self._groups.quorums[shard].leads
            for txn, one in machine.prepared.items()
        ]

    def _has_voted(self, shard: str, txn: str) -> None:
        if shard in self._shards and txn in self._shards[shard].prepared:
            self._voted[shard, txn] = self._groups.quorums[shard].state.term

    def _has_led(self, shard: str, txn: str) -> bool:
        quorum = self._groups.quorums[shard]
        return quorum.leads and self._voted.get((shard, txn)) == quorum.state.term

    async def _end(self, name: Name, one: Prepared) -> None:
        shard, txn = name
        try:
            outcome = await self._of_coordinator(txn, one)
            if outcome == UNHEARD:
                ask = self._of_others if self._config.protocol == TWO else self._of_the_living
                outcome = await ask(name, one)
                while outcome == OVERTAKEN:
                    await asyncio.sleep(self._env.random.uniform(0, AGAIN_MAX_S))
                    outcome = await ask(name, one)
            if outcome[0] in DECIDED:
                await self._call(shard, ["decide", txn, *outcome, ""])
        finally:
            self._asking.pop(name, None)

    async def _of_coordinator(self, txn: str, one: Prepared) -> Known:
        try:
            reply = await self._env.rpc(one.coordinator, {"type": "outcome", "txn": txn}, CALL_S)
        except (Refusal, TimeoutError):
            return UNHEARD
        return reply["state"], reply["stamp"]

    async def _of_others(self, name: Name, one: Prepared) -> Known:
        """Two phases."""
        shard, txn = name
        if self._bugs.impatient_abort:
            return ABORT, None
        for known in await self._ask([other for other in one.shards if other != shard], ["inquire", txn, ""], CALL_S):
            if known is not None and known["state"] in DECIDED:
                return known["state"], known["stamp"]
        return OPEN

    async def _of_the_living(self, name: Name, one: Prepared) -> Known:
        """Three phases: what somebody knows, or what the living decide and this one has carried out."""
        shard, txn = name
        if self._bugs.timeout_commit:
            drawn = await self._call(CLOCK, ["stamp"])
            return (COMMIT, drawn["stamp"]) if drawn else OPEN
        asked = [shard] if self._bugs.timeout_alone else [shard, *(other for other in one.shards if other != shard)]
        self._attempts += 1
        by = f"{shard} {self._groups.quorums[shard].state.term} {self._attempts}"
        answers = await self._ask(asked, ["inquire", txn, by], self._config.dead_s)
        heard = {other: known for other, known in zip(asked, answers, strict=True) if known is not None}
        for known in heard.values():
            if known["state"] in DECIDED:
                return known["state"], known["stamp"]
        everybody = len(heard) == len(asked)
        if shard not in heard or not (everybody or self._has_led(*name)):
            return OPEN
        agreed = [
            known["stamp"]
            for known in heard.values()
            if known["state"] == PRECOMMITTED and (everybody or known["lived"])
        ]
        outcome: Known = (COMMIT, agreed[0]) if agreed else (ABORT, None)
        if agreed:
            told = await self._ask(list(heard), ["precommit", txn, agreed[0], by], self._config.dead_s)
            if not {known["state"] for known in told if known is not None} <= {PRECOMMITTED, COMMIT}:
                return OVERTAKEN
        done = await self._call(shard, ["decide", txn, *outcome, by])
        return OVERTAKEN if done is not None and done["state"] not in DECIDED else OPEN

    async def _ask(self, shards: list[str], command: list[Any], patience_s: float) -> list[Body | None]:
        async with asyncio.TaskGroup() as tasks:
            made = [tasks.create_task(self._call(shard, command, patience_s)) for shard in shards]
        return [task.result() for task in made]

    async def _call(self, group: str, command: list[Any], patience_s: float = CALL_S) -> Body | None:
        """The result, or None if there is none in time."""
        try:
            return await self._groups.call(group, command, patience_s)
        except TimeoutError:
            return None
