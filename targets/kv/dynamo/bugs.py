"""The seeded bugs: one flag each, all off in the correct node. Grep a flag's name to see the whole deviation.

A bug is an honest mistake that someone made or could make: one rule, left out or misread. Which checker finds it under which faults, and
in which variant, stands in ``targets.kv.dynamo_bugs``.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.node.flags import flags_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    # What replaces what.
    vector_pruned: bool = False  # of a version vector only the four greatest entries are kept
    plain_vector: bool = False  # a write replaces whatever its coordinator has, as if its client had seen it
    first_sibling_wins: bool = False  # of two versions that do not know each other one is dropped
    stamped_by_replica: bool = False  # every replica stamps a write by its own clock as it comes
    ties_kept: bool = False  # coarse clocks, and of equal stamps everybody keeps its own
    clock_deaf: bool = False  # a hybrid clock does not take over what it hears
    # When a write is safe.
    ack_before_sync: bool = False  # replicas confirm what is not on their disks yet
    acks_counted_twice: bool = False  # two copies of one answer are taken for two answers
    write_back_skipped: bool = False  # a read does not write back what its own node has
    # Hints.
    hints_volatile: bool = False  # hints are kept in memory only
    hint_dropped_when_sent: bool = False  # a hint is forgotten before its home has confirmed it
    handoff_overwrites: bool = False  # what a hint brings replaces what its home has
    # Repair.
    no_read_repair: bool = False
    tree_of_keys: bool = False  # Merkle trees say which keys there are, not which versions
    tombstones_collected: bool = False  # deletions are forgotten after a second

    @classmethod
    def named(cls, name: str | None) -> Bugs:
        """The one bug called ``name``, or none. Raises ValueError for a name that is not known."""
        return flags_named(cls, "kv/dynamo", name)
