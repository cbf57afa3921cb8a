"""Synthetic runs for tests of reports: a key-value store under faults, with elections and, if wanted, one stale read.

The store is simulated just enough to look real: an operation takes effect between its invocation and its completion, so a run
without the stale read is linearizable. Same arguments, same run.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np

from harness.history import History
from harness.op import NEMESIS, Op, OpType
from reports.report import Report
from tests.builders import history

NODES = ("n1", "n2", "n3", "n4", "n5")
KEYS = 5
MS, S = 1_000_000, 1_000_000_000
CONCURRENCY = 10
TIMEOUT_NS = 1 * S


@dataclass(frozen=True)
class Fault:
    """A fault of the synthetic run: when, what, whom."""

    kind: str
    start_s: float
    end_s: float
    targets: tuple[str, ...]
    args: dict[str, Any]
    evidence: str


def fault_plan(length_s: float) -> list[Fault]:
    """One of each kind, spread over the first nine tenths of the run."""
    rows = (
        ("partition", 0.08, 0.20, ("n1", "n2"), {"grudge": "halves"}, "12 of 12 links cut, 8 open"),
        ("kill", 0.27, 0.36, ("n3",), {"target": "leader"}, "n3 does not answer, its process is gone"),
        ("clock", 0.42, 0.52, ("n2", "n5"), {"offset_s": -30}, "n2 is off by -30.0 s, n5 by -30.0 s"),
        ("packet", 0.48, 0.58, ("n1", "n4"), {"delay_s": 0.05, "loss": 0.2}, "median delay 51 ms, 19 % lost"),
        ("pause", 0.64, 0.70, ("n4",), {"target": "one"}, "n4 does not answer"),
        ("partition", 0.76, 0.88, ("n3", "n4"), {"grudge": "bridge"}, "12 of 12 links cut, 8 open"),
    )
    return [
        Fault(kind, start * length_s, end * length_s, targets, args, evidence)
        for kind, start, end, targets, args, evidence in rows
    ]


def synthetic_run(ops: int = 4_000, *, seed: int = 7, stale: bool = True) -> Report:
    """A run of about ``ops`` client operations; with ``stale`` one read returns an overwritten value and the verdict is invalid."""
    length_s = max(ops / 100.0, 4.0)
    faults = fault_plan(length_s)
    dice = random.Random(seed)
    lines = _stamped([*_clients(dice, faults, ops, length_s), *_nemesis(faults, length_s)])
    anomaly: dict[str, Any] | None = None
    if stale:
        lines, anomaly = _with_stale_read(lines, int(0.8 * length_s * S))
    return Report(
        results=_results(lines, faults, anomaly, seed),
        history=History.of(lines),
        node_logs=_logs(dice, faults, length_s),
    )


SMALL = """
    p0      invoke write x 1                      time=1s       node=n1
    p0      ok     write x 1                      time=1.004s   node=n1
    nemesis info   start-partition - {"id":0,"kind":"partition","args":{"grudge":"halves"}}       time=1.1s
    nemesis info   start-partition - {"id":0,"targets":["n1","n2"],"bit":true,"evidence":"12_of_12_links_cut"} time=1.102s
    p1      invoke write x 2                      time=1.5s     node=n2
    p2      invoke write x 3                      time=1.6s     node=n3
    p0      invoke cas   x [1,4]                  time=1.65s    node=n1
    p0      fail   cas   x [1,4]                  time=1.66s    node=n1 error=precondition-failed
    p2      ok     write x 3                      time=1.7s     node=n3
    p0      invoke read  x _                      time=2s       node=n1
    p0      ok     read  x 1                      time=2.003s   node=n1
    p1      info   write x 2                      time=2.5s     node=n2 error=timeout
    nemesis info   stop-partition - {"id":0,"kind":"partition"}                                   time=3s
    nemesis info   stop-partition - {"id":0,"kind":"partition","healed":true,"evidence":"all_open"} time=3.01s
    p3      invoke read  y _                      time=3.1s     node=n3
    p3      ok     read  y null                   time=3.2s     node=n3
    nemesis info   heal - _                       time=3.5s
    nemesis info   heal - {"healed":true,"evidence":"nothing_was_left"}                           time=3.51s
    p4      invoke write y 9                      time=3.6s     node=n1
