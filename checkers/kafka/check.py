"""The checker ``kafka``: logs to which messages are sent and from which they are polled by offset. By Jepsen's names:

* ``lost-write``: a message was acknowledged, and never polled, though a later offset of its log was;
* ``unseen``: a message was acknowledged, and never polled to the very end, though somebody then polled until there was nothing more;
* ``duplicate``: one message stands at several offsets; ``inconsistent-offsets``: several messages stand at one;
* ``poll-skip``: between two polls of one process lies an offset, known to hold a message, that neither returned;
  ``int-poll-skip``: the same inside one poll;
* ``nonmonotonic-poll``: a poll went back behind the one before of its process; ``int-nonmonotonic-poll``: a poll is out of order in itself;
* ``nonmonotonic-send``, ``int-nonmonotonic-send``: the same of the offsets that one process's sends were given;
* ``G1a`` (aborted read): a poll returned a message whose send had failed; ``phantom``: one that nobody had sent.

Offsets may be sparse: one that nobody was told of is no gap. Where a process was assigned anew, its polls begin anew. Source: Maelstrom's
workload kafka and Jepsen's jepsen.tests.kafka.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from checkers.kafka.log import Log, Logs, Step, Unjudgeable, logs_of, neighbours, senders
from checkers.wording import Narrator, count, listed, name, text
from harness.history import History
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "kafka"
# Of each name this many anomalies are shown, and of what was skipped so many offsets; counts are of all.
SHOWN_MAX, OFFSETS_SHOWN_MAX = 8, 5

Findings = Iterator[tuple[Sequence[int], str]]


def make() -> Checker:
    """Was every acknowledged message kept, at one offset, and did every consumer see all of them in order?"""
    return Kafka()


@dataclass(slots=True, kw_only=True)
class Kafka:
    """See the module."""

    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        try:
            logs = logs_of(history)
        except (Unjudgeable, TypeError, ValueError) as problem:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=f"not a history of logs: {problem}")
        say, counts, anomalies = Narrator(logs.calls), Counter[str](), list[Anomaly]()
        for anomaly, find in _FINDERS.items():
            for key, log in logs.logs.items():
                for rows, reason in find(log, say) if anomaly != UNSEEN or key in logs.ended else ():
                    counts[anomaly] += 1
                    if counts[anomaly] <= SHOWN_MAX:
                        anomalies.append(Anomaly(checker=NAME, name=anomaly, ops=say.lines(rows), reason=reason))
        return _verdict(logs, counts, tuple(anomalies))


def _verdict(logs: Logs, counts: Mapping[str, int], anomalies: tuple[Anomaly, ...]) -> Verdict:
    acked = sum(sent.ok for log in logs.logs.values() for sent in log.sends.values())
    stats: dict[str, Any] = {
        "logs": len(logs.logs),
        "acknowledged": acked,
        "polled": sum(len(log.polled) for log in logs.logs.values()),
        "unseen": sum(1 for log in logs.logs.values() for _ in _unpolled(log)),
        "anomalies": dict(counts),
    }
    acknowledged = count(acked, "acknowledged message")
    if anomalies:
        more = (
            f" ({'; '.join(f'{what}: {number:,}' for what, number in counts.items())})"
            if sum(counts.values()) > 1
            else ""
        )
        validity, reason = Validity.INVALID, anomalies[0].reason + more
    elif not stats["acknowledged"] or not stats["polled"]:
        validity, reason = Validity.UNKNOWN, "no message was acknowledged and polled, so there was nothing to judge"
    elif stats["unseen"]:
        validity = Validity.UNKNOWN
        reason = (
            f"{stats['unseen']:,} of {acknowledged} were never polled, but nobody polled to the end of the logs either"
        )
    else:
        validity, reason = (
            Validity.VALID,
            f"all of {acknowledged} were polled, each at one offset, by every consumer in order",
        )
    return Verdict(checker=NAME, validity=validity, reason=reason, anomalies=anomalies, stats=stats)


def _unpolled(log: Log) -> Iterator[tuple[int, Any, int | None]]:
    """Acknowledged messages that nobody polled: (row, message, offset)."""
    for message, sent in log.sends.items():
        if sent.ok and message not in log.polled:
            yield sent.row, sent.message, sent.offset


def _lost(log: Log, say: Narrator) -> Findings:
    for row, message, offset in _unpolled(log):
        if offset is not None and offset < log.highest:
            later = next(iter(log.at[log.highest].values()))[1]
            what = f"{say.who(row)} was told {say.ended(row)} that {text(message)} stands at offset {offset} of {name(log.key)}"
            yield (row, later), f"{what}, but nobody ever polled it, though offset {log.highest} was polled"


def _unseen(log: Log, say: Narrator) -> Findings:
    for row, message, offset in _unpolled(log):
        if offset is None or offset >= log.highest:
            what = f"{say.who(row)} was told {say.ended(row)} that {text(message)} had been sent to {name(log.key)}"
            yield (
                (row,),
                f"{what}, but nobody ever polled it, though in the end the log was polled until nothing more came",
            )


def _duplicate(log: Log, _say: Narrator) -> Findings:
    for message, offsets in log.offsets.items():
        if len(offsets) > 1:
            shown = [log.at[offset][message] for offset in sorted(offsets)]
            where = listed(map(str, sorted(offsets)))
            yield [row for _, row in shown], f"{text(shown[0][0])} stands at the offsets {where} of {name(log.key)}"


def _inconsistent(log: Log, _say: Narrator) -> Findings:
    for offset, messages in log.at.items():
        if len(messages) > 1:
            what = listed(text(message) for message, _ in messages.values())
            yield [row for _, row in messages.values()], f"at offset {offset} of {name(log.key)} stand {what}"


def _skips(log: Log, before: int, after: int) -> list[int]:
    """The offsets between these two that are known to hold messages."""
    known = log.known
    return known[bisect_right(known, before) : bisect_left(known, after)]


def _poll_skip(log: Log, say: Narrator) -> Findings:
    for one, other in neighbours(log):
        before, after = one.polled[-1], other.polled[0]
        if skipped := _skips(log, before, after):
            how = f"polled {name(log.key)} up to offset {before} {say.ended(one.row)} and from {after} on {say.ended(other.row)}"
            yield (one.row, other.row), f"{say.who(one.row)} {how}, and so never saw {_offsets(skipped)}"


def _int_poll_skip(log: Log, say: Narrator) -> Findings:
    for step in _steps(log):
        for before, after in pairwise(step.polled):
            if skipped := _skips(log, before, after):
                how = f"polled offsets {before} and {after} of {name(log.key)} in a row {say.ended(step.row)}"
                yield (step.row,), f"{say.who(step.row)} {how}, and so never saw {_offsets(skipped)}"


def _nonmonotonic_poll(log: Log, say: Narrator) -> Findings:
    for one, other in neighbours(log):
        if other.polled[0] <= one.polled[-1]:
            how = f"polled {name(log.key)} up to offset {one.polled[-1]} {say.ended(one.row)}"
            yield (
                (one.row, other.row),
                f"{say.who(one.row)} {how}, and then again from {other.polled[0]} on {say.ended(other.row)}",
            )


def _int_nonmonotonic_poll(log: Log, say: Narrator) -> Findings:
    for step in _steps(log):
        for before, after in pairwise(step.polled):
            if after <= before:
                how = f"got offset {after} of {name(log.key)} behind {before} in one poll {say.ended(step.row)}"
                yield (step.row,), f"{say.who(step.row)} {how}"


def _nonmonotonic_send(log: Log, say: Narrator) -> Findings:
    for one, other in senders(log):
        if other.sent[0] <= one.sent[-1]:
            how = f"sent to {name(log.key)} and was given offset {one.sent[-1]} {say.ended(one.row)}"
            yield (one.row, other.row), f"{say.who(one.row)} {how}, and then {other.sent[0]} {say.ended(other.row)}"


def _int_nonmonotonic_send(log: Log, say: Narrator) -> Findings:
    for step in _steps(log):
        for before, after in pairwise(step.sent):
            if after <= before:
                how = f"was given offset {after} of {name(log.key)} behind {before} in one transaction {say.ended(step.row)}"
                yield (step.row,), f"{say.who(step.row)} {how}"


def _aborted(log: Log, say: Narrator) -> Findings:
    for message, row in log.polled.items():
        sent = log.sends.get(message)
        if sent is not None and sent.failed:
            what = f"{say.who(row)} polled {text(sent.message)} from {name(log.key)} {say.ended(row)}"
            yield (row, sent.row), f"{what}, though {say.who(sent.row)}'s send of it had failed"


def _phantom(log: Log, say: Narrator) -> Findings:
    for message, row in log.polled.items():
        if message not in log.sends:
            shown = next(log.at[offset][message][0] for offset in log.offsets[message])
            yield (
                (row,),
                f"{say.who(row)} polled {text(shown)} from {name(log.key)} {say.ended(row)}, which nobody ever sent",
            )


def _steps(log: Log) -> Iterator[Step]:
    return (step for step in log.steps if isinstance(step, Step))


def _offsets(offsets: Sequence[int]) -> str:
    shown = listed(map(str, offsets[:OFFSETS_SHOWN_MAX]))
    more = f" and {len(offsets) - OFFSETS_SHOWN_MAX:,} more" if len(offsets) > OFFSETS_SHOWN_MAX else ""
    return (
        f"offset{'s' if len(offsets) > 1 else ''} {shown}{more}, which hold{'s' if len(offsets) == 1 else ''} a message"
    )


UNSEEN = "unseen"
_FINDERS: Mapping[str, Callable[[Log, Narrator], Findings]] = {
    "lost-write": _lost,
    UNSEEN: _unseen,
    "duplicate": _duplicate,
    "inconsistent-offsets": _inconsistent,
    "poll-skip": _poll_skip,
    "int-poll-skip": _int_poll_skip,
    "nonmonotonic-poll": _nonmonotonic_poll,
    "int-nonmonotonic-poll": _int_nonmonotonic_poll,
    "nonmonotonic-send": _nonmonotonic_send,
    "int-nonmonotonic-send": _int_nonmonotonic_send,
    "G1a": _aborted,
    "phantom": _phantom,
}
