"""The seeded bugs of ``queue/log``: one flag each, all off in the correct node. Grep a flag's name to see the whole deviation.

Which checker finds it under which faults stands in ``targets.queue.log_bugs``.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.node.flags import flags_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    ack_before_replicate: bool = False  # acks=all is answered as soon as the leader has the message
    commit_before_process: bool = False  # consumers commit what they are about to be given
    sequence_reset: bool = False  # who becomes leader forgets what producers have sent, and begins with what comes
    sequence_gap_accepted: bool = False  # a message is appended although the one before it has not come
    duplicate_acked_early: bool = False  # a repetition is answered before the first copy is replicated
    unclean_election: bool = False  # a replica that is not in sync is made leader if no other lives
    isr_shrinks_alone: bool = False  # a leader drops silent replicas from its in-sync set without asking the controller
    truncate_to_high_watermark: bool = False  # who becomes follower cuts its log at its high watermark (before KIP-101)
    divergent_tail_kept: bool = False  # a follower's log is not compared with its leader's
    read_uncommitted: bool = False  # consumers are given what may yet be truncated
    no_fsync: bool = False  # messages are acknowledged before they are durable
    begins_at_the_end: bool = (
        False  # a group that has committed nothing yet begins with the next message, not the first
    )

    @classmethod
    def named(cls, name: str | None) -> Bugs:
        """The one bug called ``name``, or none. Raises ValueError for a name that is not known."""
        return flags_named(cls, "queue/log", name)
