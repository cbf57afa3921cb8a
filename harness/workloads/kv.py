"""``kv``: many registers, some of them hot: gets and puts as an application makes them, without compare-and-set."""

from __future__ import annotations

from harness.workloads.register import of_registers

KEYS = 20
SHARES = {"read": 0.6, "write": 0.4}
# The k-th most popular of n keys is chosen in proportion to 1/k, the classic Zipf distribution: popularity of keys in the wild is like
# that (Breslau et al., INFOCOM 1999, for web requests), and it gives both contended keys and keys that are read long after their write.
EXPONENT = 1.0

KV = of_registers(
    name="kv",
    summary="reads and writes of fresh values on many keys, some of them popular",
    shares=SHARES,
    keys=KEYS,
    checkers=(("linearizable", {"model": "register"}),),
    exponent=EXPONENT,
)
