"""The matrix of a verification on a terminal: a claim per line, a column per kind of fault, then what went wrong and how to repeat it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.verification.rows import NAMES, SIGNS, canary, detect, expected, failed, kinds, rate, short_rate, where
from reports.wording import VERDICTS, count, sentence

_STYLES = {"holds": "green", "violated as expected": "cyan", "VIOLATED": "bold red", "unknown": "yellow"}
_VERDICT_STYLES = {"valid": "bold green", "invalid": "bold red", "unknown": "bold yellow"}
# A cell of the matrix is one sign; the legend below says what it means.
_CELLS = {"holds": "✓", "violated as expected": "x", "VIOLATED": "✗", "unknown": "?", "": "·"}
# From here on there is room for intervals.
_WIDE = 110
_LEGEND = "✓ holds   x violated as expected   ✗ VIOLATED   ? unknown   · no run had such a fault"


def print_verification(console: Console, document: Mapping[str, Any], directory: str) -> None:
    """The whole verification; ``directory`` is where its documents lie."""
    columns = kinds(document)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("row")
    table.add_column("claim", overflow="fold", min_width=28)
    for column in columns:
        table.add_column(Text(column[:4]), justify="center", no_wrap=True)
    table.add_column("status", overflow="fold", min_width=10)
    table.add_column("found in", no_wrap=True)
    table.add_column("after", no_wrap=True)
    told = rate if console.width >= _WIDE else short_rate
    for claim in document["claims"]:
        table.add_row(*_row(claim, columns), Text(told(claim)), Text(detect(claim)))
    console.print(table)
    _print(console, Text(_LEGEND + ("" if not columns else f"   columns: {', '.join(columns)}"), style="dim"))
    _failures(console, document)
    _findings(console, document)
    console.print()
    verdict = document["verdict"]
    _print(console, Text(canary(document)))
    _print(console, Text.assemble((f"{verdict.upper()}  ", _VERDICT_STYLES[verdict]), sentence(document["reason"])))
    if verdict == "unknown":
        _print(console, Text(VERDICTS[verdict][2]))
    for name, words in (("reports", directory), ("repeat", document.get("repeat", ""))):
        console.print(Text.assemble((name.ljust(8), "dim"), sentence(words)), soft_wrap=True, highlight=False)


def _row(claim: Mapping[str, Any], columns: list[str]) -> list[Text]:
    cells = {sentence(kind): cell for kind, cell in claim["cells"].items()}
    signs = [_cell(cells[column]["status"] if column in cells else "") for column in columns]
    status = claim["status"]
    name = f"{sentence(claim['target'])} {sentence(claim['claim'])}"
    return [
        Text(sentence(claim["row"])),
        Text(name if claim["cluster"] == "sim" else f"{name} ({sentence(claim['cluster'])})"),
        *signs,
        Text(SIGNS[status][1], style=_STYLES[status]),
    ]


def _cell(status: str) -> Text:
    return Text(_CELLS[status], style=_STYLES.get(status, "dim"))


def _failures(console: Console, document: Mapping[str, Any]) -> None:
    for claim in failed(document):
        console.print()
        _print(console, Text.assemble((f"{claim['status']}  ", _STYLES[claim["status"]]), where(claim)))
        _print(console, Text(f"    {sentence(claim['statement'])} (expected: {expected(claim)})", style="dim"))
        _print(console, Text(f"    {sentence(claim['reason'])}"))
        smallest = claim.get("smallest")
        if smallest:
            console.print(Text(f"    run     {sentence(smallest['run'])}"), soft_wrap=True, highlight=False)
            console.print(Text(f"    repeat  {sentence(smallest['repeat'])}"), soft_wrap=True, highlight=False)


def _findings(console: Console, document: Mapping[str, Any]) -> None:
    for name, found in (document.get("findings") or {}).items():
        if found:
            console.print()
            _print(console, Text(f"{count(len(found), 'finding')} {NAMES.get(name, sentence(name))}"))
            for finding in found:
                _print(console, Text(f"    {sentence(finding)}"))


def _print(console: Console, text: Text) -> None:
    console.print(text, highlight=False)
