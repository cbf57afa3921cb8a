"""The table of reports: every entry can be loaded, and renders any run to text."""

from __future__ import annotations

import pytest

from harness.registry import load
from reports import REPORTS
from tests.reports.hostile import SHORT, hostile_run
from tests.reports.runs import small_run, untimed_run


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_renders_every_run(name: str) -> None:
    render = load(REPORTS[name])
    for report in (small_run("invalid"), small_run("unknown"), untimed_run(), hostile_run(SHORT)):
        text = render(report)
        assert text.endswith("\n")
        text.encode("utf-8")
