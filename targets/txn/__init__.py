"""Transactions over a sharded, replicated store: atomic commit by two and by three phases, under serializability or snapshot isolation.

store    the node program: shards on Raft, their coordinators, and what participants do when a coordinator is silent
client   asks its node for a transaction, once
target   what the harness must know: the variants; ``bugs`` and ``claims`` are their tables
"""
