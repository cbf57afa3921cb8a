"""The systems under test, by name: each a ``harness.protocols.Target``, loaded when a run needs it.

The list is a plain table so that it can be read and searched, and importing it does nothing.
"""

TARGETS = {
    "kv/raft": "targets.kv.target:RAFT",
    "kv/lease-reads": "targets.kv.raft_reads_target:LEASE_READS",
    "kv/local-reads": "targets.kv.raft_reads_target:LOCAL_READS",
    "kv/primary-sync": "targets.kv.primary_target:PRIMARY_SYNC",
    "kv/primary-async": "targets.kv.primary_target:PRIMARY_ASYNC",
}
