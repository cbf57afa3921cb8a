"""Faults of nodes: applied through a cluster's powers, proved by what the node does or says, taken back. See ``harness.powers``."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from harness.effects import ClockSkew, Kill, Pause, Proof, Skew, Squeeze, Terminate, Throttle
from harness.holds import Holds, release, take
from harness.protocols import CanPause, CanSkew, CanSqueeze, CanThrottle, Cluster

# A node that lives answers a ping well within this; one that is dead or stands still never does.
PING_S = 0.25
# A restarted or resumed node must answer within this.
RETURN_S = 5.0
# A strobing clock is read this often before it is called truthful.
CLOCK_READINGS = 12
# Readings are this share of its period apart: of three in a row one is in the other half.
STROBE_STEP = 0.6
# A reading that is off by this much was moved by a fault (a skew of the nemesis is at least twice as large).
CLOCK_BITES_S = 0.04
# A node whose memory is limited is asked to have so much more than it is to get: what it has free within itself does not count.
BEYOND_BYTES = 64 << 20


async def answers(cluster: Cluster, nodes: Iterable[str], timeout_s: float) -> list[str]:
    """Those of the nodes that answer a ping."""
    return [node for node in nodes if await cluster.ask(node, {"type": "sb_ping"}, timeout_s) is not None]


class _NodePower:
    """What killing and pausing have in common: the proof is a ping that stays without an answer."""

    def __init__(self, verb: str, back: str, counter: Callable[[Holds], Counter[str]]) -> None:
        self._verb, self._back, self._counter = verb, back, counter

    async def verify(self, cluster: Cluster, effect: Kill | Terminate | Pause, holds: Holds) -> Proof:
        alive = await answers(cluster, effect.nodes, PING_S)
        quiet = [node for node in effect.nodes if node not in alive]
        return Proof(
            holds=not alive and bool(quiet), evidence=f"{self._verb}, no answer from {', '.join(quiet) or 'nobody'}"
        )

    async def verify_healed(self, cluster: Cluster, effect: Kill | Terminate | Pause, holds: Holds) -> Proof:
        free = [node for node in effect.nodes if not holds.down[node] and not holds.still[node]]
        back = await answers(cluster, free, RETURN_S)
        return Proof(holds=back == free, evidence=f"{self._back}: {', '.join(back) or 'others still hold it'}")


class KillPower(_NodePower):
    """Nodes crash; healing starts them again."""

    def __init__(self, verb: str = "killed") -> None:
        super().__init__(verb, "up again", lambda holds: holds.down)

    async def apply(self, cluster: Any, effect: Kill, holds: Holds) -> None:
        for node in take(holds.down, effect.nodes):
            await cluster.kill(node)

    async def heal(self, cluster: Any, effect: Kill | Terminate, holds: Holds) -> None:
        for node in release(holds.down, effect.nodes):
            await cluster.restart(node)
            if holds.still[node]:
                await cluster.pause(node)  # another fault keeps it still: the new process stands still, too


class TerminatePower(KillPower):
    """Nodes are asked to end; healing starts them again."""

    def __init__(self) -> None:
        super().__init__("asked to end")

    async def apply(self, cluster: Any, effect: Any, holds: Holds) -> None:
        for node in take(holds.down, effect.nodes):
            await cluster.terminate(node)


class PausePower(_NodePower):
    """Nodes stand still; healing lets them go on."""

    def __init__(self) -> None:
        super().__init__("paused", "goes on", lambda holds: holds.still)

    async def apply(self, cluster: CanPause, effect: Pause, holds: Holds) -> None:
        for node in take(holds.still, effect.nodes):
            if not holds.down[node]:
                await cluster.pause(node)

    async def heal(self, cluster: CanPause, effect: Pause, holds: Holds) -> None:
        for node in release(holds.still, effect.nodes):
            if not holds.down[node]:
                await cluster.resume(node)


class SkewPower:
    """Wall clocks are wrong; proved by the node's own reading."""

    async def apply(self, cluster: CanSkew, effect: Skew, holds: Holds) -> None:
        for node in effect.nodes:
            holds.skews.setdefault(node, []).append(effect.skew)
            await cluster.skew(node, effect.skew)

    async def verify(self, cluster: CanSkew, effect: Skew, holds: Holds) -> Proof:
        # Each node is asked for itself: a slow one that all waited for could keep step with a strobing clock, and so could all others.
        async with asyncio.TaskGroup() as group:
            asked = {
                node: group.create_task(self._farthest(cluster, node, effect.skew, holds)) for node in effect.nodes
            }
        seen = {node: offset for node, task in asked.items() if (offset := task.result()) is not None}
        words = ", ".join(f"{node} {offset:+.3f} s" for node, offset in seen.items())
        bites = bool(seen) and all(abs(offset) >= CLOCK_BITES_S for offset in seen.values())
        return Proof(
            holds=bites, evidence=f"clocks off by: {words}" if seen else "no target could be asked for its clock"
        )

    async def _farthest(self, cluster: CanSkew, node: str, skew: ClockSkew, holds: Holds) -> float | None:
        """By how much the node's clock is off, in seconds, in the reading that shows most of it; None if the node cannot tell.

        One that gets little of the processor cannot tell that a strobing clock is right: it may run in step with the truthful periods.
        """
        seen: float | None = None
        for _ in range(CLOCK_READINGS):
            offset = None if holds.down[node] or holds.still[node] else await cluster.clock_offset(node)
            if offset is not None:
                seen = max(seen or 0.0, offset, key=abs)
                if abs(seen) >= CLOCK_BITES_S:
                    break
            # A strobing clock tells the truth for every other period: readings in a row would all fall into one.
            await asyncio.sleep(STROBE_STEP * skew.strobe_period_s)
        else:
            if skew.strobe_period_s > 0 and holds.shares.get(node):
                return None
        return seen

    async def heal(self, cluster: CanSkew, effect: Skew, holds: Holds) -> None:
        for node in effect.nodes:
            held = holds.skews.get(node, [])
            if effect.skew in held:
                held.remove(effect.skew)
            if held:
                await cluster.skew(node, held[-1])
            else:
                await cluster.unskew(node)

    async def verify_healed(self, cluster: CanSkew, effect: Skew, holds: Holds) -> Proof:
        free = [n for n in effect.nodes if not (holds.skews.get(n) or holds.down[n] or holds.still[n])]
        offsets = [(node, await cluster.clock_offset(node)) for node in free]
        wrong = [node for node, offset in offsets if offset is None or abs(offset) >= CLOCK_BITES_S]
        return Proof(holds=not wrong, evidence=f"clocks right on {len(free) - len(wrong)} of {len(free)} nodes")


