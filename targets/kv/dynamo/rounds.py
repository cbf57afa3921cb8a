"""One question to the replicas of a key, and their answers: the quorum (4.5), and who stands in for whom (4.6).

Asked are the homes of the key. Sloppy: for a home that is taken for down, or has not answered after ``hedge_s``, the next node of the
preference list is asked that is up and was not asked yet; it answers *for* that home. Strict: homes only. A round is ``ready`` when enough
nodes have answered, and goes on until all homes have, or are stood in for, or ``request_s`` is over: what comes later is good for repair.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from targets.kv.dynamo.config import Config
from targets.kv.dynamo.members import Members
from targets.node.env import Body, Env, Message, Timer

Answers = dict[str, Any]  # node → what it answered


class Round:
    """``asked``: node → the home that it answers for. ``answers`` in the order in which they came."""

    def __init__(
        self, rounds: Rounds, key: Any, preference: tuple[str, ...], question: Callable[[str | None], Body]
    ) -> None:
        self._rounds, self._question = rounds, question
        self.key, self.preference = key, preference
        self.homes = preference[: rounds.config.n]
        self._spares = list(preference[rounds.config.n :]) if rounds.config.sloppy else []
        self.asked: dict[str, str] = {}
        self.answers: Answers = {}
        self.copies = 0  # answers, each copy of a message counted
        self.number = 0
        self.ready = False
        self.enough: Callable[[Round], bool] = lambda _: True
        self.when_ready: Callable[[Round], None] = lambda _: None
        self.when_failed: Callable[[Round], None] = lambda _: None
        self.when_over: Callable[[Round], None] = lambda _: None

    def ask(self) -> None:
        """Ask every home, or who stands in for it; the local node first, since its answer comes at once."""
        me, is_up = self._rounds.env.node_id, self._rounds.members.is_up
        for home in sorted(self.homes, key=lambda node: node != me):
            if self._rounds.config.sloppy and not is_up(home):
                self.stand_in(home)
            else:
                self._ask(home, home)

    def stand_in(self, home: str) -> bool:
        """Ask the next node that is up for ``home``; whether there was one."""
        while self._spares:
            spare = self._spares.pop(0)
            if self._rounds.members.is_up(spare):
                self._ask(spare, home)
                return True
        return False

    def missing(self) -> list[str]:
        """Who was asked and has not answered."""
        return [node for node in self.asked if node not in self.answers]

    def _ask(self, node: str, home: str) -> None:
        self.asked[node] = home
        body = self._question(None if node == home else home)
        if node == self._rounds.env.node_id:
            self._rounds.ask_self(self, body)
        else:
            self._rounds.env.send(node, {**body, "round": self.number})


class Rounds:
    """The rounds that this node coordinates. ``local`` answers a question at this node itself."""

    def __init__(self, env: Env, config: Config, members: Members) -> None:
        self.env, self.config, self.members = env, config, members
        self.local: Callable[[Body], Any] = lambda _: None
        self._open: dict[int, Round] = {}
        self._timers: dict[int, list[Timer]] = {}
        self._made = 0

    def begin(self, round_: Round) -> None:
        self._made += 1
        # The life is part of the number: what an earlier life asked must not be taken for an answer to this one.
        round_.number = self.members.life * 2**32 + self._made
        self._open[round_.number] = round_
        self._timers[round_.number] = [
            self.env.call_later(self.config.hedge_s, self._hedge, round_),
            self.env.call_later(self.config.request_s, self._give_up, round_),
        ]
        round_.ask()
        self._look(round_)

    def ask_self(self, round_: Round, body: Body) -> None:
        self._take(round_, self.env.node_id, self.local(body))

    def on_answer(self, message: Message) -> None:
        """A replica's answer: its field "answer" is what the round gets."""
        self.members.heard(message["src"])
        body = message["body"]
        round_ = self._open.get(body["round"])
        if round_ is not None and message["src"] in round_.asked:
            self._take(round_, message["src"], body.get("answer"))
            self._look(round_)

    def _take(self, round_: Round, node: str, answer: Any) -> None:
        round_.answers[node] = answer
        round_.copies += 1

    def _look(self, round_: Round) -> None:
        """What an answer may have changed. Not while the round is still asking: then the first ones would decide who is asked."""
        if not round_.ready and round_.enough(round_):
            round_.ready = True
            round_.when_ready(round_)
        if round_.ready and not round_.missing() and len(round_.asked) >= len(round_.homes):
            self._close(round_)

    def _hedge(self, round_: Round) -> None:
        """Whoever has not answered by now is avoided for a while, and stood in for."""
        late = round_.missing()
        for node in late:
            self.members.unheard(node)
        stood_in = [round_.stand_in(round_.asked[node]) for node in late]
        self._look(round_)
        if any(stood_in) and round_.number in self._open:
            self._timers[round_.number].append(self.env.call_later(self.config.hedge_s, self._hedge, round_))

    def _give_up(self, round_: Round) -> None:
        if not round_.ready:
            round_.when_failed(round_)
        self._close(round_)

    def _close(self, round_: Round) -> None:
        if self._open.pop(round_.number, None) is not None:
            for timer in self._timers.pop(round_.number):
                timer.cancel()
            round_.when_over(round_)
