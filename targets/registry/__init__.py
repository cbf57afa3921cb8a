"""A registry of services: who offers what now, as long as it says that it lives.

service  the node program: sessions with a time to live, their entries, and watches, on Raft
client   an instance of a service, or somebody who looks for one; ``target``, ``claims`` and ``bugs`` are what the harness must know
"""
