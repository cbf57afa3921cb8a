"""What the harness must know of the distributed file system after GFS and HDFS."""

from __future__ import annotations

from harness.protocols import Target
from targets.dfs.gfs_bugs import GFS_BUGS
from targets.dfs.gfs_claims import GFS_CLAIMS

GFS = Target(
    name="dfs/gfs",
    summary="a file system after GFS and HDFS: a metadata server with fenced standbys, replicated and checksummed chunks, record append",
    program="targets.dfs.gfs:GfsNode",
    client="targets.dfs.gfs_client:GfsClient",
    workloads=("file-appends", "files", "file-writes", "file-appends-once", "file-writes-defined"),
    roles=("active", "primary", "standby", "data"),
    bugs=GFS_BUGS,
    claims=GFS_CLAIMS,
)
