"""The seeded bugs of ``dfs/gfs``: one flag each, all off in the correct node. Grep a flag's name to see the whole deviation.

Which checker finds it under which faults stands in ``targets.dfs.gfs_bugs``.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.node.flags import flags_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    replica_count_not_restored: bool = False  # what a dead node had is not made anew elsewhere
    checksum_skipped: bool = False  # a data node serves what it reads from its disk, whatever the checksum says
    lease_not_revoked: bool = False  # a primary keeps its lease when the chunk gets a new version, and another primary
    append_acked_before_secondaries: bool = False  # the primary answers as soon as it has the record itself
    journal_not_fenced: bool = False  # journals take edits of a server whose epoch is over
    rename_not_atomic: bool = False  # a rename is two edits: the old name goes, then the new one comes
    stale_replica_served: bool = False  # a replica that missed a version is taken for a current one
    edit_log_not_synced: bool = False  # edits are acknowledged before they are durable
    collects_live_chunks: bool = False  # a chunk that is being made, and is in no file yet for this server, is garbage
    clone_without_new_version: bool = False  # a replica is made anew while a lease of the chunk is in force
    checkpoint_drops_edits: bool = False  # a checkpoint claims more edits than it holds

    @classmethod
    def named(cls, name: str | None) -> Bugs:
        """The one bug called ``name``, or none. Raises ValueError for a name that is not known."""
        return flags_named(cls, "dfs/gfs", name)
