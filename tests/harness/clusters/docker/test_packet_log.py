"""The packet log of containers' packets: by the router of the run's own, as on the local cluster."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.clusters.containers import settings
from harness.errors import ClusterError
from tests.harness.clusters.docker.running import needs_docker, run
from tests.harness.clusters.local.test_packet_log import scenario, tells


@needs_docker[0]
@needs_docker[1]
@pytest.mark.skipif(os.geteuid() != 0, reason="cables into containers' networks take root")
def test_it_tells_what_a_link_did(tmp_path: Path) -> None:
    tells(tmp_path, run(tmp_path, scenario, packet_log=True))


def test_the_helper_container_has_none_and_says_so() -> None:
    with pytest.raises(ClusterError, match="keeps a packet log only on the fabric own, as root"):
        settings.read({"fabric": settings.HELPED, "packet_log": True})
    assert not settings.read({"fabric": settings.HELPED}).logs_packets
