"""Hosts that are reached by SSH: what the ssh cluster is made of.

In reading order: ``inventory`` the file that names them; ``pins`` their keys, which must be known before; ``quoting`` the one place where
words become a command line; ``connection`` a connection of paramiko's; ``bundle`` what travels to a host; ``line`` the channel to the agent
there, for an event loop; ``calling`` clients' connections to nodes.

On the host, standard library alone: ``agent`` serves the controller, holds a lease, and heals all when nothing was heard for that long;
``node`` the node's program; ``network`` faults on what this host receives; ``probes`` datagrams between hosts; ``shaper`` the process that
holds packets back.

Who dies with whom: the controller, or the connection to it, ends: the agent heals everything and ends. The agent is killed: the kernel
removes its table of the packet filter with the socket that made it, the keeper of the clocks sets them right, the guardian ends the node.
"""
