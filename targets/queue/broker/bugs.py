"""The seeded bugs of ``queue/broker``: one flag each, all off in the correct node. Grep a flag's name to see the whole deviation.

Which checker finds it under which faults stands in ``targets.queue.broker_bugs``.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.node.flags import flags_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    confirm_before_durable: bool = False  # a message is confirmed before it is on any disk
    confirm_before_quorum: bool = False  # a message is confirmed when the leader alone has it
    redelivery_lost_on_failover: bool = False  # a new leader takes what was delivered and not acknowledged for done
    snapshot_forgets_unacked: bool = (
        False  # a snapshot saves what waits, and forgets what is delivered and not acknowledged
    )
    nack_drops: bool = False  # a message that its consumer gives back is gone
    dead_letter_dropped: bool = False  # a message that was delivered too often goes nowhere
    acked_at_delivery: bool = False  # a message is done as soon as it is sent to a consumer
    publish_twice_on_retry: bool = False  # a publisher's number is not looked at
    stale_ack_accepted: bool = (
        False  # an acknowledgement counts, although the message has been given to another one meanwhile
    )
    snapshot_loses_order: bool = False  # a snapshot saves what waits with the newest first

    # Of mirrored queues
    confirm_before_mirrors: bool = False  # a message is confirmed before the mirrors have it
    minority_serves: bool = False  # who sees but a minority does not pause

    @classmethod
    def named(cls, name: str | None) -> Bugs:
        """The one bug called ``name``, or none. Raises ValueError for a name that is not known."""
        return flags_named(cls, "queue/broker", name)
