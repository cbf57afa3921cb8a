"""The image for pipelines of others (examples/ci/Dockerfile) is built by an engine, and verifies claims in a container.

No registry and no network: the base is this machine's Python, beside it what splitbrain depends on, so that pip finds all of it there.
The engine keeps that base, and every layer whose files are the same.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from checkers.kernels.image import cache_directory, image_name
from harness.clusters.containers import closure, images, labels
from harness.clusters.containers.engine import connect
from tests.harness.clusters.docker.running import needs_docker

pytestmark = needs_docker

ROOT = Path(__file__).resolve().parents[2]
BASE, IMAGE = "splitbrain-ci-base", "splitbrain-ci"
PACKAGES, CACHE = "opt/packages", "opt/cache"
# pip takes what lies in PYTHONPATH for installed; the base may be Debian's Python, which wants no pip beside its own packages.
ENVIRONMENT = (
    f"PYTHONPATH=/{PACKAGES} PYTHONDONTWRITEBYTECODE=1 PIP_NO_INDEX=1 PIP_NO_BUILD_ISOLATION=0 PIP_BREAK_SYSTEM_PACKAGES=1 "
    "PIP_DISABLE_PIP_VERSION_CHECK=1"
)
SKIPPED = ("/__pycache__/", "/tests/")


def test_the_image_is_built_and_verifies_claims(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples/ci/claims.toml", tmp_path)
    client = connect()
    try:
        base = _with_kernels(client, _base(client, tmp_path / "builder"))
        _built(client, path=str(ROOT), dockerfile="examples/ci/Dockerfile", buildargs={"BASE": base}, tag=IMAGE)
        status, said = _run(client, tmp_path, "verify", "claims.toml", "--profile", "pr", "--runs", "3", "--jobs", "1")
    finally:
        client.close()
    assert status == 0, said
    assert "VALID" in said
    (report,) = tmp_path.glob("store/verify/*Z/verification.json")
    found = json.loads(report.read_text(encoding="utf-8"))
    assert [row["status"] for row in found["claims"]] == ["holds", "violated as expected"]
    assert found["canary"]["status"] == "VIOLATED"


def _built(client: Any, **what: Any) -> None:
    ours = {labels.OURS: labels.IMAGE}
    lines = list(client.build(**what, labels=ours, network_mode="none", rm=True, forcerm=True, decode=True))
    refused = [line["error"] for line in lines if "error" in line]
    assert not refused, "".join(line.get("stream", "") for line in lines)[-4000:] + str(refused)


def _run(client: Any, work: Path, *argv: str) -> tuple[int, str]:
    """A container's exit status and what it said. As this user, so that the reports are theirs."""
    config = client.create_host_config(binds={str(work): {"bind": "/work"}}, network_mode="none")
    user = f"{os.getuid()}:{os.getgid()}"
    made = client.create_container(
        IMAGE,
        list(argv),
        host_config=config,
        user=user,
        environment={"HOME": "/tmp"},
        labels={labels.OURS: labels.NODE},
    )
    try:
        client.start(made)
        status = client.wait(made)["StatusCode"]
        return int(status), client.logs(made).decode(errors="replace")
    finally:
        client.remove_container(made, force=True)


def _base(client: Any, builder: Path) -> str:
    """The tag of a base with pip, what builds a wheel, and all that splitbrain depends on; made once per engine."""
    needed = _distributions("splitbrain")
    ground = images.make_local_base(client)
    said = json.dumps([ground, ENVIRONMENT, sorted(f"{one.name} {one.version}" for one in needed)])
    tag = _tag(said)
    if not _there(client, tag):
        _pip_and_hatchling(builder)
        packages = dict(_files(needed, builder))
        linked = closure._libraries(path for path in packages.values() if ".so" in path.name)
        files = {f"packages/{name}": path for name, path in packages.items()}
        files |= {f"libraries{closure._inside(path)}": path.resolve() for path in linked}
        scripts = sysconfig.get_path("scripts", vars={"base": str(closure.interpreter().parents[1])})
        env = f"ENV {ENVIRONMENT} PATH={scripts}:/usr/local/bin:/usr/bin:/bin"
        _make(client, tag, f"FROM {ground}\nCOPY packages /{PACKAGES}\nCOPY libraries /\n{env}\n", files)
    return tag


def _with_kernels(client: Any, base: str) -> str:
    """The same with the kernels that this machine has compiled before, if it has: a minute of work that is not under test here."""
    made = cache_directory() / image_name()
    tag = _tag(f"{base} {made.name}")
    if not made.exists():
        return base
    if not _there(client, tag):
        recipe = f"FROM {base}\nCOPY cache /{CACHE}/splitbrain\nENV XDG_CACHE_HOME=/{CACHE}\n"
        _make(client, tag, recipe, {f"cache/{made.name}": made})
    return tag


def _tag(said: str) -> str:
    return f"{BASE}:{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def _there(client: Any, tag: str) -> bool:
    return bool(client.images(tag))


def _make(client: Any, tag: str, recipe: str, files: Mapping[str, Path]) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(recipe)
        tar.addfile(entry, io.BytesIO(recipe.encode()))
        for name, path in files.items():
            tar.add(path, arcname=name, recursive=False)
    buffer.seek(0)
    _built(client, fileobj=buffer, custom_context=True, tag=tag)


def _distributions(name: str) -> list[Distribution]:
    """What a distribution requires here, all the way down, without itself."""
    found: dict[str, Distribution] = {}
    waiting = [name]
    while waiting:
        one = distribution(waiting.pop())
        for requirement in map(Requirement, one.requires or ()):
            wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if wanted and requirement.name not in found:
                found[requirement.name] = distribution(requirement.name)
                waiting.append(requirement.name)
    return list(found.values())


def _pip_and_hatchling(directory: Path) -> None:
    """By pip, as the other tests of the examples get it."""
    argv = [sys.executable, "-m", "pip", "install", "-q", "--target", str(directory), "pip", "hatchling>=1.27"]
    subprocess.run(argv, check=True)


def _files(needed: list[Distribution], builder: Path) -> Iterator[tuple[str, Path]]:
    for one in needed:
        for entry in one.files or ():
            path = Path(str(entry.locate()))
            if not any(part in f"/{entry}" for part in SKIPPED) and ".." not in entry.parts and path.is_file():
                yield str(entry), path
    for path in builder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(builder)), path
