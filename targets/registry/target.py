"""What the harness must know of the registry."""

from __future__ import annotations

from harness.protocols import Target
from targets.registry.bugs import BUGS
from targets.registry.claims import CLAIMS

REGISTRY = Target(
    name="registry",
    summary="service discovery on Raft: entries that live as long as their session is heard of, lookups, watches without gaps, and probes",
    program="targets.registry.service:RegistryNode",
    client="targets.registry.client:RegistryClient",
    workloads=("registry", "health"),
    configs=("targets.registry.service.config:Config", "targets.kv.raft.config:Config"),
    roles=("leader", "follower", "candidate"),
    bugs=BUGS,
    claims=CLAIMS,
)
