"""The extension points between the harness and the world: clusters with their powers, channels, clients, targets, workloads.

Standard library and the ground floor only, so that targets and nemeses can import it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from harness.effects import ClockSkew, DiskFault, Intrude, Link, PacketShape, Unsynced
from harness.op import Op

Body = dict[str, Any]  # the body of a message: JSON object with "type"


class Channel(Protocol):
    """A client's line into the cluster: Maelstrom requests and replies."""

    async def rpc(self, node: str, body: Body, timeout_s: float) -> Body:
        """Send ``body`` to ``node``, return the reply's body.

        Raises RpcError when the node answered with an error (code and text are the node's), NoAnswer when ``timeout_s`` passed or
        the connection broke after the request may have left, NotSent when the request certainly never left.
        """
        ...


class RpcError(Exception):
    """A node answered with an error of the Maelstrom protocol."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class NoAnswer(Exception):  # noqa: N818 - what happened, not whose fault it is
    """No reply came: the request may or may not have taken effect, now or later."""


class NotSent(Exception):  # noqa: N818
    """The request certainly never left."""


class Client(Protocol):
    """One logical client; it serves one process at a time. Made anew after an ``info``."""

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``; return ``op.ok(...)``, ``op.fail(...)`` or ``op.info(...)``. What it raises becomes ``info``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSeat:
    """All that a client is given: its channel, the node it belongs to, all nodes, a name unique in the run, its own dice, its patience,
    which workload it works for (one operation's name may be another request there), and the true time, in seconds since the epoch.
    """

    channel: Channel
    node: str
    nodes: tuple[str, ...]
    name: str
    rng: random.Random
    timeout_s: float
    workload: str = ""
    true_s: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A seeded bug: what is wrong, which checker must catch it, under which faults, and what the run needs for it."""

    name: str
    summary: str
    checker: str
    faults: tuple[str, ...]
    source: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)  # plan settings that the bug needs, e.g. {"nodes": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a target promises under some faults, or is known not to keep, as data.

    ``model`` is the name of the consistency model or guarantee that is claimed (linearizable, convergence, no-loss, ...). A claim that
    holds is valid in every run. One with ``violates`` must be found broken: in some of ``seeds`` runs, one of these anomalies, by name.
    ``checkers`` are judged besides the workload's own (name to options, as in a plan); ``settings`` are fields of the plan, as of a bug;
    besides, "bug" is the name of a seeded bug that the claim needs, and "schedule" a tuple of faults as they stand in a schedule file.
    ``topic`` is shared by the holding and the breaking variants of one textbook sentence.
    """

    name: str
    topic: str
    statement: str
    model: str
    workload: str
    faults: tuple[str, ...]
    violates: tuple[str, ...] = ()
    checkers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeds: int = 20
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A system under test, as data. ``program`` and ``client`` are "module:attr", loaded when a run needs them.

    ``program(env)`` is a node program (see ``targets.node``); ``client(seat)`` is a ``Client``. The first workload is the default.
    ``roles`` are the roles that its nodes report in their status and that faults may aim at. ``faults`` are those under which it keeps its
    promises, which a run that names none gets; empty is all, ("none",) none. ``checkers`` judge its runs besides the workload's own,
    or with other options: workload ("*" is any) → name → options, as in a plan.

    ``expected_logs`` are regular expressions of lines that its nodes may log although they look like a panic, a failed assertion or the
    like (see ``harness.log_patterns``).

    A target whose nodes are no programs of ours names the clusters that can host them: ``hosts`` (cluster → "module:attr" of the class
    that takes that cluster's place), with ``hosts_why``, a clause for those who ask for another one. ``complete`` ("module:attr") checks
    the options of a plan and returns them whole; it raises PlanError.

    ``configs`` ("module:attr" each) are classes by which its nodes read their options: ``of(options)`` raises ValueError for what they
    would refuse, so that this is said before anything starts.
    """

    name: str
    summary: str
    program: str
    client: str
    workloads: tuple[str, ...]
    roles: tuple[str, ...] = ()
    bugs: tuple[Bug, ...] = ()
    claims: tuple[Claim, ...] = ()
    faults: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    checkers: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    hosts_why: str = ""
    complete: str = ""
    configs: tuple[str, ...] = ()
    expected_logs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """What a cluster is asked to run. ``program`` is the target's name for ``python -m targets.node`` and its "module:attr"."""

    target: str
    program: str
    nodes: tuple[str, ...]
    options: Mapping[str, Any]  # handed to every node program: {"bug": ...} and the target's own
    seed: int
    directory: Path  # nodes/<node>/ below it receives logs and, for real clusters, data
    workload: str = ""
    disks: bool = False  # whether nodes' data lie on disks that can fail, where that costs something


