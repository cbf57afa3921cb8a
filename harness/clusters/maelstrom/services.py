"""What nodes may use as if it were a node: key-value stores of three strengths, and an oracle of timestamps. Pure, with seeded dice.

    lin-kv     linearizable: every request meets the latest state
    seq-kv     sequential and no more: what changes nothing may meet any earlier state that is not older than what this node has met
    lww-kv     last write wins: five replicas that are merged at random, and a request meets any of them; writes may be lost
    lin-tso    a linearizable counter: 0, 1, 2, ...

The key-value stores know ``read``, ``write`` and ``cas`` (also with ``create_if_not_exists``). Source: Maelstrom, doc/services.md.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from harness import rng
from harness.protocols import Body
from targets.node import codes

# Maelstrom's: so many states of seq-kv are remembered, and lww-kv has so many replicas.
STATES_KEPT = 32
REPLICAS = 5

ABSENT: Any = object()
# (request, value now) → (value afterwards: the same object if nothing changed; the answer).
Step = Callable[[Body, Any], tuple[Any, Body]]


def services(seed: int) -> dict[str, Callable[[str, Body], Body]]:
    """All services of one run, by name: (node that asks, body) → the answer's body."""
    return {
        "lin-kv": Linearizable().answer,
        "seq-kv": Sequential(rng.stream(seed, "service/seq-kv")).answer,
        "lww-kv": LastWriteWins(rng.stream(seed, "service/lww-kv")).answer,
        "lin-tso": Timestamps().answer,
    }


def _read(_body: Body, value: Any) -> tuple[Any, Body]:
    return value, _missing() if value is ABSENT else {"type": "read_ok", "value": value}


def _write(body: Body, value: Any) -> tuple[Any, Body]:
    return (value if _same(body["value"], value) else body["value"]), {"type": "write_ok"}


def _cas(body: Body, value: Any) -> tuple[Any, Body]:
    if value is ABSENT and not body.get("create_if_not_exists"):
        return value, _missing()
    if value is not ABSENT and not _same(value, body["from"]):
        shown = f"the value is {json.dumps(value)}, not {json.dumps(body['from'])}"
        return value, {"type": "error", "code": codes.PRECONDITION, "text": shown}
    return (value if _same(body["to"], value) else body["to"]), {"type": "cas_ok"}


STEPS: Mapping[str, tuple[Step, tuple[str, ...]]] = {
    "read": (_read, ("key",)),
    "write": (_write, ("key", "value")),
    "cas": (_cas, ("key", "from", "to")),
}


def _missing() -> Body:
    return {"type": "error", "code": codes.KEY_MISSING, "text": "there is no such key"}


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: true and 1 are not, 1 and 1.0 are not."""
    return one is not ABSENT and other is not ABSENT and _name(one) == _name(other)


def _name(value: Any) -> str:
    """A JSON value as a key of a dictionary."""
    return json.dumps(value, sort_keys=True)


def _refusal(body: Body) -> Body | None:
    """Why a key-value store cannot carry out ``body``, as its answer; None if it can."""
    kind = body.get("type")
    if kind not in STEPS:
        text = f"a key-value service has {', '.join(STEPS)}, not {kind!r}"
        return {"type": "error", "code": codes.NOT_SUPPORTED, "text": text}
    for field in STEPS[str(kind)][1]:
        if field not in body:
            return {"type": "error", "code": codes.MALFORMED, "text": f"a {kind} needs {field!r}"}
    return None


class Linearizable:
    """One map."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def answer(self, _src: str, body: Body) -> Body:
        if refusal := _refusal(body):
            return refusal
        key = _name(body["key"])
        after, reply = STEPS[body["type"]][0](body, self._values.get(key, ABSENT))
        if after is not ABSENT:
            self._values[key] = after
        return reply


class Sequential:
    """The latest maps, and for each node the latest one that it has met.

    A request that changes nothing there is carried out on any state since then; one that would is carried out on the latest. So all
    requests stand in one order, that of the states, in which each node's own requests keep theirs: sequential consistency.
    """

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._states: deque[dict[str, Any]] = deque([{}], maxlen=STATES_KEPT)
        self._last = 0  # the number of the latest state
        self._met: dict[str, int] = {}

    def answer(self, src: str, body: Body) -> Body:
        if refusal := _refusal(body):
            return refusal
        step, key = STEPS[body["type"]][0], _name(body["key"])
        oldest = self._last - len(self._states) + 1
        number = self._dice.randint(max(oldest, self._met.get(src, 0)), self._last)
        before = self._states[number - oldest].get(key, ABSENT)
        after, reply = step(body, before)
        if after is before:
            self._met[src] = number
            return reply
        before = self._states[-1].get(key, ABSENT)
        after, reply = step(body, before)
        if after is not before:
            self._states.append({**self._states[-1], key: after})
            self._last += 1
        self._met[src] = self._last
        return reply


class LastWriteWins:
    """Replicas that take requests alone, each with a clock of its own, and hear of each other now and then."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._clocks = [0] * REPLICAS
        self._maps: list[dict[str, tuple[int, Any]]] = [{} for _ in range(REPLICAS)]

    def answer(self, _src: str, body: Body) -> Body:
        if refusal := _refusal(body):
            return refusal
        self._merge(self._dice.randrange(REPLICAS), self._dice.randrange(REPLICAS))
        at = self._dice.randrange(REPLICAS)
        key = _name(body["key"])
        before = self._maps[at].get(key, (0, ABSENT))[1]
        after, reply = STEPS[body["type"]][0](body, before)
        if reply["type"] in {"write_ok", "cas_ok"}:
            self._clocks[at] += 1
            self._maps[at][key] = self._clocks[at], after
        return reply

    def _merge(self, source: int, into: int) -> None:
        self._clocks[into] = max(self._clocks[source], self._clocks[into])
        for key, entry in self._maps[source].items():
            held = self._maps[into].get(key)
            if held is None or (entry[0], _name(entry[1])) > (held[0], _name(held[1])):
                self._maps[into][key] = entry


class Timestamps:
    """Ever new numbers."""

    def __init__(self) -> None:
        self._next = 0

    def answer(self, _src: str, body: Body) -> Body:
        if body.get("type") != "ts":
            text = f"a timestamp oracle has ts, not {body.get('type')!r}"
            return {"type": "error", "code": codes.NOT_SUPPORTED, "text": text}
        self._next += 1
        return {"type": "ts_ok", "ts": self._next - 1}
