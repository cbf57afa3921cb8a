"""What shows a run to people and machines. Modules in reading order:

    report                       what every report is given
    wording                      values, times and names as inert text
    faults roles figures witness what a run's history and logs say, as plain data
    circle                       a contradiction of operations, step by step
    exchange                     the messages around a witness, of the packet log
    terminal live                the summary and the live view, with rich
    results_json                 the document of results.json
    strength                     which lies a valid run would have caught
    comparison                   runs side by side: a page and a summary
    html/                        one self-contained page
    verification/                what a verification of claims looks like, to people and machines

``REPORTS`` maps a name to "module:attr" of a function ``(Report) -> str``.
"""

from __future__ import annotations

REPORTS: dict[str, str] = {
    "html": "reports.html.page:render",
    "json": "reports.results_json:render",
    "text": "reports.terminal:render",
}

# The files of a verification, name → "module:attr" of a function ``(document) -> str``.
VERIFICATIONS: dict[str, str] = {
    "verification.json": "reports.verification.document:render",
    "junit.xml": "reports.verification.junit:render",
    "claims.sarif": "reports.verification.sarif:render",
    "summary.md": "reports.verification.summary:render",
    "index.html": "reports.verification.page:render",
}
