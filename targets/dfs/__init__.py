"""Distributed file systems.

gfs     a metadata server with standbys, and data nodes with replicated, checksummed chunks (GFS, HDFS)
"""
