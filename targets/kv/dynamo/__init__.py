"""A store without a leader, after Dynamo: any node serves any client, and replicas agree later. Three ways to settle conflicts.

* ``siblings``: version vectors tell what replaced what; of writes that did not know each other all values stay, side by side, until a
  client that has read them writes what they come to. Nothing that was acknowledged is lost.
* ``lww``: the last write wins, by the wall clock of the node that took it. Simple, and it loses what a slow clock stamped.
* ``hlc``: the same by hybrid logical clocks, which never run behind what their node has seen: so only concurrent writes are lost.

Source: DeCandia et al., "Dynamo: Amazon's Highly Available Key-value Store" (SOSP 2007); the section numbers below are its.

Standard library and ``targets.node`` alone: it travels into the node. In reading order:

* ``config`` the options; ``bugs`` the seeded deviations, each an ``if`` at the place where the rule stands;
* ``ring`` who holds a key (4.2, 4.3); ``cells`` what a copy of a key is, ``siblings`` and ``stamps`` its two kinds (4.4);
* ``store`` what is on the disk; ``members`` who is there (4.8); ``rounds`` one question to the replicas of a key (4.5);
* ``coordinator`` reads and writes (4.5), read repair and write-back; ``handoff`` hints (4.6);
* ``merkle`` trees over keys, ``antientropy`` their exchange (4.7); ``requests`` what clients ask;
* ``parts`` what the workers share; ``node`` puts the parts together.

Every handler is a plain function: nothing here awaits, so a message is dealt with whole, at one instant.

One thing differs from the paper. There, a node that is not among a key's first N hands a write on to one that is. Here the node that a
client asked coordinates, always, so that an answer depends on no second hop whose failure would leave it in doubt. The price is paid
by ``siblings``: a node that has numbered a write of a key keeps its copy for good, since its next number must say that it knows this
one.
"""

from targets.kv.dynamo.node import Dynamo

__all__ = ["Dynamo"]
