"""What a participant does that has voted yes and does not hear the outcome. Its leader asks: first the coordinator, then the others.

Two phases: if one of the others knows the outcome, or has not voted (so it never will), that is the outcome. If all of them have voted
yes, nobody knows, and all wait until the coordinator is back: the protocol blocks (Bernstein, Hadzilacos, Goodman 1987, section 7.4,
the cooperative termination protocol).

Three phases: who does not answer is taken for dead. If one of those who do has heard that all agree, they commit, else they abort. That is
right as long as whoever does not answer really is dead (Skeen 1981). A participant that was dead itself meanwhile, because its shard has
had another leader since it voted, has not seen what the living did: it decides nothing unless all answer (section 7.5.3 there).
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
CALL_S = 1.0  # patience with the coordinator, and with the others
DECIDED = (COMMIT, ABORT)
Known = tuple[str, int | None]  # (state, stamp)

Name = tuple[str, str]  # (shard, txn)


class Termination:
    """Watches the shards that this node leads."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, groups: Groups) -> None:
        self._env, self._config, self._bugs, self._groups = env, config, bugs, groups
        self._shards = {name: one for name, one in groups.machines.items() if isinstance(one, Shard)}
        self._voted: dict[Name, int] = {}  # the term in which this node, as the leader, has voted yes
        self._asking: dict[Name, None] = {}
        groups.when_voted = self._has_voted

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

    async def _end(self, name: Name, one: Prepared) -> None:
        shard, txn = name
        try:
            state, stamp = await self._of_coordinator(txn, one)
            if state == UNKNOWN:
                ask = self._of_others if self._config.protocol == TWO else self._of_the_living
                state, stamp = await ask(name, one)
            if state in DECIDED:
                await self._call(shard, ["decide", txn, state, stamp])
        finally:
            self._asking.pop(name, None)

    async def _of_coordinator(self, txn: str, one: Prepared) -> Known:
        try:
            reply = await self._env.rpc(one.coordinator, {"type": "outcome", "txn": txn}, CALL_S)
        except (Refusal, TimeoutError):
            return UNKNOWN, None
        return reply["state"], reply["stamp"]

    async def _of_others(self, name: Name, one: Prepared) -> Known:
        """Two phases."""
        shard, txn = name
        if self._bugs.impatient_abort:
            return ABORT, None
        for known in await self._inquire([other for other in one.shards if other != shard], txn, close=False):
            if known is not None and known["state"] in DECIDED:
                return known["state"], known["stamp"]
        return UNDECIDED, None

    async def _of_the_living(self, name: Name, one: Prepared) -> Known:
        """Three phases."""
        shard, txn = name
        if self._bugs.timeout_commit:
            drawn = await self._call(CLOCK, ["stamp"])
            return (COMMIT, drawn["stamp"]) if drawn else (UNDECIDED, None)
        asked = [shard] if self._bugs.timeout_alone else [shard, *(other for other in one.shards if other != shard)]
        answers = await self._inquire(asked, txn, close=True)
        living = [known for known in answers if known is not None]
        for known in living:
            if known["state"] in DECIDED:
                return known["state"], known["stamp"]
        quorum = self._groups.quorums[shard]
        lived = quorum.leads and self._voted.get(name) == quorum.state.term
        if answers[0] is None or not (lived or len(living) == len(one.shards) or self._bugs.timeout_alone):
            return UNDECIDED, None
        agreed = [known["stamp"] for known in living if known["state"] == PRECOMMITTED]
        return (COMMIT, agreed[0]) if agreed else (ABORT, None)

    async def _inquire(self, shards: list[str], txn: str, *, close: bool) -> list[Body | None]:
        async with asyncio.TaskGroup() as tasks:
            made = [tasks.create_task(self._call(shard, ["inquire", txn, close])) for shard in shards]
        return [task.result() for task in made]

    async def _call(self, group: str, command: list[Any]) -> Body | None:
        """The result, or None if there is none in time."""
        try:
            return await self._groups.call(group, command, CALL_S)
        except TimeoutError:
            return None
