"""How each effect is applied to a cluster, proved, and taken back: one entry per effect, through the cluster's powers.

A cluster offers a power by satisfying its Protocol. Effects of several faults may overlap: what a cluster is told is the union of
what is still held (``holds.Holds`` counts), so healing one fault never heals another. Links are the business of ``link_powers``, nodes
that of ``node_powers``, disks that of ``disk_powers``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from harness.disk_powers import DiskPower, PowerPower
from harness.effects import (
    BreakDisk,
    Cut,
    Effect,
    Intrude,
    Kill,
    LosePower,
    Pause,
    Proof,
    Shape,
    Skew,
    Squeeze,
    Terminate,
    Throttle,
)
from harness.holds import Holds
from harness.intrude_power import IntrudePower
from harness.link_powers import CutPower, ShapePower
from harness.node_powers import KillPower, PausePower, SkewPower, SqueezePower, TerminatePower, ThrottlePower
from harness.protocols import (
    CanBreakDisks,
    CanCut,
    CanIntrude,
    CanKill,
    CanLosePower,
    CanPause,
    CanShape,
    CanSkew,
    CanSqueeze,
    CanTerminate,
    CanThrottle,
)

POWERS: Mapping[str, type] = {
    "cut": CanCut,
    "shape": CanShape,
    "kill": CanKill,
    "pause": CanPause,
    "skew": CanSkew,
    "terminate": CanTerminate,
    "throttle": CanThrottle,
    "memory": CanSqueeze,
    "disk": CanBreakDisks,
    "power": CanLosePower,
    "intrude": CanIntrude,
}

OF_DISKS = ("disk", "power")  # these need disks that can fail (``ClusterSpec.disks``)


def powers_of(cluster: object) -> frozenset[str]:
    """The names of the powers that a cluster (object or class) offers."""
    return frozenset(name for name, protocol in POWERS.items() if all(hasattr(cluster, m) for m in _methods(protocol)))


def lacks_of(cluster: object) -> Mapping[str, str]:
    """Of the powers that a cluster (object or class) offers, those that this machine does not let it have, and why."""
    lacks: Callable[[], Mapping[str, str]] = getattr(cluster, "lacks", dict)
    return lacks()


def _methods(protocol: type) -> list[str]:
    return [name for name in vars(protocol) if not name.startswith("_")]


class Power(Protocol):
    """One effect's way into the world. ``apply`` and ``heal`` are idempotent together with ``Holds``."""

    async def apply(self, cluster: Any, effect: Any, holds: Holds) -> None: ...

    async def verify(self, cluster: Any, effect: Any, holds: Holds) -> Proof: ...

    async def heal(self, cluster: Any, effect: Any, holds: Holds) -> None: ...

    async def verify_healed(self, cluster: Any, effect: Any, holds: Holds) -> Proof: ...


EFFECTS: Mapping[type[Effect], Power] = {
    Cut: CutPower(),
    Shape: ShapePower(),
    Kill: KillPower(),
    Pause: PausePower(),
    Skew: SkewPower(),
    Terminate: TerminatePower(),
    Throttle: ThrottlePower(),
    Squeeze: SqueezePower(),
    BreakDisk: DiskPower(),
    LosePower: PowerPower(),
    Intrude: IntrudePower(),
}
