"""A registry of services: who offers what now, as long as it says that it lives.

What is promised: an entry is there as long as its session is heard of (or until it is taken back), and no longer. Health is checked in
two ways, as by Consul: by heartbeats with a time to live, or by probes: the registry asks an instance again and again, and tells those
who look for healthy ones of nobody who has been silent for too long. A lookup shows the entries of its service at one moment, between its
beginning and its end. A watch may lag; it tells every change, and all watches tell one list of them, in an order that the operations
allow.

service  the node program: sessions with a time to live, their entries, watches, and probes, on Raft
client   an instance of a service, or somebody who looks for one; ``target``, ``claims`` and ``bugs`` are what the harness must know
"""
