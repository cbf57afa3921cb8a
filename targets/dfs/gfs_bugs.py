"""The seeded bugs of the distributed file system: what is wrong, and what reveals it.

A bug's ``faults`` are those that reveal it, and its ``settings`` what the run needs besides: found within 50 random seeds of 20 seconds of
virtual time each, on the simulator, by the checker ``files``, which the correct program satisfies under the same faults and settings.
"""

from __future__ import annotations

from typing import Any

from harness.protocols import Bug

SHORT: dict[str, Any] = {"time_limit_s": 20.0, "rate": 40.0, "interval_s": 2.0}
NAMES: dict[str, Any] = {**SHORT, "workload": "files"}
# Few edits are many checkpoints.
CHECKPOINTS: dict[str, Any] = {**NAMES, "options": {"checkpoint_edits": 10}}
# Clients that go by what they know meet primaries whose lease is over.
REMEMBERING: dict[str, Any] = {**SHORT, "options": {"cache_s": 5.0, "lease_s": 5.0}}
_GFS = "Ghemawat et al., SOSP 2003"


def _bug(name: str, summary: str, faults: tuple[str, ...], source: str, settings: dict[str, Any] = SHORT) -> Bug:
    return Bug(name=name, summary=summary, checker="files", faults=faults, source=source, settings=settings)


GFS_BUGS = (
    _bug(
        "replica-count-not-restored",
        "what a dead node had is not made anew elsewhere, and stays so when replicas are found to have missed something",
        ("partition", "kill"),
        f"{_GFS}, section 4.3",
    ),
    _bug(
        "checksum-skipped",
        "a data node serves what its disk gives it, whatever the checksum says",
        ("corrupt",),
        f"{_GFS}, section 5.2",
    ),
    _bug(
        "lease-not-revoked",
        "a primary keeps its lease when the chunk gets a new version, and with it perhaps another primary",
        ("partition",),
        f"{_GFS}, section 3.1",
        REMEMBERING,
    ),
    _bug(
        "append-acked-before-secondaries",
        "the primary answers as soon as it has the record itself",
        ("partition", "kill"),
        f"{_GFS}, section 3.1, step 7",
    ),
    _bug(
        "journal-not-fenced",
        "journals take edits of a metadata server whose epoch is over",
        ("partition",),
        "HDFS-3077, quorum journal manager",
        NAMES,
    ),
    _bug(
        "rename-not-atomic",
        "a rename is two edits, and a crash between them loses the file",
        ("kill",),
        f"{_GFS}, section 4.1",
        NAMES,
    ),
    _bug(
        "stale-replica-served",
        "a replica that was away while others changed is taken for a current one",
        ("partition", "kill"),
        f"{_GFS}, section 4.5",
    ),
    _bug(
        "edit-log-not-synced",
        "edits are acknowledged before they are durable",
        ("power", "kill"),
        f"{_GFS}, section 2.6.3; HDFS, MSST 2010, section 2.A",
        NAMES,
    ),
    _bug(
        "collects-live-chunks",
        "every metadata server has data nodes drop chunks that it knows of no file for, though it may be behind",
        ("partition", "kill"),
        f"{_GFS}, section 4.4",
    ),
    _bug(
        "checkpoint-drops-edits",
        "a checkpoint claims more edits than it holds",
        ("kill",),
        "HDFS, MSST 2010, section 2.D",
        CHECKPOINTS,
    ),
    _bug(
        "clone-without-new-version",
        "a replica is copied while its primary goes on writing, and taken for whole",
        ("partition", "kill"),
        f"{_GFS}, section 4.5",
    ),
)