class ThrottlePower:
    """Nodes get little of the processor; proved by watching how much of the time they may run."""

    async def apply(self, cluster: CanThrottle, effect: Throttle, holds: Holds) -> None:
        for node in effect.nodes:
            holds.shares.setdefault(node, []).append(effect.share)
            await cluster.throttle(node, min(holds.shares[node]))

    async def verify(self, cluster: CanThrottle, effect: Throttle, holds: Holds) -> Proof:
        seen = await self._watched(cluster, effect.nodes, holds)
        slow = bool(seen) and all(share <= (1 + effect.share) / 2 for share in seen.values())
        return Proof(holds=slow, evidence=self._words(seen))

    async def heal(self, cluster: CanThrottle, effect: Throttle, holds: Holds) -> None:
        for node in effect.nodes:
            held = holds.shares.get(node, [])
            if effect.share in held:
                held.remove(effect.share)
            if held:
                await cluster.throttle(node, min(held))
            else:
                await cluster.unthrottle(node)

    async def verify_healed(self, cluster: CanThrottle, effect: Throttle, holds: Holds) -> Proof:
        free = [node for node in effect.nodes if not holds.shares.get(node)]
        seen = await self._watched(cluster, free, holds)
        return Proof(holds=all(share == 1 for share in seen.values()), evidence=self._words(seen))

    async def _watched(self, cluster: CanThrottle, nodes: Iterable[str], holds: Holds) -> dict[str, float]:
        """Of the nodes that live and are not paused, the share of the time in which they may run."""
        there = [node for node in nodes if not (holds.down[node] or holds.still[node])]
        async with asyncio.TaskGroup() as group:
            watching = {node: group.create_task(cluster.cpu_share(node)) for node in there}
        shares = {node: task.result() for node, task in watching.items()}
        return {node: share for node, share in shares.items() if share is not None}

    def _words(self, seen: Mapping[str, float]) -> str:
        return (
            ", ".join(f"{node} may run {share:.0%} of the time" for node, share in seen.items()) or "no node to watch"
        )


class SqueezePower:
    """Nodes get no more memory; proved by asking them to have some."""

    async def apply(self, cluster: CanSqueeze, effect: Squeeze, holds: Holds) -> None:
        for node in effect.nodes:
            holds.headrooms.setdefault(node, []).append(effect.headroom_bytes)
            await cluster.squeeze(node, min(holds.headrooms[node]))

    async def verify(self, cluster: Any, effect: Squeeze, holds: Holds) -> Proof:
        had = await self._had(cluster, effect, effect.nodes, holds)
        refused = bool(had) and not any(had.values())
        return Proof(holds=refused, evidence=self._words(had))

    async def heal(self, cluster: Any, effect: Squeeze, holds: Holds) -> None:
        for node in effect.nodes:
            held = holds.headrooms.get(node, [])
            if effect.headroom_bytes in held:
                held.remove(effect.headroom_bytes)
            if held:
                continue  # the least that is left may be more than there is: a limit is not moved under a running node
            await cluster.unsqueeze(node)
            if node in cluster.crashes() and not holds.down[node]:
                await cluster.restart(node)  # it died of it, as by the kernel's own killer

    async def verify_healed(self, cluster: Any, effect: Squeeze, holds: Holds) -> Proof:
        free = [node for node in effect.nodes if not holds.headrooms.get(node)]
        had = await self._had(cluster, effect, free, holds)
        return Proof(holds=all(had.values()), evidence=self._words(had))

    async def _had(self, cluster: Any, effect: Squeeze, nodes: Iterable[str], holds: Holds) -> dict[str, bool]:
        """Of the nodes that live and are not paused, whether each can have more than it is to get. Who died cannot."""
        had = {}
        for node in nodes:
            if holds.down[node] or holds.still[node]:
                continue
            asked = {"type": "sb_allocate", "bytes": effect.headroom_bytes + BEYOND_BYTES}
            reply = await cluster.ask(node, asked, RETURN_S)
            if reply is not None or node in cluster.crashes():
                had[node] = bool(reply and reply.get("had"))
        return had

    def _words(self, had: Mapping[str, bool]) -> str:
        words = [f"{node} {'gets' if got else 'is refused'} more memory" for node, got in had.items()]
        return ", ".join(words) or "no node to ask for memory"
