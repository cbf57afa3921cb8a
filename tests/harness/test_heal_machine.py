"""What a dead run has left on the machine is found and removed; what is somebody else's, or belongs to who lives, stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import mark
from harness.heal import sweep
from harness.heal_machine import _plain, processes

ROOT = Path(__file__).parent.parent.parent
STILL = [sys.executable, "-c", "import signal; signal.pause()"]
OURS = mark.mine()
DEAD = replace(OURS, started=OURS.started + 1)
linux_alone = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere than on Linux nothing can be left")


@contextmanager
def still(owner: mark.Mark | None) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing, with the mark of ``owner``."""
    environment = {**os.environ, **({mark.VARIABLE: str(owner)} if owner is not None else {})}
    with subprocess.Popen(STILL, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


@linux_alone
@pytest.mark.process
def test_processes_of_dead_controllers_end_and_no_others() -> None:
    with still(DEAD) as left, still(OURS) as lives, still(None) as other:
        mine = {f"{process.pid} " for process in (left, lives, other)}

        def only_these() -> Iterator[Any]:
            return (thing for thing in processes() if any(thing.name.startswith(pid) for pid in mine))

        healing = sweep({"processes": only_these})
        assert [thing.name.split()[0] for thing in healing.removed] == [str(left.pid)]
        assert [thing.name.split()[0] for thing, _ in healing.kept] == [str(lives.pid)]
        assert left.wait(10) == -9
        assert lives.poll() is None
        assert other.poll() is None


@linux_alone
@pytest.mark.process
def test_a_number_that_somebody_else_has_by_now_is_left_alone() -> None:
    with still(DEAD) as left, still(OURS) as lives:
        (thing,) = (found for found in processes() if found.name.startswith(f"{left.pid} "))
        pid = thing.remove.args[0]  # type: ignore[attr-defined]  # a partial
        assert pid == left.pid
        thing.remove.func(lives.pid, DEAD)  # type: ignore[attr-defined]  # the number now belongs to who lives
        assert lives.poll() is None
        left.kill()
        left.wait()
        thing.remove()  # gone meanwhile: nothing to do


@linux_alone
@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave mounts and tables on the machine")
def test_mounts_namespaces_and_tables_of_dead_controllers_go_and_no_others() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.harness.leaving"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    dead, ours = seen["dead"], seen["ours"]
    assert seen["failed"] == []
    assert seen["before"] == named(dead, ours)
    assert seen["after"] == named(ours)
    assert seen["names"] == sorted(["somebody-elses", f"{ours}-n1"])
    assert seen["again"] == 0


def named(*owners: str) -> dict[str, list[str]]:
    return {
        "mounts": sorted(f"/run/{words}{owner}" for owner in owners for words in ("", "a place of ")),
        "namespaces": sorted(f"{owner}-n1" for owner in owners),
        "tables of the packet filter": sorted(name for owner in owners for name in (owner, f"{owner}-cut")),
    }


def test_spaces_in_the_list_of_mounts() -> None:
    assert _plain(r"/a\040place\134here") == "/a place\\here"
