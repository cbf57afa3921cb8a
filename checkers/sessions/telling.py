"""The sentence for a stranger: what was done and seen that no order of versions explains. Facts in, words out."""

from __future__ import annotations

from collections.abc import Mapping

from checkers.sessions.chains import GUARANTEES, MR, MW, REAL_TIME, RYW, WFR
from checkers.sessions.circles import CAS, INITIAL, Circle, Step
from checkers.versions import NONE, Versions, saw
from checkers.wording import Narrator, text
from harness.verdict import Anomaly

# What an anomaly is called if it breaks one of several guarantees: what a reader saw comes before what writers did.
PRECEDENCE = (RYW, MR, WFR, MW)
VERBS: Mapping[str, tuple[str, str]] = {
    RYW: ("wrote", "read"),
    MR: ("read", "read"),
    MW: ("wrote", "wrote"),
    WFR: ("read", "wrote"),
}
# Anomaly → what it means.
ANOMALIES = {
    RYW: "a session read an older version than it had written itself",
    MR: "a session read an older version than it had read before",
    MW: "a session's later write made an older version",
    WFR: "a session's write made an older version than it had read before",
}


def broken(circle: Circle) -> list[str]:
    """The guarantees of which one at least is broken."""
    rules = {step.rule for step in circle}
    return [guarantee for guarantee in PRECEDENCE if guarantee in rules]


def of_circle(versions: Versions, say: Narrator, circle: Circle, checker: str) -> Anomaly:
    """The anomaly of demands that go round in a circle."""
    names = broken(circle)
    # The step that gives the anomaly its name is told last.
    at = next(place for place, step in enumerate(circle) if step.rule == names[0])
    steps = [step for step in (*circle[at + 1 :], *circle[: at + 1]) if step.rule != INITIAL]
    told = [_step(versions, say, step, with_key=place == 0) for place, step in enumerate(steps)]
    if len(steps) < len(circle):
        reason = f"{', but '.join(told)}, as if nothing had ever been written: {_verdict(names)}"
    else:
        reason = f"{'; '.join(told[:-1])}; but {told[-1]}: {_verdict(names)}"
    lines = say.lines({call for step in steps for call in (step.first, step.then)})
    return Anomaly(checker=checker, name=names[0], ops=lines, reason=reason, witness=lines)


def of_step_back(versions: Versions, say: Narrator, step: Step, checker: str) -> Anomaly:
    """The anomaly of one step to a version that is certainly older, since values count up."""
    value = _value(versions, step.then)
    why = (
        "as if nothing had ever been written"
        if value == "null"
        else f"and {value} is older than {_value(versions, step.first)}"
    )
    reason = f"{_step(versions, say, step, with_key=True)}, {why}: {_verdict([step.rule])}"
    lines = say.lines([step.first, step.then])
    return Anomaly(checker=checker, name=step.rule, ops=lines, reason=reason, witness=lines)


def _verdict(names: list[str]) -> str:
    return f"{names[0]} is broken" if len(names) == 1 else f"{' or '.join(names)} is broken"


def _step(versions: Versions, say: Narrator, step: Step, *, with_key: bool) -> str:
    """``process 1 on n2 read 9 from key x (1.2 s – 1.3 s) and then 7 (1.4 s – 1.5 s)``."""
    first, then = step.first, step.then
    if step.rule == CAS:
        return f"{say.whose(then)}{say.key(then, 'on') if with_key else ''} {say.span(then)} succeeded"
    if step.rule == REAL_TIME:
        key = say.key(first, "to") if with_key else ""
        return (
            f"{say.whose(first)}{key} had completed {say.ended(first)} when {say.whose(then)} began {say.began(then)}"
        )
    did, does = VERBS[step.rule]
    key = say.key(first, "to" if did == "wrote" else "from") if with_key else ""
    other = "" if say.calls.process[first] == say.calls.process[then] else f"{say.who(then)} "
    return (
        f"{say.who(first)} {did} {_value(versions, first)}{key} {say.span(first)} "
        f"and then {other}{does} {_value(versions, then)} {say.span(then)}"
    )


def _value(versions: Versions, call: int) -> str:
    """What the call read or wrote, as text."""
    made = int(versions.made[call])
    return saw(versions, call) if made == NONE else text(versions.value(made))


assert set(PRECEDENCE) == set(GUARANTEES) == set(ANOMALIES)
