"""How often a read misses an acknowledged write, by quorum sizes and by the time that has passed since the acknowledgement.

    python benchmarks/dynamo_stale.py [RUNS]

kv/dynamo-hlc with N = 3, strict, on the simulator; the workload write-read: a key is written and then read by somebody else, never both at
once. Without faults and under lost, late and doubled packets, partitions, crashes and pauses; 60 s, RUNS seeds each (by default 3).
Shares with their 95 % intervals (Wilson). After Bailis et al., "Probabilistically Bounded Staleness" (VLDB 2012).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness import store
from harness.cli.planning import Request, make_plan
from harness.cli.run import conduct_plan
from harness.formats import load_history
from harness.history import INFO, OK, History
from harness.samples import wilson

QUORUMS = ((1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1))
NEMESES = ("none", "packet,partition,kill,pause")
AGES_S = (0.001, 0.003, 0.01, 0.03, 0.1, float("inf"))


def history_of(r: int, w: int, nemesis: str, seed: int) -> History:
    request = Request(
        target="kv/dynamo-hlc",
        cluster="sim",
        workload="write-read",
        nemesis=nemesis,
        seed=seed,
        options={"r": r, "w": w, "sloppy": False},
    )
    plan = make_plan(request)
    with tempfile.TemporaryDirectory() as directory:
        run = store.create(Path(directory), plan)
        conduct_plan(plan, run)
        return load_history(run.history)


def reads(history: History) -> Iterator[tuple[float, bool]]:
    """(seconds since the acknowledgement, whether it was missed) of every read that follows an acknowledged write of its key.

    After a write of unknown outcome a key is left out until its next write is acknowledged: it may hold either.
    """
    calls = history.calls()
    newest: dict[int, tuple[int, int] | None] = {}  # key → (row of the acknowledgement, code of the value)
    in_doubt: set[tuple[int, int]] = set()  # (key, value)
    columns = (calls.f, calls.key, calls.call, calls.ret, calls.outcome, calls.argument, calls.result)
    for f, key, call, ret, outcome, argument, result in zip(*(column.tolist() for column in columns), strict=True):
        if history.fs[f] == "write":
            if outcome == OK:
                newest[key] = (ret, argument)
            elif outcome == INFO:
                newest[key] = None
                in_doubt.add((key, argument))
        elif outcome == OK and (found := newest.get(key)) and found[0] < call and (key, result) not in in_doubt:
            yield (history.time_ns[call] - history.time_ns[found[0]]) / 1e9, result != found[1]


def row(label: str, sample: list[bool]) -> str:
    stale = sum(sample)
    low, high = wilson(stale, len(sample))
    share = stale / len(sample) if sample else 0.0
    return f"{label} | {len(sample):7,} | {stale:6,} | {share:7.3%} | {low:.3%} to {high:.3%}"


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print("faults | R W | after | reads | stale | share | 95 % interval")
    for nemesis in NEMESES:
        for r, w in QUORUMS:
            found = [pair for seed in range(runs) for pair in reads(history_of(r, w, nemesis, seed))]
            faults = "none" if nemesis == "none" else "some"
            print(row(f"{faults} | {r} {w} | any time", [stale for _, stale in found]), flush=True)
            least_s = 0.0
            for most_s in AGES_S if (r, w) == (1, 1) else ():
                part = [stale for age_s, stale in found if least_s <= age_s < most_s]
                print(row(f"{faults} | {r} {w} | {least_s:g} to {most_s:g} s", part), flush=True)
                least_s = most_s


if __name__ == "__main__":
    main()
