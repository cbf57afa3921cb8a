"""Remote procedure calls as they are made: what repeats them when no answer comes, and who waits for answers at all. For benchmarks.

backoff    how long to wait before a call is repeated
storm      a server that can do only so much, and callers who repeat what was not answered
messaging  calls one after the other, calls side by side, and messages without answers
"""
