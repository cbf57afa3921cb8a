"""Locks: who certainly held which lock when, and what was done under it.

holds   the holds of each lock, as a history tells them
check   do two ever hold one lock at once, and what does the resource behind it accept?
"""
