"""How strong a history is: what would the checkers that found nothing have found, had the system lied?

mutants   copies of a history with one lie each
check     figures of the history, and the share of lies that would have been caught
"""
