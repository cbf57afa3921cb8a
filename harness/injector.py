"""Carries out faults on a cluster: journal before and after, proof that each bit, proof that each healed.

What a fault does is decided elsewhere (``nemesis``); how an effect reaches the cluster stands in ``harness.powers``. This file owns the
order of things: intent → applied → verified → healed, and that at the end nothing is left.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from harness import packets
from harness.effects import Effect, Link, Proof
from harness.errors import TargetError
from harness.holds import Holds
from harness.journal import FaultJournal
from harness.node_powers import PING_S
from harness.op import Op
from harness.powers import EFFECTS
from harness.protocols import Cluster

# Healing is tried this often before a fault counts as left behind: a node may need a moment to come up.
HEAL_TRIES = 3


class Step(Protocol):
    """A part of a fault: ``effect`` holds from ``offset_s`` after the fault's start for ``length_s``, or (None) until its end."""

    @property
    def offset_s(self) -> float: ...

    @property
    def length_s(self) -> float | None: ...

    @property
    def effect(self) -> Effect: ...


class Fault(Protocol):
    """What the harness needs of a kind of fault; see ``nemesis.fault``."""

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]: ...

    def describe(self, args: Mapping[str, Any]) -> str: ...


@runtime_checkable
class Pursuer(Protocol):
    """What it needs of a kind that decides while it holds; see ``nemesis.fault``."""

    def look_s(self, args: Mapping[str, Any]) -> float: ...

    def react(self, args: Mapping[str, Any], seen: Mapping[str, Mapping[str, Any]]) -> Effect | None: ...


@dataclass(slots=True)
class _Active:
    """A fault between its start and its stop."""

    id: int
    kind: str
    counted: dict[Link, Mapping[str, int]] = field(default_factory=dict)  # what its links' packets had met before
    applied: list[Effect] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    healed: list[Proof] = field(default_factory=list)  # of the steps that have ended
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    steps: asyncio.Task[None] | None = None

    @property
    def bit(self) -> bool:
        return any(proof.holds for proof in self.proofs)


