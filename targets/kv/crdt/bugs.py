"""The seeded bugs: one flag each, all off in the correct node. Grep a flag's name to see the whole deviation.

A bug is an honest mistake that someone made or could make: one rule, left out or misread. Which checker finds it under which faults, for
which data type, stands in ``targets.kv.crdt_target``.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.node.flags import flags_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    # What survives a crash.
    ack_before_sync: bool = False  # an update is acknowledged before it is on the disk
    torn_tail_kept: bool = False  # a record that a crash tore stays in the journal, and hides what is written behind it
    checkpoint_of_peers: bool = False  # a checkpoint leaves out what this node itself has contributed
    # How nodes tell each other.
    fixed_peer: bool = False  # every node gossips with its one partner, never with others
    rumours_only: bool = False  # no anti-entropy: what all rounds of a rumour missed is never told again
    digest_by_count: bool = False  # two nodes that have equally many entries take themselves for equal
    # Sets.
    list_not_set: bool = False  # values are kept in a list, and what comes again stands there twice
    refuses_yet_keeps: bool = False  # a node that hears no peer refuses an update that it has already kept
    # Counters.
    merged_by_sum: bool = False  # numbers of one node are added up instead of compared
    merged_last_writer: bool = False  # what comes in replaces what is there, although it may be older
    shared_slot: bool = False  # all nodes count in the same number
    retry_counted_twice: bool = False  # a request that the client repeats is carried out again
    one_map: bool = False  # additions and subtractions are kept in one number per node, so that its maximum forgets
    # Observed-remove sets.
    tag_reuse: bool = False  # after a restart a node hands out tags that it has used before
    remove_wins: bool = False  # a removed element never comes back (a two-phase set)
    removes_untold: bool = False  # peers are told of adds, and not of removes
    tombstones_dropped: bool = False  # a checkpoint forgets which tags were removed
    by_wall_clock: bool = False  # of an add and a remove the later one by the nodes' clocks counts
    # Unique ids.
    clock_steps_back: bool = False  # ids of milliseconds and a number within them, by a clock that may be set back
    life_forgotten: bool = False  # a node that restarts counts from the beginning
    life_unsynced: bool = False  # ... or may, for the number of its life is not on the disk yet
    nameless: bool = False  # two nodes in the same life give out the same ids
    cached_by_message: bool = False  # answers are kept by message id, whoever asked
    short_random: bool = False  # ids are so few that dice repeat them

    @classmethod
    def named(cls, name: str | None) -> Bugs:
        """The one bug called ``name``, or none. Raises ValueError for a name that is not known."""
        return flags_named(cls, "kv/crdt", name)
