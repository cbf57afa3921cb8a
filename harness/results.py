"""The document of a run's results: what ``--json`` prints, what results.json holds and what every report draws.

Pure: a function of plan, history and verdicts, so that an old run can be judged again at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.history import History
from harness.op import Op
from harness.verdict import Anomaly, Validity, Verdict, worst

RESULTS_VERSION = 1
START, STOP, HEAL = "start-", "stop-", "heal"
# What a fault sets off, such as an election, may show this long after its end.
HEAL_GRACE_S = 2.0


def document(
    *,
    history: History,
    verdicts: Sequence[Verdict],
    plan: Mapping[str, Any],
    run: str,
    repeat: str,
    stats: Mapping[str, Any],
) -> dict[str, Any]:
    """See DESIGN section 8 for the fields; ``plan`` is the plan's JSON (empty for a bare history file)."""
    validity = worst(verdicts)
    return {
        "version": RESULTS_VERSION,
        "verdict": str(validity),
        "reason": reason(verdicts),
        "run": run,
        "target": plan.get("target"),
        "cluster": plan.get("cluster"),
        "seed": plan.get("seed"),
        "plan": dict(plan),
        "stats": dict(stats),
        "faults": faults(history),
        "anomalies": [_anomaly(anomaly) for verdict in verdicts for anomaly in verdict.anomalies],
        "checkers": [
            {"checker": v.checker, "validity": str(v.validity), "reason": v.reason, "stats": dict(v.stats)}
            for v in verdicts
        ],
        "repeat": repeat,
    }


def reason(verdicts: Sequence[Verdict]) -> str:
    """One sentence for the whole run: that of the first of its worst verdicts."""
    validity = worst(verdicts)
    if not verdicts:
        return "no checker was asked"
    if validity is Validity.VALID:
        return "; ".join(v.reason for v in verdicts if v.checker not in ("stats", "latency"))
    first = next(v for v in verdicts if v.validity is validity)
    return first.reason if first.anomalies else f"{first.checker}: {first.reason}"


def faults(history: History) -> list[dict[str, Any]]:
    """Every fault of the history: kind, targets, when it held, whether it bit and was healed, the probes' evidence, and what the packets
    of its links have met meanwhile.

    Nemesis lines of other tools, whose values are not as ours, are passed over.
    """
    found: dict[Any, dict[str, Any]] = {}
    for start, done in history.nemesis():
        what = (done or start).value
        if start.f == HEAL and isinstance(what, Mapping) and what.get("healed"):
            for fault in found.values():
                if fault["end_s"] is None:
                    fault |= {"end_s": _seconds(start), "healed": True, "healed_evidence": what.get("evidence", "")}
        if not isinstance(what, Mapping) or not isinstance(what.get("id"), int):
            continue
        if start.f.startswith(START):
            found[what["id"]] = _began(start, what)
        elif start.f.startswith(STOP) and what["id"] in found:
            _ended(found[what["id"]], start, what)
    return list(found.values())


def _began(start: Op, what: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": what["id"],
        "kind": str(what.get("kind", start.f.removeprefix(START))),
        "args": what.get("args", {}),
        "targets": what.get("targets", []),
        "start_s": _seconds(start),
        "end_s": None,
        "bit": bool(what.get("bit")),
        "healed": False,
        "evidence": what.get("evidence", ""),
        "healed_evidence": "",
        "packets": [],
    }


def _ended(fault: dict[str, Any], stop: Op, what: Mapping[str, Any]) -> None:
    """A fault that did not show at once (a drifting clock) may have shown by its end."""
    fault |= {"end_s": _seconds(stop), "healed": bool(what.get("healed")), "healed_evidence": what.get("evidence", "")}
    if isinstance(what.get("packets"), list):
        fault["packets"] = what["packets"]
    if not fault["bit"] and what.get("bit"):
        fault |= {"bit": True, "evidence": what.get("bit_evidence", "")}


def _seconds(op: Op) -> float:
    return op.time_ns / 1e9


def _anomaly(anomaly: Anomaly) -> dict[str, Any]:
    return {
        "checker": anomaly.checker,
        "name": anomaly.name,
        "ops": list(anomaly.ops),
        "reason": anomaly.reason,
        "witness": list(anomaly.witness),
        **({"circle": [asdict(step) for step in anomaly.circle]} if anomaly.circle else {}),
    }
