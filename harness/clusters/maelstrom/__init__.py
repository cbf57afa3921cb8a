"""Hosting nodes of any language that speak Maelstrom's protocol, as Maelstrom does.

    host        the cluster: nodes are child processes of one command line
    settings    what a user may choose: the binary, its arguments, latency, topology
    services    lin-kv, seq-kv, lww-kv and lin-tso, which nodes may use as if they were nodes
    topology    who is whose neighbour, for broadcast
    latency     how long messages between nodes take

Sources: the protocol, the services and the options of Maelstrom as its documentation (doc/protocol.md, doc/services.md) describes them.
"""
