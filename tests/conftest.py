"""Settings for all tests."""

from __future__ import annotations

import fcntl
import os
import signal
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

# Machines are noisy: an example that takes long is no failure. Examples are the same in every run; the nightly profile explores.
settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("nightly", deadline=None, max_examples=100_000)
settings.load_profile("default")

# A shell that runs tests in the background has interrupts ignored, and every run that a test starts and interrupts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class OneWorkerForContainers(LoadScopeScheduling):
    """Hands out tests one by one, but those on containers to one worker, first of all: the others need not wait for it then.

    By names, since pytest 9 does not see the groups that pytest-xdist 3.8 writes into them (``--dist=loadgroup``).
    """

    def _split_scope(self, nodeid: str) -> str:
        return (
            "containers" if any(word in nodeid for word in ("docker", "clocks_in_containers", "ci_image")) else nodeid
        )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneWorkerForContainers | None:
    return OneWorkerForContainers(config, log) if config.getvalue("dist") == "load" else None  # which -n alone asks for


@pytest.fixture(autouse=True)
def _one_at_a_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests on containers look at all that the engine keeps, so they wait for each other, also those of another run."""
    if request.node.get_closest_marker("docker") is None:
        yield
        return
    with Path(tempfile.gettempdir(), "splitbrain-docker-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where SPLITBRAIN_REQUIRE names a marker (as .ci/run does: docker), a test with it that is skipped has failed."""
    report = yield
    required = set(os.environ.get("SPLITBRAIN_REQUIRE", "").split(","))
    if report.skipped and required & {mark.name for mark in item.iter_markers()}:
        report.outcome = "failed"
        report.longrepr = f"this machine was to run it: {report.longrepr}"
    return report
