"""A broker of queues, as RabbitMQ is one. It travels into the node.

In reading order:

* ``config`` the options of a node; ``bugs`` the seeded deviations, each an ``if`` at the place where the rule stands;
* ``machine`` the queues: what waits, what is delivered, redelivery, priorities, dead letters;
* ``serving`` publishers and consumers; ``mirrors`` replication without consensus, with what it does about partitions;
* ``node`` puts the parts together, with ``targets.queue.quorum`` (Raft) or with mirrors.
"""

from targets.queue.broker.node import Broker

__all__ = ["Broker"]
