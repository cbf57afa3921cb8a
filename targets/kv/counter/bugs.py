"""The seeded bugs: one flag each, all off in the correct node. Grep a flag's name to see the whole deviation.

Which checker finds it under which faults stands in ``targets.kv.counter_target``.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.node.flags import flags_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    retry_without_id: bool = False  # a client's repetition is taken for a request of its own
    ids_not_replicated: bool = (
        False  # nodes recognise what they repeat themselves, and not what a client repeats elsewhere
    )
    ids_forgotten_at_checkpoint: bool = False  # a checkpoint saves the sums, and forgets which requests are in them
    ids_not_durable: bool = False  # a node that restarts knows its sums, and not which requests are in them
    ids_window_short: bool = False  # only the latest few requests are remembered
    ack_before_sync: bool = False  # a client is answered before its addition is on the disk
    peer_acks_before_sync: bool = False  # ... and so is a peer
    outbox_volatile: bool = False  # a node that restarts has forgotten what it had not sent yet
    outbox_dropped_at_checkpoint: bool = False  # a checkpoint saves the sums, and forgets what has not been sent
    gives_up: bool = False  # what was sent twice without an answer is taken to have arrived
    peers_ids_ignored: bool = False  # what a peer sends is counted without a note of whose request it was
    journal_counted_twice: bool = False  # a node that restarts reads its journal twice, and does not look at ids
    repeated_as_new: bool = False  # what a peer does not confirm in time is sent again, as a request of the node itself
    state_taken_without_ids: bool = (
        False  # a node that restarts takes over a peer's sums, and not which requests are in them
    )
    named_on_arrival: bool = False  # a node gives what a peer sends a name of its own when it comes
    cursor_one_too_far: bool = False  # an acknowledgement is taken to be for one addition more than it is for

    @classmethod
    def named(cls, name: str | None) -> Bugs:
        """The one bug called ``name``, or none. Raises ValueError for a name that is not known."""
        return flags_named(cls, "kv/counter", name)
