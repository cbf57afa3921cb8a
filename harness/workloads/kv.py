"""``kv``: many registers, some of them hot: gets and puts as an application makes them, without compare-and-set."""

from __future__ import annotations

from harness.generator import Generator
from harness.workloads.final import reads_of
from harness.workloads.registers import registers
from harness.workloads.workload import Workload, WorkloadOptions

KEYS = 20
SHARES = {"read": 0.6, "write": 0.4}
# The k-th most popular of n keys is chosen in proportion to 1/k, the classic Zipf distribution: popularity of keys in the wild is like
# that (Breslau et al., INFOCOM 1999, for web requests), and it gives both contended keys and keys that are read long after their write.
EXPONENT = 1.0


def _keys(options: WorkloadOptions) -> int:
    return KEYS if options.keys is None else options.keys


def _generator(options: WorkloadOptions) -> Generator:
    return registers([1 / rank**EXPONENT for rank in range(1, _keys(options) + 1)], SHARES)


def _final(options: WorkloadOptions) -> Generator:
    return reads_of(range(_keys(options)))


KV = Workload(
    name="kv",
    summary="reads and writes of fresh values on many keys, some of them popular",
    fs=tuple(SHARES),
    generator=_generator,
    final=_final,
    checkers=(
        ("linearizable", {"model": "register"}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
        ("latency", {}),
    ),
)
