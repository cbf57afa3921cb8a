"""The seeded bugs of the shared memories: one flag each, all off in the correct node. Grep a flag's name to see the whole deviation.

Which checker finds it under which faults stands in ``targets.dsm.bugs``.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.node.flags import flags_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    # Of the directory
    lost_invalidate: bool = False  # an invalidation that is not answered is taken for one that was
    write_before_all_acks: bool = False  # a writer is let in when the first reader has answered
    two_owners_after_timeout: bool = False  # an owner that does not answer is taken for dead, and its page given away
    stale_directory: bool = False  # after a restart the directory takes every page for unshared
    owner_not_asked: bool = False  # a reader is given the directory's copy, whoever has a newer one
    upgrade_beside_readers: bool = False  # a reader that wants to write is let, and the other readers stay
    exclusive_beside_readers: bool = False  # a reader is given a page for its own while others read it
    exclusive_taken_for_clean: bool = False  # what the owner of an exclusive page wrote is not asked for

    # Of the caches
    write_not_durable: bool = False  # what the owner wrote is in its memory alone
    late_grant_taken: bool = False  # a grant is taken although the page was called back meanwhile
    owner_returns: bool = False  # after a restart a node owns what it once wrote
    data_given_once: bool = False  # an owner that gave its page back forgets it, whether or not the answer arrived
    downgraded_owner_writes: bool = False  # who has become a reader goes on writing

    # Of store buffers
    fence_without_drain: bool = False  # a fence does not wait for the store buffer
    buffer_not_fifo: bool = False  # the newest write of a store buffer reaches the memory first
    buffer_shared: bool = False  # the threads of a node have one store buffer, and read each other's writes in it
    buffer_not_durable: bool = False  # what waits in a buffer is in memory alone
    own_writes_unread: bool = False  # a thread does not see what it has in its buffer

    # Of release consistency
    release_without_flush: bool = False  # a release does not send what was written before it
    release_before_acks: bool = False  # a release sends it, and waits for no answer
    acquire_keeps_copies: bool = False  # what was read before an acquire is read again behind it
    whole_page_flushed: bool = False  # the whole page is sent home, not what was written in it
    flush_repeated: bool = False  # a home carries out a copy of a flush again
    late_fetch_taken: bool = False  # a copy is taken that is older than what this node has sent home
    home_not_durable: bool = False  # what a home was sent is in its memory alone

    # Of locks and barriers
    unlock_before_release: bool = False  # a lock is given back before what was written under it is there
    barrier_by_count: bool = False  # a copy of an arrival counts as another thread's

    @classmethod
    def named(cls, name: str | None) -> Bugs:
        """The one bug called ``name``, or none. Raises ValueError for a name that is not known."""
        return flags_named(cls, "dsm", name)
