"""What a file system after GFS and HDFS promises, and what it is known not to keep: the textbook's sentences, each with both its halves."""

from __future__ import annotations

from typing import Any

from harness.protocols import Claim

ALL = ("partition", "packet", "kill", "pause", "clock", "power", "corrupt")
SHORT: dict[str, Any] = {"time_limit_s": 20.0, "rate": 20.0, "interval_s": 3.0}
RACKS, CACHED = "replicas-in-more-than-one-rack", "the-clients-metadata-cache"
REPLICAS, APPENDS, WRITES, LEASES, FENCING, SUMS, SYNCED, ACKED = (
    "losses-of-replicas",
    "record-append",
    "concurrent-writes",
    "one-primary-by-lease",
    "failover-of-the-metadata-server",
    "damage-on-disks-of-data-nodes",
    "fsync-of-the-edit-log",
    "who-acknowledges-an-append",
)
_GFS = "Ghemawat et al., SOSP 2003"

# One machine after the other is lost with its disk, and replaced in the end.
LOSSES = tuple(
    {"kind": "kill", "start_s": start_s, "end_s": 16, "args": {"nodes": [node]}}
    for start_s, node in ((3, "n5"), (7, "n4"), (11, "n3"))
)
LOSING: dict[str, Any] = {"time_limit_s": 16.5, "rate": 20.0, "schedule": LOSSES}
# A rack burns down: its machines are lost with their disks, and replaced.
RACK = ({"kind": "kill", "start_s": 9, "end_s": 12, "args": {"nodes": ["n1", "n3", "n5"]}},)
BURNING: dict[str, Any] = {"time_limit_s": 12.5, "rate": 20.0, "schedule": RACK}
# Two data nodes lose sight of the metadata servers, in touch with the others and with clients; then their clocks are set back.
CUT_OFF = tuple(
    {
        "kind": "partition",
        "start_s": start_s,
        "end_s": start_s + 5,
        "args": {"grudge": {"n1": ["n4", "n5"], "n4": ["n1"], "n5": ["n1"]}},
    }
    for start_s in (3, 12)
)
SET_BACK = tuple(
    {
        "kind": "clock",
        "start_s": start_s,
        "end_s": start_s + 5,
        "args": {"nodes": ["n4", "n5"], "shape": "step-back", "offset_s": -20.0},
    }
    for start_s in (3.1, 12.1)
)
# Messages take their time, so that writes of several clients are under way at once.
SLOW = ({"kind": "packet", "start_s": 1, "end_s": 8, "args": {"target": "all", "delay_s": 0.03, "jitter_s": 0.03}},)
# Clients remember primaries, and primaries go by their wall clocks.
TRUSTING: dict[str, Any] = {"time_limit_s": 20.0, "rate": 40.0}
BY_CLOCK: dict[str, Any] = {"clock": "wall", "cache_s": 5.0, "chunk_bytes": 8192}

