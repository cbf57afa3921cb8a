"""Shared memory: is it coherent, and which outcomes of litmus tests does it show?

owners      who may write and who may read each location, by what nodes log of their caches
orders      whether one order of the writes to a location explains what every process saw
coherence   the checker of both
models      which outcomes sc, tso and rc allow a small program, by trying all its executions
litmus      the checker of litmus tests
"""
