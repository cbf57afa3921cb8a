"""A registry of services: does every entry live as long as it was promised and no longer, and does a watch tell every change?

facts     sessions, entries, lookups and watches, as a history tells them
entries   how long each entry was seen, against how long it was to live
watches   the changes that were told, against each other and against what was made
views     one order of all changes, and a moment of it for every lookup
check     the checker: all together
"""
