"""The seeded bugs of logical clocks: one flag each, all off in the correct node. Grep a flag's name to see the whole deviation.

Which checker finds it under which faults stands in ``targets.clock.bugs``.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.node.flags import flags_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    # Of any clock
    receive_ignores_clock: bool = False  # the reading in a message is not looked at
    no_tick_on_send: bool = False  # a send is no event
    no_tick_on_receive: bool = False  # a receive is no event
    stamp_before_tick: bool = False  # a message carries the reading of the event before its sending
    late_message_not_counted: bool = False  # a message that was overtaken, or is a copy, changes nothing
    tick_not_atomic: bool = False  # the clock is read, something else goes on, the clock is written
    clock_forgotten_at_restart: bool = False  # a node that restarts begins to count anew
    saved_every_tenth: bool = False  # only each tenth reading is on the disk

    # Of a single number
    receive_takes_theirs: bool = False  # the clock follows whatever it is told, also back
    counter_of_one_byte: bool = False  # after 255 comes 0

    # Of vectors
    takes_theirs_whole: bool = False  # the vector of a message takes the place of the node's own one
    sends_differences: bool = (
        False  # a message carries only the entries that changed since the last one, which may be lost
    )
    ticks_for_sender: bool = False  # a receive counts as an event of the sender
    delivery_counted_at_send: bool = False  # a sender counts the receive that it expects

    # Of hybrid clocks
    wall_clock_believed: bool = False  # the reading follows the wall clock, also back
    counter_reset: bool = False  # events of one millisecond all have the same reading
    far_ahead_not_merged: bool = False  # a reading far ahead of the node's own wall clock is taken for wrong

    @classmethod
    def named(cls, name: str | None) -> Bugs:
        """The one bug called ``name``, or none. Raises ValueError for a name that is not known."""
        return flags_named(cls, "clock", name)
