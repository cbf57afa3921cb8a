"""The seeded bugs of the shared memories: what is wrong, and what reveals it.

A bug's ``faults`` are those that reveal it, and its ``settings`` what the run needs besides: found within 50 random seeds of 20 seconds of
virtual time each, on the simulator, by the checker that it names, which the correct program satisfies under the same faults and settings.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.protocols import Bug

_SORIN = "Sorin, Hill, Wood 2011, A Primer on Memory Consistency and Cache Coherence"
_LI = "Li and Hudak 1989, Memory coherence in shared virtual memory systems"
_TSO = "Owens, Sarkar, Sewell 2009, x86-TSO"
_RC = "Gharachorloo et al. 1990, Memory consistency and event ordering"
_MUNIN = "Carter, Bennett, Zwaenepoel 1991, Munin"
_TREADMARKS = "Keleher et al. 1994, TreadMarks"

# Few locations, so that somebody has the page that another one wants.
BUSY: dict[str, Any] = {"time_limit_s": 20.0, "rate": 40.0, "interval_s": 2.0, "workload_options": {"keys": 4}}
# Crashes come often, and hit somebody who has just written.
OFTEN: dict[str, Any] = {"time_limit_s": 20.0, "rate": 80.0, "interval_s": 1.0, "workload_options": {"keys": 12}}
# Messages that come twice; and answers that are lost, so that what they answer is sent again.
COPIES = ({"kind": "packet", "start_s": 1, "end_s": 7, "args": {"target": "all", "duplicate": 0.5}},)
LOSSES = ({"kind": "packet", "start_s": 1, "end_s": 9, "args": {"target": "all", "loss": 0.3}},)
# Two locations that are read all the time.
REPEATED: dict[str, Any] = {
    "time_limit_s": 10.0,
    "rate": 150.0,
    "concurrency": 5,
    "workload_options": {"keys": 2},
    "options": {"copy_s": 0.0},
    "schedule": LOSSES,
}
# Litmus tests whose threads run side by side: as many operations as the nodes bear.
SIDE_BY_SIDE: dict[str, Any] = {"time_limit_s": 8.0, "rate": 200.0, "concurrency": 20, "recovery_s": 5.0}


def _bug(  # noqa: PLR0917 - the columns of a table
    name: str,
    summary: str,
    checker: str,
    faults: tuple[str, ...],
    source: str,
    settings: dict[str, Any],
) -> Bug:
    return Bug(name=name, summary=summary, checker=checker, faults=faults, source=source, settings=settings)


DIRECTORY_BUGS = (
    _bug(
        "lost-invalidate",
        "an invalidation that nobody answers is taken for one that was carried out: a reader keeps what is out of date",
        "coherence",
        ("partition", "packet"),
        f"{_SORIN}, section 8.2",
        BUSY,
    ),
    _bug(
        "write-before-all-acks",
        "a writer is let in when the first reader has given up its copy, before the others have",
        "coherence",
        ("packet",),
        f"{_SORIN}, section 8.2",
        BUSY,
    ),
    _bug(
        "two-owners-after-timeout",
        "an owner that does not answer is taken for dead, and its page given to another one",
        "coherence",
        ("partition", "pause"),
        _LI,
        BUSY,
    ),
    _bug(
        "stale-directory",
        "a home that restarts takes all its pages for unshared",
        "coherence",
        ("kill",),
        _LI,
        BUSY,
    ),
    _bug(
        "owner-not-asked",
        "a reader is given the home's copy of a page, whoever has written in it since",
        "coherence",
        (),
        f"{_SORIN}, section 8.2",
        BUSY,
    ),
    _bug(
        "upgrade-beside-readers",
        "a reader that wants to write is let, and nobody tells the other readers",
        "coherence",
        (),
        f"{_SORIN}, section 8.2",
        BUSY,
    ),
    _bug(
        "write-not-durable",
        "what an owner has written is in its memory alone",
        "linearizable",
        ("kill",),
        _LI,
        OFTEN,
    ),
    _bug(
        "owner-returns",
        "a node that restarts owns what it once wrote",
        "coherence",
        ("kill",),
        _LI,
        BUSY,
    ),
    _bug(
        "late-grant-taken",
        "a grant that the page's recall or invalidation has overtaken is taken all the same",
        "coherence",
        ("packet",),
        f"{_SORIN}, section 8.7: races on networks without order",
        BUSY,
    ),
    _bug(
        "data-given-once",
        "an owner that has given its page back forgets it, though the answer may be lost",
        "linearizable",
        ("packet",),
        f"{_SORIN}, section 8.7",
        {**BUSY, "time_limit_s": 10.0, "schedule": LOSSES},
    ),
    _bug(
        "downgraded-owner-writes",
        "an owner whose page others read by now goes on writing in it",
        "coherence",
        (),
        f"{_SORIN}, section 8.2",
        BUSY,
    ),
    _bug(
        "barrier-by-count",
        "a copy of an arrival at a barrier counts as that of another thread",
        "litmus",
        ("packet",),
        _TREADMARKS,
        {**SIDE_BY_SIDE, "workload": "litmus", "schedule": COPIES},
    ),
)
MSI_BUGS = DIRECTORY_BUGS
MESI_BUGS = (
    *DIRECTORY_BUGS,
    _bug(
        "exclusive-beside-readers",
        "a reader is given a page for its own although others read it",
        "coherence",
        (),
        f"{_SORIN}, section 8.3",
        BUSY,
    ),
    _bug(
        "exclusive-taken-for-clean",
        "what was written in an exclusive page without asking is not asked for when it is called back",
        "linearizable",
        (),
        f"{_SORIN}, section 8.3",
        {**BUSY, "workload_options": {"keys": 40}},
    ),
)
_TSO_LITMUS = {**SIDE_BY_SIDE, "workload": "litmus-tso"}
STORE_BUFFER_BUGS = (
    *(
        replace(bug, settings={**bug.settings, **({"workload": "litmus-tso"} if bug.checker == "litmus" else {})})
        for bug in DIRECTORY_BUGS
        if bug.checker != "linearizable"  # which this memory is not
    ),
    _bug(
        "fence-without-drain",
        "a fence, or a release, does not wait until the store buffer is empty",
        "litmus",
        (),
        _TSO,
        _TSO_LITMUS,
    ),
    _bug(
        "unlock-before-release",
        "a lock is given back before what was written under it is there for the next holder",
        "litmus",
        (),
        _TREADMARKS,
        _TSO_LITMUS,
    ),
    _bug(
        "buffer-not-fifo",
        "the newest write of a store buffer reaches the memory first",
        "litmus",
        ("packet",),
        _TSO,
        _TSO_LITMUS,
    ),
    _bug(
        "buffer-shared",
        "all threads of a node have one store buffer, and read there what has not reached the memory",
        "litmus",
        ("packet",),
        f"{_TSO}: each hardware thread has a buffer of its own",
        {**_TSO_LITMUS, "nodes": 2},
    ),
    _bug(
        "buffer-not-durable",
        "what waits in a store buffer when its node crashes is gone, though it was acknowledged and read",
        "coherence",
        ("kill", "packet"),
        _TSO,
        OFTEN,
    ),
    _bug(
        "own-writes-unread",
        "a thread reads the memory though it has a newer write in its buffer",
        "coherence",
        ("packet",),
        _TSO,
        BUSY,
    ),
)
_RC_LITMUS = {**SIDE_BY_SIDE, "workload": "litmus-rc"}
RELEASE_BUGS = (
    _bug(
        "release-without-flush",
        "a release does not send home what was written before it",
        "litmus",
        (),
        _RC,
        _RC_LITMUS,
    ),
    _bug(
        "unlock-before-release",
        "a lock is given back before what was written under it is there for the next holder",
        "litmus",
        (),
        _TREADMARKS,
        _RC_LITMUS,
    ),
    _bug(
        "release-before-acks",
        "a release sends what was written before it, and does not wait until it is there",
        "litmus",
        ("packet",),
        _RC,
        _RC_LITMUS,
    ),
    _bug(
        "acquire-keeps-copies",
        "an acquire forgets nothing: what was copied before it is read behind it",
        "litmus",
        (),
        _RC,
        {**_RC_LITMUS, "options": {"page_size": 16}},
    ),
    _bug(
        "whole-page-flushed",
        "a node sends home its whole page, and with it old values of what others wrote there",
        "coherence",
        (),
        f"{_MUNIN}: several writers need twins and differences",
        BUSY,
    ),
    _bug(
        "flush-repeated",
        "a home carries out a copy of what it was sent once more, over what came since",
        "coherence",
        ("packet",),
        _TREADMARKS,
        REPEATED,
    ),
    _bug(
        "late-fetch-taken",
        "a copy of a page is taken that is older than what this node has sent there",
        "coherence",
        ("packet",),
        _TREADMARKS,
        BUSY,
    ),
    _bug(
        "home-not-durable",
        "what a home was sent is in its memory alone",
        "coherence",
        ("kill",),
        _TREADMARKS,
        BUSY,
    ),
    _bug(
        "buffer-not-durable",
        "what a node has written and not sent home is gone when it crashes",
        "coherence",
        ("kill",),
        _MUNIN,
        {**OFTEN, "options": {"flush_s": 0.5}},
    ),
    _bug(
        "own-writes-unread",
        "a node reads its copy of a page though it has written there since",
        "coherence",
        (),
        _RC,
        BUSY,
    ),
    _bug(
        "barrier-by-count",
        "a copy of an arrival at a barrier counts as that of another thread",
        "litmus",
        ("packet",),
        _TREADMARKS,
        {**_RC_LITMUS, "schedule": COPIES},
    ),
)