class Cluster(Protocol):
    """Where nodes run. Powers are the ``Can*`` Protocols that the object also satisfies."""

    name: str
    nodes: tuple[str, ...]

    async def start(self) -> None:
        """Bring all nodes up; returns when each answered ``init``. Raises TargetError naming the node and its last lines."""
        ...

    async def stop(self) -> None:
        """Stop everything, whatever state it is in; idempotent. Logs are in ``nodes/<node>/node.log`` afterwards."""
        ...

    def channel(self, client: str) -> Channel:
        """A line for the client of that name."""
        ...

    async def ask(self, node: str, body: Body, timeout_s: float) -> Body | None:
        """A question to the node runtime itself (``sb_ping``, ``sb_status``, ``sb_clock``, ...); never subject to faults of the network.

        None when the node did not answer in time (it is dead or paused).
        """
        ...


@runtime_checkable
class CanCut(Protocol):
    """Power "cut": links that let nothing through."""

    async def cut(self, links: Iterable[Link]) -> None:
        """Every message of these directed links vanishes, in addition to what is cut already; all at once."""
        ...

    async def mend(self, links: Iterable[Link]) -> None:
        """Undo ``cut`` for these links; idempotent."""
        ...

    async def reaches(self, links: Sequence[Link]) -> list[bool]:
        """For each link, whether a probe sent over it arrives, by the same path that messages take."""
        ...


@runtime_checkable
class CanCount(Protocol):
    """Not a power: links whose packets, or messages, are counted."""

    async def counters(self) -> Mapping[Link, Mapping[str, int]]:
        """Per link, from the start of the run on: how many were "sent" and "cut", "lost", "dropped" (for any reason), "delayed",
        "duplicated", "reordered", "corrupted"; and, where faults act on packets, how many met the packet filter's sets ("exposed" to
        its dice, "slow" or "copied" to the shaper). What is zero may be missing.
        """
        ...


@runtime_checkable
class CanShape(Protocol):
    """Power "shape": links that delay, lose, duplicate, reorder or corrupt what they carry, or carry only so much."""

    async def shape(self, links: Iterable[Link], shape: PacketShape) -> None: ...

    async def unshape(self, links: Iterable[Link]) -> None: ...

    async def measure(self, link: Link, probes: int) -> Mapping[str, float]:
        """Send ``probes`` probes over ``link``: shares that were "lost", "corrupted", "duplicated", "reordered"; "delay_s": median one-way.

        A probe that arrives damaged is "corrupted", not "lost", though whoever sums up what it receives drops it.
        """
        ...

    async def throughput(self, link: Link) -> float:
        """Send a burst over ``link``: the bytes per second that came through, 0 if nothing did."""
        ...


@runtime_checkable
class CanKill(Protocol):
    """Power "kill": nodes that crash and start again."""

    async def kill(self, node: str) -> None:
        """SIGKILL; returns when the node is certainly dead. Idempotent."""
        ...

    async def restart(self, node: str) -> None:
        """Start a dead node again on what its storage kept; returns when it answered ``init``. Idempotent."""
        ...


