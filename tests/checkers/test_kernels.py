"""The same kernel on lists and on arrays; the image that holds all kernels, found, refused and made."""

from __future__ import annotations

import ast
import logging
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from checkers.kernels import KERNELS, MADE_FROM, engine, image
from checkers.kernels.engine import Column, Compiled, Plain
from checkers.kernels.image import Compilation, Image, find_image, image_name, kernels, make_image, read, save
from checkers.linearizable.check import make
from checkers.linearizable.unique import Ops, find_writers
from harness.verdict import Budget
from tests.checkers.engines import NEVER, compiled, compiled_image, from_steps, plain
from tests.checkers.runs import register_run, rolls
from tests.checkers.test_algorithms import by_search

ROOT = Path(__file__).parents[2]


def doubled(column: Column, at: int) -> int:
    """A helper that a kernel calls."""
    column[at] = column[at] * 2
    return column[at]


def kernel(column: Column) -> int:
    total = 0
    for at in range(len(column)):
        total += doubled(column, at)
    return total


def entries(column: Column) -> list[int]:
    return [column[at] for at in range(len(column))]


@pytest.mark.parametrize("run", [Plain(), Compiled()])
def test_a_kernel_and_its_helpers_run_on_either_engine(run: Plain | Compiled) -> None:
    column = run.column([1, 2, 3])
    assert run.kernel(kernel)(column) == 12
    assert entries(column) == [2, 4, 6]
    assert entries(run.full(3, 7)) == [7, 7, 7]
    assert entries(run.full(2, 0)) == [0, 0]


def test_only_long_work_is_compiled_and_an_image_lowers_the_bar() -> None:
    def chosen(steps: int) -> type:
        return type(engine.engine(steps))

    here = compiled_image()
    try:
        make_image.cache_clear()
        with patch.object(engine, "find_image", **{"return_value": here, "cache_info.return_value.currsize": 0}):
            assert [chosen(n) for n in (engine.LOAD_FROM_STEPS - 1, engine.LOAD_FROM_STEPS)] == [Plain, Compiled]
        with patch.object(engine, "find_image", **{"return_value": here, "cache_info.return_value.currsize": 1}):
            assert [chosen(n) for n in (engine.LOADED_FROM_STEPS - 1, engine.LOADED_FROM_STEPS)] == [Plain, Compiled]
        with (
            patch.object(engine, "find_image", **{"return_value": None, "cache_info.return_value.currsize": 1}),
            patch.object(engine, "make_image", **{"return_value": here, "cache_info.return_value.currsize": 0}),
        ):
            assert [chosen(n) for n in (engine.COMPILE_FROM_STEPS - 1, engine.COMPILE_FROM_STEPS)] == [Plain, Compiled]
            with patch.object(engine, "has_numba", return_value=False):
                assert chosen(NEVER) is Plain
    finally:
        make_image.cache_clear()
    assert engine.has_numba()


def test_every_kernel_is_in_the_image_and_does_what_its_source_does() -> None:
    loaded = compiled_image()
    assert all(loaded.kernel(function) is not None for function in kernels().values())
    assert len(kernels()) == len(KERNELS)
    assert loaded.kernel(kernel) is None
    history = register_run(rolls(300, 1), domain=4, lies=False)
    with compiled():
        one = by_search(history)
    with from_steps(NEVER):
        assert by_search(history) == one


def test_an_image_is_kept_whole_or_not_taken(tmp_path: Path) -> None:
    path = save(Compilation(symbols={"a:b": "c"}, code=b"machine\ncode"), tmp_path / "new" / "kernels.bin")
    assert read(path) == Compilation(symbols={"a:b": "c"}, code=b"machine\ncode")
    assert [item.name for item in path.parent.iterdir()] == ["kernels.bin"]
    for broken in (path.read_bytes()[:-1], b"", b"{}\nx", b"[]\n", b"\xff\n"):
        path.write_bytes(broken)
        assert read(path) is None
    assert read(tmp_path / "nowhere") is None


def test_an_image_of_other_sources_has_another_name() -> None:
    name = image_name()
    with patch.object(image, "ABI", image.ABI + 1):
        assert image_name() != name


def test_every_constant_of_a_kernel_is_part_of_its_images_name() -> None:
    """Numba freezes globals: an image that outlives a changed constant would give wrong verdicts."""
    named = {entry.partition(":")[0] for entry in KERNELS} | set(MADE_FROM)
    for function in kernels().values():
        tree = ast.parse(Path(sys.modules[function.__module__].__file__ or "").read_text())
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            for alias in node.names:
                value = getattr(sys.modules[function.__module__], alias.asname or alias.name, None)
                if type(value) is int:
                    sources = {name for name in named if getattr(sys.modules.get(name), alias.name, None) is not None}
                    assert node.module in named or (
                        node.module == "harness.history" and "harness.columns" in sources
                    ), (
                        function.__module__,
                        alias.name,
                    )


def test_making_an_image_is_told_once_and_survives_a_place_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    whole = read(image.cache_directory() / image_name())
    assert whole is None
    make_image.cache_clear()
    with (
        patch("checkers.kernels.build.build", return_value=Compilation(symbols={}, code=b"")),
        patch.object(image, "Image", lambda compilation: compilation),
        caplog.at_level(logging.WARNING),
    ):
        assert isinstance(make_image(), Compilation)
    make_image.cache_clear()
    assert "once for this machine" in caplog.text


def test_where_no_image_fits_one_is_made_for_all_that_follow_and_that_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    compiled_image()
    places = (image.HERE, image.cache_directory())
    whole = next(found for place in places if (found := read(place / image_name())) is not None)
    history = register_run(rolls(300, 1), domain=4)
    with plain():
        wanted = make().check(history, Budget())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(image, "HERE", tmp_path)
    try:
        for times_built in (1, 0):  # by the first process, and by the next one
            find_image.cache_clear()
            make_image.cache_clear()
            with patch("checkers.kernels.build.build", return_value=whole) as build, compiled():
                assert [make().check(history, Budget()) for _ in range(3)] == [wanted] * 3
            assert build.call_count == times_built
            assert caplog.text.count("compiling the kernels of the checkers, once") == 1
    finally:
        find_image.cache_clear()
        make_image.cache_clear()


def test_what_builds_a_wheel_has_all_that_kernels_import() -> None:
    """Where it has not, wheels are built without the image, and only a warning says so."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[^a-z0-9-]", requirement)[0] for requirement in requirements}

    missing = names(project["project"]["dependencies"]) - names(project["build-system"]["requires"])
    code = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {missing!r}:\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from checkers.kernels.image import kernels\n"
        "assert kernels()\n"
    )
    assert "pandas" in missing
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_a_kernel_is_not_given_what_it_cannot_take() -> None:
    call = compiled_image().kernel(find_writers)
    assert call is not None
    with pytest.raises(AssertionError):
        call(Ops(*(np.zeros((2, 2), dtype=np.int64).T for _ in range(5))), (), ())


def test_with_an_image_numba_is_never_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing it takes longer than all the rest."""
    whole = compiled_image()
    assert isinstance(whole, Image)
    code = (
        "import sys\n"
        "from checkers.linearizable.check import make\n"
        "from harness.verdict import Budget\n"
        "from tests.checkers.runs import register_run, rolls\n"
        "for domain in (0, 5):\n"
        "    run = register_run(rolls(30_000, 1), domain=domain, keys=3, lies=False)\n"
        "    assert make().check(run, Budget()).validity == 0\n"
        "assert 'llvmlite' in sys.modules\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
