"""What clients do: the operations of a workload, in which order they come, and which checkers judge the history.

    workload        what a workload is, and what it may be asked for
    final           the reads at the end of a run
    draining        the same op until it gives nothing any more (for ``kafka`` and ``queue``)
    elements        elements that go in, each once, mixed with one other op (for ``set`` and ``queue``)
    registers       registers whose every written value is fresh (shared by ``register`` and ``kv``)
    write_read      pairs of a write and the read that follows it (for ``eventual``)
    isolation       small tests for one anomaly of transactions each (``long-fork``, ``write-skew``, ``monotonic``, ``causal-reverse``)
    register sessions eventual kv cas_register set_workload counter broadcast or_set unique_ids echo transactions
    predicates      transactions that look for what is there before they insert
    queue lock memory litmus ...    the workloads
    register eventual kv cas_register set_workload counter broadcast or_set unique_ids echo transactions
    queue bank lock memory litmus files ...    the workloads

Pure: they import the generators and the ground floor alone, and name checkers by their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORKLOADS: Final[Mapping[str, str]] = {
    "register": "harness.workloads.register:REGISTER",
    "cas-register": "harness.workloads.cas_register:CAS_REGISTER",
    "set": "harness.workloads.set_workload:SET",
    "linearizable-set": "harness.workloads.set_workload:LINEARIZABLE_SET",
    "kv": "harness.workloads.kv:KV",
    "counter": "harness.workloads.counter:COUNTER",
    "g-counter": "harness.workloads.counter:G_COUNTER",
    "pn-counter": "harness.workloads.counter:PN_COUNTER",
    "broadcast": "harness.workloads.broadcast:BROADCAST",
    "g-set": "harness.workloads.broadcast:G_SET",
    "or-set": "harness.workloads.or_set:OR_SET",
    "eventual": "harness.workloads.eventual:EVENTUAL",
    "eventual-siblings": "harness.workloads.eventual:EVENTUAL_SIBLINGS",
    "eventual-deletes": "harness.workloads.eventual:EVENTUAL_DELETES",
    "eventual-set": "harness.workloads.eventual:EVENTUAL_SET",
    "write-read": "harness.workloads.eventual:WRITE_READ",
    "eventual-sessions": "harness.workloads.eventual:EVENTUAL_SESSIONS",
    "sessions": "harness.workloads.eventual:SESSIONS",
    "unique-ids": "harness.workloads.unique_ids:UNIQUE_IDS",
    "echo": "harness.workloads.echo:ECHO",
    "lin-kv": "harness.workloads.register:LIN_KV",
    "txn-list-append": "harness.workloads.transactions:LIST_APPEND",
    "txn-rw-register": "harness.workloads.transactions:RW_REGISTER",
    "queue": "harness.workloads.queue:QUEUE",
    "ordered-queue": "harness.workloads.queue:ORDERED_QUEUE",
    "bank": "harness.workloads.bank:BANK",
    "files": "harness.workloads.files:FILES",
    "file-appends": "harness.workloads.files:FILE_APPENDS",
    "file-appends-once": "harness.workloads.files:FILE_APPENDS_ONCE",
    "file-writes": "harness.workloads.files:FILE_WRITES",
    "file-writes-defined": "harness.workloads.files:FILE_WRITES_DEFINED",
    "predicates": "harness.workloads.predicates:PREDICATES",
    "long-fork": "harness.workloads.isolation:LONG_FORK",
    "write-skew": "harness.workloads.isolation:WRITE_SKEW",
    "monotonic": "harness.workloads.isolation:MONOTONIC",
    "causal-reverse": "harness.workloads.isolation:CAUSAL_REVERSE",
    "lock": "harness.workloads.lock:LOCK",
    "fenced-lock": "harness.workloads.lock:FENCED_LOCK",
    "memory": "harness.workloads.memory:MEMORY",
    "coherent-memory": "harness.workloads.memory:COHERENT_MEMORY",
    "litmus": "harness.workloads.litmus:LITMUS_SC",
    "litmus-tso": "harness.workloads.litmus:LITMUS_TSO",
    "litmus-rc": "harness.workloads.litmus:LITMUS_RC",
    "events": "harness.workloads.events:EVENTS",
    "time": "harness.workloads.time_workload:TIME",
    "registry": "harness.workloads.registry:REGISTRY",
    "health": "harness.workloads.health:HEALTH",
    "kafka": "harness.workloads.kafka:KAFKA",
    "kafka-pipelined": "harness.workloads.kafka:PIPELINED",
    "kafka-groups": "harness.workloads.kafka_groups:KAFKA_GROUPS",
}
