"""Distributed shared memory: pages that nodes read and write as if they were theirs alone.

memory   the node program: directory-based coherence (MSI, MESI), store buffers, release consistency, locks and barriers
client   a thread on its node; ``target``, ``claims`` and ``bugs`` are what the harness must know
"""
