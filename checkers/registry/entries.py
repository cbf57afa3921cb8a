"""How long each entry was seen, against how long it was to live. Adds what is wrong to the findings. Pure.

An entry is made by its register and ends once: taken back, with its session that leaves, or with its session that was not heard of for
its time to live. Each entry is an object of its own, and a lookup must have a moment at which all that it says of the entry is so:

* ``phantom-entry``: it was found before it can have been made, or though it certainly was not;
* ``early-expiry``: it was not found (or a beat was told that its session had ended), though it had been made, nothing had begun to take
  it back, and less than its time to live had passed since the last heartbeat that was acknowledged *began*;
* ``late-expiry``: it was found when its time to live had passed since the last heartbeat that may have arrived had *ended*, and
  ``late_s`` more. A leader must measure anew what another one has measured: so the time counts from the end of the latest fault, if that
  is later, and while one lasts nothing is late. Faults of clocks are no excuse;
* ``ghost-entry``: it was found after it had been taken back, or its session had left, or after it had been seen and then not been seen.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from checkers.findings import Findings
from checkers.registry.facts import LEAVE, REGISTER, Entry, Facts, last_line
from checkers.windows import Fault
from checkers.wording import SECOND_NS, name
from harness.history import FOREVER, OK, Calls
from harness.interning import identity

PHANTOM, EARLY, LATE, GHOST = "phantom-entry", "early-expiry", "late-expiry", "ghost-entry"
CLOCK_FAULTS = ("clock", "drift")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What is needed to judge an entry."""

    calls: Calls
    facts: Facts
    found: Findings
    faults: Sequence[Fault]
    late_ns: int

    def judge(self) -> None:
        """Add all that is wrong with entries."""
        seen: dict[Any, list[int]] = {}
        for service, lookups in self.facts.lookups.items():
            for row, sessions in lookups:
                for session in sessions:
                    seen.setdefault((service, session), []).append(row)
        for entry_name, rows in seen.items():
            if entry_name not in self.facts.entries:
                what = f"an entry of session {name(self.facts.shown[entry_name[1]])}, which never made one there"
                self.found.add(PHANTOM, [rows[0]], f"{self._who_found(rows[0])} found {what}", len(rows))
        for entry_name, entry in self.facts.entries.items():
            all_rows = self.facts.lookups.get(entry_name[0], ())
            sightings = seen.get(entry_name, [])
            gaps = [row for row, sessions in all_rows if entry_name[1] not in sessions]
            self._present(entry, sightings)
            known = [int(self.calls.ret[row]) for row in sightings]
            there = min([last_line(self.calls, entry.register), *known])
            self._absent(entry, there, gaps)
            self._back_again(entry, there, sightings, gaps)
        self._refused()

    # What was found

    def _present(self, entry: Entry, sightings: Sequence[int]) -> None:
        calls, find = self.calls, self.found.add
        over = [row for row in entry.ends if calls.outcome[row] == OK]
        for row in sightings:
            call = int(calls.call[row])
            if int(calls.ret[row]) < int(calls.call[entry.register]):
                find(
                    PHANTOM,
                    [row, entry.register],
                    f"{self._who_found(row)} found {self._entry(entry)} before it was made",
                )
                continue
            ended = next((end for end in over if int(calls.ret[end]) < call), None)
            if ended is not None:
                gone = f"after {self.found.say.what(ended)} had ended it {self.found.say.ended(ended)}"
                find(GHOST, [ended, row], f"{self._who_found(row)} found {self._entry(entry)}, {gone}")
                continue
            late_ns = self._late_ns(entry, call)
            if late_ns is not None and late_ns > 0:
                last = max([entry.register, *entry.beats], key=lambda beat: int(calls.ret[beat]))
                told = f"{late_ns / SECOND_NS:.3f} s after it should have ended at the latest"
                find(LATE, [last, row], f"{self._who_found(row)} found {self._entry(entry)} {told}")

    def _late_ns(self, entry: Entry, line: int) -> int | None:
        """How long the entry should have been gone at this line; None if that is not known."""
        times = self.calls.history.time_ns
        arrived = [last_line(self.calls, row) for row in (entry.register, *entry.beats)]
        if entry.ttl_ns is None or max(arrived) == FOREVER:
            return None
        now_ns, base_ns = int(times[line]), int(times[max(arrived)])
        for fault in self.faults:
            if fault.kind in CLOCK_FAULTS or fault.start_ns > now_ns:
                continue
            if fault.end_ns is None or fault.end_ns >= now_ns:
                return None
            base_ns = max(base_ns, fault.end_ns)
        return now_ns - base_ns - entry.ttl_ns - self.late_ns

    # What was not found

    def _absent(self, entry: Entry, there: int, gaps: Sequence[int]) -> None:
        """``there``: the line from which on the entry certainly was there."""
        calls, times = self.calls, self.calls.history.time_ns
        if entry.ttl_ns is None:
            return
        taken = min((int(calls.call[row]) for row in entry.ends), default=FOREVER)
        kept = [entry.register, *(row for row in entry.beats if calls.outcome[row] == OK)]
        last = max(kept, key=lambda row: int(calls.call[row]))
        until_ns = int(times[calls.call[last]]) + entry.ttl_ns
        for row in gaps:
            ret = int(calls.ret[row])
            if there < int(calls.call[row]) and ret < taken and int(times[ret]) < until_ns:
                why = f"though {self._kept(last)} and it was to live for {entry.ttl_ns / SECOND_NS:g} s from then on"
                self.found.add(EARLY, [last, row], f"{self._who_found(row)} did not find {self._entry(entry)}, {why}")

    def _refused(self) -> None:
        """Beats that were told that their session had ended, while it must have lived."""
        calls, times = self.calls, self.calls.history.time_ns
        of_session: dict[Any, list[Entry]] = {}
        for (_, session), entry in self.facts.entries.items():
            of_session.setdefault(session, []).append(entry)
        values = calls.history.values
        for row in self.facts.refused:
            for entry in of_session.get(identity(values[calls.argument[row]]), ())[:1]:
                before = [
                    beat
                    for beat in (entry.register, *entry.beats)
                    if calls.outcome[beat] == OK and int(calls.ret[beat]) < int(calls.call[row])
                ]
                left = any(calls.history.fs[calls.f[end]] == LEAVE for end in entry.ends)
                if entry.ttl_ns is None or not before or left:
                    continue
                last = max(before, key=lambda beat: int(calls.call[beat]))
                if int(times[calls.ret[row]]) < int(times[calls.call[last]]) + entry.ttl_ns:
                    told = f"{self.found.say.who(row)} was told {self.found.say.ended(row)} that session {name(entry.session)} had ended"
                    why = (
                        f"though {self._kept(last)} and it was to live for {entry.ttl_ns / SECOND_NS:g} s from then on"
                    )
                    self.found.add(EARLY, [last, row], f"{told}, {why}")

    def _back_again(self, entry: Entry, there: int, sightings: Sequence[int], gaps: Sequence[int]) -> None:
        """There, then not seen, then seen, each before the next. ``there``: the line from which on it certainly was there."""
        calls = self.calls
        after = [row for row in gaps if int(calls.call[row]) > there]
        if not sightings or not after:
            return
        gap = min(after, key=lambda row: int(calls.ret[row]))
        begun = sorted((int(calls.call[row]), row) for row in sightings)
        for _, row in begun[bisect_left(begun, (int(calls.ret[gap]), -1)) :]:
            gone = f"which had been there {self.found.say.at(there)} and not been found {self.found.say.ended(gap)}"
            rows = [entry.register, gap, row]
            self.found.add(GHOST, rows, f"{self._who_found(row)} found {self._entry(entry)} again, {gone}")

    # Words

    def _who_found(self, row: int) -> str:
        return (
            f"{self.found.say.who(row)}, who looked up service {name(self._service(row))} {self.found.say.span(row)},"
        )

    def _service(self, row: int) -> Any:
        return self.calls.history.keys[self.calls.key[row]]

    def _entry(self, entry: Entry) -> str:
        return f"the entry of session {name(entry.session)}"

    def _kept(self, row: int) -> str:
        what = "it was registered" if self.calls.history.fs[self.calls.f[row]] == REGISTER else "its heartbeat came"
        return f"{what} {self.found.say.span(row)}"
