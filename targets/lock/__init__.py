"""Locks for a distributed system, and a resource that they are to protect.

service  the node program: locks with leases on Raft, those who hold them, and the resource
client   asks the holder on its node; ``target``, ``claims`` and ``bugs`` are what the harness must know
"""
