"""Who may write to a chunk: the active server gives one of its replicas a lease, as its primary (GFS 3.1).

Each lease has a version of its own. All replicas that have missed nothing are asked to adopt it; whoever does not is left out, and the
others adopt another version, so that a version in force is known to all who have it. Only then is it an edit, and only then has it a
primary. So a replica of at least the version of the last edit (``Chunk.safe``) has all that was acknowledged, and any other may have missed
something (GFS 4.5). A replica that has adopted a version takes nothing any more of the primary of an earlier one, whatever that believes:
leases need no clocks for that. Without ``fenced_leases`` they do: then the active server waits until a lease must have ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from targets.dfs.gfs.bugs import Bugs
from targets.dfs.gfs.config import Config
from targets.dfs.gfs.failover import Failover
from targets.dfs.gfs.namespace import Chunk
from targets.dfs.gfs.peers import Peers
from targets.dfs.gfs.placement import choose, rack_of, surplus
from targets.dfs.gfs.replicas import Replicas
from targets.node import codes
from targets.node.env import Body, Env, Refusal

# A lease that ends within this share of its time is renewed before it is given out.
RENEWED = 0.25
# The active server counts a lease so much longer than its primary, which counts from when it hears of it.
GUARD = 1.25
EPOCH_BITS = (
    24  # of a version, the low bits count within an epoch of the active server: versions of two epochs never meet
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Until ``until_s``, by the active server's clock, ``primary`` says in which order ``members`` change the chunk."""

    primary: str
    version: int
    members: tuple[str, ...]
    until_s: float


