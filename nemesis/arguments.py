"""Checks of arguments that a person wrote: each returns problems as "argument: what is wrong, and what would be right".

They take any JSON value and never raise. An argument that is absent is no problem here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.errors import suggest
from harness.schedule import is_number, shown


def unknown(args: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    """Arguments that this fault does not take."""
    known = list(known)
    return [f"{name}: unknown argument: {suggest(str(name), known)}" for name in args if name not in known]


def number(args: Mapping[str, Any], name: str, low: float, high: float, what: str) -> list[str]:
    """``name`` must be a number from ``low`` to ``high``; ``what`` says what it means ("a probability")."""
    if name not in args or (is_number(args[name]) and low <= args[name] <= high):
        return []
    return [f"{name}: {shown(args[name])} is not {what} from {low:g} to {high:g}"]


def word(args: Mapping[str, Any], name: str, known: Iterable[str]) -> list[str]:
    """``name`` must be one of the ``known`` words."""
    known = list(known)
    if name not in args or (isinstance(args[name], str) and args[name] in known):
        return []
    return [f"{name}: unknown {shown(args[name])}: {suggest(str(args[name]), known)}"]


def node(args: Mapping[str, Any], name: str, nodes: Sequence[str]) -> list[str]:
    """``name`` must be one node of the cluster."""
    if name not in args or (isinstance(args[name], str) and args[name] in nodes):
        return []
    return [f"{name}: there is no node {shown(args[name])}: the nodes are {' '.join(nodes)}"]


def node_list(args: Mapping[str, Any], name: str, nodes: Sequence[str]) -> list[str]:
    """``name`` must be a list of different nodes of the cluster, at least one."""
    if name not in args:
        return []
    value = args[name]
    if not isinstance(value, list) or not value:
        return [f"{name}: {shown(value)} is not a list of nodes such as {shown(list(nodes[:2]))}"]
    strangers = [
        f"{name}: there is no node {shown(item)}: the nodes are {' '.join(nodes)}"
        for item in value
        if item not in nodes
    ]
    if strangers:
        return strangers
    return [] if len(set(value)) == len(value) else [f"{name}: {shown(value)} names a node twice"]
