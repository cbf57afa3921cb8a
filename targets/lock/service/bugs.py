"""The seeded bugs of the locks: one flag each, all off in the correct node. Grep a flag's name to see the whole deviation.

Which checker finds it under which faults stands in ``targets.lock.bugs``.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.node.flags import flags_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    # Of tokens
    token_not_checked: bool = False  # the resource takes whatever token it is shown
    token_by_wall_clock: bool = False  # a token is the time at the holder's node
    token_lost_in_snapshot: bool = False  # a snapshot forgets which tokens were given out
    token_anew_with_leader: bool = False  # a new leader counts tokens from the beginning
    expiry_keeps_token: bool = False  # who gets a lock after its lease ended is given the token of the late holder

    # Of leases
    release_by_anybody: bool = False  # a release frees the lock, whoever holds it
    lease_from_reply: bool = False  # a holder counts its lease from the answer, not from when it asked
    renewal_not_recorded: bool = False  # a renewal is confirmed, and the lease ends all the same
    holder_lost_in_snapshot: bool = False  # a snapshot forgets who holds what
    holder_forgotten_at_failover: bool = False  # a new leader takes all locks for free

    # Of consensus
    granted_before_quorum: bool = False  # a lock is granted when the leader alone knows

    @classmethod
    def named(cls, name: str | None) -> Bugs:
        """The one bug called ``name``, or none. Raises ValueError for a name that is not known."""
        return flags_named(cls, "lock", name)
