"""The shape of every run as one generator: faults and clients, heal, recovery, final reads. Pure.

    0 ─────────────── time limit ────────── + recovery ── final reads
    clients: ops at the plan's rate ──────────────────▶│
    nemesis: the schedule ────▶│ heal                  │ quiet, then final

Clients go on over the heal without a break, so that the time until progress returns can be read off the history. A busy machine may take
longer to heal than the recovery lasts: then clients go on until it has, and for the time within which progress must return.
"""

from __future__ import annotations

import random

from harness.generator import (
    EMPTY,
    PENDING,
    Answer,
    Context,
    Generator,
    any_of,
    clients,
    concat,
    friendly_exceptions,
    gen,
    nemesis,
    node,
    phases,
    sleep,
    stagger,
    validate,
)
from harness.op import NEMESIS, Op
from harness.plan import Plan
from harness.schedule import Schedule
from harness.workloads.workload import Workload, WorkloadOptions

START, STOP, HEAL, FINAL = "start-", "stop-", "heal", "final"
HEAL_LINES = 2  # it begins; it is done


def run_generator(plan: Plan, workload: Workload, rng: random.Random) -> Generator:
    """All ops of the run. ``rng`` are the dice of the workload."""
    options = WorkloadOptions.of(
        plan.workload_options,
        concurrency=plan.concurrency,
        nodes=plan.nodes,
        rng=rng,
        time_limit_s=plan.time_limit_s,
        rate=plan.rate,
    )
    # A workload may be anybody's: what it gives is checked, and its errors say whose they are.
    operations = stagger(1 / plan.rate, validate(friendly_exceptions(workload.generator(options))))
    end_ns, progress_ns = round((plan.time_limit_s + plan.recovery_s) * 1e9), round(plan.progress_s * 1e9)
    main = any_of(
        nemesis(concat(fault_ops(plan.schedule), _mark(HEAL, plan.time_limit_s))),
        UntilRecovered(end_ns, progress_ns, 0, clients(operations)),
    )
    final = workload.final(options)
    if final is None:
        return phases(main)
    quiet_s = workload.quiet_s if options.quiet_s is None else options.quiet_s
    quiet = [nemesis(sleep(quiet_s))] if quiet_s else []
    return phases(main, *quiet, nemesis(_mark(FINAL)), clients(final))


def fault_ops(schedule: Schedule) -> Generator:
    """The schedule's starts and stops at their times, for the nemesis."""
    starts = [
        (
            fault.start_s,
            _mark(f"{START}{fault.kind}", fault.start_s, id=fault.id, kind=fault.kind, args=dict(fault.args)),
        )
        for fault in schedule.faults
    ]
    stops = [
        (fault.end_s, _mark(f"{STOP}{fault.kind}", fault.end_s, id=fault.id, kind=fault.kind))
        for fault in schedule.faults
    ]
    # Stops come first where times are equal: what follows at once may need the nodes that they give back.
    return gen([op for _, op in sorted([*stops, *starts], key=lambda at: at[0])])


@node
class UntilRecovered:
    """``gen`` until ``end_ns``, and at least for ``progress_ns`` after the heal. ``told``: so many lines of the heal were heard."""

    end_ns: int
    progress_ns: int
    told: int
    gen: Generator

    def op(self, ctx: Context) -> Answer:
        healed = self.told == HEAL_LINES
        if healed and ctx.time_ns >= self.end_ns:
            return None
        answer = self.gen.op(ctx)
        if answer is PENDING or answer is None:
            return answer
        op, rest = answer
        if healed and op.time_ns >= self.end_ns:
            return PENDING
        return op, EMPTY if rest is EMPTY else UntilRecovered(self.end_ns, self.progress_ns, self.told, rest)

    def update(self, ctx: Context, event: Op) -> Generator:
        rest = self.gen.update(ctx, event)
        if rest is EMPTY:
            return EMPTY
        if event.process != NEMESIS or event.f != HEAL:
            return self if rest is self.gen else UntilRecovered(self.end_ns, self.progress_ns, self.told, rest)
        end_ns = max(self.end_ns, event.time_ns + self.progress_ns)
        return UntilRecovered(end_ns, self.progress_ns, self.told + 1, rest)


def _mark(f: str, at_s: float = 0.0, **value: object) -> Op:
    return Op(process=NEMESIS, f=f, value=value or None, time_ns=round(at_s * 1e9))