GFS_CLAIMS = (
    Claim(
        name="lost-replicas-are-made-anew",
        topic=REPLICAS,
        statement="Three machines are lost with their disks, one after the other, and no record: what they had is made anew in between.",
        model="no-loss",
        workload="file-appends",
        faults=("kill",),
        settings={**LOSING, "options": {"replaced": True}},
        source=f"{_GFS}, sections 4.3 and 5.1; catalogue row 13",
    ),
    Claim(
        name="without-re-replication-the-third-loss-is-one",
        topic=REPLICAS,
        statement="Where nobody makes lost replicas anew, the third machine that is lost takes the last replicas with it.",
        model="no-loss",
        workload="file-appends",
        faults=("kill",),
        violates=("lost-record", "unreadable-file"),
        settings={**LOSING, "options": {"replaced": True, "rereplication": False}},
        source=f"{_GFS}, section 4.3; catalogue row 13",
    ),
    Claim(
        name="a-lost-rack-takes-no-record",
        topic=RACKS,
        statement="Replicas stand in more than one rack: all machines of one are lost at once with their disks, and no record.",
        model="no-loss",
        workload="file-appends",
        faults=("kill",),
        settings={**BURNING, "options": {"replaced": True}},
        source=f"{_GFS}, section 4.2; HDFS, MSST 2010, section 3.B",
    ),
    Claim(
        name="replicas-that-know-no-racks-burn-together",
        topic=RACKS,
        statement="Where placement knows of no racks, all replicas of some chunk stand in the rack that is lost.",
        model="no-loss",
        workload="file-appends",
        faults=("kill",),
        violates=("lost-record", "unreadable-file"),
        settings={**BURNING, "options": {"replaced": True, "racks": 1}},
        source=f"{_GFS}, section 4.2; HDFS, MSST 2010, section 3.B",
    ),
    Claim(
        name="a-client-that-remembers-primaries-loses-nothing",
        topic=CACHED,
        statement="A client may go by what it knows of primaries for as long as it likes: who is none any more refuses.",
        model="no-loss",
        workload="file-appends",
        faults=("partition", "kill"),
        settings={**SHORT, "options": {"cache_s": 10.0}},
        source=f"{_GFS}, sections 2.3 and 3.1",
    ),
    Claim(
        name="a-client-that-remembers-replicas-reads-what-is-old",
        topic=CACHED,
        statement="A client that goes by what it knows of chunks and replicas does not see what has been appended since.",
        model="no-loss",
        workload="file-appends",
        faults=("partition", "kill"),
        violates=("stale-read",),
        settings={**SHORT, "options": {"read_cache_s": 5.0}},
        source=f"{_GFS}, section 2.7.1: the window is that of the cache entry's timeout",
    ),
    Claim(
        name="appends-at-least-once",
        topic=APPENDS,
        statement="Whatever fails, every record whose append was acknowledged stands where that was said, in each replica.",
        model="at-least-once",
        workload="file-appends",
        faults=ALL,
        settings=SHORT,
        source=f"{_GFS}, sections 2.7.1 and 3.3; catalogue row 14",
    ),
    Claim(
        name="appends-are-not-exactly-once",
        topic=APPENDS,
        statement="A client that repeats an append of which it got no answer may find its record twice.",
        model="exactly-once",
        workload="file-appends-once",
        faults=("partition", "packet", "kill"),
        violates=("duplicate-record",),
        settings=SHORT,
        source=f"{_GFS}, section 3.3; catalogue row 14",
    ),
    Claim(
        name="replicas-of-concurrent-writes-agree",
        topic=WRITES,
        statement="Writes that overlap leave all replicas the same, since one primary orders them for all.",
        model="consistent",
        workload="file-writes",
        faults=("partition", "packet", "kill", "pause"),
        settings={**SHORT, "options": {"chunk_bytes": 64}},
        source=f"{_GFS}, section 2.7.1; catalogue row 15",
    ),
    Claim(
        name="concurrent-writes-across-chunks-are-undefined",
        topic=WRITES,
        statement="Writes that span chunks are ordered in each by itself, so that what is left is mingled of several.",
        model="defined",
        workload="file-writes-defined",
        faults=("packet",),
        violates=("undefined-region",),
        settings={
            "time_limit_s": 8.0,
            "rate": 60.0,
            "schedule": SLOW,
            "workload_options": {"keys": 1},
            "options": {"chunk_bytes": 64},
        },
        source=f"{_GFS}, sections 2.7.1 and 3.1; catalogue row 15",
    ),
    Claim(
        name="versions-fence-late-primaries",
        topic=LEASES,
        statement="Replicas refuse a primary whose lease has been followed by another, whatever its clock says.",
        model="no-loss",
        workload="file-appends",
        faults=("partition", "clock"),
        settings={**TRUSTING, "schedule": (*CUT_OFF, *SET_BACK), "options": BY_CLOCK},
        source="Gray and Cheriton 1989; catalogue row 16",
    ),
    Claim(
        name="leases-suffice-while-clocks-go-right",
        topic=LEASES,
        statement="A primary that is cut off stops when its lease ends, if its clock goes as it should: then nobody need fence it.",
        model="no-loss",
        workload="file-appends",
        faults=("partition",),
        settings={**TRUSTING, "schedule": CUT_OFF, "options": {**BY_CLOCK, "fenced_leases": False}},
        source="Gray and Cheriton 1989; catalogue row 16",
    ),
    Claim(
        name="a-clock-set-back-makes-two-primaries",
        topic=LEASES,
        statement="A primary whose clock is set back goes on when its lease is over, and it and the next one undo each other's appends.",
        model="no-loss",
        workload="file-appends",
        faults=("partition", "clock"),
        violates=("lost-record", "stale-read", "wrong-offset", "replicas-differ"),
        settings={
            **TRUSTING,
            "schedule": (*CUT_OFF, *SET_BACK),
            "options": {**BY_CLOCK, "fenced_leases": False},
        },
        source="Gray and Cheriton 1989; catalogue row 16",
    ),
    Claim(
        name="a-deposed-metadata-server-does-no-harm",
        topic=FENCING,
        statement="Journals refuse a metadata server once a later one has begun, so what it does not know of that harms nobody.",
        model="linearizable",
        workload="files",
        faults=("partition", "pause", "kill"),
        settings=SHORT,
        source="HDFS-3077; catalogue row 17",
    ),
    Claim(
        name="two-metadata-servers-without-fencing",
        topic=FENCING,
        statement="A metadata server that is not fenced goes on for a while after its successor began, and files are lost.",
        model="linearizable",
        workload="files",
        faults=("partition", "pause"),
        violates=("lost-file", "nonlinearizable", "resurrected-file"),
        settings={**SHORT, "rate": 40.0, "options": {"fencing": False}},
        source="HDFS-3077; catalogue row 17",
    ),
    Claim(
        name="damaged-chunks-are-found-and-made-anew",
        topic=SUMS,
        statement="What a disk damages is found by its checksum, served from another replica, and replaced.",
        model="no-loss",
        workload="file-appends",
        faults=("corrupt", "kill"),
        settings=SHORT,
        source=f"{_GFS}, section 5.2; catalogue row 18",
    ),
    Claim(
        name="damaged-chunks-are-served-without-checksums",
        topic=SUMS,
        statement="Data nodes that do not verify what they read serve what nobody wrote.",
        model="no-loss",
        workload="file-appends",
        faults=("corrupt", "kill"),
        violates=("corrupt-read", "phantom-record", "lost-record", "stale-read", "wrong-offset"),
        settings={**SHORT, "options": {"checksums": False}},
        source=f"{_GFS}, section 5.2; catalogue row 18",
    ),
    Claim(
        name="edits-synced-before-the-answer-survive-power-loss",
        topic=SYNCED,
        statement="Names that were given and taken before all machines lose their power at once are as they were.",
        model="linearizable",
        workload="files",
        faults=("power", "kill"),
        settings=SHORT,
        source=f"{_GFS}, section 2.6.3; catalogue row 19",
    ),
    Claim(
        name="edits-not-synced-do-not",
        topic=SYNCED,
        statement="Metadata servers that answer before edits are durable forget names when all lose their power at once.",
        model="linearizable",
        workload="files",
        faults=("power", "kill"),
        violates=("lost-file", "nonlinearizable", "resurrected-file"),
        settings={**SHORT, "rate": 40.0, "bug": "edit-log-not-synced"},
        source=f"{_GFS}, section 2.6.3; catalogue row 19",
    ),
    Claim(
        name="all-replicas-acknowledge-an-append",
        topic=ACKED,
        statement="An append that all replicas have survives the primary that ordered it.",
        model="no-loss",
        workload="file-appends",
        faults=("partition", "kill"),
        settings=SHORT,
        source=f"{_GFS}, section 3.1; catalogue row 3",
    ),
    Claim(
        name="an-append-that-the-primary-has-alone-is-lost",
        topic=ACKED,
        statement="An append that its primary acknowledges before others have it is lost with that primary.",
        model="no-loss",
        workload="file-appends",
        faults=("partition", "kill"),
        violates=("lost-record", "stale-read", "wrong-offset", "replicas-differ"),
        settings={**SHORT, "rate": 40.0, "bug": "append-acked-before-secondaries"},
        source=f"{_GFS}, section 3.1; catalogue row 3",
    ),
)
