"""Raft, written to be read beside the paper. Standard library and ``targets.node`` alone: it travels into the node.

Sources, cited as "paper" and "thesis": Diego Ongaro and John Ousterhout, In Search of an Understandable Consensus Algorithm, USENIX
ATC 2014, extended version; Diego Ongaro, Consensus: Bridging Theory and Practice, Stanford 2014. "Figure 2" is the paper's summary.

In reading order:

* ``config`` the options of a node; ``bugs`` the seeded deviations, each an ``if`` at the place where the rule stands;
* ``log`` the persistent log; ``members`` who counts for a majority; ``state`` what a server knows (Figure 2, State);
* ``election`` roles, timers and votes (paper 5.2, 5.4.1, thesis 9.6);
* ``followers`` the receiver of AppendEntries and InstallSnapshot; ``replication`` the leader's side (5.3, 5.4.2);
* ``machine`` the replicated key-value store with its sessions (thesis 6.3); ``snapshot`` (section 7); ``applier`` from log to machine;
* ``reads`` read-index (thesis 6.4); ``requests`` clients, forwarding; ``reconfig`` membership changes (thesis 4.1);
* ``core`` puts the parts of consensus together, for any machine; ``node`` those of the store;
* ``damaged``: what a server is whose disk does not give back what was written.

Every handler is a plain function: nothing here awaits, so a message is dealt with whole, at one instant.
"""

from targets.kv.raft.damaged import server
from targets.kv.raft.node import Raft

__all__ = ["Raft", "server"]
