"""``cas-register``: Jepsen's classic (jepsen.tests.linearizable-register): a few values over and over, one key after the other.

Few values make a compare-and-set of stale data likely to succeed where it must not, and writes hide one another, so histories are harder
to check than those of ``register``: therefore a key has few ops and few processes, and then a new one takes its place.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from harness.generator import Context, Generator, concurrent_keys, limit, mix, process_limit, repeat, reserve
from harness.workloads.final import reads_of_used_keys
from harness.workloads.workload import Workload, WorkloadOptions

VALUES = 5
# Jepsen: two threads per node work on a key, half of them only read, and a key ends with its 20th process. The limit also holds at the
# start, so a key gets at most half of it in threads: the rest is for those that follow a crash.
PROCESSES_PER_KEY = 20
THREADS_PER_NODE = 2


def _read() -> dict[str, Any]:
    return {"f": "read"}


def _write(ctx: Context) -> dict[str, Any]:
    return {"f": "write", "value": _value(ctx)}


def _cas(ctx: Context) -> dict[str, Any]:
    return {"f": "cas", "value": [_value(ctx), _value(ctx)]}


def _value(ctx: Context) -> int:
    return int(ctx.rng.random() * VALUES)


def _generator(options: WorkloadOptions) -> Generator:
    threads = min(THREADS_PER_NODE * len(options.nodes), PROCESSES_PER_KEY // 2)
    groups = -(-options.concurrency // threads)
    smallest_group = options.concurrency // groups

    def for_key(_key: int) -> Generator:
        return process_limit(PROCESSES_PER_KEY, limit(options.ops_per_key, _ops(smallest_group)))

    return concurrent_keys(threads, count(), for_key)


def _ops(threads: int) -> Generator:
    """Half of the threads only read, so that reads go on while mutations hang."""
    if threads < 2:
        return mix([_read, _read, _write, _cas])
    return reserve((threads // 2, repeat(_read())), rest=mix([_write, _cas, _cas]))


def _final(options: WorkloadOptions) -> Generator:  # noqa: ARG001 - any number of keys may have been used
    return reads_of_used_keys()


CAS_REGISTER = Workload(
    name="cas-register",
    summary="reads, writes and compare-and-sets of the values 0 to 4, one key after the other (Jepsen's linearizable-register)",
    fs=("read", "write", "cas"),
    generator=_generator,
    final=_final,
    checkers=(
        ("linearizable", {"model": "cas-register"}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
        ("latency", {}),
    ),
)
