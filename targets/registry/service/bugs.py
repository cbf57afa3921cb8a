"""The seeded bugs of the registry: one flag each, all off in the correct node. Grep a flag's name to see the whole deviation.

Which checker finds it under which faults stands in ``targets.registry.bugs``.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.node.flags import flags_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    # Of sessions
    beat_not_recorded: bool = False  # a heartbeat is confirmed, and the session ends all the same
    failover_ends_sessions: bool = False  # a new leader has heard of nobody, and ends all sessions
    sessions_lost_in_snapshot: bool = False  # a snapshot saves the entries, and forgets whose they are
    expiry_forgets_second: bool = False  # a session that ends takes one of its entries with it, and leaves the others
    leave_keeps_entries: bool = False  # who leaves by itself is still found

    # Of reading
    lookup_local: bool = False  # every node answers by what it knows itself
    watch_from_now: bool = False  # who watches on at another node is told what comes from now on
    watch_cut_short: bool = False  # of the changes only the latest few are kept, and whoever comes later is not told so

    # Of health
    one_failure_is_critical: bool = False  # one probe without an answer is enough
    critical_still_listed: bool = False  # who asks for the healthy is told of the critical, too
    critical_never_deregistered: bool = False  # who is critical stays registered for ever
    probe_forgotten_after_failover: bool = False  # a new leader probes only what was registered under it
    node_answers_for_instance: bool = False  # a probe asks whether the node lives, not whether the instance does
    health_not_watched: bool = False  # watches are told who comes and goes, and not who falls ill

    # Of consensus
    registered_before_quorum: bool = False  # a change counts when the leader alone knows

    @classmethod
    def named(cls, name: str | None) -> Bugs:
        """The one bug called ``name``, or none. Raises ValueError for a name that is not known."""
        return flags_named(cls, "registry", name)
