"""The image that nodes run in: a base with Python, and the node runtime with the target's programs on top of it.

The base is what the user names (``--image``), else python:3.12-slim, else, where no registry gives that, one made of this machine's own
Python (``closure``). Everything is kept by the engine and made once: the tag of our layer says what is in it.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from docker.errors import APIError, ImageNotFound
from requests.exceptions import RequestException

import harness
import targets
from harness.clusters.containers import closure, labels
from harness.clusters.containers.engine import explained
from harness.errors import ClusterError

DEFAULT_BASE = "python:3.12-slim"
LOCAL_BASE, NODE_IMAGE, FABRIC_IMAGE = "splitbrain-python", "splitbrain-node", "splitbrain-fabric"
HOME = "/opt/splitbrain"  # where the runtime lies in the image
# Compiled at once, with what it needs of the standard library (which comes uncompiled in the usual images), so that no node does it at
# its start. No network: all that is needed is in the context.
WARM = f"""\
import argparse, compileall, runpy, tempfile
raise SystemExit(not compileall.compile_dir('{HOME}', quiet=1))"""
RECIPE = f"""\
ARG BASE
FROM ${{BASE}}
COPY packages {HOME}
ENV PYTHONPATH={HOME}
RUN {json.dumps(["python3", "-c", WARM])}
"""

Say = Callable[[str], None]


def silent(_sentence: str) -> None:
    """For those who want no progress."""


def node_image(client: Any, wanted: str | None, program: str, say: Say = silent) -> str:
    """The tag of an image in which ``program`` ("module:attr") can run; it is made if need be. Raises ClusterError.

    ``wanted`` is the base that the user asked for, or None for the default. ``say`` is told of every step that takes time.
    """
    return _image(client, NODE_IMAGE, ensure_base(client, wanted, say), packages(program), say)


def fabric_image(client: Any, say: Say = silent) -> str:
    """The tag of an image in which the fabric's own programs run (``helper``, ``guest``). Raises ClusterError."""
    root = Path(harness.__file__).resolve().parent
    files = {f"harness/{path.relative_to(root)}": path for path in root.rglob("*.py")}
    return _image(client, FABRIC_IMAGE, ensure_base(client, None, say), files, say)


def _image(client: Any, name: str, base: str, files: Mapping[str, Path], say: Say) -> str:
    content = hashlib.sha256(f"{base} {_id(client, base)} {RECIPE}".encode())
    for place, path in sorted(files.items()):
        content.update(f"{place}\0".encode() + path.read_bytes())
    tag = f"{name}:{content.hexdigest()[:16]}"
    if _id(client, tag) is None:
        say(f"building {tag} from {base}")
        _build(client, tag, base, files)
    return tag


def ensure_base(client: Any, wanted: str | None, say: Say = silent) -> str:
    """The base image, there: the one that was asked for, or else the default or its stand-in. Raises ClusterError."""
    name = wanted or DEFAULT_BASE
    if _id(client, name) is not None:
        return name
    stand_in = f"{LOCAL_BASE}:{closure.fingerprint()}"
    if wanted is None and _id(client, stand_in) is not None:
        return stand_in
    say(f"pulling {name}")
    refused = _pull(client, name)
    if refused is None:
        return name
    if wanted is not None:
        raise ClusterError(
            f"the image {name} is not on this engine and cannot be pulled ({refused}): name one that is there, or leave "
            "--image out for a base made of this machine's Python"
        )
    say(f"no registry gives {name} ({refused}): making a base of this machine's own Python")
    return make_local_base(client, say)


def make_local_base(client: Any, say: Say = silent) -> str:
    """The tag of a base made of this machine's own Python. Raises ClusterError."""
    tag = closure.fingerprint()
    if _id(client, f"{LOCAL_BASE}:{tag}") is None:
        say(f"packing {closure.interpreter()} with its library")
        data = closure.pack()
        say(f"importing {LOCAL_BASE}:{tag}, {len(data) / 1e6:.0f} MB")
        with explained(f"cannot import the image {LOCAL_BASE}"):
            client.import_image_from_data(
                data, repository=LOCAL_BASE, tag=tag, changes=[f"LABEL {labels.OURS}={labels.IMAGE}"]
            )
    return f"{LOCAL_BASE}:{tag}"


def packages(program: str) -> Mapping[str, Path]:
    """What travels into the image, by its name below ``HOME``: all targets, and the package of a program of somebody else's."""
    root = Path(targets.__file__).resolve().parent
    found = {f"targets/{path.relative_to(root)}": path for path in root.rglob("*.py")}
    module = program.partition(":")[0]
    if module.partition(".")[0] != "targets":
        found |= _package(module)
    return found


def _package(module: str) -> Mapping[str, Path]:
    """A module with all that lies beside it, and the ``__init__`` files above it. Raises ClusterError."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ClusterError(f"the module {module!r} of the node program cannot be found")
    origin = Path(spec.origin)
    parts = module.split(".") if origin.name == "__init__.py" else module.split(".")[:-1]
    if not parts:  # a module of its own
        return {origin.name: origin}
    found = {"/".join([*parts, str(path.relative_to(origin.parent))]): path for path in origin.parent.rglob("*.py")}
    for depth in range(1, len(parts)):
        above = origin.parents[depth] / "__init__.py"
        if above.exists():
            found["/".join([*parts[:-depth], above.name])] = above
    return found


def _id(client: Any, name: str) -> str | None:
    """The engine's own name of an image; None if it is not there."""
    with explained(f"cannot look for the image {name}"):
        try:
            found: str = client.inspect_image(name)["Id"]
        except ImageNotFound:
            return None
        return found


def _pull(client: Any, name: str) -> str | None:
    """Why it could not be had, or None."""
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, "latest"
    try:
        client.pull(repository, tag=tag)
    except APIError as error:
        return str(error.explanation or error)
    except RequestException:  # a registry that neither answers nor refuses
        return "no answer in time"
    return None


def _build(client: Any, tag: str, base: str, files: Mapping[str, Path]) -> None:
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(RECIPE)
        tar.addfile(entry, io.BytesIO(RECIPE.encode()))
        for name, path in sorted(files.items()):
            tar.add(path, arcname=f"packages/{name}", filter=_anybody)
    context.seek(0)
    with explained(f"cannot build the image {tag} from {base}"):
        lines = client.build(
            fileobj=context,
            custom_context=True,
            tag=tag,
            buildargs={"BASE": base},
            labels={labels.OURS: labels.IMAGE},
            network_mode="none",
            rm=True,
            forcerm=True,
            decode=True,
        )
        refused = next((line["error"] for line in lines if "error" in line), None)
    if refused is not None:
        raise ClusterError(f"cannot build the image {tag} from {base}: {refused.strip()} (does it have python3?)")


def _anybody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Readable by whoever the container runs as, and the same on every machine."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o644
    entry.mtime = 0
    return entry
