"""The mark of tests that need namespaces: as root, or as an ordinary user where user namespaces are allowed."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "root: needs Linux namespaces, as root or where user namespaces are allowed")
