"""The page: templates filled, style, scripts and data put in, everything pinned by the
Content-Security-Policy.

The only place that writes HTML. Templates escape every value; the only texts that are not escaped are our own
style sheet and script, which are constants of this package, and the data, whose every ``<``, ``>`` and ``&``
is a JSON escape.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup

from reports.anomaly_words import meaning
from reports.circle import Circle, circle
from reports.exchange import Exchange, exchange
from reports.faults import faults
from reports.figures import QUANTILES, Counts, Figures, figures
from reports.html.circle_drawing import CircleDrawing, draw_circle
from reports.html.columns import call_rows, columns
from reports.html.drawing import Drawing, draw
from reports.html.shell import ASSETS, environment, policy, stylesheet
from reports.html.space_time import SpaceTime, draw_exchange
from reports.outcomes import outcomes
from reports.report import Report
from reports.results_json import plain
from reports.sides import sides
from reports.strength import strength
from reports.witness import Witness, anomaly_rows, witness
from reports.wording import VERDICTS, duration, paragraph, sentence

ANOMALIES_DRAWN_MAX = 10
ANOMALIES_LISTED_MAX = 200
EXCHANGES_DRAWN_MAX = 3
LOGGING = ("sim", "process", "proxy", "local", "docker")  # clusters that can keep a packet log
# In this order they form one script: each file uses what stands above it.
_SCRIPTS = ("run", "view", "canvas", "operations", "charts", "states", "filter", "select", "logs", "control", "main")
_LINE_CHARS_MAX = 400
# A figure of more records stays one line, cut off.
_TABLE_ROWS_MAX = 50
_FACT_CHARS_MAX = 200
_LEADS_MAX, _SANITY = 2, "sanity"  # so many sentences of checkers are read at the top; who judges the run itself


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyView:
    """One anomaly as the page shows it; ``drawing`` is None beyond the first few, ``number`` counts from 0, ``meaning`` may be empty."""

    number: int
    name: str
    meaning: str
    checker: str
    reason: str
    witness: Witness | None
    drawing: Drawing | None
    circle: Circle | None
    ring: CircleDrawing | None
    exchange: Exchange | None
    diagram: SpaceTime | None
    rows: Mapping[int, int]  # history row → row of the timeline's operations


def render(report: Report) -> str:
    """The whole page as one string of HTML."""
    found = report.anomalies[:ANOMALIES_LISTED_MAX]
    told = figures(report)
    shown = [_anomaly(report, number, anomaly) for number, anomaly in enumerate(found)]
    template = environment().get_template("page.html.j2")
    style, script = stylesheet(), _script()
    results = report.results
    memory_model, histogram = outcomes(results)
    verdict = str(results.get("verdict") or "unknown")
    return template.render(
        csp=policy(style, script),
        style=Markup(style),  # noqa: S704 - a constant of this package
        script=Markup(script),  # noqa: S704 - a constant of this package
        data=_embedded(columns(report, _anomaly_columns(report, found, shown), _focus_ns(report, shown))),
        verdict=verdict if verdict in VERDICTS else "unknown",
        verdict_words=VERDICTS.get(verdict, VERDICTS["unknown"]),
        reason=_reason(results, verdict),
        title=_title(results),
        facts=_facts(report),
        repeat=sentence(results.get("repeat")),
        figures=_figure_rows(report, told),
        per_f=[_count_row(counts) for counts in told.per_f],
        anomalies=shown,
        anomalies_more=len(report.anomalies) - len(shown),
        faults=faults(report),
        sides=sides(report),
        strength=strength(report),
        checkers=[_checker(row) for row in results.get("checkers") or () if isinstance(row, Mapping)],
        memory_model=memory_model,
        outcomes=histogram,
        plan=_plan(results.get("plan")),
        may_log=not report.messages and results.get("cluster") in LOGGING,
        has_logs=any(report.node_logs.values()),
        moment=report.moment,
        duration=duration,
        timed=report.timed,
    )


def _anomaly(report: Report, number: int, anomaly: Mapping[str, Any]) -> AnomalyView:
    shown = witness(report, anomaly) if number < ANOMALIES_DRAWN_MAX else None
    rows = {} if shown is None else {op.first: row for op in shown.ops for row in call_rows(report, [op.first])}
    round_ = circle(report, anomaly) if shown is not None else None
    sent = exchange(report, shown) if shown is not None and number < EXCHANGES_DRAWN_MAX else None
    return AnomalyView(
        number=number,
        name=sentence(anomaly.get("name") or "anomaly"),
        meaning=meaning(str(anomaly.get("name"))),
        checker=sentence(anomaly.get("checker")),
        reason=sentence(anomaly.get("reason")),
        witness=shown,
        drawing=draw(shown, faults(report), report.since) if shown is not None and shown.ops else None,
        circle=round_,
        ring=None if round_ is None else draw_circle(round_),
        exchange=sent,
        diagram=None if sent is None else draw_exchange(sent, faults(report), report.since, duration),
        rows=rows,
    )


def _anomaly_columns(
    report: Report, found: Sequence[Mapping[str, Any]], shown: Sequence[AnomalyView]
) -> list[dict[str, Any]]:
    return [
        {
            "name": view.name,
            "reason": view.reason,
            "ops": call_rows(report, anomaly_rows(report, anomaly.get("ops") or ())),
            "witness": call_rows(report, anomaly_rows(report, anomaly.get("witness") or ())),
        }
        for anomaly, view in zip(found, shown, strict=True)
    ]


def _focus_ns(report: Report, shown: Sequence[AnomalyView]) -> int:
    """Where the reader looks first: the first anomaly, else the end of the run."""
    if shown and shown[0].witness is not None and shown[0].witness.ops:
        ops = shown[0].witness.ops
        return (ops[0].start_ns + ops[-1].start_ns) // 2
    return int(report.time_ns.max()) if len(report.history) else 0


def _reason(results: Mapping[str, Any], verdict: str) -> str:
    """The sentence below the verdict. Of a valid run every checker has one: there the first, and what was asked of the run itself, do."""
    rows = [row for row in results.get("checkers") or () if isinstance(row, Mapping)]
    if verdict != "valid" or len(rows) <= _LEADS_MAX:
        return sentence(results.get("reason"))
    leads = [rows[0], *(row for row in rows[1:] if row.get("checker") == _SANITY)]
    return sentence("; ".join(str(row.get("reason")) for row in leads)) + f"; {len(rows)} checkers in all"


def _title(results: Mapping[str, Any]) -> str:
    return f"{str(results.get('verdict') or 'unknown').upper()} · {sentence(results.get('target') or 'history')}"


def _facts(report: Report) -> list[tuple[str, str]]:
    """What was run, in a few words each; what is unknown is left out."""
    results = report.results
    plan = results.get("plan")
    told = plan if isinstance(plan, Mapping) else {}
    nodes = told.get("nodes")
    rows = (
        ("target", results.get("target")),
        ("bug", told.get("bug")),
        ("workload", told.get("workload")),
        ("cluster", results.get("cluster")),
        ("nodes", len(nodes) if isinstance(nodes, list | tuple) else nodes),
        ("clients", told.get("concurrency")),
        ("seed", results.get("seed")),
        ("run", results.get("run")),
    )
    return [(name, sentence(value, _FACT_CHARS_MAX)) for name, value in rows if value is not None and value != ""]


def _figure_rows(report: Report, told: Figures) -> list[tuple[str, str, str]]:
    """(name, figure, a few words more) for the row of figures below the verdict."""
    ops = told.all_ops
    rows = [("operations", f"{ops.total:,}", f"{ops.ok:,} ok · {ops.fail:,} fail · {ops.info:,} info")]
    if report.timed:
        rows.append(("duration", duration(told.duration_ns), f"{told.ok_per_s:,.1f} ok per second"))
    if report.timed and ops.latency_ns:
        by = dict(zip(QUANTILES, ops.latency_ns, strict=True))
        rows.append(("median latency", duration(by[0.5]), f"p99 {duration(by[0.99])} · max {duration(by[1.0])}"))
    effect = f"{told.bit:,} took effect · {told.healed:,} healed" if told.probed else "not probed"
    rows.append(("faults", f"{told.faults:,}", effect if told.faults else "none"))
    if told.elections is not None:
        rows.append(("elections", f"{told.elections:,}", "times a node came to lead"))
    return rows


def _count_row(counts: Counts) -> tuple[str, ...]:
    latencies = [duration(value) for value in counts.latency_ns] or ["–"] * len(QUANTILES)
    return (counts.f, f"{counts.ok:,}", f"{counts.fail:,}", f"{counts.info:,}", *latencies)


def _checker(row: Mapping[str, Any]) -> dict[str, Any]:
    stats = row.get("stats")
    told = stats if isinstance(stats, Mapping) else {}
    return {
        "checker": sentence(row.get("checker")),
        "validity": sentence(row.get("validity")),
        "reason": sentence(row.get("reason")),
        "stats": [
            (sentence(str(name)), sentence(value, _LINE_CHARS_MAX), _table(value)) for name, value in told.items()
        ],
    }


def _table(value: Any) -> tuple[list[str], list[list[str]]] | None:
    """Heading and rows of a figure that is a list of records which all tell the same; None for any other."""
    if not (isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value)):
        return None
    names = list(value[0])
    if not names or len(value) > _TABLE_ROWS_MAX or any(list(row) != names for row in value):
        return None
    return [sentence(str(name)) for name in names], [
        [sentence(row[name], _LINE_CHARS_MAX) for name in names] for row in value
    ]


def _plan(plan: Any) -> str:
    if not isinstance(plan, Mapping) or not plan:
        return ""
    return paragraph(json.dumps(plain(plan), indent=2, ensure_ascii=False), _LINE_CHARS_MAX)


def _embedded(data: Mapping[str, Any]) -> Markup:
    """JSON that no HTML parser can mistake for markup: it has no ``<``, ``>`` or ``&``, and is ASCII throughout."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - see above


@cache
def _script() -> str:
    parts = [(ASSETS / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"
