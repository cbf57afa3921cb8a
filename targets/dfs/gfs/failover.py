"""Which metadata server is active, and its edits on their way to a quorum of journals.

A standby that has not heard of an active server for a while asks the journals to promise it the next epoch of its own, and is active once a
quorum has. It serves when an edit of its epoch is on a quorum's disks: then all before it is, too. An epoch tells whose it is (epoch modulo
the number of servers), so no two servers ever have one in common.

Answers that change nothing are given only after a quorum has said, since the question came, that it knows of no later epoch: an active
server that was replaced while it stood still or was cut off cannot know it otherwise (``confirmed``). Without ``fencing`` nobody asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from targets.dfs.gfs.bugs import Bugs
from targets.dfs.gfs.config import Config
from targets.dfs.gfs.journal import Journal
from targets.dfs.gfs.namespace import Edit, Result
from targets.dfs.gfs.peers import Peers
from targets.node import codes
from targets.node.env import Body, Env, Refusal

BATCH = 64
DEPOSED = "another server became active before this was on a quorum's disks"


@dataclass(slots=True)
class Peer:
    """Another server as the active one sees it. ``contact_s``: when the last message that it answered was sent."""

    next: int
    contact_s: float
    roused: asyncio.Event
    match: int = 0


class Failover:
    """One metadata server's part."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, peers: Peers, journal: Journal) -> None:
        self._env, self._config, self._ways, self.journal = env, config, peers, journal
        self.servers = env.node_ids[: config.servers]
        self._others = [name for name in self.servers if name != env.node_id]
        self._fenced = config.fencing and not bugs.journal_not_fenced
        self.epoch = 0  # of which this server is active; 0: it is a standby
        self.begun: set[int] = set()  # the epochs of this server in this life
        self.known: tuple[int, str | None] = (0, None)  # the latest epoch heard of, and whose it is
        self.serving = False
        self._heard_s = env.monotonic()
        self._peers: dict[str, Peer] = {}
        self._waiting: dict[int, asyncio.Future[Result]] = {}  # index of an edit → who waits for its result
        self._asking: list[tuple[float, asyncio.Future[None]]] = []  # who waits for a confirmation later than this time
        self.when_active: Callable[[], None] = _nothing
        journal.when_applied, journal.when_promised, journal.when_heard = self._applied, self._promised, self._heard

    @property
    def majority(self) -> int:
        return len(self.servers) // 2 + 1

    # Whom others take for active

    def _heard(self, server: str, epoch: int) -> None:
        if epoch >= self.known[0]:
            self.known, self._heard_s = (epoch, server), self._env.monotonic()
        if self.epoch and epoch > self.epoch:
            if self._fenced:
                self._stand_down()
            else:
                self._env.call_later(self._config.failover_max_s, self._told, self.epoch)

    def _told(self, epoch: int) -> None:
        """Without fencing, an active server learns from others that it is not that any more, and late."""
        if self.epoch == epoch:
            self._stand_down()

    def _promised(self, epoch: int) -> None:
        self._heard_s = self._env.monotonic()  # whoever has it now is given time
        if self.epoch and epoch > self.epoch and self._fenced:
            self._stand_down()

    # A standby

    async def watch(self) -> None:
        """As long as this node lives: take over whenever there is no active server."""
        env, config = self._env, self._config
        self._heard_s = env.monotonic()
        patience_s = config.failover_min_s if env.node_id == self.servers[0] else self._patience_s()
        while True:
            silent_s = env.monotonic() - self._heard_s
            if not self.epoch and silent_s >= patience_s:
                await self._take_over()
                patience_s, self._heard_s = self._patience_s(), env.monotonic()
            await asyncio.sleep(max(patience_s - silent_s, config.beat_s))

    def _patience_s(self) -> float:
        # Drawn anew each time, so that two servers that stand in each other's way do not do so for ever.
        return self._env.random.uniform(self._config.failover_min_s, self._config.failover_max_s)

    async def _take_over(self) -> None:
        journal, count = self.journal, len(self.servers)
        latest = max(journal.promised, self.known[0])
        epoch = (latest // count + 1) * count + self.servers.index(self._env.node_id)
        body = {"type": "promise", "epoch": epoch, "end": journal.end}
        replies = await self._ways.ask_all(self._others, body, self._config.step_s)
        promised = [reply for reply in replies.values() if reply is not None]
        self.known = max(self.known, (max([reply["epoch"] for reply in promised], default=0), None), key=_epoch_of)
        if sum(reply["granted"] for reply in promised) + 1 < self.majority or journal.promised > epoch:
            return
        journal.promise(epoch)
        self._begin(epoch)

    # The active server

    def _begin(self, epoch: int) -> None:
        env = self._env
        self.epoch, self.serving, self.known = epoch, False, (epoch, env.node_id)
        self.begun.add(epoch)
        env.log("active", term=epoch)
        last, now_s = self.journal.log.last_index, env.monotonic()
        self._peers = {name: Peer(last + 1, now_s, asyncio.Event()) for name in self._others}
        self._put(["begin"])
        self._begin_index = last + 1
        for name, peer in self._peers.items():
            env.spawn(self._ship(name, peer, epoch))
        self._advance()

    def _stand_down(self) -> None:
        self._env.log("standby", term=self.epoch)
        self.epoch, self.serving = 0, False
        waiting, asking = self._waiting, self._asking
        self._waiting, self._asking = {}, []
        waiters: list[asyncio.Future[Any]] = [*waiting.values(), *(waiter for _, waiter in asking)]
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(Refusal(codes.TIMEOUT, DEPOSED))
        for peer in self._peers.values():
            peer.roused.set()

    async def edit(self, edit: Edit) -> Result:
        """Have ``edit`` carried out: it is on the disks of a quorum, and applied. Raises Refusal, with 0 if that may yet come."""
        self._check_serving()
        waiter: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting[self.journal.log.last_index + 1] = waiter
        self._put(edit)
        self._advance()
        return await waiter

    async def confirmed(self) -> None:
        """Return once it is certain that this server was active after this was asked. Raises Refusal if it is not."""
        self._check_serving()
        if not self._fenced:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asking.append((self._env.monotonic(), waiter))
        for peer in self._peers.values():
            peer.roused.set()
        self._advance()
        await waiter

    def _check_serving(self) -> None:
        """Whoever waited before it came here may find another server active."""
        if not self.serving:
            raise Refusal(codes.UNAVAILABLE, "this server is not active any more")

    def _put(self, edit: Edit) -> None:
        self.journal.put(self.journal.log.last_index, [[self.epoch, edit]])
        for peer in self._peers.values():
            peer.roused.set()

    async def _ship(self, name: str, peer: Peer, epoch: int) -> None:
        """Send edits, and signs of life, to one journal as long as this epoch lasts: one message at a time."""
        env, config = self._env, self._config
        while self.epoch == epoch:
            peer.roused.clear()
            sent_s = env.monotonic()
            reply = await self._ways.ask(name, self._message(peer), config.step_s)
            if self.epoch != epoch:
                return
            if reply is None:
                self._check_quorum()
                await asyncio.sleep(config.beat_s)
                continue
            if reply["epoch"] > epoch:
                self._stand_down()
                return
            peer.contact_s = sent_s
            if reply["ok"]:
                peer.match = max(peer.match, reply["match"])
                peer.next = reply["match"] + 1
            else:
                peer.next = reply["hint"]
            self._advance()
            if reply["ok"] and peer.next > self.journal.log.last_index:
                timer = env.call_later(config.beat_s, peer.roused.set)
                await peer.roused.wait()
                timer.cancel()

    def _message(self, peer: Peer) -> Body:
        log = self.journal.log
        if peer.next <= log.base_index:
            return {"type": "install", "epoch": self.epoch, "state": self.journal.whole_state()}
        prev = peer.next - 1
        entries = log.slice(peer.next, BATCH)
        message = {"type": "journal", "epoch": self.epoch, "prev": prev, "prev_term": log.term_at(prev)}
        return {**message, "entries": entries, "commit": self.journal.commit}

    def _check_quorum(self) -> None:
        """A server that cannot reach a quorum tells those who wait for it."""
        silent_s = self._env.monotonic() - self._agreed(self._env.monotonic(), "contact_s")
        if silent_s > self._config.failover_max_s:
            self._stand_down()

    def _advance(self) -> None:
        """What a quorum has is committed, if the last of it is of this epoch (the rule of Raft ATC'14, section 5.4.2)."""
        journal = self.journal
        index = self._agreed(journal.log.last_index, "match")
        if journal.log.term_at(index) == self.epoch:
            journal.commit_to(index)
        if not self.serving and self.epoch and journal.applied >= self._begin_index:
            self.serving = True
            self.when_active()
        agreed_s = self._agreed(self._env.monotonic(), "contact_s")
        ready = [waiter for asked_s, waiter in self._asking if asked_s <= agreed_s]
        self._asking = [(asked_s, waiter) for asked_s, waiter in self._asking if asked_s > agreed_s]
        for waiter in ready:
            if not waiter.done():
                waiter.set_result(None)

    def _agreed(self, mine: Any, field: str) -> Any:
        """The greatest value that a quorum has reached, this server's being ``mine``."""
        values = [mine, *(getattr(peer, field) for peer in self._peers.values())]
        return sorted(values, reverse=True)[self.majority - 1]

    def _applied(self, index: int, result: Result) -> None:
        waiter = self._waiting.pop(index, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(result)


def _epoch_of(known: tuple[int, str | None]) -> int:
    return known[0]


def _nothing() -> None:
    """What is called until the node has put its parts together."""
