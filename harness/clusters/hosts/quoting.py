"""The one place where words become a command line for the shell at the other end. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence


def command(argv: Sequence[str], *, environment: Mapping[str, str] | None = None, sudo: bool = False) -> str:
    """What any POSIX shell takes for exactly these words; as root by sudo(8) if asked, which must not want a password."""
    words = [*(["sudo", "-n", "--"] if sudo else [])]
    if environment:
        words += ["env", *(f"{name}={value}" for name, value in environment.items())]
    return shlex.join([*words, *argv])
