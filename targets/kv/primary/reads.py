"""Reads, which need no entry in the log.

The synchronous primary answers from its own state, once two things are certain: that it knows what is committed (an entry of its epoch
is), and that it still was primary after the read had been asked, for a majority said so (Ongaro's thesis, 6.4). Reads that arrive while a
round is under way share the next one: its answers may have left before they were asked. The asynchronous primary answers at once: two nodes
may take themselves for the primary, and then their clients read different things. With the option ``reads=any`` no read comes here:
whichever node is asked answers from its own state, see ``requests``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from targets.kv.primary.replica import Replica
from targets.kv.primary.shipping import Shipping
from targets.kv.primary.state import State
from targets.node.env import Body, Message

Answer = Callable[[Message, Body], None]


class Reads:
    """The reads that a primary has not answered yet."""

    def __init__(self, state: State, replica: Replica, shipping: Shipping, answer: Answer) -> None:
        self._state, self._replica, self._shipping, self._answer = state, replica, shipping, answer
        self._asked: list[tuple[Message, Any]] = []  # (request, key): waiting for a round of their own
        self._confirming: list[tuple[Message, Any]] = []  # waiting for the round under way

    def ask(self, request: Message, key: Any) -> None:
        """Answer ``request`` with the value of ``key`` as soon as the variant allows."""
        state = self._state
        if not state.config.sync or (state.bugs.reads_unconfirmed and self._knows_commit()):
            self._answer(request, self._replica.machine.read(key))
            return
        self._asked.append((request, key))
        self.proceed()

    def proceed(self) -> None:
        """Begin a round if there is something to ask and no round is under way. Called also whenever something was committed."""
        if self._asked and not self._confirming and self._state.leads and self._knows_commit():
            self._confirming, self._asked = self._asked, []
            self._shipping.begin_round()

    def confirmed(self) -> None:
        """A majority has said, after these reads were asked, that this node is the primary."""
        confirmed, self._confirming = self._confirming, []
        for request, key in confirmed:
            self._answer(request, self._replica.machine.read(key))
        self.proceed()

    def abandon(self) -> list[Message]:
        """This node is primary no more: forget the reads, and return them."""
        requests = [request for request, _ in (*self._confirming, *self._asked)]
        self._confirming, self._asked = [], []
        return requests

    def _knows_commit(self) -> bool:
        replica, epoch = self._replica, self._state.epoch
        return replica.log.epoch_at(replica.commit) == epoch
