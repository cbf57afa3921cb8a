"""Where nodes run, by name: each satisfies ``harness.protocols.Cluster`` and the ``Can*`` Protocols of the powers that it has.

A cluster class also has ``loop_factory`` (for ``asyncio.Runner``; None: the ordinary event loop) and
``unavailable() -> str | None``: why it cannot run on this machine. It may have ``lacks() -> Mapping[str, str]``: which of its
powers it does not have on this machine, and why; ``check(options, nodes)``, which raises PlanError; and ``securities``, what the option
``security`` may be there (``security``, ``certificates``, ``impostor``, ``knocking``). Importing this imports none of them.
"""

CLUSTERS = {
    "docker": "harness.clusters.docker:DockerCluster",
    "local": "harness.clusters.local:LocalCluster",
    "process": "harness.clusters.process:ProcessCluster",
    "proxy": "harness.clusters.proxy:ProxyCluster",
    "sim": "harness.clusters.sim:SimCluster",
    "ssh": "harness.clusters.ssh:SshCluster",
}
