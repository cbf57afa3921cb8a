"""``bank``: transfers between a few accounts, and reads of all of them, each of which must add up (Jepsen's bank).

An account that no transfer has touched holds OPENING; so nobody has to open one. Operations: ``transfer`` {"from", "to", "amount"}, which a
store refuses if it would overdraw the account, and ``read`` (completed with a map of all accounts, by their names, to balances).
"""

from __future__ import annotations

from typing import ClassVar, Final

from harness.generator import PENDING, Answer, Context, Generator, invocation, node
from harness.op import Op
from harness.workloads.final import reads_of
from harness.workloads.workload import Workload, WorkloadOptions

ACCOUNTS: Final = tuple(f"a{number}" for number in range(8))
OPENING: Final = 10
AMOUNT_MAX: Final = 5
READ_SHARE: Final = 0.5


@node
class Transfers:
    """Endless transfers between two different accounts, and reads."""

    deaf: ClassVar[bool] = True

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING
        random = ctx.rng.random
        if random() < READ_SHARE:
            op = invocation(ctx, "read")
        else:
            place = int(len(ACCOUNTS) * random())
            other = (place + 1 + int((len(ACCOUNTS) - 1) * random())) % len(ACCOUNTS)
            amount = 1 + int(AMOUNT_MAX * random())
            op = invocation(ctx, "transfer", None, {"from": ACCOUNTS[place], "to": ACCOUNTS[other], "amount": amount})
        return PENDING if op is PENDING else (op, self)

    def update(self, ctx: Context, event: Op) -> Generator:
        return self


def _generator(_options: WorkloadOptions) -> Generator:
    return Transfers()


BANK = Workload(
    name="bank",
    summary="transfers between accounts, and reads of all of them that must add up",
    fs=("read", "transfer"),
    generator=_generator,
    final=lambda _: reads_of([None]),
    checkers=(
        ("bank", {"total": OPENING * len(ACCOUNTS)}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    ),
)
