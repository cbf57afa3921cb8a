"""A log with partitions, as Kafka has it, written to be read beside Kafka's improvement proposals (KIPs). It travels into the node.

In reading order:

* ``config`` the options of a node; ``bugs`` the seeded deviations, each an ``if`` at the place where the rule stands;
* ``metadata`` brokers, partitions, leaders and in-sync sets, replicated by Raft; ``controller`` who watches the brokers;
* ``partition_log`` one partition's messages on one disk; ``producers`` their sequences; ``replica`` the log with its high watermark;
* ``replication`` followers that fetch from leaders; ``requests`` producers and consumers; ``groups`` consumers that share partitions;
* ``node`` puts the parts together.
"""

from targets.queue.log.node import LogBroker

__all__ = ["LogBroker"]
