"""A distributed file system after GFS and HDFS, written to be read beside their papers. It travels into the node.

Sources, cited as "GFS" and "HDFS": Ghemawat, Gobioff, Leung, The Google File System, SOSP 2003; Shvachko et al., The Hadoop Distributed
File System, MSST 2010. The journal follows HDFS's quorum journal manager (HDFS-3077) in what it promises.

Every node is a data node. The first three nodes are metadata servers, too: each keeps the journal of edits and a copy of the namespace,
and one of them is active. So a cluster of five is one of three metadata servers and five data nodes that share machines.

In reading order:

* ``config`` the options of a node; ``bugs`` the seeded deviations, each an ``if`` at the place where the rule stands;
* ``content`` records and writes as bytes; ``chunk`` the file of one chunk, with its checksums;
* ``namespace`` paths, files, chunks and their versions: what edits make; ``journal`` the edits on the disk, and who may write them;
* ``failover`` who is active, and its edits on their way to a quorum;
* ``placement`` where replicas go; ``replicas`` what the active server hears of data nodes; ``leases`` who may write to a chunk;
* ``repair`` re-replication, rebalancing, garbage; ``requests`` what clients ask the active server;
* ``store`` the chunks on one disk; ``primary`` and ``datanode`` a data node's duties; ``node`` puts the parts together.
"""

from targets.dfs.gfs.node import GfsNode

__all__ = ["GfsNode"]
