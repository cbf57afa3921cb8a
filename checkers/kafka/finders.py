"""What is wrong with a log, name by name: the calls that show it, and the sentence. ``check`` decides what may be."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from checkers.kafka.log import Log, Step, neighbours, senders
from checkers.wording import Narrator, listed, name, text

# Of what was skipped so many offsets are shown.
OFFSETS_SHOWN_MAX = 5

Found = Iterator[tuple[Sequence[int], str]]


def unpolled(log: Log) -> Iterator[tuple[int, Any, int | None]]:
    """Acknowledged messages that nobody polled, although compaction cannot have taken them: (row, message, offset)."""
    for message, sent in log.sends.items():
        superseded = sent.offset is not None and log.is_superseded(sent.offset, sent.message)
        if sent.ok and message not in log.polled and not superseded:
            yield sent.row, sent.message, sent.offset


def compacted(log: Log) -> Iterator[Any]:
    """Acknowledged messages that nobody polled, since compaction may have taken them."""
    for message, sent in log.sends.items():
        unseen = sent.ok and message not in log.polled and sent.offset is not None
        if unseen and log.is_superseded(sent.offset or 0, sent.message):
            yield sent.message


def _lost(log: Log, say: Narrator) -> Found:
    for row, message, offset in unpolled(log):
        if offset is not None and offset < log.highest:
            later = next(iter(log.at[log.highest].values()))[1]
            what = f"{say.who(row)} was told {say.ended(row)} that {text(message)} stands at offset {offset} of {name(log.key)}"
            yield (row, later), f"{what}, but nobody ever polled it, though offset {log.highest} was polled"


def _unseen(log: Log, say: Narrator) -> Found:
    for row, message, offset in unpolled(log):
        if offset is None or offset >= log.highest:
            what = f"{say.who(row)} was told {say.ended(row)} that {text(message)} had been sent to {name(log.key)}"
            yield (
                (row,),
                f"{what}, but nobody ever polled it, though in the end the log was polled until nothing more came",
            )


def _duplicate(log: Log, _say: Narrator) -> Found:
    for message, offsets in log.offsets.items():
        if len(offsets) > 1:
            shown = [log.at[offset][message] for offset in sorted(offsets)]
            where = listed(map(str, sorted(offsets)))
            yield [row for _, row in shown], f"{text(shown[0][0])} stands at the offsets {where} of {name(log.key)}"


def _inconsistent(log: Log, _say: Narrator) -> Found:
    for offset, messages in log.at.items():
        if len(messages) > 1:
            what = listed(text(message) for message, _ in messages.values())
            yield [row for _, row in messages.values()], f"at offset {offset} of {name(log.key)} stand {what}"


def _skips(log: Log, before: int, after: int) -> list[int]:
    """The offsets between these two that are known to hold messages, but for those that compaction may have taken."""
    known = log.known
    between = known[bisect_right(known, before) : bisect_left(known, after)]
    if not log.keys:
        return between
    return [at for at in between if not all(log.is_superseded(at, message) for message, _ in log.at[at].values())]


def _poll_skip(log: Log, say: Narrator) -> Found:
    for one, other in neighbours(log):
        before, after = one.polled[-1], other.polled[0]
        if skipped := _skips(log, before, after):
            how = f"polled {name(log.key)} up to offset {before} {say.ended(one.row)} and from {after} on {say.ended(other.row)}"
            yield (one.row, other.row), f"{say.who(one.row)} {how}, and so never saw {_offsets(skipped)}"


def _int_poll_skip(log: Log, say: Narrator) -> Found:
    for step in _steps(log):
        for before, after in pairwise(step.polled):
            if skipped := _skips(log, before, after):
                how = f"polled offsets {before} and {after} of {name(log.key)} in a row {say.ended(step.row)}"
                yield (step.row,), f"{say.who(step.row)} {how}, and so never saw {_offsets(skipped)}"


def _nonmonotonic_poll(log: Log, say: Narrator) -> Found:
    for one, other in neighbours(log):
        if other.polled[0] <= one.polled[-1]:
            how = f"polled {name(log.key)} up to offset {one.polled[-1]} {say.ended(one.row)}"
            yield (
                (one.row, other.row),
                f"{say.who(one.row)} {how}, and then again from {other.polled[0]} on {say.ended(other.row)}",
            )


def _int_nonmonotonic_poll(log: Log, say: Narrator) -> Found:
    for step in _steps(log):
        for before, after in pairwise(step.polled):
            if after <= before:
                how = f"got offset {after} of {name(log.key)} behind {before} in one poll {say.ended(step.row)}"
                yield (step.row,), f"{say.who(step.row)} {how}"


def _nonmonotonic_send(log: Log, say: Narrator) -> Found:
    for one, other in senders(log):
        if other.sent[0] <= one.sent[-1]:
            how = f"sent to {name(log.key)} and was given offset {one.sent[-1]} {say.ended(one.row)}"
            yield (one.row, other.row), f"{say.who(one.row)} {how}, and then {other.sent[0]} {say.ended(other.row)}"


def _int_nonmonotonic_send(log: Log, say: Narrator) -> Found:
    for step in _steps(log):
        for before, after in pairwise(step.sent):
            if after <= before:
                how = f"was given offset {after} of {name(log.key)} behind {before} in one transaction {say.ended(step.row)}"
                yield (step.row,), f"{say.who(step.row)} {how}"


def _int_send_skip(log: Log, say: Narrator) -> Found:
    for step in _steps(log):
        for before, after in pairwise(step.sent):
            if skipped := _skips(log, before, after):
                how = f"was given the offsets {before} and {after} of {name(log.key)} in one transaction {say.ended(step.row)}"
                yield (step.row,), f"{say.who(step.row)} {how}, and between them is {_offsets(skipped)}"


def _precommitted(log: Log, say: Narrator) -> Found:
    for row, message in log.sights:
        sent = log.sends.get(message)
        if sent is not None and sent.row == row:
            what = f"polled {text(sent.message)} from {name(log.key)} in the very transaction that sent it"
            yield (row,), f"{say.who(row)} {what} {say.ended(row)}"


def _aborted(log: Log, say: Narrator) -> Found:
    for message, row in log.polled.items():
        sent = log.sends.get(message)
        if sent is not None and sent.failed:
            what = f"{say.who(row)} polled {text(sent.message)} from {name(log.key)} {say.ended(row)}"
            yield (row, sent.row), f"{what}, though {say.who(sent.row)}'s send of it had failed"


def _phantom(log: Log, say: Narrator) -> Found:
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


UNSEEN: Final = "unseen"
FINDERS: Final[Mapping[str, Callable[[Log, Narrator], Found]]] = {
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
    "int-send-skip": _int_send_skip,
    "precommitted-read": _precommitted,
    "G1a": _aborted,
    "phantom": _phantom,
}
