"""Faults of disks: applied through a cluster's powers, proved by what the disk did and by a canary file on it. See ``harness.powers``.

The canary is written by the node's own runtime (``sb_canary``), by the way that its program's writes take. Programs of other people
know no such question: for them the disk's own count of what it did wrong is the proof.
"""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.effects import DISK_DAMAGE, LOST, BreakDisk, DiskFault, LosePower, Proof, Unsynced
from harness.holds import Holds, release, take
from harness.node_powers import RETURN_S, answers
from harness.protocols import Cluster

CANARY = "sb-canary"
# So long is waited for an operation that a fault can hit, and so often it is looked for.
PATIENCE_S, LOOK_S = 1.0, 0.05


class DiskPower:
    """Disks refuse, are late, are full, lie, or are damaged."""

    async def apply(self, cluster: Any, effect: BreakDisk, holds: Holds) -> None:
        for node in effect.nodes:
            if effect.fault.action in DISK_DAMAGE:
                await cluster.damage_disk(node, effect.fault)
                if not await cluster.disk_hits(node, effect.fault):  # nothing lay there
                    await _tried(cluster, [node])
                    await cluster.damage_disk(node, effect.fault)
                continue
            holds.disks.setdefault(node, []).append(effect.fault)
            await cluster.break_disk(node, tuple(holds.disks[node]))

    async def verify(self, cluster: Any, effect: BreakDisk, holds: Holds) -> Proof:
        """Some node's disk has done it: to the canary where the fault may hit that, or to the program."""
        awake = [node for node in effect.nodes if not (holds.down[node] or holds.still[node])]
        until_s = asyncio.get_running_loop().time() + (0 if effect.fault.action in DISK_DAMAGE else PATIENCE_S)
        while True:
            if _of_canary(effect.fault):
                await _tried(cluster, awake)
            hits = await _hits(cluster, effect)
            if any(hits.values()) or asyncio.get_running_loop().time() >= until_s:
                break
            await asyncio.sleep(LOOK_S)
        words = ", ".join(f"{count:,} on {node}" for node, count in hits.items())
        return Proof(holds=any(hits.values()), evidence=f"{effect.fault.action}: {words}", figures=hits)

    async def heal(self, cluster: Any, effect: BreakDisk, holds: Holds) -> None:
        for node in effect.nodes:
            held = holds.disks.get(node, [])
            if effect.fault in held:
                held.remove(effect.fault)
            await cluster.break_disk(node, tuple(held))
            if not held and not holds.down[node] and not holds.still[node] and await _died(cluster, node):
                await cluster.restart(node)

    async def verify_healed(self, cluster: Any, effect: BreakDisk, holds: Holds) -> Proof:
        free = [n for n in effect.nodes if not (holds.disks.get(n) or holds.down[n] or holds.still[n])]
        back = await answers(cluster, free, RETURN_S)
        troubles = await _tried(cluster, free)
        sick = [f"{node} {words}" for node, words in troubles.items() if words]
        sick += [f"{node} does not answer" for node in free if node not in back]
        return Proof(holds=not sick, evidence=", ".join(sick) or f"disks work on {len(free)} of {len(free)} nodes")


async def _died(cluster: Any, node: str) -> bool:
    """Whether it died of it, as many a program does whose disk refuses; its end may be noticed only just now."""
    until_s = asyncio.get_running_loop().time() + PATIENCE_S
    while node not in cluster.crashes():
        if await answers(cluster, [node], LOOK_S) or asyncio.get_running_loop().time() >= until_s:
            return node in cluster.crashes()
        await asyncio.sleep(LOOK_S)
    return True


async def _hits(cluster: Any, effect: BreakDisk) -> dict[str, int]:
    return {node: await cluster.disk_hits(node, effect.fault) for node in effect.nodes}


def _of_canary(fault: DiskFault) -> bool:
    """Whether it does the canary's writes what it does to the program's, and has enough for both."""
    return fault.action not in DISK_DAMAGE and not fault.count and fnmatch.fnmatchcase(CANARY, fault.path)


