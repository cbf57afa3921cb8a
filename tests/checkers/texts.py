"""Pieces of runs as text (see tests/builders.py), to be put together: 12 client operations, a fault, the heal mark, a final read."""

from __future__ import annotations

CLIENTS = "p1 invoke write x 1 node=n1\np1 ok write x 1 node=n1\n" + (
    "p0 invoke read x _ node=n2\np0 ok read x 1 node=n2\n" * 11
)

FAULT = """\
nemesis info start-partition - {"id": 1, "kind": "partition", "args": {}}
nemesis info start-partition - {"id": 1, "targets": ["n1", "n2"], "bit": true, "evidence": "4 of 4 links cut"}
nemesis info stop-partition - {"id": 1, "kind": "partition"}
nemesis info stop-partition - {"id": 1, "kind": "partition", "healed": true, "evidence": "all links open"}
"""

HEALED = """\
nemesis info heal - _
nemesis info heal - {"healed": true, "evidence": "nothing left"}
"""

FINAL_READ = """\
nemesis info final - _
nemesis info final - _
p0 invoke read x _ final=true
p0 ok read x 1 final=true
"""
