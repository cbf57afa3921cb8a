"""Places: sets of Linux namespaces (net, mount, pid, uts, ipc), each with a tiny init, inside those of a run.

In reading order: ``kernel`` the system calls; ``wire`` messages with descriptors; ``layout`` addresses and names; ``place`` the init of
one place; ``supervisor`` the first process of the run's own namespaces, which makes places and lays cables; ``launch`` starts it and
talks to it; ``conversation`` the controller's end; ``programs`` what runs in a place; ``lives`` a node over its lives; ``callers`` the
clients' connections; ``probing`` datagrams that measure links; ``doctor`` what this machine lacks.

Who dies with whom: controller → launcher → supervisor → everything else. The launcher and the supervisor ask the kernel to be killed
when their parent dies; the supervisor is the first process of its pid namespace, so the kernel kills all others in it with it. The
supervisor also ends when its socket to the controller does.
"""