async def _tried(cluster: Cluster, nodes: Iterable[str]) -> dict[str, str]:
    """What is wrong with a write, an fsync and a read on each node's disk; "" if nothing is. Who does not answer is left out."""
    loop, found = asyncio.get_running_loop(), {}
    for node in nodes:
        began_s = loop.time()
        reply = await cluster.ask(node, {"type": "sb_canary", "name": CANARY, "sync": True}, RETURN_S)
        if reply is None or reply.get("type") != "sb_canary_ok":
            continue
        took_s = loop.time() - began_s
        words = [f"refuses a {operation} ({why})" for operation, why in reply["refused"].items()]
        words += [] if reply["intact"] or words else ["does not give back what was written"]
        found[node] = ", ".join(words) or (f"needs {took_s:.2f} s to write" if took_s > RETURN_S / 2 else "")
    return found


class PowerPower:
    """All nodes lose their power at once, and with it what was not synced."""

    async def apply(self, cluster: Any, effect: LosePower, holds: Holds) -> None:
        marked = [node for node in effect.nodes if not (holds.down[node] or holds.still[node])]
        for node in marked:
            reply = await cluster.ask(node, {"type": "sb_canary", "name": CANARY, "sync": False}, RETURN_S)
            holds.canaries[node] = reply is not None and reply.get("type") == "sb_canary_ok" and not reply["refused"]
        lost = await cluster.lose_power(take(holds.down, effect.nodes), effect.fate)
        holds.unsynced.update({node: list(files) for node, files in lost.items()})

    async def verify(self, cluster: Any, effect: LosePower, holds: Holds) -> Proof:
        """Nobody answers; where a canary was written and not synced, the disk knows of it, and of what is certainly lost kept nothing."""
        alive = await answers(cluster, effect.nodes, 0.25)
        unsynced = {node: holds.unsynced.get(node, []) for node in effect.nodes}
        marked = [node for node in effect.nodes if holds.canaries.get(node)]
        known = not marked or any(unsynced[node] for node in marked)
        gone = effect.fate != LOST or not any(file.kept for files in unsynced.values() for file in files)
        return Proof(
            holds=not alive and known and gone,
            evidence=f"no power on {', '.join(n for n in effect.nodes if n not in alive) or 'no node'}; {words(unsynced)}",
            figures={node: [_figures(file) for file in files] for node, files in unsynced.items()},
        )

    async def heal(self, cluster: Any, effect: LosePower, holds: Holds) -> None:
        async def back(node: str) -> None:
            await cluster.restart(node)
            if holds.still[node]:
                await cluster.pause(node)  # another fault keeps it still: the new process stands still, too

        for node in effect.nodes:
            holds.unsynced.pop(node, None)
            holds.canaries.pop(node, None)
        try:
            async with asyncio.TaskGroup() as group:  # they had all lost it at once: nobody need wait for the others
                for node in release(holds.down, effect.nodes):
                    group.create_task(back(node))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def verify_healed(self, cluster: Any, effect: LosePower, holds: Holds) -> Proof:
        free = [node for node in effect.nodes if not holds.down[node] and not holds.still[node]]
        back = await answers(cluster, free, RETURN_S)
        return Proof(holds=back == free, evidence=f"up again: {', '.join(back) or 'others still hold it'}")


def words(unsynced: Mapping[str, Sequence[Unsynced]]) -> str:
    """What was written and not synced when the power went, and what of it is lost: "n1 log 64 of 128 bytes, n2 nothing"."""
    said = []
    for node, files in unsynced.items():
        lost = [f"{file.path} {file.written - file.kept:,} of {file.written:,} bytes" for file in files]
        said.append(f"{node} {', '.join(lost) or 'nothing'}")
    return f"not synced and lost: {'; '.join(said)}"


def _figures(file: Unsynced) -> dict[str, Any]:
    return {"path": file.path, "written": file.written, "kept": file.kept}
