"""What the checkers of weak models cost: `python benchmarks/weak_models.py [OPS...]`, by default 10^4, 10^5 and 10^6.

Two kinds of history of a store with 100 keys, ten clients and a crash in a hundred writes: "strong", where every read returns the
last write, and "weak", where each of five nodes lags behind by its own time, so that sessions that wander see old versions; at the
end everything agrees. Adds are of 1 to 1,000. Seconds are CPU time of the check alone, the best of three rounds, so that a busy
machine does not blur them; the aim is a second for 10^5 operations. ("sessions value" is asked of values that do not count up in the
order of their writes: so it has much to find.)
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator

from checkers import convergence, counter, staleness, unique_ids
from checkers.sessions import check as sessions
from harness.history import History
from harness.op import Op
from harness.verdict import Budget, Checker

CLIENTS, KEYS, NODES = 10, 100, 5
CRASHES = 0.01
ROUNDS = 3
STEP_NS = 100_000
COLUMNS = ("operations", "store", "checker", "seconds", "verdict")


def lines(
    count: int, effect: Callable[[Op, int, random.Random], object], f_of: Callable[[random.Random, int], Op]
) -> Iterator[Op]:
    """A history of ``count`` operations: ``f_of`` gives invocations, ``effect`` what becomes of them."""
    dice = random.Random(count)
    clients = list(range(CLIENTS))
    open_ops: dict[int, Op] = {}
    index = begun = 0
    while begun < count or open_ops:
        seat = dice.randrange(CLIENTS)
        process, node = clients[seat], f"n{dice.randrange(NODES) + 1}"
        if seat in open_ops:
            call = open_ops.pop(seat)
            if call.f != "read" and dice.random() < CRASHES:
                op = call.info("timeout")
                clients[seat] += CLIENTS
                if dice.random() < 0.5:
                    effect(call, index, dice)
            else:
                op = call.ok(effect(call, index, dice))
        elif begun < count:
            begun += 1
            op = open_ops[seat] = f_of(dice, begun)
        else:
            continue
        yield Op(
            index=index,
            time_ns=index * STEP_NS,
            type=op.type,
            process=process,
            f=op.f,
            key=op.key,
            value=op.value,
            node=node if op.node is None else op.node,
            error=op.error,
            extra=op.extra,
        )
        index += 1


def registers(count: int, lag: int) -> History:
    """Reads and writes; node number i lags behind by i times ``lag`` lines. The last operations are final reads of all keys."""
    logs: list[list[tuple[int, int]]] = [[] for _ in range(KEYS)]
    finals = KEYS * NODES

    def invoke(dice: random.Random, number: int) -> Op:
        left = count - number
        if left < finals:
            return Op(f="read", key=left % KEYS, node=f"n{left // KEYS + 1}", extra={"final": True})
        key = dice.randrange(KEYS)
        return Op(f="write", key=key, value=number) if dice.random() < 0.4 else Op(f="read", key=key)

    def effect(op: Op, index: int, dice: random.Random) -> object:
        log = logs[op.key]
        if op.f == "write":
            log.append((index, op.value))
            return op.value
        seen = index - (0 if op.extra else lag * dice.randrange(NODES))
        for written, value in reversed(log):
            if written <= seen:
                return value
        return None

    return History.of(lines(count, effect, invoke))


def adds(count: int, _lag: int) -> History:
    total = [0]

    def invoke(dice: random.Random, _: int) -> Op:
        return Op(f="add", value=dice.randint(1, 1_000)) if dice.random() < 0.5 else Op(f="read")

    def effect(op: Op, _index: int, _dice: random.Random) -> object:
        if op.f == "add":
            total[0] += op.value
        return total[0] if op.f == "read" else op.value

    return History.of(lines(count, effect, invoke))


def ids(count: int, _lag: int) -> History:
    return History.of(lines(count, lambda _op, index, _dice: index, lambda _dice, _number: Op(f="generate")))


CASES: tuple[tuple[str, Callable[[int, int], History], Checker], ...] = (
    ("sessions", registers, sessions.make()),
    ("sessions real-time", registers, sessions.make(order="real-time")),
    ("sessions value", registers, sessions.make(order="value")),
    ("sessions of nodes", registers, sessions.make(session="node")),
    ("convergence", registers, convergence.make(settle_s=0)),
    ("staleness", registers, staleness.make()),
    ("counter", adds, counter.make()),
    ("unique-ids", ids, unique_ids.make()),
)


def seconds(checker: Checker, history: History) -> tuple[float, str]:
    best, verdict = float("inf"), ""
    for _ in range(ROUNDS):
        start = time.process_time()
        verdict = str(checker.check(history, Budget()).validity)
        best = min(best, time.process_time() - start)
    return best, verdict


def main(counts: list[int]) -> None:
    print(" | ".join(COLUMNS))
    for count in counts:
        for store, lag in (("strong", 0), ("weak", 2_000)):
            made: dict[Callable[[int, int], History], History] = {}
            for name, make, checker in CASES:
                if lag and make is not registers:
                    continue
                if make not in made:
                    made[make] = make(count, lag)
                    made[make].calls()
                took_s, verdict = seconds(checker, made[make])
                row = (f"{count:,}", store, name, f"{took_s:.3f}", verdict)
                print(" | ".join(cell.rjust(len(head)) for cell, head in zip(row, COLUMNS, strict=True)), flush=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [10_000, 100_000, 1_000_000])
