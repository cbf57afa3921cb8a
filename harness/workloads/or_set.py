"""``or-set``: elements are added to an eventually consistent set, removed, and added again; in the end all nodes must show the same.

What must be there in the end can be told of an element only if little happened to it: so the elements in use are a window that moves on,
and each is used but a few times. A remove certainly has seen what its own node had acknowledged: so an element has a home, the node whose
clients add and remove it most of the time, and now and then somebody elsewhere interferes.
"""

from __future__ import annotations

from typing import ClassVar

from harness.generator import PENDING, Answer, Context, Generator, invocation, node
from harness.op import Op
from harness.workloads.broadcast import QUIET_S
from harness.workloads.final import reads_of
from harness.workloads.workload import Workload, WorkloadOptions

READ_SHARE, REMOVE_SHARE = 0.05, 0.42
HOME_SHARE = 0.8
# So many elements per node are in use at a time, and each changes so often before the window moves past it, on average.
WINDOW, CHANGES = 6, 5


@node
class AddsAndRemoves:
    """Endless changes of a moving window of elements, and reads. ``homes`` nodes; ``changes`` were made so far."""

    homes: int
    changes: int
    deaf: ClassVar[bool] = True

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING
        random = ctx.rng.random
        if random() < READ_SHARE:
            read = invocation(ctx, "read")
            return PENDING if read is PENDING else (read, self)
        place, stays, removes = random(), random() < HOME_SHARE, random() < REMOVE_SHARE
        op = invocation(ctx, "remove" if removes else "add")
        if op is PENDING:
            return PENDING
        home = ctx.thread_of(op.process) % self.homes if stays else int(random() * self.homes)
        generation = self.changes // (CHANGES * self.homes) + int(place * WINDOW)
        value = generation * self.homes + home
        changed = Op(time_ns=op.time_ns, type=op.type, process=op.process, f=op.f, value=value)
        return changed, AddsAndRemoves(self.homes, self.changes + 1)

    def update(self, ctx: Context, event: Op) -> Generator:
        return self


def _generator(options: WorkloadOptions) -> Generator:
    return AddsAndRemoves(len(options.nodes), 0)


def _final(options: WorkloadOptions) -> Generator:  # noqa: ARG001 - there is one set
    return reads_of([None])


OR_SET = Workload(
    name="or-set",
    summary="elements added to an eventually consistent set, removed and added again; in the end all nodes must show the same",
    fs=("add", "remove", "read"),
    generator=_generator,
    final=_final,
    checkers=(
        ("or-set", {}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    ),
    quiet_s=QUIET_S,
)