@runtime_checkable
class CanPause(Protocol):
    """Power "pause": nodes that stand still."""

    async def pause(self, node: str) -> None: ...

    async def resume(self, node: str) -> None: ...


@runtime_checkable
class CanTerminate(Protocol):
    """Power "terminate": nodes that are asked to end. Only with ``CanKill``, whose ``restart`` starts them again."""

    async def terminate(self, node: str) -> bool:
        """SIGTERM, and SIGKILL after a time of grace; returns when the node is certainly dead: whether it ended by itself. Idempotent."""
        ...


@runtime_checkable
class CanThrottle(Protocol):
    """Power "throttle": nodes that get little of the processor."""

    async def throttle(self, node: str, share: float) -> None:
        """Let the node run for this share of the time, in small portions; also kept over a restart, until ``unthrottle``. Idempotent."""
        ...

    async def unthrottle(self, node: str) -> None: ...

    async def cpu_share(self, node: str) -> float | None:
        """Watch the node for a moment: the share of the time in which it may run; None if it is dead."""
        ...


@runtime_checkable
class CanSqueeze(Protocol):
    """Power "memory": nodes that get no more memory."""

    async def squeeze(self, node: str, headroom_bytes: int) -> None:
        """Of what the node asks for beyond this from now on, all is refused; ends with its life. The last call counts."""
        ...

    async def unsqueeze(self, node: str) -> None: ...

    def crashes(self) -> Mapping[str, str]:
        """The nodes that ended by their own doing, and how."""
        ...


@runtime_checkable
class CanSkew(Protocol):
    """Power "skew": wall clocks that are wrong."""

    async def skew(self, node: str, skew: ClockSkew) -> None:
        """Skew the node's wall clock; also kept over a restart, until ``unskew``."""
        ...

    async def unskew(self, node: str) -> None: ...

    async def clock_offset(self, node: str) -> float | None:
        """The node's own reading of its wall clock minus the true time, in seconds; None if it did not answer."""
        ...


@runtime_checkable
class CanBreakDisks(Protocol):
    """Power "disk": disks that refuse, are late, are full, or lie. Only with ``CanKill``, whose ``restart`` starts again who died of it."""

    async def break_disk(self, node: str, faults: Sequence[DiskFault]) -> None:
        """From now on the node's disk does these things wrong and no other; none: it works. Also kept over a restart. Idempotent."""
        ...

    async def damage_disk(self, node: str, fault: DiskFault) -> None:
        """Damage what lies on the node's disk (an action of DISK_DAMAGE), now."""
        ...

    async def disk_hits(self, node: str, fault: DiskFault) -> int:
        """How often this fault has hit so far: operations, or bits or files that differ from before."""
        ...

    def crashes(self) -> Mapping[str, str]:
        """The nodes that ended by their own doing, and how."""
        ...


@runtime_checkable
class CanLosePower(Protocol):
    """Power "power": nodes that lose what they had not synced. Only with ``CanKill``, whose ``restart`` starts them again."""

    async def lose_power(self, nodes: Sequence[str], fate: str) -> Mapping[str, Sequence[Unsynced]]:
        """Kill all these nodes at once, then do ``fate`` to what each disk had not synced: what that was, of each node that lived.

        Returns when they are certainly dead. Idempotent.
        """
        ...


@runtime_checkable
class CanIntrude(Protocol):
    """Power "intrude": somebody who has no right to tries to get in. What was tried is logged in ``nodes/impostor/node.log``."""

    async def intrude(self, effect: Intrude) -> None:
        """Begin; it goes on until ``withdraw``. Idempotent."""
        ...

    async def withdraw(self, effect: Intrude) -> None:
        """Make no more attempts; returns when the last one has ended. Idempotent."""
        ...

    def attempts(self, effect: Intrude) -> Mapping[str, int]:
        """How many attempts there were so far by what came of them: "let-in", "refused", "unheard" (dead, cut off, too late)."""
        ...

    def intruding(self, effect: Intrude) -> bool:
        """Whether attempts are still made."""
        ...
