"""Every reading against what may be told of each instance. Adds what is wrong to the findings. Pure. The names stand in ``check``."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checkers.findings import Findings
from checkers.health.facts import CRITICAL, PASSING, WITHDRAW, Facts, Life, Name, Reading
from checkers.health.spans import Span, Spans, for_good
from checkers.registry.facts import last_line
from checkers.wording import SECOND_NS, name
from harness.history import FAIL, FOREVER, OK, Calls

PHANTOM, GHOST, ALARM = "phantom-instance", "ghost-instance", "false-alarm"
SILENT, STAYS, LOST = "healthy-though-silent", "not-deregistered", "lost-instance"
ALWAYS: Span = (0, FOREVER)


@dataclass(frozen=True, slots=True)
class Sight:
    """What the reading of ``row`` told of one instance (status None: nothing), between two lines of the history and two times in ns."""

    row: int
    status: str | None
    call: int
    ret: int
    begun_ns: int
    done_ns: int

    def within(self, span: Span) -> bool:
        """Whether it has no moment outside."""
        return span[0] <= self.begun_ns and self.done_ns < span[1]


@dataclass(frozen=True, slots=True)
class Known:
    """When one instance was certainly registered, and the last line at which somebody asked who was told of it."""

    registered: Sequence[Span]
    last: int

    def there(self, sight: Sight) -> bool:
        """Whether it was registered then: it must have been, or somebody was told of it later."""
        return sight.ret <= self.last or any(sight.within(span) for span in self.registered)


class Judge:
    """What there is to judge, and where what is wrong goes."""

    def __init__(self, calls: Calls, facts: Facts, found: Findings) -> None:
        self._calls, self._facts, self._found = calls, facts, found
        self._times = calls.history.time_ns
        self._begun_ns = {
            service: [int(self._times[calls.call[reading.row]]) for reading in readings]
            for service, readings in facts.readings.items()
        }
        self._seen: dict[Name, list[Sight]] = defaultdict(list)
        self._gaps: dict[Name, tuple[int, Sight | None]] = {}
        for service, readings in facts.readings.items():
            for reading in readings:
                for instance in reading.told:
                    self._seen[service, instance].append(self._sight(reading, instance))

    def strangers(self) -> None:
        """Add instances that nobody served."""
        for named, sights in self._seen.items():
            if named not in self._facts.lives:
                what = f"instance {name(self._facts.shown[named[1]])}, which nobody served there"
                row = sights[0].row
                self._found.add(PHANTOM, [row], f"{self._who(row)} was told of {what}", len(sights))

    def seen(self, named: Name) -> Sequence[Sight]:
        """All that was told of the instance, in the order of history."""
        return self._seen.get(named, ())

    def there(self, named: Name, life: Life) -> None:
        """Add who was told of it before it came, or after it had gone."""
        calls, serve, sights = self._calls, life.commands[0], self.seen(named)
        certain, gap = self._gap(named, life)
        taken = [
            row for row in life.commands if calls.outcome[row] == OK and calls.history.fs[calls.f[row]] == WITHDRAW
        ]
        for sight in sights:
            if sight.ret < int(calls.call[serve]) or calls.outcome[serve] == FAIL:
                early = sight.ret < int(calls.call[serve])
                why = " before it was served" if early else ", which certainly was not registered"
                self._add(PHANTOM, [sight.row, serve], sight, life, f"told of {{}}{why}")
            elif taken and int(calls.ret[taken[0]]) < sight.call:
                gone = f"after it had been taken back {self._found.say.ended(taken[0])}"
                self._add(GHOST, [taken[0], sight.row], sight, life, f"told of {{}} {gone}")
            elif gap and gap.ret < sight.call:
                gone = f"again, which had been there {self._found.say.at(certain)} and was not {self._found.say.ended(gap.row)}"
                self._add(GHOST, [serve, gap.row, sight.row], sight, life, f"told of {{}} {gone}")

    def told(self, named: Name, life: Life, spans: Spans) -> None:
        """Add who was told a status that it cannot have had."""
        shut_ns = self._shut_ns(named, life, spans)
        for sight in self.seen(named):
            ill = sight.status == CRITICAL
            wrong, why = (ALARM, "has answered") if ill else (SILENT, "has been silent")
            told = f"told that {{}} is {sight.status}"
            span = next((span for span in (spans.passing if ill else spans.not_passing) if sight.within(span)), None)
            if span is None and sight.begun_ns >= spans.gone_ns:
                span, wrong, why = (spans.gone_ns, FOREVER), STAYS, "should have been gone"
            if span is None and not ill:
                span = next((span for span in spans.not_passing if sight.within(for_good(span, shut_ns))), None)
            if span is not None:
                long = self._long(why, sight, span) + _until_gone(sight, shut_ns)
                self._add(wrong, self._shown(life, sight), sight, life, f"{told}, {long}")

    def relapsed(self, named: Name, life: Life, spans: Spans) -> None:
        """Add who was told that it passes though somebody had been told before that it does not, and it had been silent all the time.

        Only an answer makes it pass again, and whatever was answered before has come, or come too late, when a span of ``deaf`` begins.
        """
        shut_ns = self._shut_ns(named, life, spans)
        before_gone = [sight for sight in self.seen(named) if sight.begun_ns < shut_ns]
        for span in spans.deaf:
            inside = [sight for sight in before_gone if sight.within(for_good(span, shut_ns))]
            others = [*self._unseen(named, span), *self._unseen(named, span, whole=False)]
            critical = [sight for sight in (*inside, *others) if sight.status != PASSING]
            if not critical:
                continue
            first = min(critical, key=lambda sight: sight.ret)
            for sight in inside:
                if sight.status == PASSING and sight.call > first.ret:
                    before = f"{self._found.say.who(first.row)} was told otherwise {self._found.say.ended(first.row)}"
                    what = f"told that {{}} is passing, though {before}, and it has been silent since"
                    what += _until_gone(sight, shut_ns)
                    self._add(SILENT, [first.row, *self._shown(life, sight)], sight, life, what)

    def left_out(self, named: Name, life: Life, spans: Spans) -> None:
        """Add who was not told of it though it was there."""
        known = self._known(named, spans)
        for span in known.registered:
            for sight in self._unseen(named, span):
                self._add(
                    LOST,
                    [life.commands[0], sight.row],
                    sight,
                    life,
                    "not told of {}, which was registered and had not been silent",
                )
        for span in spans.passing:
            for sight in self._unseen(named, span, whole=False):
                if known.there(sight):
                    self._add(
                        ALARM,
                        self._shown(life, sight),
                        sight,
                        life,
                        f"not told of {{}} among the healthy, {self._long('has answered', sight, span)}",
                    )

    # Figures

    def certain(self, named: Name, life: Life, spans: Spans) -> int:
        """In how many readings another answer about it would have been wrong for what it did: had to be told, to pass, or not to."""
        known, shut_ns = self._known(named, spans), self._shut_ns(named, life, spans)
        shut = [*(for_good(span, shut_ns) for span in spans.not_passing), (spans.gone_ns, FOREVER)]
        rows = {sight.row for span in shut for _, sight in self._within(named, span)}
        for span in (*spans.passing, *known.registered):
            rows |= {sight.row for reading, sight in self._within(named, span) if reading.whole}
        for span in spans.passing:
            rows |= {sight.row for _, sight in self._within(named, span) if known.there(sight)}
        return len(rows)

    def alarmed(self, named: Name, span: Span) -> bool:
        """Whether it was told to pass, and then to be critical, while it answered."""
        sights = [sight for sight in self.seen(named) if sight.within(span)]
        passed = min((sight.ret for sight in sights if sight.status == PASSING), default=None)
        return passed is not None and any(sight.status == CRITICAL and sight.call > passed for sight in sights)

    def noticed_s(self, named: Name, span: Span) -> float | None:
        """How long it had been silent when somebody was told first that it is critical; None if it was so before, or nobody was told."""
        sights = [sight for sight in self.seen(named) if sight.done_ns < span[1]]
        after = next((at for at, sight in enumerate(sights) if sight.begun_ns >= span[0]), len(sights))
        if not after or sights[after - 1].status != PASSING:
            return None
        first = next((sight for sight in sights[after:] if sight.status == CRITICAL), None)
        return (first.done_ns - span[0]) / SECOND_NS if first else None

    # Parts

    def _sight(self, reading: Reading, instance: object) -> Sight:
        call, ret = int(self._calls.call[reading.row]), int(self._calls.ret[reading.row])
        times = int(self._times[call]), int(self._times[ret])
        return Sight(reading.row, reading.told.get(instance), call, ret, *times)

    def _gap(self, named: Name, life: Life) -> tuple[int, Sight | None]:
        """The line from which on it has certainly been registered, and the first reading after that which shows that it was gone."""
        if named not in self._gaps:
            certain = min([last_line(self._calls, life.commands[0]), *(sight.ret for sight in self.seen(named))])
            lists = [sight for sight in self._unseen(named) if sight.call > certain]
            self._gaps[named] = certain, min(lists, key=lambda sight: sight.ret, default=None)
        return self._gaps[named]

    def _shut_ns(self, named: Name, life: Life, spans: Spans) -> int:
        """From when on no answer makes it pass again: it must have been gone, or somebody was not told of it any more."""
        _, gap = self._gap(named, life)
        return min(spans.gone_ns, FOREVER if gap is None else gap.done_ns)

    def _known(self, named: Name, spans: Spans) -> Known:
        """Whoever was told of it when it was being served knew that it was registered then already."""
        seen = self.seen(named)
        registered = [(min([lo, *(sight.done_ns for sight in seen)]), hi) for lo, hi in spans.registered]
        return Known(registered, max((sight.call for sight in seen), default=-1))

    def _within(self, named: Name, span: Span) -> Iterator[tuple[Reading, Sight]]:
        """The readings of its service that have no moment outside ``span``."""
        service, instance = named
        readings, begun_ns = self._facts.readings.get(service, ()), self._begun_ns.get(service, [])
        for reading in readings[bisect_left(begun_ns, span[0]) : bisect_left(begun_ns, span[1])]:
            sight = self._sight(reading, instance)
            if sight.within(span):
                yield reading, sight

    def _unseen(self, named: Name, span: Span = ALWAYS, *, whole: bool = True) -> Iterator[Sight]:
        """The readings within ``span`` that did not tell of it, of one kind."""
        return (
            sight
            for reading, sight in self._within(named, span)
            if reading.whole == whole and named[1] not in reading.told
        )

    def _shown(self, life: Life, sight: Sight) -> list[int]:
        """The reading, and the latest command before it."""
        before = [row for row in life.commands if int(self._calls.call[row]) < sight.call]
        return [before[-1] if before else life.commands[0], sight.row]

    def _add(self, wrong: str, rows: list[int], sight: Sight, life: Life, what: str) -> None:
        whom = f"instance {name(life.instance)}"
        self._found.add(wrong, rows, f"{self._who(sight.row)} was {what.format(whom)}")

    def _who(self, row: int) -> str:
        service = self._calls.history.keys[self._calls.key[row]]
        return f"{self._found.say.who(row)}, who asked for service {name(service)} {self._found.say.span(row)},"

    @staticmethod
    def _long(what: str, sight: Sight, span: Span) -> str:
        over_s = (sight.begun_ns - span[0]) / SECOND_NS
        return f"which {what} for {over_s:.3f} s longer than it may take to tell"


def _until_gone(sight: Sight, shut_ns: int) -> str:
    """Why an answer that came while this was being told did not make it right."""
    return ", until it must have been gone" if sight.begun_ns < shut_ns <= sight.done_ns else ""
