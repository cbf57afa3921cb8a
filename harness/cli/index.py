"""The index of a store, from what lies in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import store
from reports.html.index import Entry, render_index, run_entry, verification_entry


def index_page(path: Path) -> str:
    """The index of the store at ``path``, as HTML whose links are relative to it."""
    return render_index(f"Runs in {path}", [*_runs(path), *_verifications(path)])


def _runs(path: Path) -> Iterator[Entry]:
    for run in store.runs(path):
        parts = run.path.relative_to(path).parts
        yield run_entry(parts, _read(run.results), _read(run.path / store.PLAN), has_page=run.report.is_file())


def _verifications(path: Path) -> Iterator[Entry]:
    for document in sorted(path.glob(f"{store.VERIFICATIONS}/*/{store.VERIFICATION}")):
        yield verification_entry(document.parent.relative_to(path).parts, _read(document))


def _read(path: Path) -> dict[str, Any]:
    """The object in the file; empty if it is not there, or is none: the index shows what there is."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
