"""The page of a long run in a real browser: its size, how long it takes to open, to zoom and to search.

    python -m benchmarks.report_page [OPERATIONS]     (default 100000; needs chromium)

Times are wall-clock times inside the browser, of the best of three tries: what stands in the way of a reader, without what else the
machine does. "Open" is from the start of navigation to the end of the page's load event.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from reports.html.page import render
from tests.browser import browser
from tests.reports.runs import synthetic_run

TRIES = 3
PROBE = """
const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
const timed = async (act) => { const began = performance.now(); act(); await drawn(); return performance.now() - began; };
const search = document.getElementById("filter");
const type = (text) => () => { search.value = text; search.dispatchEvent(new Event("input")); };
const answer = { open_ms: performance.getEntriesByType("navigation")[0].loadEventEnd };
answer.operations = document.getElementById("match-count").textContent;
answer.zoom_ms = await timed(() => document.getElementById("zoom-in").click());
answer.search_key_ms = await timed(type("key:3"));
answer.search_text_ms = await timed(type("7"));
answer.matches = document.getElementById("match-count").textContent;
answer.clear_ms = await timed(type(""));
return answer;
"""


def tried(page: Path) -> dict[str, Any]:
    """One opening of the page in a new browser."""
    with browser() as chromium:
        chromium.open(page)
        answer: dict[str, Any] = chromium.run(PROBE)
    return answer


def main() -> None:
    """Print one table."""
    operations = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    report = synthetic_run(operations)
    began = time.process_time()
    text = render(report)
    print(
        f"{operations:,} operations: drawn in {time.process_time() - began:.2f} s of CPU, {len(text.encode()) / 1e6:.2f} MB"
    )
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "report.html"
        page.write_text(text, encoding="utf-8")
        tries = [tried(page) for _ in range(TRIES)]
    for name, value in tries[0].items():
        if name.endswith("_ms"):
            print(f"{name.removesuffix('_ms').replace('_', ' '):14} {min(one[name] for one in tries):8.1f} ms")
        else:
            print(f"{name:14} {value}")


if __name__ == "__main__":
    main()
