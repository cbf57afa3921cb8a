"""Every table of names in one place. Importing this loads no target, checker, cluster or report: only the tables."""

from __future__ import annotations

from harness.clusters import CLUSTERS
from harness.registry import Registry
from harness.workloads import WORKLOADS

AUTO = "auto"
# What ``--cluster auto`` tries, best first.
AUTO_ORDER = ("docker", "local", "process")


def targets() -> Registry:
    from targets import TARGETS

    return Registry("target", TARGETS)


def faults() -> Registry:
    from nemesis import FAULTS

    return Registry("fault", FAULTS)


def checkers() -> Registry:
    from checkers import CHECKERS

    return Registry("checker", CHECKERS)


def models() -> Registry:
    from checkers import MODELS

    return Registry("model", MODELS)


def clusters() -> Registry:
    return Registry("cluster", CLUSTERS)


def workloads() -> Registry:
    return Registry("workload", WORKLOADS)
