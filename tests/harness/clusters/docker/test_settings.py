"""What a user may ask of the docker cluster, and what is said where it cannot run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.clusters.containers import doctor
from harness.clusters.containers.engine import connect
from harness.clusters.docker import DockerCluster, container_node
from harness.clusters.fabric.netlink_route import has_six
from harness.clusters.starts import NodeStart
from harness.errors import ClusterError
from tests.conformance.worlds import spec


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("image", 5, "the name of an image, not 5"),
        ("image", "", "the name of an image, not ''"),
        ("memory_mb", 1, "memory_mb of the docker cluster is at least 16, not 1"),
        ("memory_mb", "much", "memory_mb"),
        ("cpus", 0, "cpus of the docker cluster is above 0"),
        ("cpus", True, "cpus"),
        ("ip", 5, "4 or 6, not 5"),
        ("fabric", "silk", "own or helper, not 'silk'"),
    ],
)
def test_an_option_that_cannot_be(tmp_path: Path, option: str, value: Any, sentence: str) -> None:
    with pytest.raises(ClusterError, match=sentence):
        DockerCluster(spec(tmp_path, **{option: value}))


def test_six_takes_cables_of_our_own(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="has no IPv6" if not has_six() else "IPv6 only on the fabric own"):
        DockerCluster(spec(tmp_path, fabric="helper", ip=6))


def test_a_node_never_gets_the_clusters_own_options(tmp_path: Path) -> None:
    cluster = DockerCluster(spec(tmp_path, memory_mb=100, bug="x"))
    assert cluster._spec.options == {"bug": "x"}


def test_the_command_line_of_a_node_is_of_its_container(tmp_path: Path) -> None:
    start = NodeStart(spec=spec(tmp_path), node="n1", data=Path("/data"), incarnation=2, epoch_s=1.5, skew=None)
    argv = container_node(start, "10.0.0.1:7000", {"n1": "10.0.0.1:7000", "n2": "10.0.0.2:7000"})
    assert argv[:3] == ["python3", "-m", "targets.node"]
    assert argv[argv.index("--data") + 1] == "/data"
    assert argv[argv.index("--listen") + 1] == "10.0.0.1:7000"
    assert argv[-1] == "n2=10.0.0.2:7000"
    assert not any(str(tmp_path) in word for word in argv)


def test_where_there_is_no_engine_the_way_to_one_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    with pytest.raises(ClusterError, match=r"no Docker engine answers at unix:///.*: No such file or directory$"):
        connect(1.0)
    assert "apt-get install docker.io" in doctor.explained("no engine", user=0)


def test_who_may_not_ask_the_engine_is_told_who_may(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "docker.sock").touch()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    assert doctor.explained("Permission denied", user=1000).endswith(doctor.ALLOWED)
    assert "start it" in doctor.explained("Connection refused", user=0)


def test_an_engine_elsewhere_is_refused_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert "127.0.0.1:1" in (doctor.unavailable() or "")
