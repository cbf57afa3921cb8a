"""Who sent what to whom while the operations of a witness ran: the messages of the packet log that a space-time diagram shows.

A run has a hundred thousand messages and a diagram room for a few dozen. Shown are those between a witness's client and its nodes, and
of those between nodes the ones that the operation's own node took part in before the others; how many are left out is said.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.messages import Message
from reports.report import Report
from reports.witness import Witness, WitnessOp
from reports.wording import SECOND_NS, sentence

OPS_MAX = 8
MESSAGES_MAX = 60
CLIENT_MESSAGES_MAX = 12  # of one operation: one that asks again and again says the same
ROUNDING_NS = 1_000
KIND_CHARS_MAX, TEXT_CHARS_MAX = 24, 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One copy of a message, all texts printable; ``arrived_ns`` is None if it never came in."""

    src: str
    dest: str
    kind: str
    text: str
    sent_ns: int
    arrived_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """``ops`` and ``messages`` in order; ``left_out`` messages more were under way while these operations ran."""

    ops: tuple[WitnessOp, ...]
    messages: tuple[Sent, ...]
    left_out: int
    ends_ns: tuple[int, ...]  # until when each operation is followed

    @property
    def places(self) -> list[str]:
        """Clients, then nodes, each by its name (n2 before n10)."""
        clients = dict.fromkeys(op.client for op in self.ops)
        others = {name for message in self.messages for name in (message.src, message.dest)}
        others |= {op.node for op in self.ops if op.node}
        return [*clients, *sorted(others - clients.keys(), key=lambda name: (len(name), name))]


def exchange(report: Report, witness: Witness) -> Exchange | None:
    """The exchange of messages behind a witness; None if the run kept no packet log, or it tells nothing of these operations."""
    if not report.messages or not report.timed or not witness.ops:
        return None
    ops = ([op for op in witness.ops if op.shows] or list(witness.ops))[-OPS_MAX:]
    last_ns = max(op.end_ns or op.start_ns for op in witness.ops)
    ends_ns = [last_ns if op.end_ns is None else op.end_ns for op in ops]
    log = report.messages
    sent_s = [message.sent_s for message in log]
    quota = MESSAGES_MAX // len(ops)
    chosen: set[int] = set()
    seen: set[int] = set()
    clients = {op.client for op in ops}
    for op, end_ns in zip(ops, ends_ns, strict=True):
        window_ns = (op.start_ns - ROUNDING_NS, end_ns + ROUNDING_NS)
        low, high = (bisect_left(sent_s, at_ns / SECOND_NS) for at_ns in window_ns)
        mine = [at for at in range(low, high) if op.client in (log[at].src, log[at].dest)]
        between = [at for at in range(low, high) if _between_nodes(log[at], clients, op)]
        seen.update(mine, between)
        chosen.update(mine[:CLIENT_MESSAGES_MAX])
        near = sorted(between, key=lambda at: (op.node not in (log[at].src, log[at].dest), at))
        chosen.update(near[: max(0, quota - len(mine[:CLIENT_MESSAGES_MAX]))])
    edges_ns = sorted({op.start_ns for op in ops} | set(ends_ns))
    messages = sorted((one for at in chosen for one in _copies(log[at], edges_ns)), key=lambda one: one.sent_ns)
    if not messages:
        return None
    left_out = len(seen) - len(chosen)
    return Exchange(ops=tuple(ops), messages=tuple(messages), left_out=left_out, ends_ns=tuple(ends_ns))


def _between_nodes(message: Message, clients: set[str], op: WitnessOp) -> bool:
    """Whether it is no client's: a name like that of the operation's node, or any that is no client's of this run."""
    return not any(name in clients or _is_client(name, op) for name in (message.src, message.dest))


def _is_client(name: str, op: WitnessOp) -> bool:
    return name.startswith("c") and name[1:].isdigit() and name != op.node


def _copies(message: Message, edges_ns: Sequence[int]) -> Iterator[Sent]:
    arrivals: Sequence[float | None] = message.arrived_s or (None,)
    kind = sentence(message.kind, KIND_CHARS_MAX) or f"{message.size:,} bytes"
    for arrived_s in arrivals:
        yield Sent(
            src=sentence(message.src),
            dest=sentence(message.dest),
            kind=kind,
            text=sentence(message.text, TEXT_CHARS_MAX),
            sent_ns=_nearby(message.sent_s, edges_ns),
            arrived_ns=None if arrived_s is None else _nearby(arrived_s, edges_ns),
        )


def _nearby(at_s: float, edges_ns: Sequence[int]) -> int:
    """A moment in ns; that of an operation's beginning or end, if it is the same but for rounding."""
    at_ns = round(at_s * SECOND_NS)
    return next((edge for edge in edges_ns if abs(edge - at_ns) <= ROUNDING_NS), at_ns)
