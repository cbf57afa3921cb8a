"""The reads at the end of a run: every client thread reads every key, once everything is healed.

What an acknowledged write is worth shows here: with all faults gone and nobody writing, each node must give the same, last value.
Every key means every key: a generator that counts to the last but one, or reads in batches and drops the rest, checks too little and
says nothing (jepsen.tests.cycle's final reads did both).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from harness.errors import PluginError
from harness.generator import Answer, Context, Generator, delay, each_thread, gen, limit, node, repeat, until_ok
from harness.op import NEMESIS, Op

# A read that did not succeed is tried again: the cluster has recovered by now, but a client may still find a stale connection.
TRIES: Final = 5
PAUSE_S: Final = 0.2


def reads_of(keys: Iterable[Any], f: str = "read") -> Generator:
    """Every thread reads (by ``f``) every one of ``keys`` until it succeeds, at most TRIES times; the reads carry ``final``."""
    keys = tuple(keys)
    # One lazy pass over the keys per thread: a list of generators would have each of them hear of each event.
    return each_thread(_read(key, f) for key in keys)


def _read(key: Any, f: str) -> Generator:
    return until_ok(limit(TRIES, delay(PAUSE_S, repeat(Op(f=f, key=key, extra={"final": True})))))


def reads_of_used_keys() -> Generator:
    """As ``reads_of``, of the keys on which any client op was invoked, in the order of their first use.

    It must hear of these ops: so it stands after them in one ``phases`` (parts of a sequence hear of events also before their turn).
    Raises PluginError if it is asked without having heard of any event.
    """
    return UsedKeys(_Keys(), 0)


class _Keys:
    """Keys in the order of their first use, append-only and shared by many states: each state owns the first so many."""

    __slots__ = ("order", "places")

    def __init__(self, order: Iterable[Any] = ()) -> None:
        self.order = list(order)
        self.places = {(type(key), key): place for place, key in enumerate(self.order)}

    def has(self, key: Any, count: int) -> bool:
        """Whether ``key`` is one of the first ``count``. (1 and true are different keys, though Python takes them for equal.)"""
        return self.places.get((type(key), key), count) < count

    def with_one_more(self, key: Any, count: int) -> _Keys:
        """Keys whose first ``count`` are these, and whose next is ``key``: this very object if nobody else has added to it."""
        keys = self if len(self.order) == count else _Keys(self.order[:count])
        keys.places[type(key), key] = count
        keys.order.append(key)
        return keys


@node
class UsedKeys:
    """See ``reads_of_used_keys``. The first ``count`` of ``keys`` have been heard of; ``heard``: any event at all."""

    keys: _Keys
    count: int
    heard: bool = False

    def op(self, ctx: Context) -> Answer:
        if not self.heard:
            raise PluginError(
                "the final reads have heard of no op, so they do not know which keys were used: "
                "they must follow the workload in one phases(...)"
            )
        return gen(reads_of(self.keys.order[: self.count])).op(ctx)

    def update(self, ctx: Context, event: Op) -> Generator:
        known = event.process == NEMESIS or event.key is None or self.keys.has(event.key, self.count)
        if known:
            return self if self.heard else UsedKeys(self.keys, self.count, True)
        return UsedKeys(self.keys.with_one_more(event.key, self.count), self.count + 1, True)
