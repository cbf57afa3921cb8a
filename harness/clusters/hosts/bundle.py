"""What travels to a host: this program's own packages and those of the target, unpacked once there, under a name that tells its content."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import harness
from harness.clusters.containers.images import packages
from harness.clusters.hosts.connection import Connection
from harness.errors import ClusterError

# Unpacks its standard input into the directory DATA/runtime-DIGEST, which is there whole or not at all.
UNPACK = """\
import io, os, shutil, sys, tempfile, zipfile
data, digest = sys.argv[1:]
if sys.version_info < (3, 11):
    sys.exit("it has Python %d.%d, and takes 3.11 or newer" % sys.version_info[:2])
os.makedirs(data, mode=0o700, exist_ok=True)
home = os.path.join(data, "runtime-" + digest)
packed = sys.stdin.buffer.read()
if not os.path.isdir(home):
    if not packed:
        sys.exit(3)
    fresh = tempfile.mkdtemp(dir=data, prefix="unpacking-")
    zipfile.ZipFile(io.BytesIO(packed)).extractall(fresh)
    try:
        os.rename(fresh, home)
    except OSError:
        shutil.rmtree(fresh)
print(home)
"""
_MISSING = 3  # the status of UNPACK where nothing is there and nothing came
_DATE = (1980, 1, 1, 0, 0, 0)  # the same content has the same name, whenever it was packed


@cache
def pack(program: str) -> tuple[str, bytes]:
    """The name of the content, and the content, for nodes that run this program. Raises ClusterError."""
    root = Path(harness.__file__).resolve().parent
    files: Mapping[str, Path] = {
        **packages(program),
        **{f"harness/{path.relative_to(root)}": path for path in root.rglob("*.py")},
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _DATE), files[name].read_bytes(), zipfile.ZIP_DEFLATED)
    data = packed.getvalue()
    return hashlib.sha256(data).hexdigest()[:20], data


def upload(connection: Connection, program: str) -> str:
    """The directory on the host in which the packages lie. Raises ClusterError."""
    digest, data = pack(program)
    host = connection.host
    argv = [host.python, "-I", "-S", "-c", UNPACK, host.data, digest]
    done = connection.run(argv)
    if done.status == _MISSING:
        done = connection.run(argv, data)
    if done.status != 0:
        said = (done.errors or done.output).decode(errors="replace").strip().splitlines()
        raise ClusterError(
            f"{host.name}: cannot make {host.data} ready: {said[-1] if said else f'status {done.status}'}"
        )
    return done.output.decode().splitlines()[-1]
