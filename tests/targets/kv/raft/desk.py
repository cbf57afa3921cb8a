"""One Raft server on a desk: messages are handed to it one by one, time is turned by hand, what it sends lies in a tray."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from harness.clusters.sim_disk import Disk
from targets.kv.raft import Raft
from targets.kv.raft.log import Entry
from targets.node.env import Body, Handler, Message, Refusal, Storage, Timer

NODES = ("n1", "n2", "n3", "n4", "n5")


class _Timer:
    def __init__(self, callback: Callable[..., None], args: tuple[Any, ...]) -> None:
        self.callback, self.args, self.cancelled = callback, args, False

    def cancel(self) -> None:
        self.cancelled = True


class DeskEnv:
    """Satisfies ``targets.node.env.Env`` without a loop: no server needs one, since none of its handlers waits."""

    def __init__(self, node_id: str, node_ids: tuple[str, ...], disk: Disk, options: dict[str, Any]) -> None:
        self.node_id, self.node_ids = node_id, node_ids
        self.options: Mapping[str, Any] = options
        self.storage: Storage = disk
        self.random = random.Random(1)
        self.now_s = 100.0
        self.skew_s = 0.0
        self.handlers: dict[str, Handler] = {}
        self.sent: list[tuple[str, Body]] = []
        self.logged: list[tuple[str, dict[str, Any]]] = []
        self.timers: list[tuple[float, int, _Timer]] = []
        self._numbers = itertools.count()

    def on(self, type_: str, handler: Handler) -> None:
        self.handlers[type_] = handler

    def send(self, dest: str, body: Body) -> None:
        self.sent.append((dest, body))

    def reply(self, request: Message, body: Body) -> None:
        self.sent.append((request["src"], {**body, "in_reply_to": request["body"]["msg_id"]}))

    async def rpc(self, dest: str, body: Body, timeout_s: float) -> Body:
        raise AssertionError("no handler of a Raft server waits")

    def call_later(self, delay_s: float, callback: Callable[..., None], *args: Any) -> Timer:
        timer = _Timer(callback, args)
        heapq.heappush(self.timers, (self.now_s + delay_s, next(self._numbers), timer))
        return timer

    def spawn(self, coro: Coroutine[Any, Any, None]) -> None:
        raise AssertionError("no handler of a Raft server waits")

    def wall_time(self) -> float:
        return 1e9 + self.now_s + self.skew_s

    def monotonic(self) -> float:
        return self.now_s

    def log(self, event: str, **fields: Any) -> None:
        self.logged.append((event, fields))


class Desk:
    """A server ``n1`` of a cluster of ``nodes``; ``disk`` outlasts it."""

    def __init__(self, nodes: int = 3, *, disk: Disk | None = None, **options: Any) -> None:
        self.disk = disk or Disk()
        self.env = DeskEnv("n1", NODES[:nodes], self.disk, options)
        self.raft = Raft(self.env)
        self.raft.start()
        self.state = self.raft.state
        self._msg_id = itertools.count(1)

    # Handing over

    def say(self, src: str, **body: Any) -> list[tuple[str, Body]]:
        """Hand over a message; return what the server sends at that instant."""
        before = len(self.env.sent)
        message = {"src": src, "dest": "n1", "body": body}
        try:
            answer = self.env.handlers[body["type"]](message)
        except Refusal as refusal:
            answer = {"type": "error", "code": refusal.code, "text": refusal.text}
        if answer is not None:
            assert isinstance(answer, dict)
            self.env.reply(message, answer)
        self.turn(self.state.config.batch_s)
        return self.env.sent[before:]

    def ask(self, type_: str, *, src: str = "c0", **fields: Any) -> list[tuple[str, Body]]:
        """A client's request."""
        return self.say(src, type=type_, msg_id=next(self._msg_id), **fields)

    def append(
        self,
        src: str,
        term: int,
        *,
        prev: tuple[int, int] = (0, 0),
        entries: list[Entry] | None = None,
        commit: int = 0,
    ) -> Body:
        """AppendEntries from ``src``; returns the answer."""
        sent = self.say(
            src,
            type="append_entries",
            term=term,
            prev=prev[0],
            prev_term=prev[1],
            entries=entries or [],
            commit=commit,
            number=1,
            round=1,
            sent=0.0,
        )
        return next(body for dest, body in sent if body["type"] == "append_reply" and dest == src)

    def vote_asked(self, src: str, term: int, *, last: tuple[int, int] = (0, 0), pre: bool = False) -> Body:
        """RequestVote from ``src``, whose log ends at ``last`` (index, term); returns the answer."""
        sent = self.say(src, type="request_vote", pre=pre, term=term, last_index=last[0], last_term=last[1])
        return next(body for dest, body in sent if body["type"] == "vote" and dest == src)

    def acknowledge(self, src: str, match: int | None = None) -> list[tuple[str, Body]]:
        """``src`` answers that it has everything (or all up to ``match``) and that it heard the current round."""
        return self.say(
            src,
            type="append_reply",
            term=self.state.term,
            ok=True,
            match=self.state.log.last_index if match is None else match,
            number=self.raft.core.replication.peers[src].number,
            round=self.raft.core.replication.round,
            sent=self.raft.core.replication.clock(),
        )

    # Turning time

    def turn(self, seconds: float) -> list[tuple[str, Body]]:
        """Let ``seconds`` pass; return what the server sends meanwhile."""
        before, until_s = len(self.env.sent), self.env.now_s + seconds
        while self.env.timers and self.env.timers[0][0] <= until_s:
            when_s, _, timer = heapq.heappop(self.env.timers)
            self.env.now_s = max(self.env.now_s, when_s)
            if not timer.cancelled:
                timer.callback(*timer.args)
        self.env.now_s = until_s
        return self.env.sent[before:]

    # Ready-made situations

    def elect(self, term: int = 1) -> None:
        """Make the server leader of ``term`` (which must be above its own), without an entry of it being committed."""
        self.raft.core.roles.follow(term - 1, None)
        self.turn(1.0)
        for pre in (True, False):
            for voter in self.env.node_ids[1:]:
                self.say(voter, type="vote", pre=pre, term=term, granted=True)
        assert self.state.leads
        assert self.state.term == term

    def lead(self, term: int = 1) -> None:
        """Make the server leader of ``term`` with everything in its log committed and acknowledged."""
        self.elect(term)
        for follower in self.state.members.nodes[1:]:
            self.acknowledge(follower)
        assert self.state.commit == self.state.log.last_index

    def restart(self, **options: Any) -> Desk:
        """The same disk under a new life; what was not synced is lost."""
        self.disk.crash(_Losing())
        return Desk(len(self.env.node_ids), disk=self.disk, **{**self.env.options, **options})

    def commands(self) -> list[Any]:
        return [command for _, command in self.state.log.entries]

    def terms(self) -> list[int]:
        return [term for term, _ in self.state.log.entries]

    def events(self) -> list[str]:
        return [event for event, _ in self.env.logged]


class _Losing(random.Random):
    """Dice that choose the first fate of unsynced bytes: lost."""

    def choice(self, seq: Any) -> Any:
        return seq[0]


def of_type(sent: list[tuple[str, Body]], type_: str) -> dict[str, Body]:
    """The messages of that type by destination, the last one each."""
    return {dest: body for dest, body in sent if body["type"] == type_}
