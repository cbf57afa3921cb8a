"""The document of results.json: as canonical text, and back. What ``--json`` prints is this text.

Canonical means: the fields that we know in the order in which they are described, all others sorted by name,
so that two equal documents are equal as text. Deeper objects without a described order (plan, stats, args)
are sorted by name.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from harness.errors import HistoryError
from harness.results import RESULTS_VERSION
from reports.report import Report

_TOP = (
    "version",
    "verdict",
    "reason",
    "run",
    "target",
    "cluster",
    "seed",
    "plan",
    "stats",
    "faults",
    "anomalies",
    "checkers",
    "repeat",
)
_ROWS: Mapping[str, tuple[str, ...]] = {
    "faults": (
        "id",
        "kind",
        "args",
        "targets",
        "start_s",
        "end_s",
        "bit",
        "evidence",
        "healed",
        "healed_evidence",
    ),
    "anomalies": ("checker", "name", "reason", "ops", "witness", "circle"),
    "checkers": ("checker", "validity", "reason", "stats"),
}
_SURROGATE = re.compile("[\ud800-\udfff]")


def render(report: Report) -> str:
    """The results of a run as canonical JSON text."""
    return dumps(report.results)


def dumps(results: Mapping[str, Any]) -> str:
    """``results`` as canonical JSON text that ends with a newline.

    Figures that JSON cannot say (NaN, infinities: a quantile of nothing) become null; numpy's numbers, enums,
    paths, tuples and sets become what they mean. Raises TypeError for any other object: only our own code
    makes results.
    """
    document = {
        name: _rows(value, _ROWS[name]) if name in _ROWS and isinstance(value, list | tuple) else plain(value)
        for name, value in _ordered(results, _TOP)
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)
    # A lone surrogate cannot be written as UTF-8, but JSON has an escape for it; it can stand nowhere but
    # inside a string.
    return _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", text) + "\n"


def load_results(path: Path) -> dict[str, Any]:
    """The document in a results.json; raises HistoryError as ``loads`` does, and for a file that cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise HistoryError(f"{path}: cannot be read ({reason})") from error
    return loads(text, str(path))


def loads(text: str, where: str) -> dict[str, Any]:
    """The document that ``dumps`` wrote; ``where`` names the file in messages.

    Raises HistoryError if the text is no such document, or one of a version that this splitbrain does not
    know.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HistoryError(f"{where}: not a JSON document ({error})") from error
    if not isinstance(document, dict) or "verdict" not in document:
        raise HistoryError(f'{where}: not the results of a run: expected a JSON object with "version" and "verdict"')
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise HistoryError(f"{where}: results of version {version!r}; a whole number from 1 is expected")
    if version > RESULTS_VERSION:
        raise HistoryError(
            f"{where}: results of version {version}, but we read {RESULTS_VERSION}: use a newer splitbrain"
        )
    return document


def plain(value: Any) -> Any:
    """``value`` in JSON's own types, objects sorted by name. See ``dumps``."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str | PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in sorted((str(name), item) for name, item in value.items())}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    raise TypeError(f"results hold a {type(value).__name__}, which JSON has no word for: {value!r}")


def _rows(rows: Iterable[Any], order: tuple[str, ...]) -> list[Any]:
    return [
        {name: plain(value) for name, value in _ordered(row, order)} if isinstance(row, Mapping) else plain(row)
        for row in rows
    ]


def _ordered(values: Mapping[str, Any], order: tuple[str, ...]) -> list[tuple[str, Any]]:
    """The items of ``values``: described fields in their order, then the others by name."""
    names = [name for name in order if name in values] + sorted(name for name in values if name not in order)
    return [(name, values[name]) for name in names]
