"""The systems under test, by name: each a ``harness.protocols.Target``, loaded when a run needs it.

The list is a plain table so that it can be read and searched, and importing it does nothing.
"""

TARGETS = {
    "maelstrom": "targets.systems.maelstrom:MAELSTROM",
    "kv/raft": "targets.kv.target:RAFT",
    "kv/tokens": "targets.kv.secure_target:KV_TOKENS",
    "kv/lease-reads": "targets.kv.raft_reads_target:LEASE_READS",
    "kv/local-reads": "targets.kv.raft_reads_target:LOCAL_READS",
    "kv/primary-sync": "targets.kv.primary_target:PRIMARY_SYNC",
    "kv/primary-async": "targets.kv.primary_target:PRIMARY_ASYNC",
    "kv/crdt-broadcast": "targets.kv.crdt_target:BROADCAST",
    "kv/crdt-g-set": "targets.kv.crdt_target:G_SET",
    "kv/crdt-or-set": "targets.kv.crdt_target:OR_SET",
    "kv/crdt-g-counter": "targets.kv.crdt_target:G_COUNTER",
    "kv/crdt-pn-counter": "targets.kv.crdt_target:PN_COUNTER",
    "kv/counter": "targets.kv.counter_target:EXACTLY_ONCE",
    "kv/counter-at-least-once": "targets.kv.counter_target:AT_LEAST_ONCE",
    "kv/counter-at-most-once": "targets.kv.counter_target:AT_MOST_ONCE",
    "kv/unique-ids": "targets.kv.crdt_target:UNIQUE_IDS",
    "kv/dynamo": "targets.kv.dynamo_target:DYNAMO",
    "kv/dynamo-lww": "targets.kv.dynamo_target:DYNAMO_LWW",
    "kv/dynamo-hlc": "targets.kv.dynamo_target:DYNAMO_HLC",
    "queue/log": "targets.queue.log_target:QUEUE_LOG",
    "queue/log-acks-1": "targets.queue.log_target:ACKS_1",
    "queue/log-unclean": "targets.queue.log_target:UNCLEAN",
    "queue/log-at-least-once": "targets.queue.log_target:AT_LEAST_ONCE",
    "queue/broker": "targets.queue.broker_target:QUEUE_BROKER",
    "queue/broker-autoheal": "targets.queue.broker_target:AUTOHEAL",
    "queue/broker-pause-minority": "targets.queue.broker_target:PAUSE_MINORITY",
    "dsm/msi": "targets.dsm.target:MSI",
    "dsm/mesi": "targets.dsm.target:MESI",
    "dsm/release": "targets.dsm.target:RELEASE",
    "dsm/store-buffer": "targets.dsm.target:STORE_BUFFER",
    "lock/lease": "targets.lock.target:LEASE",
    "lock/fenced": "targets.lock.target:FENCED",
}
