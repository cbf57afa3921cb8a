"""One node on a desk: messages are handed to it one by one, time is turned by hand, what it sends lies in a tray."""

from __future__ import annotations

import heapq
import itertools
from typing import Any

from harness.clusters.sim_disk import Disk
from targets.kv.primary import Primary
from targets.kv.primary.log import Entry
from targets.node.env import Body, Refusal
from tests.targets.kv.primary.cluster import Losing
from tests.targets.kv.raft.desk import DeskEnv

NODES = ("n1", "n2", "n3", "n4", "n5")
GROUP_S = 0.001  # what is proposed is on the disk after so long


class Desk:
    """Node ``n1`` of a cluster of ``nodes``; ``disk`` outlasts it."""

    def __init__(self, nodes: int = 3, *, disk: Disk | None = None, **options: Any) -> None:
        self.disk = disk or Disk()
        self.env = DeskEnv("n1", NODES[:nodes], self.disk, {"group_s": GROUP_S, **options})
        self.node = Primary(self.env)
        self.node.start()
        self.state, self.replica = self.node.state, self.node.replica
        self._msg_id = itertools.count(1)

    # Handing over

    def say(self, src: str, **body: Any) -> list[tuple[str, Body]]:
        """Hand over a message; return what the node sends until that is dealt with."""
        before = len(self.env.sent)
        message = {"src": src, "dest": "n1", "body": body}
        try:
            answer = self.env.handlers[body["type"]](message)
        except Refusal as refusal:
            answer = {"type": "error", "code": refusal.code, "text": refusal.text}
        if answer is not None:
            assert isinstance(answer, dict)
            self.env.reply(message, answer)
        self.turn(GROUP_S)
        return self.env.sent[before:]

    def ask(self, type_: str, *, src: str = "c0", **fields: Any) -> list[tuple[str, Body]]:
        """A client's request."""
        return self.say(src, type=type_, msg_id=next(self._msg_id), **fields)

    def add(self, element: Any, **fields: Any) -> list[tuple[str, Body]]:
        return self.ask("add", key="x", element=element, **fields)

    def replicate(
        self,
        src: str,
        epoch: int,
        *,
        prev: tuple[int, int] = (0, 0),
        entries: list[Entry] | None = None,
        commit: int = 0,
    ) -> Body:
        """Entries from ``src`` behind ``prev`` (index, epoch); returns the answer."""
        sent = self.say(
            src,
            type="replicate",
            epoch=epoch,
            prev=prev[0],
            prev_epoch=prev[1],
            entries=entries or [],
            commit=commit,
            number=1,
            sent=0.0,
        )
        return next(body for dest, body in sent if body["type"] == "replicated" and dest == src)

    def install(self, src: str, epoch: int, state: dict[str, Any]) -> Body:
        """The full state from ``src``; returns the answer."""
        sent = self.say(src, type="install", epoch=epoch, state=state, number=1, sent=0.0)
        return next(body for dest, body in sent if body["type"] == "replicated")

    def vote_asked(self, src: str, epoch: int, *, end: tuple[int, int] = (0, 0), sounding: bool = False) -> Body:
        """A candidate whose log ends at (epoch, index) asks; returns the answer."""
        sent = self.say(src, type="ask_vote", epoch=epoch, sounding=sounding, end=list(end))
        return next(body for dest, body in sent if body["type"] == "vote" and dest == src)

    def answer(self, src: str, match: int | None = None, **changed: Any) -> list[tuple[str, Body]]:
        """``src`` answers the last message that it was sent: it has everything (or all up to ``match``)."""
        body = {"type": "replicated", "epoch": self.state.epoch, "ok": True}
        body["match"] = self.replica.log.last_index if match is None else match
        backup = self.node.shipping.backups[src]
        return self.say(src, **{**body, "number": backup.number, "sent": backup.sent_s, **changed})

    # Turning time

    def turn(self, seconds: float) -> list[tuple[str, Body]]:
        """Let ``seconds`` pass; return what the node sends meanwhile."""
        before, until_s = len(self.env.sent), self.env.now_s + seconds
        while self.env.timers and self.env.timers[0][0] <= until_s:
            when_s, _, timer = heapq.heappop(self.env.timers)
            self.env.now_s = max(self.env.now_s, when_s)
            if not timer.cancelled:
                timer.callback(*timer.args)
        self.env.now_s = until_s
        return self.env.sent[before:]

    # Ready-made situations

    def elect(self) -> None:
        """Make the node primary of its next epoch, which none of its backups has answered yet."""
        self.turn(1.0)
        for sounding in (True, False):
            epoch = self.state.epoch + sounding
            for voter in self.env.node_ids[1:]:
                self.say(voter, type="vote", epoch=epoch - sounding, asked=epoch, sounding=sounding, granted=True)
        assert self.state.leads

    def lead(self) -> None:
        """Make the node primary, with all of its log on all backups."""
        self.elect()
        for backup in self.env.node_ids[1:]:
            self.answer(backup)
        assert self.replica.commit == self.replica.log.last_index

    def restart(self, **options: Any) -> Desk:
        """The same disk under a new life; what was not synced is lost."""
        self.disk.crash(Losing())
        return Desk(len(self.env.node_ids), disk=self.disk, **{**self.env.options, **options})

    def held(self, key: str = "x") -> Any:
        return self.replica.machine.read(key).get("value")

    def epochs(self) -> list[int]:
        return [epoch for epoch, _ in self.replica.log.entries]


def entry(epoch: int, element: Any) -> Entry:
    """An entry that adds ``element`` to the set x."""
    return [epoch, ["add", "x", element, None, None]]


def of_type(sent: list[tuple[str, Body]], type_: str) -> dict[str, Body]:
    """The messages of that type by destination, the last one each."""
    return {dest: body for dest, body in sent if body["type"] == type_}