"""


def small_run(verdict: str) -> Report:
    """A run of a few operations, every kind of outcome among them; "invalid" (two anomalies) or "unknown"."""
    invalid = verdict == "invalid"
    reason = "Process 0 read 1 from x after 3 had been written and acknowledged."
    anomalies = [
        {
            "checker": "sets",
            "name": "lost-update",
            "ops": [4],
            "reason": "The write of 2 left no trace.",
            "witness": [],
        },
        {
            "checker": "linearizable",
            "name": "nonlinearizable",
            "ops": [9, 10],
            "reason": reason,
            "witness": [0, 1, 4, 5, 8, 9, 10, 11],
        },
    ]
    return Report(
        results={
            "version": 1,
            "verdict": verdict,
            "reason": reason if invalid else "linearizable: ran out of its budget of 100 steps",
            "run": "store/kv/raft/20260801T101500.123456Z",
            "target": "kv/raft",
            "cluster": "local",
            "seed": 42,
            "plan": {"bug": "stale-local-read", "concurrency": 3, "nodes": ["n1", "n2", "n3"]},
            "stats": {},
            "faults": [],
            "anomalies": anomalies if invalid else [],
            "checkers": [
                {
                    "checker": "linearizable",
                    "validity": verdict,
                    "reason": "1 of 2 keys is not linearizable" if invalid else "ran out of its budget of 100 steps",
                    "stats": {"keys": 2},
                }
            ],
            "repeat": "splitbrain run kv/raft --cluster local --seed 42 --nemesis partition --time-limit 60 --bug stale-local-read",
        },
        history=history(SMALL),
        node_logs={
            "n1": [{"t": 0.1, "event": "leader", "term": 1}],
            "n2": [{"t": 0.2, "event": "follower", "term": 1}],
        },
    )


def untimed_run() -> Report:
    """A history file of another tool, judged alone: no times, no plan, no logs, values of its own shapes."""
    lines = [
        Op(type=OpType.INVOKE, process=0, f="write", value=1),
        Op(type=OpType.INFO, process=NEMESIS, f="start", value="isolate n1"),
        Op(type=OpType.INFO, process=NEMESIS, f="start", value=["isolated", {"n1": ["n2"]}]),
        Op(type=OpType.OK, process=0, f="write", value=1),
        Op(type=OpType.INVOKE, process=1, f="read"),
        Op(type=OpType.OK, process=1, f="read", value=None),
        Op(type=OpType.INFO, process=NEMESIS, f="stop"),
    ]
    anomaly = {
        "checker": "linearizable",
        "name": "nonlinearizable",
        "ops": [4, 5],
        "reason": "The write is lost.",
        "witness": [0, 3, 4, 5],
    }
    results = {
        "version": 1,
        "verdict": "invalid",
        "reason": "The write is lost.",
        "run": "h.jsonl",
        "anomalies": [anomaly],
    }
    return Report(results=results, history=History.of(lines))


def long_run(times: int) -> Report:
    """The clients of a run of ten thousand operations ``times`` times over, every value a new one; quickly made."""
    run = synthetic_run(10_000, stale=False)
    part = run.history.select(run.history.clients)
    length_ns, lines, processes = int(part.time_ns[-1]) + MS, int(part.index[-1]) + 1, int(part.process.max()) + 1
    tiles = np.repeat(np.arange(times), len(part))
    # A process number that is larger by a multiple of the concurrency is the same client.
    processes += -processes % CONCURRENCY
    whole = History.from_columns(
        type=np.tile(part.type, times),
        f=np.tile(part.f, times),
        key=np.tile(part.key, times),
        node=np.tile(part.node, times),
        value=np.tile(part.value, times) + tiles * len(part.values),
        process=np.tile(part.process, times) + tiles * processes,
        index=np.tile(part.index, times) + tiles * lines,
        time_ns=np.tile(part.time_ns, times) + tiles * length_ns,
        fs=part.fs,
        keys=part.keys,
        nodes=part.nodes,
        values=[
            value + n * 1_000_000 if isinstance(value, int) else value for n in range(times) for value in part.values
        ],
        errors={row + n * len(part): error for n in range(times) for row, error in part.errors.items()},
    )
    return Report(results=run.results, history=whole, node_logs=run.node_logs)


def _clients(dice: random.Random, faults: list[Fault], ops: int, length_s: float) -> Iterator[Op]:
    """Invocations and completions, in the order of time."""
    state: dict[int, int | None] = dict.fromkeys(range(KEYS))
    events: list[tuple[int, int, str, Any]] = []
    order, values = count(), count(1)
    for client in range(CONCURRENCY):
        heapq.heappush(events, (dice.randrange(5 * MS), next(order), "ask", client))
    mean_ns = length_s * S * CONCURRENCY / ops
    asked = 0
    while events:
        now, _, what, who = heapq.heappop(events)
        if what == "ask":
            if asked >= ops:
                continue
            asked += 1
            op, ends, outcome = _ask(dice, faults, now, who, values)
            yield op
            if outcome is OpType.OK:
                heapq.heappush(events, (now + (ends - now) // 2, next(order), "effect", (op, ends)))
            else:
                heapq.heappush(events, (ends, next(order), "done", (op, outcome, None)))
        elif what == "effect":
            op, ends = who
            result = state[op.key] if op.f == "read" else op.value
            if op.f == "write":
                state[op.key] = op.value
            heapq.heappush(events, (ends, next(order), "done", (op, OpType.OK, result)))
        else:
            op, outcome, result = who
            yield _complete(op, outcome, result, now)
            after = op.process + (CONCURRENCY if outcome is OpType.INFO else 0)
            wait = int(dice.expovariate(1 / mean_ns)) if outcome is OpType.OK else 20 * MS
            heapq.heappush(events, (now + wait, next(order), "ask", after))


def _ask(
    dice: random.Random, faults: list[Fault], now: int, process: int, values: Iterator[int]
) -> tuple[Op, int, OpType]:
    node = NODES[process % CONCURRENCY % len(NODES)]
    write = dice.random() < 0.5
    op = Op(
        time_ns=now,
        process=process,
        f="write" if write else "read",
        key=dice.randrange(KEYS),
        value=next(values) if write else None,
        node=node,
    )
    latency = int(dice.lognormvariate(1.1, 0.5) * MS)
    active = [fault for fault in faults if fault.start_s * S <= now <= fault.end_s * S]
    if any(node in fault.targets for fault in active):
        draw = dice.random()
        if draw < 0.15:
            return op, now + TIMEOUT_NS, OpType.INFO
        if draw < 0.6:
            return op, now + latency, OpType.FAIL
        latency *= 12
    return op, now + latency, OpType.OK


def _complete(op: Op, outcome: OpType, result: Any, now: int) -> Op:
    if outcome is OpType.OK:
        done = op.ok(result)
    elif outcome is OpType.FAIL:
        done = op.fail("temporarily-unavailable: not the leader")
    else:
        done = op.info("timeout")
    return replace(done, time_ns=now)


def _nemesis(faults: list[Fault], length_s: float) -> Iterator[Op]:
    for number, fault in enumerate(faults):
        said = {"id": number, "kind": fault.kind, "args": fault.args}
        proof = {"targets": list(fault.targets), "bit": True, "evidence": fault.evidence, "effects": ["cut"]}
        begin = Op(
            time_ns=int(fault.start_s * S), type=OpType.INFO, process=NEMESIS, f=f"start-{fault.kind}", value=said
        )
        yield begin
        yield replace(begin, time_ns=begin.time_ns + 2 * MS, value={**said, **proof})
        healed = {"id": number, "kind": fault.kind, "healed": True, "evidence": "all links are open"}
        stop = Op(
            time_ns=int(fault.end_s * S),
            type=OpType.INFO,
            process=NEMESIS,
            f=f"stop-{fault.kind}",
            value={"id": number, "kind": fault.kind},
        )
        yield stop
        yield replace(stop, time_ns=stop.time_ns + 3 * MS, value=healed)
    for name, at, value in (("heal", 0.92, {"healed": True, "evidence": "no fault was left"}), ("final", 0.97, None)):
        mark = Op(time_ns=int(at * length_s * S), type=OpType.INFO, process=NEMESIS, f=name)
        yield mark
        yield replace(mark, time_ns=mark.time_ns + MS, value=value)


def _stamped(lines: list[Op]) -> list[Op]:
    ordered = sorted(lines, key=lambda op: op.time_ns)
    return [replace(op, index=index) for index, op in enumerate(ordered)]


def _with_stale_read(lines: list[Op], after_ns: int) -> tuple[list[Op], dict[str, Any]]:
    """Make the first suitable read after ``after_ns`` return the value before the last completed write."""
    opened: dict[Any, Op] = {}
    written: dict[Any, list[tuple[Op, Op]]] = {}
    busy: dict[Any, int] = {}  # key → writes that are open now or may take effect at any time
    for at, line in enumerate(lines):
        if line.process == NEMESIS:
            continue
        if line.type is OpType.INVOKE:
            opened[line.process] = line
            busy[line.key] = busy.get(line.key, 0) + (line.f == "write")
            continue
        call = opened.pop(line.process)
        before = written.setdefault(call.key, [])
        if call.f == "write" and line.type is OpType.OK:
            before.append((call, line))
            busy[call.key] -= 1
        usable = call.f == "read" and line.type is OpType.OK and line.time_ns > after_ns and len(before) > 1
        if usable and before[-1][1].index < call.index and before[-2][1].index < before[-1][0].index:
            (old, old_done), (new, new_done) = before[-2:]
            lines = [*lines[:at], replace(line, value=old.value), *lines[at + 1 :]]
            witness = [op.index for op in (old, old_done, new, new_done, call, line)]
            reason = (
                f"Client c{line.process} read {old.value} from key {call.key}, but {new.value} had been written and "
                f"acknowledged {(call.time_ns - new_done.time_ns) / MS:.1f} ms before it asked."
            )
            return lines, {
                "checker": "linearizable",
                "name": "nonlinearizable",
                "ops": [call.index, line.index],
                "reason": reason,
                "witness": witness,
            }
    raise ValueError("no read can be made stale: take more ops")


def _results(lines: list[Op], faults: list[Fault], anomaly: dict[str, Any] | None, seed: int) -> dict[str, Any]:
    verdict = "valid" if anomaly is None else "invalid"
    fine = "every read returned the last value written, in some order of the operations that clients could see"
    return {
        "version": 1,
        "verdict": verdict,
        "reason": fine if anomaly is None else anomaly["reason"],
        "run": "store/kv/raft/20260801T101500.123456Z",
        "target": "kv/raft",
        "cluster": "sim",
        "seed": seed,
        "plan": {
            "version": 1,
            "splitbrain": "0.1.0",
            "target": "kv/raft",
            "workload": "register",
            "cluster": "sim",
            "nodes": list(NODES),
            "concurrency": CONCURRENCY,
            "rate": 100.0,
            "bug": None if anomaly is None else "stale-local-read",
            "nemesis": ["partition", "kill", "clock", "packet", "pause"],
        },
        "stats": {"ops": sum(op.type is OpType.INVOKE for op in lines), "elections": 4},
        "faults": [
            {
                "kind": fault.kind,
                "targets": list(fault.targets),
                "start_s": fault.start_s,
                "end_s": fault.end_s,
                "bit": True,
                "healed": True,
            }
            for fault in faults
        ],
        "anomalies": [] if anomaly is None else [anomaly],
        "checkers": [
            {
                "checker": "sanity",
                "validity": "valid",
                "reason": "6 of 6 faults took effect and were healed",
                "stats": {"faults": 6},
            },
            {
                "checker": "linearizable",
                "validity": verdict,
                "reason": fine if anomaly is None else "1 of 5 keys is not linearizable",
                "stats": {"keys": KEYS, "model": "register", "steps": 48_211},
            },
            {
                "checker": "availability",
                "validity": "valid",
                "reason": "operations succeed 0.31 s after everything is healed",
                "stats": {"longest_gap_s": 1.204, "progress_after_s": 0.31},
            },
        ],
        "repeat": f"splitbrain run kv/raft --cluster sim --nodes 5 --concurrency 10 --rate 100 --seed {seed} --bug stale-local-read",
    }


def _logs(dice: random.Random, faults: list[Fault], length_s: float) -> dict[str, list[dict[str, Any]]]:
    """Elections at the beginning and whenever a fault meets the leader, with some noise between."""
    logs: dict[str, list[dict[str, Any]]] = {node: [{"t": 0.0, "event": "start", "peers": 4}] for node in NODES}
    leader, term, at = "n1", 1, 0.15
    _elect(logs, leader, term, at)
    for fault in faults:
        if leader in fault.targets and fault.kind in ("partition", "kill", "pause"):
            term += 1
            leader = next(node for node in NODES if node not in fault.targets)
            _elect(logs, leader, term, fault.start_s + 0.2)
        if fault.kind == "kill":
            for node in fault.targets:
                logs[node].append({"t": fault.end_s, "event": "start", "recovered": True})
                logs[node].append({"t": fault.end_s + 0.05, "event": "follower", "term": term})
    for node in NODES:
        noise = [round(dice.uniform(0.3, length_s), 4) for _ in range(60)]
        logs[node] += [{"t": t, "event": "commit", "index": int(t * 90), "term": term} for t in noise]
        logs[node].sort(key=lambda line: line["t"])
    logs["n2"].insert(5, {"t": None, "line": "Traceback (most recent call last): <b>not JSON</b>"})
    return logs


def _elect(logs: dict[str, list[dict[str, Any]]], leader: str, term: int, at: float) -> None:
    logs[leader].append({"t": at, "event": "candidate", "term": term})
    logs[leader].append({"t": at + 0.05, "event": "leader", "term": term, "votes": 3})
    for node in NODES:
        if node != leader:
            logs[node].append({"t": at + 0.06, "event": "follower", "term": term, "leader": leader})