class Leases:
    """The active server's leases, and all that changes the set of a chunk's replicas."""

    def __init__(
        self, env: Env, config: Config, bugs: Bugs, peers: Peers, *, failover: Failover, replicas: Replicas
    ) -> None:
        self._env, self._config, self._bugs, self._peers = env, config, bugs, peers
        self._failover, self._replicas = failover, replicas
        self._namespace = failover.journal.namespace
        self._locks: dict[int, asyncio.Lock] = {}
        self._held: dict[int, Lease] = {}
        self._count = 0
        self._began_s = 0.0

    def begin(self) -> None:
        """This server has become active."""
        self._held, self._count, self._began_s = {}, 0, self._env.monotonic()

    def lock(self, number: int) -> asyncio.Lock:
        """Held while the replicas of the chunk are changed."""
        return self._locks.setdefault(number, asyncio.Lock())

    def wanted(self) -> int:
        """How many replicas a chunk can have now."""
        return max(1, min(self._config.replicas, len(self._replicas.live())))

    async def lease(self, number: int, failed: int | None) -> Lease:
        """A lease of the chunk; another one, if the client says that version ``failed`` is of no use. Raises Refusal."""
        async with self.lock(number):
            chunk, held = self._chunk(number), self._held.get(number)
            left_s = 0.0 if held is None else held.until_s - self._env.monotonic()
            if held is not None and held.version != failed and left_s > RENEWED * self._config.lease_s:
                return held
            return await self._grant(number, chunk)

    def _chunk(self, number: int) -> Chunk:
        chunk = self._namespace.chunks.get(number)
        if chunk is None:
            raise Refusal(codes.KEY_MISSING, "the file has been deleted")
        return chunk

    async def _grant(self, number: int, chunk: Chunk) -> Lease:
        env, config, replicas, epoch = self._env, self._config, self._replicas, self._failover.epoch
        holders = replicas.holders(number, chunk.safe)
        if holders and len(holders) < self.wanted() and self._restores:
            await self.restore(number, chunk)
            holders = replicas.holders(number, chunk.safe)
        make = chunk.version == 0 and not holders
        version, members = await self._adopted(
            number, chunk, self.targets(number, [], config.replicas) if make else holders, make
        )
        if len(members) < (self.wanted() if self._restores else 1):
            raise Refusal(codes.UNAVAILABLE, "too few replicas of the chunk can be reached")
        self._wait_for_its_end(number, members)
        await self._record(epoch, number, version, version)
        primary = env.random.choice(members)
        env.log("lease", chunk=number, version=version, primary=primary, members=members)
        lease = {"type": "lease", "epoch": epoch, "chunk": number, "version": version}
        reply = await self._peers.ask(primary, {**lease, "members": members, "lease_s": config.lease_s}, config.step_s)
        self._check(epoch)
        until_s = env.monotonic() + config.lease_s
        self._held[number] = given = Lease(primary=primary, version=version, members=tuple(members), until_s=until_s)
        if reply is None:
            replicas.silent(primary)
            raise Refusal(codes.UNAVAILABLE, "the primary of the chunk cannot be reached")
        return given

    @property
    def _restores(self) -> bool:
        return self._config.rereplication and not self._bugs.replica_count_not_restored

    def _wait_for_its_end(self, number: int, members: Sequence[str]) -> None:
        """Without fenced leases, the last one must have ended, or its primary have given it up. Raises Refusal."""
        config, held = self._config, self._held.get(number)
        if config.fenced_leases:
            return
        guard_s = (GUARD - 1) * config.lease_s
        until_s = self._began_s + config.lease_s if held is None else held.until_s
        if (held is None or held.primary not in members) and self._env.monotonic() < until_s + guard_s:
            raise Refusal(codes.UNAVAILABLE, "the last lease may not have ended yet")

    async def _adopted(self, number: int, chunk: Chunk, asked: list[str], make: bool = False) -> tuple[int, list[str]]:
        """Have replicas adopt a new version: the version, and all who have it; or nobody."""
        epoch = self._failover.epoch
        while asked:
            self._count += 1
            version = (epoch << EPOCH_BITS) + self._count
            order: Body = {"type": "adopt", "epoch": epoch, "chunk": number, "to": version}
            replies = await self._peers.ask_all(asked, {**order, "from": chunk.safe, "make": make}, self._config.step_s)
            self._check(epoch)
            for name, reply in replies.items():
                if reply is not None:
                    self._replicas.note(name, reply, number, version)
                else:
                    self._replicas.silent(name)
            adopted = [name for name, reply in replies.items() if reply is not None]
            if len(adopted) == len(asked):
                return version, adopted
            asked = adopted
        return 0, []

    def _check(self, epoch: int) -> None:
        """What was begun in one epoch is not ended in another: others may have written to the chunk between. Raises Refusal."""
        if self._failover.epoch != epoch:
            raise Refusal(codes.UNAVAILABLE, "this server is not active any more in the epoch in which this was begun")

    async def _record(self, epoch: int, number: int, version: int, safe: int) -> None:
        self._check(epoch)
        result = await self._failover.edit(["version", number, version, safe])
        if "error" in result:
            raise Refusal(codes.KEY_MISSING, "the file has been deleted")

    # Changing the set of replicas, under the chunk's lock

    def targets(self, number: int, have: Sequence[str], count: int) -> list[str]:
        """Where new replicas of the chunk go."""
        return choose(
            have, self._replicas.live(), count, rack=self._rack, load=self._replicas.load, rng=self._env.random
        )

    async def restore(self, number: int, chunk: Chunk, *, move_to: str | None = None) -> None:
        """Make what is missing and drop what is too much, or move one replica to ``move_to``. Ends the lease.

        Nothing has been written since the version that is adopted here, so replicas of the version before remain as good: ``safe`` stays.
        """
        replicas, config, epoch = self._replicas, self._config, self._failover.epoch
        if self._bugs.clone_without_new_version:
            version, have = chunk.version, replicas.holders(number, chunk.version)
        else:
            version, have = await self._adopted(number, chunk, replicas.holders(number, chunk.safe))
        if not have:
            return
        if version > chunk.version:
            self._wait_for_its_end(number, have)
            self._held.pop(number, None)
            await self._record(epoch, number, version, chunk.safe)
        missing = [move_to] if move_to else self.targets(number, have, self.wanted() - len(have))
        for target in missing:
            order = {"type": "clone", "epoch": epoch, "chunk": number, "version": version}
            source = self._env.random.choice(have)
            reply = await self._peers.ask(target, {**order, "source": source}, 2 * config.step_s)
            if reply is not None:
                replicas.note(target, reply, number, version)
                have.append(target)
                self._env.log("cloned", chunk=number, source=source, target=target, replicas=len(have))
        others = [name for name in have if name != move_to]
        for name in surplus(others, config.replicas - bool(move_to), rack=self._rack, load=replicas.load):
            if len(have) > config.replicas:
                await self.drop(name, number, version)
                have.remove(name)

    async def drop(self, name: str, number: int, version: int) -> None:
        """Have the node delete its replica of the chunk, if it is of this version or an earlier one."""
        epoch = self._failover.known[0] if self._bugs.collects_live_chunks else self._failover.epoch
        order = {"type": "drop", "epoch": epoch, "chunk": number, "version": version}
        reply = await self._peers.ask(name, order, self._config.step_s)
        if reply is not None:
            self._replicas.note(name, reply, number, None)

    def _rack(self, name: str) -> int:
        return rack_of(name, self._env.node_ids, self._config.racks)
