"""Clocks of a distributed system: those that know what happened before what, and those that know what time it is.

logical   the node program of ``clock/lamport``, ``clock/vector`` and ``clock/hybrid``: events, messages and their readings
client    asks a node for events; ``target``, ``claims`` and ``bugs`` are what the harness must know
ntp       the node program of ``clock/ntp``: the time by several references, with a bound on its error
ntp_client, ntp_target    the same for it
"""
