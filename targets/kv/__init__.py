"""Replicated key-value stores: node programs, their client, and what the harness must know of them.

``raft`` is a node program; ``client`` and ``target`` stay with the harness. Importing this package imports neither: it travels into nodes.
"""
