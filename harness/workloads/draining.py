"""Taking what is left, at the end of a run: the same op again and again until it has given nothing several times in a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from harness.generator import PENDING, Answer, Context, Generator, gen, node
from harness.op import Op, OpType

# A client gives up after so many ops in a row that failed or gave nothing, with such pauses, and in any case after so many.
DRY_MAX: Final = 10
PAUSE_NS: Final = 100_000_000
OPS_MAX: Final = 10_000


def until_dry(op: Op, gave: Callable[[Op], bool], dry_max: int = DRY_MAX) -> Generator:
    """One thread's ops, all ``op``, marked as final, until ``dry_max`` in a row gave nothing; ``gave`` looks at one that succeeded."""
    return UntilDry(Op(f=op.f, key=op.key, value=op.value, extra={"final": True}), gave, dry_max)


@node
class UntilDry:
    """See ``until_dry``. ``waiting``: one has not been answered yet; the next is at ``next_ns``."""

    call: Op
    gave: Callable[[Op], bool]
    dry_max: int
    dry: int = 0
    ops: int = 0
    waiting: bool = False
    next_ns: int = 0

    def op(self, ctx: Context) -> Answer:
        if self.dry >= self.dry_max or self.ops >= OPS_MAX:
            return None
        if self.waiting:
            return PENDING
        call = self.call
        asked = gen(Op(f=call.f, key=call.key, value=call.value, time_ns=self.next_ns, extra=call.extra)).op(ctx)
        if asked is None or asked is PENDING:
            return PENDING
        return asked[0], UntilDry(call, self.gave, self.dry_max, self.dry, self.ops + 1, True)

    def update(self, ctx: Context, event: Op) -> Generator:
        if event.f != self.call.f or event.key != self.call.key or event.type is OpType.INVOKE:
            return self
        gave = event.type is OpType.OK and self.gave(event)
        dry, next_ns = (0, 0) if gave else (self.dry + 1, event.time_ns + PAUSE_NS)
        return UntilDry(self.call, self.gave, self.dry_max, dry, self.ops, False, next_ns)
