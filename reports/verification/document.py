"""The document itself, as canonical JSON text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.results_json import dumps


def render(document: Mapping[str, Any]) -> str:
    """``document`` as JSON that ends with a newline."""
    return dumps(document)
