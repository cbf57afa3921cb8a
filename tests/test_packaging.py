"""The wheel's hook: the compiled kernels go where an installed splitbrain looks for them. Hatchling itself is stood in for."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from checkers.kernels import image
from checkers.kernels.image import Compilation

ROOT = Path(__file__).parents[1]
WHOLE = Compilation(symbols={"a:b": "c"}, code=b"machine code")


def initialized(monkeypatch: pytest.MonkeyPatch, version: str, build: Any) -> tuple[dict[str, Any], list[str]]:
    """What the hook asks of the builder, and what it warns of."""
    name = "hatchling.builders.hooks.plugin.interface"
    for at in range(name.count(".") + 1):
        package = ".".join(name.split(".")[: at + 1])
        monkeypatch.setitem(sys.modules, package, ModuleType(package))
    sys.modules[name].BuildHookInterface = object  # type: ignore[attr-defined]
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    hook, told, data = module.KernelsHook(), list[str](), {"force_include": {}}
    hook.root, hook.app = str(ROOT), SimpleNamespace(display_warning=told.append)
    with patch("checkers.kernels.build.build", build):
        hook.initialize(version, data)
    return data, told


def test_a_wheel_has_the_image_where_the_checkers_look_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data, told = initialized(monkeypatch, "standard", lambda: WHOLE)
    assert told == []
    ((source, target),) = data["force_include"].items()
    assert image.read(Path(source)) == WHOLE
    assert ROOT / target == image.HERE / image.image_name()
    assert data["pure_python"] is False
    assert data["tag"].startswith("py3-none-")


def test_an_editable_installation_has_it_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data, told = initialized(monkeypatch, "editable", lambda: WHOLE)
    assert (data, told) == ({"force_include": {}}, [])
    assert image.read(image.cache_directory() / image.image_name()) == WHOLE


def test_where_nothing_can_be_compiled_the_wheel_is_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> Compilation:
        raise ImportError("no numba")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data, told = initialized(monkeypatch, "standard", fails)
    assert data == {"force_include": {}}
    assert told == ["kernels are not compiled ahead of time: no numba"]


def test_every_entry_point_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {**project["scripts"], **project["entry-points"]["pytest11"]}
    assert all(EntryPoint(name, value, "any").load() is not None for name, value in named.items())
