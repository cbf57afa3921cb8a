"""Disks that fail: what every such disk has in common, the simulator's and the real one.

    fates    what a power loss leaves of writes that were not synced
    rules    which operations a fault hits
    damage   how data at rest, and data on their way, are damaged

Everything here is pure and imports the standard library alone: the server of a real disk starts in a few milliseconds.
"""
