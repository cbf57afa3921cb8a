"""The checker ``fifo-per-producer``: does every consumer see each producer's elements in the order in which they were sent?

A producer is a process, whose enqueues follow one another; so is a consumer. For each queue, producer and consumer the elements that this
consumer got from this producer must come in the order of their enqueues. A crashed enqueue is the last of its process, so whatever became
of it breaks no order. An element that one consumer gets again counts where it came first.

``reordered`` is an element that came although the same consumer already had a later one of the same producer.

With ``redeliveries``, a message may come again, and then late (as RabbitMQ says of its own order). Then an element that somebody had been
given before is not judged, and each dequeue of unknown outcome, which may have been the first delivery of any one element, excuses one.
Elements that were enqueued twice are not judged: nobody knows which enqueue a delivery belongs to.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field

from checkers.findings import Findings, unknown
from checkers.queues.facts import Queue, Unjudgeable, queues_of
from checkers.wording import Narrator, count, text
from harness.history import FAIL, History
from harness.verdict import Budget, Checker, Verdict

NAME = "fifo-per-producer"
REORDERED = "reordered"


def make(*, redeliveries: bool = False) -> Checker:
    """Does every consumer see each producer's elements in order? Option redeliveries: a message may come again, and then late."""
    return FifoPerProducer(redeliveries=redeliveries)


@dataclass(slots=True, kw_only=True)
class FifoPerProducer:
    """See the module."""

    redeliveries: bool = False
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            queues = queues_of(calls)
        except (Unjudgeable, TypeError, ValueError) as problem:
            return unknown(NAME, f"not a history of queues: {problem}")
        found = Findings(NAME, Narrator(calls))
        pairs = streams = excused = 0
        for queue in queues:
            seen = _streams(queue, first=self.redeliveries)
            pairs += sum(len(stream) - 1 for stream in seen)
            streams += len(seen)
            excuses = len(queue.unknown) + len(queue.taken) * len(queue.boundless) if self.redeliveries else 0
            late = sum(len(stream) - _longest(stream) for stream in seen)
            if late > excuses:
                for stream in seen:
                    _tell(queue, stream, found)
            excused += late if late <= excuses else 0
        doubt = "" if pairs else "no consumer got two elements of one producer, so there was no order to judge"
        fine = f"in {count(streams, 'stream')} from one producer to one consumer, all elements came in the order in which they were sent"
        if excused:
            fine += f", but for {excused:,} that a dequeue of unknown outcome may have been given before"
        stats = {"streams": streams, "pairs": pairs, "excused": excused}
        return found.verdict(doubt=doubt, fine=fine, stats=stats)


Stream = list[tuple[int, int]]  # (row of the enqueue, row of the dequeue), in the order in which the consumer got them


def _streams(queue: Queue, *, first: bool) -> list[Stream]:
    """Per producer and consumer the deliveries that count. With ``first``, only those that certainly were their element's first."""
    calls = queue.calls
    streams: dict[tuple[int, int], Stream] = defaultdict(list)
    known: set[tuple[int, int]] = set()
    for row, element in queue.taken:
        if len(element.enqueues) != 1 or calls.outcome[element.enqueues[0]] == FAIL:
            continue
        put, consumer = element.enqueues[0], int(calls.process[row])
        again = first and any(other != row and calls.call[other] < calls.ret[row] for other in element.deliveries)
        if not again and (put, consumer) not in known:
            known.add((put, consumer))
            streams[int(calls.process[put]), consumer].append((put, row))
    return list(streams.values())


def _longest(stream: Stream) -> int:
    """The length of the longest part that is in order: all others came too late."""
    tails: list[int] = []
    for put, _ in stream:
        place = bisect_left(tails, put)
        tails[place : place + 1] = [put]
    return len(tails)


def _tell(queue: Queue, stream: Stream, found: Findings) -> None:
    say, values = found.say, queue.calls.history.values
    latest, latest_got = stream[0]
    for put, got in stream[1:]:
        if put > latest:
            latest, latest_got = put, got
            continue
        x, y = text(values[queue.calls.argument[put]]), text(values[queue.calls.argument[latest]])
        sent = f"process {queue.calls.process[put]} enqueued {x}{say.key(put, 'to')} before {y}"
        how = f"but {say.who(got)} got {y} {say.ended(latest_got)} and {x} after it {say.ended(got)}"
        found.add(REORDERED, [put, latest, latest_got, got], f"{sent}, {how}")
