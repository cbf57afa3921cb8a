"""Which op comes next: pure, immutable generators that compose, after Jepsen's.

    context        what a generator may know: time, dice, free threads
    core           what a generator is: op(ctx) → (op, rest) | PENDING | None, update(ctx, event)
    values         plain values as generators (``gen``), concatenation
    sequence       phases, repetition, limits, alternation, until it worked
    choice         the soonest of several, random mixtures
    threads        for some threads, for each thread, limits on how many take part
    timing         rates, limits of time, waiting
    transform      changed ops, reactions to events
    guard          checked, traced, with errors that say whose they are
    independent    one generator per key

No clock, no loop, no file: tested in virtual time. What the runner owes a generator stands in ``core`` and ``context``.
"""

from harness.generator.choice import any_of, mix, shortest_any
from harness.generator.context import NEMESIS_THREAD, Context
from harness.generator.core import EMPTY, PENDING, Answer, Generator, Pending, node
from harness.generator.guard import Tracer, friendly_exceptions, trace, validate
from harness.generator.independent import ForKey, concurrent_keys, keyed, sequential_keys
from harness.generator.sequence import (
    LOG,
    SLEEP,
    cycle,
    flip_flop,
    is_control,
    limit,
    log,
    once,
    phases,
    repeat,
    sleep,
    synchronize,
    then,
    until_ok,
)
from harness.generator.threads import (
    clients,
    concurrency_limit,
    each_process,
    each_thread,
    nemesis,
    on_threads,
    process_limit,
    reserve,
)
from harness.generator.timing import after_event, cycle_times, delay, pending_until, stagger, time_limit
from harness.generator.transform import OnUpdate, cache, f_map, filter_ops, ignore_updates, map_ops, on_update
from harness.generator.values import Lazy, concat, fill_in, gen, invocation

__all__ = [
    "EMPTY",
    "LOG",
    "NEMESIS_THREAD",
    "PENDING",
    "SLEEP",
    "Answer",
    "Context",
    "ForKey",
    "Generator",
    "Lazy",
    "OnUpdate",
    "Pending",
    "Tracer",
    "after_event",
    "any_of",
    "cache",
    "clients",
    "concat",
    "concurrency_limit",
    "concurrent_keys",
    "cycle",
    "cycle_times",
    "delay",
    "each_process",
    "each_thread",
    "f_map",
    "fill_in",
    "filter_ops",
    "flip_flop",
    "friendly_exceptions",
    "gen",
    "ignore_updates",
    "invocation",
    "is_control",
    "keyed",
    "limit",
    "log",
    "map_ops",
    "mix",
    "nemesis",
    "node",
    "on_threads",
    "on_update",
    "once",
    "pending_until",
    "phases",
    "process_limit",
    "repeat",
    "reserve",
    "sequential_keys",
    "shortest_any",
    "sleep",
    "stagger",
    "synchronize",
    "then",
    "time_limit",
    "trace",
    "until_ok",
    "validate",
]
