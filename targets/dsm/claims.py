"""What shared memories promise, and what they are known not to keep: the textbook's sentences, each with both its halves."""

from __future__ import annotations

from harness.protocols import Claim
from targets.dsm.bugs import BUSY, SIDE_BY_SIDE

ALL = ("partition", "packet", "kill", "pause", "clock", "power")
WRITER, LITMUS, COHERENCE = "single-writer", "litmus-tests", "coherence-is-not-consistency"

_WRITER = "Sorin, Hill, Wood 2011, A Primer on Memory Consistency and Cache Coherence; catalogue row 32"
_LITMUS = "Adve and Gharachorloo 1996, Shared memory consistency models; Alglave et al. 2014; catalogue row 33"
_COHERENCE = "Ahamad et al. 1995, Causal memory; catalogue row 34"

MSI_CLAIMS = (
    Claim(
        name="one-writer-or-many-readers",
        topic=WRITER,
        statement="At any time a page has one writer or any number of readers, and a read returns what was written last, whatever fails.",
        model="linearizable",
        workload="memory",
        faults=ALL,
        settings=BUSY,
        source=_WRITER,
    ),
    Claim(
        name="a-lost-invalidation-leaves-a-stale-reader",
        topic=WRITER,
        statement="Where an invalidation may be lost, somebody reads what is out of date beside the writer.",
        model="linearizable",
        workload="memory",
        faults=("partition", "packet"),
        violates=("reader-beside-writer",),
        settings={**BUSY, "bug": "lost-invalidate"},
        source=_WRITER,
    ),
    Claim(
        name="forbidden-outcomes-do-not-occur",
        topic=LITMUS,
        statement="A memory that is sequentially consistent shows no outcome of SB, MP, LB, IRIW, CoRR or 2+2W that no interleaving has.",
        model="sequential",
        workload="litmus",
        faults=ALL,
        settings=SIDE_BY_SIDE,
        source=_LITMUS,
    ),
)
MESI_CLAIMS = (
    Claim(
        name="one-writer-or-many-readers",
        topic=WRITER,
        statement="The same where a reader that is alone may become the writer without asking.",
        model="linearizable",
        workload="memory",
        faults=ALL,
        settings=BUSY,
        source=_WRITER,
    ),
    Claim(
        name="forbidden-outcomes-do-not-occur",
        topic=LITMUS,
        statement="The same where a reader that is alone may become the writer without asking.",
        model="sequential",
        workload="litmus",
        faults=ALL,
        settings=SIDE_BY_SIDE,
        source=_LITMUS,
    ),
)
RELEASE_CLAIMS = (
    Claim(
        name="synchronized-outcomes-are-sequential",
        topic=LITMUS,
        statement="Under release consistency no outcome is seen that fences, releases, acquires, locks and barriers forbid.",
        model="release-consistency",
        workload="litmus-rc",
        faults=ALL,
        settings=SIDE_BY_SIDE,
        source=_LITMUS,
    ),
    Claim(
        name="unsynchronized-outcomes-are-not",
        topic=LITMUS,
        statement="Where threads do not synchronize, release consistency shows outcomes that sequential consistency forbids.",
        model="sequential",
        workload="litmus-rc",
        faults=(),
        violates=("forbidden-outcome",),
        settings=SIDE_BY_SIDE,
        source=_LITMUS,
    ),
)
STORE_BUFFER_CLAIMS = (
    Claim(
        name="only-what-store-buffers-allow",
        topic=LITMUS,
        statement="A memory with store buffers shows no outcome that total store order forbids.",
        model="tso",
        workload="litmus-tso",
        faults=ALL,
        settings=SIDE_BY_SIDE,
        source=_LITMUS,
    ),
    Claim(
        name="store-buffers-are-not-sequential",
        topic=LITMUS,
        statement="Two threads that each write and then read what the other writes may both miss it where writes wait in store buffers.",
        model="sequential",
        workload="litmus-tso",
        faults=(),
        violates=("forbidden-outcome",),
        settings=SIDE_BY_SIDE,
        source=_LITMUS,
    ),
    Claim(
        name="each-location-has-one-order",
        topic=COHERENCE,
        statement="A memory with store buffers is causal, and one order of the writes to a location explains what all have read there.",
        model="causal",
        workload="coherent-memory",
        faults=ALL,
        settings=BUSY,
        source=_COHERENCE,
    ),
    Claim(
        name="all-locations-together-have-none",
        topic=COHERENCE,
        statement="No one order of all operations explains what was read, though each location has one.",
        model="sequential",
        workload="coherent-memory",
        faults=("packet",),
        violates=("cyclic-order",),
        settings=BUSY,
        source=_COHERENCE,
    ),
)
