"""What a history tells of a registry: entries and what keeps them, who looked them up, and what was told of changes. Facts. Pure.

Operations: ``register`` (key: the service; value: the session; completed with {"session", "ttl_s"}), ``deregister`` (key, value),
``beat`` (value: the session; completed with {"session", "alive"}), ``leave`` (value: the session), ``lookup`` (key; completed with the
list of sessions that have an entry) and ``watch`` (completed with {"since", "changes", "upto"}, each change [number, "up" or "down",
service, session]). A session is one process's; its id is never used again after it has ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkers.wording import SECOND_NS, text
from harness.history import FAIL, FOREVER, NO_KEY, OK, Calls
from harness.interning import identity

REGISTER, DEREGISTER, BEAT, LEAVE, LOOKUP, WATCH = "register", "deregister", "beat", "leave", "lookup", "watch"
FS = frozenset({REGISTER, DEREGISTER, BEAT, LEAVE, LOOKUP, WATCH})
Name = tuple[Any, Any]  # of an entry: (service, session), as ``identity`` makes them comparable


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The history holds what is no operation of a registry."""


@dataclass(slots=True, kw_only=True)
class Entry:
    """One entry: the rows of the calls that made it, may have prolonged it (``beats``: also registers of other entries of its session; none
    that certainly failed) and may have ended it. ``ttl_ns`` is None where its register was not acknowledged.
    """

    service: Any
    session: Any
    register: int
    ttl_ns: int | None = None
    beats: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What one watch was told. ``changes``: (number, what, service, session)."""

    row: int
    since: int
    upto: int
    changes: tuple[tuple[int, str, Any, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """``entries`` by name; ``lookups``: of each service (row, the sessions that were found), in the order of history; ``refused``: beats
    that were told that their session had ended.
    """

    entries: Mapping[Name, Entry]
    failed: frozenset[Name]  # entries that certainly were never made
    lookups: Mapping[Any, Sequence[tuple[int, frozenset[Any]]]]
    shown: Mapping[Any, Any]  # session or service, as it stands in the history
    watches: Sequence[Watch]
    refused: Sequence[int]


def facts_of(calls: Calls) -> Facts:
    """All of it. Raises Unjudgeable."""
    history = calls.history
    entries: dict[Name, Entry] = {}
    failed: set[Name] = set()
    lookups: dict[Any, list[tuple[int, frozenset[Any]]]] = defaultdict(list)
    shown: dict[Any, Any] = {}
    watches: list[Watch] = []
    refused: list[int] = []
    beats: dict[Any, list[int]] = defaultdict(list)
    ends: list[tuple[int, Any, Any]] = []  # row, session, service (None: all)
    for row in range(len(calls)):
        f, outcome = history.fs[calls.f[row]], int(calls.outcome[row])
        if f not in FS:
            raise Unjudgeable(f"a registry has no operation {f!r}")
        service = None if calls.key[row] == NO_KEY else history.keys[calls.key[row]]
        given = history.values[calls.argument[row]]
        result = None if calls.result[row] == NO_KEY else history.values[calls.result[row]]
        for thing in (service, given):
            shown[identity(thing)] = thing
        name = (identity(service), identity(given))
        if f == REGISTER and name not in entries and outcome == FAIL:
            failed.add(name)
        elif f == REGISTER:
            if name in entries:
                raise Unjudgeable(f"session {text(given)} registered service {text(service)} twice")
            entries[name] = Entry(service=service, session=given, register=row, ttl_ns=_ttl(result, outcome))
        elif f == BEAT and outcome != FAIL:
            told = outcome == OK and isinstance(result, Mapping) and result.get("alive") is False
            (refused if told else beats[name[1]]).append(row)
        elif f in (DEREGISTER, LEAVE) and outcome != FAIL:
            ends.append((row, name[1], name[0] if f == DEREGISTER else None))
        elif f == LOOKUP and outcome == OK:
            found = _found(calls, row, result)
            shown.update((identity(session), session) for session in found)
            lookups[name[0]].append((row, frozenset(map(identity, found))))
        elif f == WATCH and outcome == OK:
            watches.append(watch_of(calls, row, result))
    _attach(entries, beats, ends)
    return Facts(
        entries=entries,
        failed=frozenset(failed - entries.keys()),
        lookups=lookups,
        shown=shown,
        watches=watches,
        refused=refused,
    )


def _attach(
    entries: Mapping[Name, Entry], beats: Mapping[Any, list[int]], ends: Sequence[tuple[int, Any, Any]]
) -> None:
    """Give every entry what prolongs and ends it."""
    of_session: dict[Any, list[Name]] = defaultdict(list)
    for name in entries:
        of_session[name[1]].append(name)
    for name, entry in entries.items():
        others = [entries[other].register for other in of_session[name[1]] if other != name]
        entry.beats = beats.get(name[1], []) + others
    for row, session, service in ends:
        for name in of_session[session]:
            if service is None or service == name[0]:
                entries[name].ends.append(row)


def _ttl(result: Any, outcome: int) -> int | None:
    if outcome != OK:
        return None
    ttl_s: Any = result.get("ttl_s") if isinstance(result, Mapping) else None
    if type(ttl_s) not in (int, float) or not ttl_s > 0:
        raise Unjudgeable(f"a register was answered with {text(result)}, which has no time to live (ttl_s, in seconds)")
    ttl_ns: int = round(ttl_s * SECOND_NS)
    return ttl_ns


def _found(calls: Calls, row: int, result: Any) -> Sequence[Any]:
    if not isinstance(result, list | tuple):
        where = calls.history.index[calls.ret[row]]
        raise Unjudgeable(f"the lookup of index {where} found {text(result)}, which is no list of sessions")
    return result


def watch_of(calls: Calls, row: int, result: Any) -> Watch:
    """What the watch of this row was told. Raises Unjudgeable."""
    try:
        since, upto = result["since"], result["upto"]
        changes = tuple((number, what, service, session) for number, what, service, session in result["changes"])
        right = all(type(number) is int for number in (since, upto, *(change[0] for change in changes)))
        right = right and all(type(change[1]) is str for change in changes)
    except (TypeError, KeyError, ValueError):
        right = False
    if not right:
        where = calls.history.index[calls.ret[row]]
        raise Unjudgeable(f"the watch of index {where} was told {text(result)}, which are no numbered changes")
    return Watch(row=row, since=since, upto=upto, changes=changes)


def last_line(calls: Calls, row: int) -> int:
    """The line at which the call had taken effect at the latest; FOREVER if nobody knows."""
    return int(calls.ret[row]) if calls.outcome[row] == OK else FOREVER
