"""Clocks of a distributed system: those that know what happened before what, and those that know what time it is.

logical   the node program of ``clock/lamport``, ``clock/vector`` and ``clock/hybrid``: events, messages and their readings
client    asks a node for events; ``target``, ``claims`` and ``bugs`` are what the harness must know
"""
