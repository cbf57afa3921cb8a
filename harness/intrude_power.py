"""Impostors at the door: begun through a cluster's power, proved by what came of their attempts, ended. See ``harness.powers``."""

from __future__ import annotations

import asyncio

from harness.effects import Intrude, Proof
from harness.holds import Holds, release, take
from harness.protocols import CanIntrude

# Attempts are looked at this often, and for so long, until one of them has met a node.
LOOK_S, LOOKS = 0.05, 40


class IntrudePower:
    """An attempt that reached a node has bitten, whether it was refused or let in: to judge that is the checker's business."""

    async def apply(self, cluster: CanIntrude, effect: Intrude, holds: Holds) -> None:
        if take(holds.intruders, [effect]):
            await cluster.intrude(effect)

    async def verify(self, cluster: CanIntrude, effect: Intrude, holds: Holds) -> Proof:
        for _ in range(LOOKS):
            if _heard(cluster, effect) or not cluster.intruding(effect):
                break
            await asyncio.sleep(LOOK_S)
        counts = cluster.attempts(effect)
        words = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
        return Proof(holds=_heard(cluster, effect) > 0, evidence=f"attempts so far: {words or 'none'}")

    async def heal(self, cluster: CanIntrude, effect: Intrude, holds: Holds) -> None:
        if release(holds.intruders, [effect]):
            await cluster.withdraw(effect)

    async def verify_healed(self, cluster: CanIntrude, effect: Intrude, holds: Holds) -> Proof:
        counts = cluster.attempts(effect)
        words = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
        gone = bool(holds.intruders[effect]) or not cluster.intruding(effect)
        return Proof(holds=gone, evidence=f"attempts in all: {words or 'none'}")


def _heard(cluster: CanIntrude, effect: Intrude) -> int:
    return sum(number for outcome, number in cluster.attempts(effect).items() if outcome != "unheard")
