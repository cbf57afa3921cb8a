"""The seeded bugs of nodes that ask for the time: one flag each, all off in the correct node.

Which checker finds it under which faults stands in ``targets.clock.ntp_bugs``.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.node.flags import flags_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    symmetry_assumed: bool = False  # both ways are taken to last almost equally long
    trip_by_wall_clock: bool = False  # how long an answer took is measured by a clock that jumps
    counts_by_wall_clock: bool = False  # ... and so is the time that has passed since
    old_answer_taken: bool = False  # an answer is taken for that to the latest question
    most_agreeing: bool = False  # what most answers agree on is taken, though a wrong one may be among them
    averaged: bool = False  # the middle of all answers is taken, wrong ones among them
    reading_cached: bool = False  # a reference reads its clock ten times a second, and answers with that
    coarse_clock: bool = False  # a reference's clock ticks a hundred times a second, which no bound counts

    @classmethod
    def named(cls, name: str | None) -> Bugs:
        """The one bug called ``name``, or none. Raises ValueError for a name that is not known."""
        return flags_named(cls, "clock/ntp", name)
