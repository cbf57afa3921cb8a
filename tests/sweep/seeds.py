"""How many seeds a sweep of correct nodes takes, in parts that can run side by side.

SPLITBRAIN_SEEDS says how many: a few with every change, hundreds before a release (``SPLITBRAIN_SEEDS=200 pytest -m sweep``). Bugs and
claims that break do not depend on it: their seeds are tried until one shows what it must.
"""

from __future__ import annotations

import os

SEEDS = int(os.environ.get("SPLITBRAIN_SEEDS", "10"))
CHUNK = 10
FIRSTS = range(0, SEEDS, CHUNK)


def chunk(first: int) -> range:
    """The seeds of the part that begins with ``first``."""
    return range(first, min(first + CHUNK, SEEDS))
