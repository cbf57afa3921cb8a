"""The options of the docker cluster: which image, how much memory and processor for a node, which version of IP."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.clusters.containers.sandbox import Limits
from harness.clusters.fabric.netlink_route import has_six
from harness.errors import ClusterError
from harness.messages import OPTION

VERSIONS = (4, 6)
OWN, HELPED = FABRICS = ("own", "helper")  # cables of ours, which take root; networks of the engine's with a helper
MEMORY_MB, CPUS = 512, 1.0  # of one node, unless the options say otherwise
MEMORY_MB_MIN = 16
OPTIONS = ("image", "memory_mb", "cpus", "ip", "fabric", OPTION)  # ours; all others are the program's


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``image`` is the base that the user asked for, or None; ``version`` that of IP; ``fabric`` one of ``FABRICS``; with ``logs_packets``
    there is a packet log.
    """

    image: str | None
    limits: Limits
    version: int
    fabric: str
    logs_packets: bool


def read(own: Mapping[str, Any]) -> Settings:
    """From the options that are ours, by name. Raises ClusterError."""
    image, memory_mb, cpus = own.get("image"), own.get("memory_mb", MEMORY_MB), own.get("cpus", CPUS)
    version = own.get("ip", 4)
    if image is not None and not (isinstance(image, str) and image):
        raise ClusterError(f"the option image of the docker cluster is the name of an image, not {image!r}")
    if not _is_number(memory_mb) or memory_mb < MEMORY_MB_MIN:
        raise ClusterError(f"the option memory_mb of the docker cluster is at least {MEMORY_MB_MIN}, not {memory_mb!r}")
    if not _is_number(cpus) or not 0 < cpus <= (os.cpu_count() or 1):
        raise ClusterError(
            f"the option cpus of the docker cluster is above 0 and at most {os.cpu_count()}, not {cpus!r}"
        )
    if version not in VERSIONS:
        raise ClusterError(f"the option ip of the docker cluster is 4 or 6, not {version!r}")
    if version == 6 and not has_six():
        raise ClusterError("this machine's kernel has no IPv6: leave the option ip of the docker cluster at 4")
    fabric = own.get("fabric", OWN if os.geteuid() == 0 else HELPED)
    if fabric not in FABRICS:
        raise ClusterError(f"the option fabric of the docker cluster is {' or '.join(FABRICS)}, not {fabric!r}")
    if fabric == OWN and os.geteuid() != 0:
        raise ClusterError(
            "the fabric own of the docker cluster lays cables into containers' networks, which only root may"
        )
    if fabric == HELPED and version == 6:
        # The engine gives its bridges an IPv6 address and the machine a route, and knows no option against it: there would be a way out.
        raise ClusterError("the docker cluster has IPv6 only on the fabric own, as root: leave the option ip at 4")
    if own.get(OPTION) and fabric == HELPED:
        # The router is a container, whose only way to the controller is the engine; and all clients have one address there.
        raise ClusterError(
            "the docker cluster keeps a packet log only on the fabric own, as root: leave packet_log out"
        )
    limits = Limits(memory_bytes=int(memory_mb * (1 << 20)), cpus=float(cpus))
    return Settings(image=image, limits=limits, version=version, fabric=fabric, logs_packets=bool(own.get(OPTION)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
