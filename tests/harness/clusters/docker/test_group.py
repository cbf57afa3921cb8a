"""A container's processes as the kernel groups them, of either version, told from files like the kernel's."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.clusters.containers.group import Group
from harness.errors import ClusterError
from tests.integration.test_controller_death import eventually

linux_alone = pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")
KEY = "c0ffee" * 10
GROUPS = {
    1: ("12:freezer:/docker/{}\n11:memory:/docker/{}\n0::/\n", "freezer/docker/{}"),
    2: ("0::/system.slice/docker-{}.scope\n", "system.slice/docker-{}.scope"),
}
STILL = [sys.executable, "-c", "import signal; signal.pause()"]


@pytest.fixture
def still() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(STILL) as process:
        yield process
        process.kill()


def world(path: Path, pids: list[int], version: int) -> Group:
    """A group with these processes, the first one of which is the container's first."""
    text, place = (part.replace("{}", KEY) for part in GROUPS[version])
    directory = path / "cgroup" / place
    directory.mkdir(parents=True)
    (directory / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
    freeze(path, version, "THAWED" if version == 1 else "populated 1\nfrozen 0\n")
    (path / "proc" / str(pids[0])).mkdir(parents=True)
    for name in ("stat", "statm"):
        (path / "proc" / str(pids[0]) / name).symlink_to(f"/proc/{pids[0]}/{name}")
    (path / "proc" / str(pids[0]) / "cgroup").write_text(text)
    return Group(pids[0], KEY, root=path / "cgroup", proc=path / "proc")


def freeze(path: Path, version: int, words: str) -> None:
    directory = path / "cgroup" / GROUPS[version][1].replace("{}", KEY)
    (directory / ("freezer.state" if version == 1 else "cgroup.events")).write_text(words)


@linux_alone
@pytest.mark.process
@pytest.mark.parametrize("version", [1, 2])
def test_it_is_stopped_frozen_and_goes_on(tmp_path: Path, version: int, still: subprocess.Popen[bytes]) -> None:
    group = world(tmp_path, [still.pid], version)
    assert group.processes() == [still.pid]
    assert group.runs()
    group.tell(signal.SIGSTOP)
    eventually(lambda: group.runs() is False, "it is stopped")
    group.tell(signal.SIGCONT)
    eventually(lambda: group.runs() is True, "it goes on")
    freeze(tmp_path, version, "FROZEN" if version == 1 else "populated 1\nfrozen 1\n")
    assert group.runs() is False


@linux_alone
@pytest.mark.process
def test_it_gets_no_more_memory_and_then_all_again(tmp_path: Path, still: subprocess.Popen[bytes]) -> None:
    group = world(tmp_path, [still.pid], 2)
    before = resource.prlimit(still.pid, resource.RLIMIT_AS)
    group.squeeze(1 << 20)
    limit, most = resource.prlimit(still.pid, resource.RLIMIT_AS)
    assert 1 << 20 < limit < 1 << 40
    assert most == before[1]
    group.squeeze(None)
    assert resource.prlimit(still.pid, resource.RLIMIT_AS)[0] == before[1]


@linux_alone
@pytest.mark.process
def test_once_it_has_ended_nobody_is_reached(tmp_path: Path, still: subprocess.Popen[bytes]) -> None:
    group = world(tmp_path, [still.pid], 2)
    (tmp_path / "cgroup" / GROUPS[2][1].replace("{}", KEY) / "cgroup.procs").unlink()
    group.tell(signal.SIGKILL)
    assert group.processes() == []
    assert still.poll() is None


@pytest.mark.parametrize("version", [1, 2])
def test_a_process_of_another_group_is_refused(tmp_path: Path, version: int) -> None:
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/cgroup").write_text(GROUPS[version][0].replace("{}", "somebody-elses"))
    with pytest.raises(ClusterError, match="process 7 is not in the control group of container c0ffee"):
        Group(7, KEY, root=tmp_path, proc=tmp_path / "proc")
    with pytest.raises(ClusterError, match="process 8 of a container has ended"):
        Group(8, KEY, root=tmp_path, proc=tmp_path / "proc")


@linux_alone
def test_our_own_group_is_nobody_s_container() -> None:
    with pytest.raises(ClusterError, match="is not in the control group"):
        Group(os.getpid(), KEY)
