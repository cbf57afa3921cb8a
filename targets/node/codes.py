"""Maelstrom's error codes and whether each is definite (the request certainly did not and will not take effect).

Source: the error table of the Maelstrom protocol. Codes from 1000 on are a program's own and indefinite, but for
the one that is the runtime's: the request was not let in (``guard``).
"""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """An error of the protocol: its name, and whether it proves that the request had no effect."""

    name: str
    definite: bool


TIMEOUT, NODE_NOT_FOUND, NOT_SUPPORTED, UNAVAILABLE, MALFORMED, CRASH, ABORT = 0, 1, 10, 11, 12, 13, 14
KEY_MISSING, KEY_EXISTS, PRECONDITION, TXN_CONFLICT = 20, 21, 22, 30
UNAUTHORIZED = 1001

CODES = {
    TIMEOUT: Code("timeout", definite=False),
    NODE_NOT_FOUND: Code("node-not-found", definite=True),
    NOT_SUPPORTED: Code("not-supported", definite=True),
    UNAVAILABLE: Code("temporarily-unavailable", definite=True),
    MALFORMED: Code("malformed-request", definite=True),
    CRASH: Code("crash", definite=False),
    ABORT: Code("abort", definite=True),
    KEY_MISSING: Code("key-does-not-exist", definite=True),
    KEY_EXISTS: Code("key-already-exists", definite=True),
    PRECONDITION: Code("precondition-failed", definite=True),
    TXN_CONFLICT: Code("txn-conflict", definite=True),
    UNAUTHORIZED: Code("not-authorized", definite=True),
}


def is_definite(code: int) -> bool:
    """Whether an error with this code proves that the request had no effect."""
    known = CODES.get(code)
    return known is not None and known.definite
