"""The seeded bugs of the transactional store: one flag each, all off in the correct node. Grep a flag's name to see the whole deviation.

Which checker finds it under which faults stands in ``targets.txn.bugs``.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.node.flags import flags_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    # Of participants
    prepare_not_logged: bool = False  # a vote is given from memory, before anything is in the log
    locks_released_at_vote: bool = False  # what is prepared is not locked any more
    reads_ignore_locks: bool = False  # a read does not wait for a key that is being committed
    stale_reads: bool = False  # any replica answers reads from its own state
    impatient_abort: bool = False  # a participant that has voted yes and hears nothing aborts by itself

    # Of coordinators
    commit_at_first_vote: bool = False  # one yes is enough
    silence_is_consent: bool = False  # a participant that does not vote at once is taken to agree
    decision_not_logged: bool = False  # participants and clients are told what is in no log
    decision_forgotten_early: bool = False  # a decision is forgotten when the first participant has it

    # Of isolation
    snapshot_too_late: bool = False  # every shard reads what is latest there
    stamp_before_votes: bool = False  # the place in the order of commits is taken before the votes are in
    first_committer_unchecked: bool = False  # what was written since the snapshot does not matter
    reads_not_validated: bool = False  # what was read may have changed before the commit

    # Of three phases
    timeout_commit: bool = False  # a participant that hears nothing commits, although it was not told that all agreed
    timeout_alone: bool = False  # a participant that hears nothing asks no other one

    @classmethod
    def named(cls, name: str | None) -> Bugs:
        """The one bug called ``name``, or none. Raises ValueError for a name that is not known."""
        return flags_named(cls, "txn", name)