class Injector:
    """The nemesis's hands. Its ops are those of the history: ``start-KIND``, ``stop-KIND``, ``heal``."""

    def __init__(self, cluster: Cluster, faults: Mapping[str, Fault], journal: FaultJournal) -> None:
        self._cluster, self._faults, self._journal = cluster, faults, journal
        self._holds = Holds()
        self._active: dict[int, _Active] = {}
        self._left: dict[int, list[Effect]] = {}  # effects that did not heal when their fault ended

    async def invoke(self, op: Op) -> Op:
        """Carry out one nemesis op; its completion says what was done and what the probes saw."""
        if op.f == "heal":
            proof = await self.heal_all()
            return op.info_value({"healed": proof.holds, "evidence": proof.evidence})
        if op.f.startswith("start-"):
            return op.info_value({**op.value, **await self._start(op.value)})
        if op.f.startswith("stop-"):
            return op.info_value({**op.value, **await self._stop(op.value["id"])})
        return op.info_value(op.value)

    async def heal_all(self) -> Proof:
        """End every fault that still holds; idempotent. The proof is about all of them."""
        ended = [await self._stop(fault_id) for fault_id in sorted(self._active)]
        # What did not heal at its time may have come back since: that is looked at again, never taken for granted.
        proofs = [await self._verify_healed(effect) for effects in self._left.values() for effect in effects]
        left = [proof for proof in proofs if not proof.holds]
        return Proof(holds=not left, evidence=_words(left) or f"{len(ended)} faults were still active, all are healed")

    async def _start(self, planned: Mapping[str, Any]) -> dict[str, Any]:
        kind, args = planned["kind"], planned["args"]
        role_of = await self._roles() if "target" in args else {}
        targets, steps = self._faults[kind].resolve(args, self._cluster.nodes, role_of)
        fault = _Active(id=planned["id"], kind=kind)
        self._journal.record("intent", fault.id, kind=kind, args=dict(args), targets=list(targets))
        self._active[fault.id] = fault
        now = [step for step in steps if step.offset_s == 0 and step.length_s is None]
        later = [step for step in steps if step not in now]
        for step in now:
            await self._apply(fault, step.effect)
        chosen = self._faults[kind]
        if isinstance(chosen, Pursuer):
            fault.steps = asyncio.get_running_loop().create_task(self._pursue(fault, chosen, args))
        elif later:
            fault.steps = asyncio.get_running_loop().create_task(self._walk(fault, later))
        for step in now:
            fault.proofs.append(await EFFECTS[type(step.effect)].verify(self._cluster, step.effect, self._holds))
        self._journal.record("verified", fault.id, bit=fault.bit, evidence=_words(fault.proofs))
        return {
            "targets": list(targets),
            "bit": fault.bit,
            "evidence": _words(fault.proofs),
            "effects": [type(step.effect).__name__.lower() for step in steps],
            "roles": {node: role_of[node] for node in targets if node in role_of},
        }

    async def _stop(self, fault_id: int) -> dict[str, Any]:
        fault = self._active.pop(fault_id, None)
        if fault is None:
            return {"healed": True, "evidence": "healed before"}
        if fault.steps is not None:
            fault.ending.set()
            await fault.steps
        if not fault.bit:
            # Some effects show only with time (a drifting clock) or only on a node that was away: look once more before they end.
            fault.proofs += [await EFFECTS[type(e)].verify(self._cluster, e, self._holds) for e in fault.applied]
        proofs = [*fault.healed, *[await self._heal(effect) for effect in reversed(fault.applied)]]
        healed = all(proof.holds for proof in proofs)
        if not healed:
            self._left[fault.id] = fault.applied
        self._journal.record("healed" if healed else "not-healed", fault.id, evidence=_words(proofs))
        done = {"healed": healed, "evidence": _words(proofs), "bit": fault.bit, "bit_evidence": _words(fault.proofs)}
        met = packets.since(fault.counted, await packets.count(self._cluster, fault.counted))
        return {**done, "packets": met} if met else done

    async def _walk(self, fault: _Active, steps: Sequence[Step]) -> None:
        """Apply and end the timed steps of a fault, one by one, until its stop, which ends what is still applied.

        It is told to end rather than cancelled: a step is never left half applied or half healed. What is due at once is done even if
        the stop is due, too (a machine that is late has both to do in one instant): else it would be a fault in name only.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        edges = [(step.offset_s, True, step) for step in steps]
        edges += [(step.offset_s + step.length_s, False, step) for step in steps if step.length_s is not None]
        for at_s, begins, step in sorted(edges, key=lambda edge: edge[0]):
            if await _ends_before(fault, began_s + at_s) and not (begins and at_s == 0):
                return
            if begins:
                await self._apply(fault, step.effect)
                fault.proofs.append(await EFFECTS[type(step.effect)].verify(self._cluster, step.effect, self._holds))
            else:
                fault.applied.remove(step.effect)
                fault.healed.append(await self._heal(step.effect))

    async def _pursue(self, fault: _Active, pursuer: Pursuer, args: Mapping[str, Any]) -> None:
        """Move the effect to where the fault wants it, after every look at the nodes, until its stop.

        Only the first effect is proved, and only at the end that all are gone: probes of a slow link take longer than what is pursued
        stays where it is.
        """
        loop, moved = asyncio.get_running_loop(), list[Effect]()
        while True:
            looked_s = loop.time()
            effect = pursuer.react(args, await self._statuses())
            if effect not in fault.applied:
                for old in tuple(fault.applied):
                    await EFFECTS[type(old)].heal(self._cluster, old, self._holds)
                    fault.applied.remove(old)
                if effect is not None:
                    moved.append(effect)
                    await self._apply(fault, effect)
            if effect is not None and not fault.bit:
                fault.proofs.append(await EFFECTS[type(effect)].verify(self._cluster, effect, self._holds))
            if await _ends_before(fault, looked_s + pursuer.look_s(args)):
                break
        fault.healed.append(Proof(holds=True, evidence=f"it moved {len(moved)} times"))
        gone = [effect for effect in dict.fromkeys(moved) if effect not in fault.applied]
        fault.healed += [await self._verify_healed(effect) for effect in gone]

    async def _apply(self, fault: _Active, effect: Effect) -> None:
        links: frozenset[Link] = getattr(effect, "links", frozenset()) - fault.counted.keys()
        fault.counted |= await packets.count(self._cluster, links)
        fault.applied.append(effect)  # before it is applied: an apply that fails half-way must be healed, too
        await EFFECTS[type(effect)].apply(self._cluster, effect, self._holds)
        self._journal.record("applied", fault.id, effect=type(effect).__name__.lower())

    async def _heal(self, effect: Effect) -> Proof:
        power = EFFECTS[type(effect)]
        try:
            await power.heal(self._cluster, effect, self._holds)
        except TargetError as error:
            # A node that does not come back is a finding about the target, not a failure of ours.
            return Proof(holds=False, evidence=str(error))
        return await self._verify_healed(effect)

    async def _verify_healed(self, effect: Effect) -> Proof:
        power = EFFECTS[type(effect)]
        proof = await power.verify_healed(self._cluster, effect, self._holds)
        for _ in range(HEAL_TRIES - 1):
            if proof.holds:
                break
            proof = await power.verify_healed(self._cluster, effect, self._holds)
        return proof

    async def _roles(self) -> dict[str, str]:
        """Each answering node's role, as it sees itself; of a term before the latest, none counts."""
        statuses = await self._statuses()
        latest = max((status.get("term", 0) for status in statuses.values()), default=0)
        return {node: s["role"] for node, s in statuses.items() if s.get("role") and s.get("term", 0) == latest}

    async def _statuses(self) -> dict[str, Mapping[str, Any]]:
        """What each node that answers says of itself."""
        answers = {node: await self._cluster.ask(node, {"type": "sb_status"}, PING_S) for node in self._cluster.nodes}
        return {node: answer.get("status", {}) for node, answer in answers.items() if answer is not None}


async def _ends_before(fault: _Active, at_s: float) -> bool:
    """Wait until ``at_s`` of the loop's time, or until the fault is to end: whether it is."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(at_s):
            await fault.ending.wait()
    return fault.ending.is_set()


def _words(proofs: Sequence[Proof]) -> str:
    """What the probes saw, each thing said once."""
    return "; ".join(dict.fromkeys(proof.evidence for proof in proofs))
