"""Distributed file systems: names, appended records, overlapping writes, replicas.

steps       what a history says, operation by operation
lives       which file a name certainly belonged to
names       each name alone: lost, resurrected, phantom files
namespace   all names together: linearizability
records     appended records: lost, stale, doubled, misplaced, made up
regions     overlapping writes: lost, stale, mixed
replicas    are there enough of them, and are they the same?
check       the checker ``files``
"""
