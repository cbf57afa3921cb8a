"""The seeded bugs: one flag each, all off in the correct node. Grep a flag's name to see the whole deviation.

A bug is an honest mistake that someone made or could make: one rule of the algorithm, left out or misread. Which checker finds it under
which faults stands in ``targets.kv.target``.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.node.flags import flags_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    volatile_vote: bool = False  # currentTerm and votedFor live in memory alone (against Figure 2, persistent state)
    ack_before_quorum: bool = False  # the leader commits what it has on its own disk (against 5.3)
    stale_local_read: bool = False  # every node answers reads from its own state (against section 8)
    lease_without_drift_bound: bool = False  # reads under a lease by the wall clock (against thesis 6.4.1)
    fixed_election_timeout: bool = False  # all nodes campaign at the same instants (against 5.2)
    commit_old_term: bool = (
        False  # entries of earlier terms are committed by counting replicas, hence no no-op (against 5.4.2)
    )
    apply_twice_on_retry: bool = False  # the session table is not consulted (against section 8, thesis 6.3)
    snapshot_drops_sessions: bool = (
        False  # a snapshot saves the keys, and forgets the session table (against thesis 6.3)
    )
    read_index_unconfirmed: bool = False  # the leader does not ask whether it still leads (against section 8)
    wrong_quorum_even: bool = False  # half of an even number of nodes is taken for a majority (against 5.2)
    no_fsync: bool = False  # appended entries are acknowledged before they are durable (against Figure 2)
    no_checksum: bool = False  # what the disk gives back is taken for what was written (catalogue: silent corruption)
    vote_for_outdated_log: bool = False  # votes are granted whatever the candidate's log holds (against 5.4.1)
    append_without_log_matching: bool = False  # entries are appended to whatever the follower has (against 5.3)
    append_from_stale_term: bool = False  # AppendEntries of deposed leaders are accepted (against Figure 2)
    read_before_term_commit: bool = (
        False  # no no-op, and reads do not wait for an entry of the term (against section 8)
    )
    reconfig_while_pending: bool = (
        False  # a change of members begins before the last one is committed (against thesis 4.1)
    )
    reconfig_before_term_commit: bool = False  # ... and before an entry of the term is committed (the bug of 2015)

    # Of reads under a lease
    lease_counts_steps: bool = (
        False  # the lease is measured by a clock that steps (against thesis 6.4.1: a bound on drift)
    )
    lease_ignores_drift: bool = False  # the lease is not divided by the drift bound (against thesis 6.4.1)
    lease_whole_timeout: bool = (
        False  # the lease lasts the longest election timeout, not the shortest (against thesis 6.4.1)
    )
    lease_from_reply: bool = (
        False  # the lease begins when the answers come, not when the heartbeats left (against thesis 6.4.1)
    )
    lease_from_one: bool = False  # one follower's answer renews the lease (against thesis 6.4.1: a majority)

    # Of reads by every server
    session_not_awaited: bool = False  # a server answers a client that has already seen more than it has
    read_without_index: bool = False  # a client is not told up to where it has read
    write_without_index: bool = False  # a client is not told where its write stands
    read_uncommitted: bool = False  # reads return what is in the log, committed or not

    @classmethod
    def named(cls, name: str | None) -> Bugs:
        """The one bug called ``name``, or none. Raises ValueError for a name that is not known."""
        return flags_named(cls, "kv/raft", name)
