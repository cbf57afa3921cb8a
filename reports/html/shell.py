"""What every page is made of: the templates, the one style sheet, and the policy that lets nothing else act or be loaded."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE = Path(__file__).parent
ASSETS = _HERE / "assets"


def policy(style: str, script: str = "") -> str:
    """Nothing may be loaded or sent; at most one script and one style sheet, exactly these, may act (CSP level 3, hash sources)."""
    scripts = f"'{_hash(script)}'" if script else "'none'"
    return f"default-src 'none'; script-src {scripts}; style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def stylesheet() -> str:
    return (ASSETS / "page.css").read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
