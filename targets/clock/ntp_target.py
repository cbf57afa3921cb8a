"""What the harness must know of clock/ntp, with its claims and seeded bugs.

A bug's ``faults`` are those that reveal it: found within 50 random seeds of 20 seconds of virtual time each, on the simulator, by the
checker ``time-bound``, which the correct program satisfies under the same faults.
"""

from __future__ import annotations

from typing import Any

from harness.protocols import Bug, Claim, Target

ALL = ("partition", "packet", "kill", "pause", "clock", "power")
SHORT: dict[str, Any] = {"time_limit_s": 20.0, "rate": 40.0, "interval_s": 2.0}
TOPIC = "time-within-a-bound"
_CRISTIAN = "Cristian 1989, Probabilistic clock synchronization"
_MARZULLO = "Marzullo 1984, Maintaining the time in a distributed system"
# One reference's clock is wrong: by much; and by so little that it overlaps the right ones while links are slow.
LIAR = ({"kind": "clock", "start_s": 4, "end_s": 14, "args": {"nodes": ["n1"], "offset_s": 5.0}},)
SLOW_LINKS = {"kind": "packet", "start_s": 2, "end_s": 18, "args": {"target": "all", "delay_s": 0.2, "jitter_s": 0.1}}
NEAR_LIAR = (
    SLOW_LINKS,
    *(
        {"kind": "clock", "start_s": at_s, "end_s": at_s + 4, "args": {"nodes": ["n1"], "offset_s": offset_s}}
        for offset_s, at_s in ((0.15, 4), (-0.15, 11))
    ),
)


def _bug(name: str, summary: str, source: str, *faults: str, **settings: Any) -> Bug:
    return Bug(
        name=name, summary=summary, checker="time-bound", faults=faults, source=source, settings={**SHORT, **settings}
    )


BUGS = (
    _bug("symmetry-assumed", "a question and its answer are taken to be almost equally long on their way", _CRISTIAN),
    _bug(
        "trip-by-wall-clock",
        "how long an answer took is measured by a clock that jumps",
        "Python, PEP 418: durations need a monotonic clock",
        "clock",
    ),
    _bug(
        "counts-by-wall-clock",
        "the time goes on by the node's own wall clock, which jumps",
        "Python, PEP 418: durations need a monotonic clock",
        "clock",
    ),
    _bug(
        "old-answer-taken",
        "an answer that comes late is taken for that to the latest question",
        "RFC 5905, section 8: the origin timestamp is checked",
        "packet",
        "pause",
    ),
    _bug(
        "most-agreeing",
        "what most answers agree on is taken, though a wrong one that overlaps them beside the truth may be among them",
        f"{_MARZULLO}; RFC 5905, section 11.2.1, which corrects it",
        "packet",
        "clock",
        schedule=NEAR_LIAR,
    ),
    _bug(
        "averaged",
        "the middle of all answers is taken, wrong ones among them",
        "Gusella and Zatti 1989, the Berkeley algorithm: it leaves out those that are far off",
        "clock",
    ),
    _bug("reading-cached", "a reference reads its clock ten times a second, and answers with that", _CRISTIAN),
    _bug(
        "coarse-clock",
        "a reference's clock ticks a hundred times a second, which no bound counts",
        "RFC 5905, the precision",
    ),
)
CLAIMS = (
    Claim(
        name="the-truth-is-within-the-bound",
        topic=TOPIC,
        statement="As long as one reference of three is wrong at most, the true time lies within the bound that is told, whatever fails.",
        model="time-bound",
        workload="time",
        faults=ALL,
        settings=SHORT,
        source=_MARZULLO,
    ),
    Claim(
        name="a-liar-is-outvoted",
        topic=TOPIC,
        statement="One reference of three whose clock is wrong is outvoted: the others' intervals agree without it.",
        model="time-bound",
        workload="time",
        faults=("clock",),
        settings={**SHORT, "schedule": LIAR},
        source=_MARZULLO,
    ),
    Claim(
        name="the-soonest-answer-believes-a-liar",
        topic=TOPIC,
        statement="Who takes the answer that came back soonest is told a wrong time by a reference whose clock is wrong.",
        model="time-bound",
        workload="time",
        faults=("clock",),
        violates=("out-of-bound",),
        settings={**SHORT, "schedule": LIAR, "options": {"method": "cristian"}},
        source=_CRISTIAN,
    ),
    Claim(
        name="half-a-round-trip-bounds-the-error",
        topic=TOPIC,
        statement="Where clocks of references are right, half the round trip bounds the error, however unequal both ways are.",
        model="time-bound",
        workload="time",
        faults=("partition", "packet", "kill", "pause"),
        settings={**SHORT, "options": {"method": "cristian"}},
        source=_CRISTIAN,
    ),
)
NTP = Target(
    name="clock/ntp",
    summary="nodes that ask three references for the time and say how well they know it, though one of the three may be wrong",
    program="targets.clock.ntp:TimeNode",
    client="targets.clock.ntp_client:TimeClient",
    workloads=("time",),
    bugs=BUGS,
    claims=CLAIMS,
)
