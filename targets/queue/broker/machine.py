"""Queues, as a state machine that is replicated: what waits, what is delivered and not acknowledged, and the dead letters.

Deterministic. A delivery has a token that its consumer made up; only who shows it may acknowledge that delivery or give it back. Commands:

* ``["publish", queue, value, priority, publisher, sequence]``; the last two are null where publishers do not number their messages;
* ``["get", queue, token, done]``: deliver the first message that waits; ``done``: it needs no acknowledgement;
* ``["ack", queue, number, token]``; ``["nack", queue, number, token, dead]``: back to its place, or to the dead letters;
* ``["expire", queue, number, token]``: the consumer did not acknowledge in time; ``["forget"]`` is a seeded bug's.

The dead letters of the queue "q" are the queue "q.dead".
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from targets.node.env import Body
from targets.queue.broker.bugs import Bugs
from targets.queue.broker.config import Config

DEAD = ".dead"
DONE: Body = {"ok": True}
STALE: Body = {"ok": False}

NUMBER, VALUE, PRIORITY, DELIVERIES = range(4)
Message = list[Any]  # [number, value, priority, deliveries so far]


@dataclass(slots=True)
class _Queue:
    """``waiting`` in the order of delivery; ``unacked``: number → (message, token of its delivery)."""

    waiting: list[Message] = field(default_factory=list)
    unacked: dict[int, tuple[Message, str]] = field(default_factory=dict)
    next: int = 0


class Queues:
    """A ``targets.kv.raft.machine.StateMachine``."""

    def __init__(self, config: Config, bugs: Bugs) -> None:
        self._config, self._bugs = config, bugs
        self._queues: dict[str, _Queue] = {}
        self._publishers: dict[str, int] = {}  # publisher → its latest sequence

    def apply(self, command: list[Any]) -> Body:
        """Carry out ``command``."""
        return _COMMANDS[command[0]](self, *command[1:])

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON."""
        unacked = not self._bugs.snapshot_forgets_unacked
        return {
            "publishers": dict(self._publishers),
            "queues": {
                name: {
                    "waiting": self._saved(queue.waiting),
                    "unacked": [[list(message), token] for message, token in queue.unacked.values() if unacked],
                    "next": queue.next,
                }
                for name, queue in self._queues.items()
            },
        }

    def load(self, dump: dict[str, Any]) -> None:
        """Take over what ``dump`` returned, here or on another server."""
        self._publishers = dict(dump["publishers"])
        self._queues = {
            name: _Queue(
                [list(message) for message in saved["waiting"]],
                {message[NUMBER]: (list(message), token) for message, token in saved["unacked"]},
                saved["next"],
            )
            for name, saved in dump["queues"].items()
        }

    def deliveries(self) -> Iterator[tuple[str, int, str]]:
        """What is delivered and not acknowledged: (queue, number, token)."""
        for name, queue in self._queues.items():
            for number, (_, token) in queue.unacked.items():
                yield name, number, token

    def sizes(self) -> dict[str, list[int]]:
        """Queue → how many messages wait, and how many are delivered."""
        return {name: [len(queue.waiting), len(queue.unacked)] for name, queue in self._queues.items()}

    # Commands

    def _publish(self, name: str, value: Any, priority: int, publisher: str | None, sequence: int | None) -> Body:
        if publisher is not None and sequence is not None and not self._bugs.publish_twice_on_retry:
            if sequence <= self._publishers.get(publisher, -1):
                return DONE
            self._publishers[publisher] = sequence
        self._put(name, value, priority)
        return DONE

    def _get(self, name: str, token: str, done: bool) -> Body:
        queue = self._queue(name)
        if not queue.waiting:
            return {"ok": True, "empty": True, "hidden": len(queue.unacked)}
        message = queue.waiting.pop(0)
        message[DELIVERIES] += 1
        if not (done or self._bugs.acked_at_delivery):
            queue.unacked[message[NUMBER]] = (message, token)
        return {"ok": True, "empty": False, "number": message[NUMBER], "value": message[VALUE]}

    def _ack(self, name: str, number: int, token: str) -> Body:
        queue = self._queue(name)
        if self._held(queue, number, token):
            del queue.unacked[number]
            return DONE
        if self._bugs.stale_ack_accepted:
            queue.waiting = [message for message in queue.waiting if message[NUMBER] != number]
            queue.unacked.pop(number, None)
            return DONE
        return STALE

    def _nack(self, name: str, number: int, token: str, dead: bool) -> Body:
        queue = self._queue(name)
        if not self._held(queue, number, token):
            return STALE
        message, _ = queue.unacked.pop(number)
        if self._bugs.nack_drops:
            return DONE
        limit = self._config.delivery_limit
        if (dead or (limit and message[DELIVERIES] >= limit)) and not name.endswith(DEAD):
            if not self._bugs.dead_letter_dropped:
                self._put(name + DEAD, message[VALUE], message[PRIORITY])
            return DONE
        insort(queue.waiting, message, key=_order)
        return DONE

    def _expire(self, name: str, number: int, token: str) -> Body:
        return self._nack(name, number, token, False)

    def _forget(self) -> Body:
        for queue in self._queues.values():
            queue.unacked.clear()
        return DONE

    # Rules

    def _saved(self, waiting: list[Message]) -> list[Message]:
        step = -1 if self._bugs.snapshot_loses_order else 1
        return [list(message) for message in waiting[::step]]

    def _queue(self, name: str) -> _Queue:
        return self._queues.setdefault(name, _Queue())

    def _put(self, name: str, value: Any, priority: int) -> None:
        queue = self._queue(name)
        insort(queue.waiting, [queue.next, value, priority, 0], key=_order)
        queue.next += 1

    @staticmethod
    def _held(queue: _Queue, number: int, token: str) -> bool:
        return number in queue.unacked and queue.unacked[number][1] == token


def _order(message: Message) -> tuple[int, int]:
    """The highest priority first; among equals, in the order of publishing, however often a message came back."""
    return -message[PRIORITY], message[NUMBER]


_COMMANDS: dict[str, Callable[..., Body]] = {
    "publish": Queues._publish,  # noqa: SLF001 - its own table
    "get": Queues._get,  # noqa: SLF001
    "ack": Queues._ack,  # noqa: SLF001
    "nack": Queues._nack,  # noqa: SLF001
    "expire": Queues._expire,  # noqa: SLF001
    "forget": Queues._forget,  # noqa: SLF001
}
