"""Atomic commit: does a transaction happen everywhere or nowhere?

sightings   what is known of each transaction: votes, decisions, what clients were told
check       agreement, validity, and how long participants were blocked
"""
