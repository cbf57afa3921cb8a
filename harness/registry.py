"""Named extension points: a plain table of ours (name → "module:attr") plus the entry points of other distributions, loaded lazily.

The list must be greppable and importing it must do nothing, hence neither scanning nor decorators. A name that two parties
claim is refused, an unknown one gets a suggestion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from harness.errors import PlanError, PluginError, suggest


def load(path: str) -> Any:
    """The object that "module:attr" names. Raises PluginError saying which half is missing."""
    module, _, attr = path.partition(":")
    try:
        return getattr(import_module(module), attr)
    except ImportError as error:
        raise PluginError(f"cannot import {module!r} (for {path!r}): {error}") from error
    except AttributeError as error:
        raise PluginError(f"module {module!r} has no {attr!r}") from error


@cache
def _points(group: str) -> tuple[EntryPoint, ...]:
    """What other distributions add, read once: it takes a look at every distribution there is."""
    return tuple(entry_points(group=group))


@dataclass(frozen=True, slots=True)
class Registry:
    """One extension point. ``kind`` is the word for its members in messages; others join by the entry-point group "splitbrain.<kind>s"."""

    kind: str
    table: Mapping[str, str]

    def paths(self) -> dict[str, str]:
        """Every known name and where it lives. Raises PluginError if two parties claim one name."""
        paths = dict(self.table)
        for point in _points(f"splitbrain.{self.kind}s"):
            if point.name in paths:
                raise PluginError(
                    f"{self.kind} {point.name!r} is claimed by {paths[point.name]} and by {point.value}: rename one of them"
                )
            paths[point.name] = point.value
        return paths

    def names(self) -> list[str]:
        return sorted(self.paths())

    def check(self, name: str) -> None:
        """Raises PlanError with a suggestion if there is no such name."""
        paths = self.paths()
        if name not in paths:
            raise PlanError(f"unknown {self.kind} {name!r}: {suggest(name, paths)}")

    def get(self, name: str) -> Any:
        """The member called ``name``. Raises PlanError if there is none, PluginError if it cannot be loaded."""
        self.check(name)
        return load(self.paths()[name])
