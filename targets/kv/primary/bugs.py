"""The seeded bugs: one flag each, all off in the correct node. Grep a flag's name to see the whole deviation.

A bug is an honest mistake that someone made or could make: one rule, left out or misread. Which checker finds it under which faults, and
in which variant, stands in ``targets.kv.primary_bugs``.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.node.flags import flags_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    # Who may be primary.
    vote_forgotten: bool = False  # a node does not keep for whom it voted, and votes again in the same epoch
    promotes_stale: bool = False  # votes are given whatever the candidate's log lacks
    half_is_majority: bool = False  # half of an even number of nodes is taken for a majority
    fencing_off: bool = False  # a deposed primary is not refused
    promotes_itself: bool = False  # a node that misses its primary is the next one, without asking anybody
    # When a write is safe.
    ack_before_replicas: bool = False  # the synchronous primary acknowledges what it has on its own disk
    ack_before_sync: bool = False  # the primary acknowledges what is not on its disk yet
    replica_acks_before_sync: bool = False  # ... and so do backups to their primary
    # How a node that was away gets back.
    catch_up_skips_entry: bool = False  # the difference begins one entry too late
    divergent_tail_kept: bool = False  # a backup keeps entries that its primary does not have
    dropped_tail_stays_applied: bool = False  # a backup drops such entries, but not what they had changed
    recovers_checkpoint_only: bool = False  # after a crash the log behind the checkpoint is not read
    promoted_before_replay: bool = False  # a new primary serves before it has applied the log that it holds
    # What clients see.
    doubt_denied: bool = False  # a deposed primary says of writes that may yet take effect that they never will
    reads_unconfirmed: bool = False  # the synchronous primary does not ask whether it still is one
    backup_reads: bool = False  # every node answers reads from its own state
    retry_applied_twice: bool = False  # a request that the client repeats is carried out again
    late_copy_applied: bool = False  # an old request that comes after a newer one of its client is carried out again
    checkpoint_drops_sessions: bool = False  # a checkpoint forgets which requests have been carried out

    @classmethod
    def named(cls, name: str | None) -> Bugs:
        """The one bug called ``name``, or none. Raises ValueError for a name that is not known."""
        return flags_named(cls, "kv/primary", name)
