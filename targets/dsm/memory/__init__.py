"""Memory that nodes share, page by page, and the models that it may have. It travels into the node.

In reading order:

* ``config`` the options of a node, and where addresses lie; ``bugs`` the seeded deviations, each an ``if`` where the rule stands;
* ``kept`` what a node must not forget; ``calls`` requests from node to node;
* ``memory`` what every memory does for a thread; ``directory`` and ``cache``: one writer or many readers per page (MSI, MESI);
* ``buffers`` store buffers before these caches; ``homes`` and ``copies``: release consistency;
* ``meetings`` locks and barriers; ``threads`` what clients ask for; ``node`` puts the parts together.
"""

from targets.dsm.memory.node import SharedMemory

__all__ = ["SharedMemory"]
