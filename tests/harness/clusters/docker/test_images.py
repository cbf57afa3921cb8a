"""What travels into an image, and what a base of this machine's own Python holds."""

from __future__ import annotations

import io
import shutil
import sys
import tarfile
from pathlib import Path, PurePosixPath

import pytest

import targets
from harness.clusters.containers import closure, images, labels
from harness.clusters.containers.labels import Owner
from harness.errors import ClusterError

linux_alone = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("ldd") is None, reason="shared libraries are listed by ldd, on Linux"
)


def test_all_targets_travel_and_nothing_else() -> None:
    found = images.packages("targets.kv.raft:Raft")
    assert found["targets/node/__main__.py"] == Path(targets.__file__).parent / "node/__main__.py"
    assert "targets/kv/raft/__init__.py" in found
    assert {PurePosixPath(name).parts[0] for name in found} == {"targets"}
    assert {PurePosixPath(name).suffix for name in found} == {".py"}


def test_a_program_of_somebody_elses_travels_along() -> None:
    found = images.packages("tests.harness.clusters.local.inside:Inside")
    assert "tests/harness/clusters/local/inside.py" in found
    assert "targets/node/__main__.py" in found


def test_a_module_that_stands_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lonely_program.py").write_text("class Program: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert images.packages("lonely_program:Program")["lonely_program.py"] == tmp_path / "lonely_program.py"


def test_a_package_keeps_what_stands_above_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("outer", "outer/inner"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "__init__.py").write_text("")
    (tmp_path / "outer/beside.py").write_text("")
    (tmp_path / "outer/inner/program.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    found = {name for name in images.packages("outer.inner.program:P") if not name.startswith("targets/")}
    assert found == {"outer/__init__.py", "outer/inner/__init__.py", "outer/inner/program.py"}


def test_a_program_that_does_not_exist() -> None:
    with pytest.raises(ClusterError, match="'nowhere_at_all'.* cannot be found"):
        images.packages("nowhere_at_all:Program")


@linux_alone
def test_the_closure_holds_python_and_what_it_needs() -> None:
    with tarfile.open(fileobj=io.BytesIO(closure.pack())) as tar:
        entries = {entry.name: entry for entry in tar}
        python = entries["usr/bin/python3"]
        if python.issym():
            python = entries[python.linkname.lstrip("/")]
        assert python.size > 1000
        names = set(entries)
    assert any(name.endswith("/asyncio/base_events.py") for name in names)
    assert any("/ld-linux" in name for name in names)
    assert any(name.endswith("/libc.so.6") for name in names)
    assert not any("site-packages" in name or "__pycache__" in name for name in names)
    assert entries["tmp"].mode == 0o1777
    assert entries["lib"].linkname == "usr/lib"


def test_the_closure_is_named_after_what_it_is_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    before = closure.fingerprint()
    assert before == closure.fingerprint()
    monkeypatch.setattr(closure, "RECIPE", 999)
    assert closure.fingerprint() != before


def test_labels_tell_whose_a_thing_is(tmp_path: Path) -> None:
    from harness import mark

    made = Owner(id="0123456789abcdef", directory=tmp_path).labels(labels.PROGRAM, "n1")
    assert labels.controller(made) == mark.mine()
    assert labels.controller({labels.CONTROLLER: str(mark.mine())}) is None
    assert labels.controller({labels.OURS: labels.IMAGE}) is None
    assert made[labels.DIRECTORY] == str(tmp_path)
