"""The document of a run's results: what ``--json`` prints, what results.json holds and what every report draws.

Pure: a function of plan, history and verdicts, so that an old run can be judged again at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.history import History
from harness.op import Op
from harness.verdict import Anomaly, Validity, Verdict, worst

RESULTS_VERSION = 1
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
    return first.anomalies[0].reason if first.anomalies else f"{first.checker}: {first.reason}"


def faults(history: History) -> list[dict[str, Any]]:
    """Every fault of the history: kind, targets, when it held, whether it bit and was healed, and the probes' evidence."""
    found: dict[int, dict[str, Any]] = {}
    for start, done in history.nemesis():
        what = (done or start).value
        if start.f.startswith("start-"):
            found[what["id"]] = _fault(start, done)
        elif start.f.startswith("stop-") and what["id"] in found:
            fault = found[what["id"]]
            fault["end_s"] = start.time_ns / 1e9
            fault["healed"] = bool(what.get("healed"))
            fault["bit"] = fault["bit"] or bool(what.get("bit"))
            fault["healed_evidence"] = what.get("evidence", "")
            if what.get("bit_evidence"):
                fault["evidence"] = what["bit_evidence"]
        elif start.f == "heal" and isinstance(what, Mapping) and what.get("healed"):
            for fault in found.values():
                if fault["end_s"] is None:
                    fault |= {"end_s": start.time_ns / 1e9, "healed": True, "healed_evidence": what.get("evidence", "")}
    return list(found.values())


def _fault(start: Op, done: Op | None) -> dict[str, Any]:
    what = (done or start).value
    return {
        "id": what["id"],
        "kind": what["kind"],
        "args": what["args"],
        "targets": what.get("targets", []),
        "start_s": start.time_ns / 1e9,
        "end_s": None,
        "bit": bool(what.get("bit")),
        "healed": False,
        "evidence": what.get("evidence", ""),
        "healed_evidence": "",
    }


def _anomaly(anomaly: Anomaly) -> dict[str, Any]:
    return {
        "checker": anomaly.checker,
        "name": anomaly.name,
        "ops": list(anomaly.ops),
        "reason": anomaly.reason,
        "witness": list(anomaly.witness),
    }
