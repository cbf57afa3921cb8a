"""Containers of a run: what the docker cluster is made of.

In reading order: ``labels`` our mark on containers; ``engine`` calls to the Docker engine; ``closure`` a base image made of this
machine's own Python; ``images`` the image that nodes run in; ``settings`` what the user may choose; ``sandbox`` the two containers of a
node; ``frames`` and ``life`` one life of a node, its pipes by way of the engine; ``group`` its processes as the kernel sees them;
``nodes`` a node over its lives; ``thaw`` lets those go on that stand still when we die; ``desk`` the harness's own line to nodes;
``network`` what carries packets, by one of two fabrics: ``own_fabric`` cables of our own, as root; ``helped_fabric`` the engine's
networks, with ``helper`` (the router, a container) and ``guest`` (what runs in a sandbox there); ``doctor`` what this machine lacks;
``leftovers`` what dead runs have left.

A node is a pair of containers: the sandbox holds the network (and does nothing else), the node's own container joins it. So the node
can be killed and started again by the engine while its cable, its address and the probes on it stay, as on a host whose program dies.
"""
