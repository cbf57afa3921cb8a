"""What judges a run: pure functions of a history, usable alone on any history file.

They touch no clock, dice, loop, socket or file, and count their work in steps, so that a history gets the
same verdict on every machine. ``wording`` holds the words that verdicts share, ``windows`` the faults and
phases as the history tells them, ``kernels`` how loops over integers are compiled.

Both tables are name → "module:attr", loaded lazily by ``harness.registry``. A checker's attr is a factory
``make(**options) -> Checker``, a model's is a ``checkers.linearizable.models.Model``.
"""

from __future__ import annotations

CHECKERS = {
    "atomic-commit": "checkers.commits.check:make",
    "atomicity": "checkers.atomicity:make",
    "availability": "checkers.availability:make",
    "bank": "checkers.bank:make",
    "broadcast": "checkers.broadcast:make",
    "causal-reverse": "checkers.causal_reverse:make",
    "clock-condition": "checkers.clocks:make",
    "closed-predicate": "checkers.transactions.closed_predicate:make",
    "coherence": "checkers.memory.coherence:make",
    "convergence": "checkers.convergence:make",
    "counter": "checkers.counter:make",
    "echo": "checkers.echo:make",
    "files": "checkers.files.check:make",
    "fifo-per-producer": "checkers.queues.order:make",
    "g2": "checkers.g2:make",
    "g-set": "checkers.broadcast:make_g_set",
    "health": "checkers.health.check:make",
    "kafka": "checkers.kafka.check:make",
    "latency": "checkers.latency:make",
    "leadership": "checkers.leadership:make",
    "linearizable": "checkers.linearizable.check:make",
    "list-append": "checkers.transactions.list_append:make",
    "litmus": "checkers.memory.litmus:make",
    "locks": "checkers.locks.check:make",
    "long-fork": "checkers.long_fork:make",
    "monotonic": "checkers.monotonic:make",
    "or-set": "checkers.or_sets:make",
    "registry": "checkers.registry.check:make",
    "rw-register": "checkers.transactions.rw_register:make",
    "sanity": "checkers.sanity:make",
    "security": "checkers.security:make",
    "sessions": "checkers.sessions.check:make",
    "set": "checkers.sets:make",
    "sides": "checkers.sides:make",
    "staleness": "checkers.staleness:make",
    "stats": "checkers.stats:make",
    "time-bound": "checkers.time_bounds:make",
    "total-queue": "checkers.queues.total:make",
    "unique-ids": "checkers.unique_ids:make",
    "weak": "checkers.weak.check:make",
    "weak-registers": "checkers.weak.registers:make",
}

MODELS = {
    "cas-register": "checkers.linearizable.models:CAS_REGISTER",
    "counter": "checkers.linearizable.models:COUNTER",
    "fetch-and-add": "checkers.linearizable.objects:FETCH_AND_ADD",
    "fifo-queue": "checkers.linearizable.models:FIFO_QUEUE",
    "kv": "checkers.linearizable.models:KV",
    "multi-register": "checkers.linearizable.objects:MULTI_REGISTER",
    "mutex": "checkers.linearizable.models:MUTEX",
    "priority-queue": "checkers.linearizable.objects:PRIORITY_QUEUE",
    "register": "checkers.linearizable.models:REGISTER",
    "reentrant-lock": "checkers.linearizable.objects:REENTRANT_LOCK",
    "set": "checkers.linearizable.models:SET",
    "stack": "checkers.linearizable.models:STACK",
    "string-kv": "checkers.linearizable.objects:STRING_KV",
    "unordered-queue": "checkers.linearizable.objects:UNORDERED_QUEUE",
}
