"""The summary printed at the end of a run: verdict, reason, figures, the first anomaly drawn, where the
report lies, how to repeat.

It reads well at 80 columns without colour; nothing of it depends on the terminal but its width, and on an
encoding that has no box characters bars are drawn with ASCII. All texts pass through ``wording`` and reach
rich as ``Text``: markup in a value is text.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.op import OpType
from reports.anomaly_words import meaning
from reports.faults import faults
from reports.figures import QUANTILES, Figures, figures
from reports.report import Report, told_in
from reports.witness import Witness, WitnessOp, during, place, witness
from reports.wording import VERDICTS, count, duration, sentence

ANOMALIES_LISTED_MAX = 10
WITNESS_ROWS_MAX = 20
_BAR_COLUMNS_MAX = 40
_TAIL_COLUMNS = 3  # behind the last event, for what may yet happen
_WIDTH_MIN = 60
_STYLES = {"valid": "bold green", "invalid": "bold red", "unknown": "bold yellow"}
_QUANTILE_NAMES = {0.5: "p50", 0.9: "p90", 0.99: "p99", 1.0: "max"}


# An operation's bar: from invocation to completion; if its outcome is unknown, dots go on to the end.
_DONE, _OPEN, _FAULT = "├─┤", "├──", "▒▒▒"
_TIME_HEADER = "time, in order →"
_UNKNOWN_TAIL = "╌"
_MARK = "◀"
# One character for one, so that columns stay columns on a terminal without Unicode.
_ASCII = str.maketrans("├─┤╌▒◀→·…µ×", "|-|.#<>-.ux")


def render(report: Report) -> str:
    """The summary as plain text of 80 columns."""
    console = Console(file=io.StringIO(), width=80, color_system=None, force_terminal=False, legacy_windows=False)
    print_summary(console, report)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # the file is the StringIO given above
    return "\n".join(line.rstrip() for line in str(text).splitlines()) + "\n"


def head(version: str, plan: Mapping[str, Any], run: str) -> Text:
    """The first lines of a run: version, seed and what is run, so that even a run that is cut short can be repeated."""
    faults_planned = ", ".join(sentence(kind) for kind in plan.get("nemesis") or ()) or "no faults"
    nodes = plan.get("nodes") or ()
    where = _what_ran({**plan, "plan": plan})
    what = f"{count(len(nodes), 'node')}, workload {sentence(plan.get('workload'))}, {faults_planned}"
    return Text.assemble(
        (f"splitbrain {sentence(version)}", "bold"), f"  {where}\n", (f"{what}\n{sentence(run)}", "dim")
    )


def print_summary(console: Console, report: Report, report_path: str | None = None) -> None:
    """Print the summary of a run. ``report_path`` is where its HTML report lies, if there is one."""
    if console.encoding.startswith("utf"):
        _summary(console, report, report_path)
        return
    with console.capture() as captured:
        _summary(console, report, report_path)
    text = captured.get().translate(_ASCII)
    console.file.write(text.encode(console.encoding, "backslashreplace").decode(console.encoding))


def _summary(console: Console, report: Report, report_path: str | None) -> None:
    results = report.results
    _headline(console, results)
    _print_figures(console, report)
    _anomalies(console, report)
    _checkers(console, results)
    _footer(console, results, report_path)


def _headline(console: Console, results: Mapping[str, Any]) -> None:
    verdict = sentence(results.get("verdict") or "unknown")
    where = _what_ran(results)
    line = Text.assemble((verdict.upper(), _STYLES.get(verdict, "bold")), "  ", where)
    _print(console, line)
    if verdict == "unknown":
        _print(console, Text(VERDICTS[verdict][2]))
    if results.get("reason"):
        _print(console, Text(sentence(results["reason"])))


def _what_ran(results: Mapping[str, Any]) -> str:
    words = [sentence(results.get("target") or "a history")]
    words += [f"on {sentence(results['cluster'])}"] if results.get("cluster") else []
    plan = results.get("plan")
    bug = plan.get("bug") if isinstance(plan, Mapping) else None
    words += [f"with bug {sentence(bug)}"] if bug else []
    return " ".join(words) + (f", seed {results['seed']}" if isinstance(results.get("seed"), int) else "")


def _print_figures(console: Console, report: Report) -> None:
    told = figures(report)
    rows = [
        ("ops", _operations(report, told)),
        ("latency", _latency(report, told)),
        ("faults", _faults(told)),
    ]
    if told.elections is not None:
        rows.append(("elections", f"{told.elections:,}"))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, words in rows:
        grid.add_row(Text(name), Text(words))
    console.print()
    console.print(grid)


def _operations(report: Report, told: Figures) -> str:
    ops = told.all_ops
    words = f"{ops.ok:,} ok · {ops.fail:,} fail · {ops.info:,} info"
    return f"{words} in {duration(told.duration_ns)} ({told.ok_per_s:,.1f} ok/s)" if report.timed else words


def _latency(report: Report, told: Figures) -> str:
    if not report.timed:
        return "unknown: the history has no times"
    if not told.all_ops.latency_ns:
        return "no operation succeeded"
    pairs = zip(QUANTILES, told.all_ops.latency_ns, strict=True)
    return " · ".join(f"{_QUANTILE_NAMES[quantile]} {duration(value)}" for quantile, value in pairs)


def _faults(told: Figures) -> str:
    if not told.faults:
        return "none"
    if not told.probed:
        return f"{told.faults:,}, not probed"
    return f"{told.bit}/{told.faults} took effect, {told.healed}/{told.faults} healed"


def _anomalies(console: Console, report: Report) -> None:
    found = report.anomalies
    if not found:
        return
    first = found[0]
    console.print()
    name = Text.assemble(
        (sentence(first.get("name") or "anomaly"), "bold"), f" (found by {sentence(first.get('checker'))})"
    )
    _print(console, name)
    if meaning(str(first.get("name"))):
        _print(console, Text(f"That is: {meaning(str(first.get('name')))}.", style="dim"))
    if not told_in(report.results, first):
        _print(console, Text(sentence(first.get("reason"))))
    console.print()
    _draw(console, report, witness(report, first))
    if len(found) > 1:
        console.print()
        _print(console, Text(f"{count(len(found) - 1, 'more anomaly', 'more anomalies')}:"))
        for other in found[1 : 1 + ANOMALIES_LISTED_MAX]:
            _print(console, Text(f"  {sentence(other.get('name'))}: {sentence(other.get('reason'))}"))
        if len(found) > 1 + ANOMALIES_LISTED_MAX:
            _print(console, Text(f"  and {len(found) - 1 - ANOMALIES_LISTED_MAX:,} more, all in the report"))


def _draw(console: Console, report: Report, shown: Witness) -> None:
    """The witness: one operation per row, its interval as a bar; time runs to the right, events evenly spaced."""
    if not shown.ops:
        return
    ops, events = shown.ops[:WITNESS_ROWS_MAX], shown.events
    columns = _bar_columns(console, ops, len(events))
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("client", no_wrap=True, header_style="dim")
    table.add_column("operation", no_wrap=True, overflow="ellipsis", header_style="dim")
    table.add_column(_TIME_HEADER, width=columns + _TAIL_COLUMNS, no_wrap=True, header_style="dim")
    table.add_column("", no_wrap=True)
    for fault in during(faults(report), events):
        last = len(events) - 0.5 if fault.last is None else place(events, fault.last)
        bar = _span(place(events, fault.first), last, len(events), columns, _FAULT)
        table.add_row(
            Text("fault", style="red"),
            Text(_fault_words(fault.kind, fault.targets)),
            Text(bar, style="red"),
            Text(""),
        )
    for op in ops:
        mark = f" {_MARK}" if op.shows else ""
        table.add_row(
            Text(op.client),
            Text(op.label),
            Text(_bar(op, events, columns)),
            Text(f"{op.outcome}{mark}"),
        )
    console.print(table)
    left_out = shown.left_out + len(shown.ops) - len(ops)
    if left_out:
        _print(
            console,
            Text(f"and {count(left_out, 'more operation')} of the witness, all in the report", style="dim"),
        )
    ends = [op.end_ns for op in ops if op.end_ns is not None] or [ops[-1].start_ns]
    _print(
        console,
        Text(f"from {report.moment(ops[0].start_ns)} to {report.moment(max(ends))} of the run", style="dim"),
    )


def _fault_words(kind: str, targets: Iterable[str]) -> str:
    names = ", ".join(targets)
    return f"{kind} {names}" if names else kind


def _bar_columns(console: Console, ops: Sequence[WitnessOp], events: int) -> int:
    """As many columns as the texts beside the bars leave, at least two and at most four per event."""
    beside = max(len(op.client) for op in ops) + min(max(len(op.label) for op in ops), 34) + 14
    return max(
        len(_TIME_HEADER), min(max(console.width, _WIDTH_MIN) - beside - _TAIL_COLUMNS, events * 4, _BAR_COLUMNS_MAX)
    )


def _bar(op: WitnessOp, events: Sequence[int], columns: int) -> str:
    first = place(events, op.first)
    if op.last is not None and op.outcome is not OpType.INFO:
        return _span(first, place(events, op.last), len(events), columns, _DONE)
    # The client gave up at its info line, if it left one, but the operation may take effect at any later
    # time.
    last = first if op.last is None else place(events, op.last)
    return _span(first, last, len(events), columns, _OPEN).ljust(columns + _TAIL_COLUMNS, _UNKNOWN_TAIL)


def _span(first: float, last: float, events: int, columns: int, pens: str) -> str:
    """A bar from event ``first`` to event ``last`` of ``events``, in a row of ``columns`` characters: begin, middle, end."""
    scale = (columns - 1) / max(events - 1, 1)
    left = min(max(round(first * scale), 0), columns - 1)
    right = min(max(round(last * scale), left), columns - 1)
    if right == left:
        return " " * left + pens[0]
    return " " * left + pens[0] + pens[1] * (right - left - 1) + pens[2]


def _checkers(console: Console, results: Mapping[str, Any]) -> None:
    rows = [row for row in results.get("checkers") or [] if isinstance(row, Mapping)]
    if not rows:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, max_width=24, overflow="ellipsis")
    table.add_column(overflow="fold")
    for row in rows:
        validity = sentence(row.get("validity"))
        style = _STYLES.get(validity, "")
        table.add_row(
            Text(validity, style=style), Text(sentence(row.get("checker"))), Text(sentence(row.get("reason")))
        )
    console.print()
    console.print(table)


def _footer(console: Console, results: Mapping[str, Any], report_path: str | None) -> None:
    places = (("run", results.get("run")), ("report", report_path), ("repeat", results.get("repeat")))
    console.print()
    for name, words in places:
        if words:
            # Not wrapped: paths and commands are there to be copied.
            line = Text.assemble((name.ljust(8), "dim"), sentence(words))
            console.print(line, soft_wrap=True, highlight=False)


def _print(console: Console, text: Text) -> None:
    console.print(text, highlight=False)
