"""Where what was done to a file can still be found: which reads certainly are of the same file. Facts; nothing is judged here.

A file that is appended to by its name is the one that has this name. It keeps its content when it is renamed. That is certain only as long
as nothing that may have taken the name away is under way, since an operation of unknown outcome may take effect whenever it likes.

Clients may remember whom a name belonged to. Then only the first file of a name is certain: ``by_name`` says that they do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checkers.files.steps import Step, additions, removals
from harness.files import CREATE, RENAME
from harness.history import FOREVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A file certainly has the name ``path`` for all that begins after ``since`` and ends before ``until``."""

    path: str
    since: int
    until: int


class Lives:
    """The names that files have had."""

    def __init__(self, steps: Sequence[Step], *, by_name: bool) -> None:
        self._by_name = by_name
        self._taken = removals(steps)
        self._sources: dict[str, set[str]] = {}
        for path, given in additions(steps).items():
            for step in given:
                if step.f != CREATE:
                    self._sources.setdefault(path, set()).add(step.path)
                    if not by_name:
                        # Who remembers a file by its old name sees there what was done to it under the new one.
                        self._sources.setdefault(step.path, set()).add(path)
        self._origins: dict[str, frozenset[str]] = {}

    def stays(self, step: Step) -> Iterator[Stay]:
        """Where the file is that ``step`` changed, which succeeded, by its name; nothing if that is not certain."""
        path, began, since = step.path, step.call, step.ret
        seen: set[str] = set()
        while path not in seen:
            seen.add(path)
            taken = self._since(path, began)
            until = min((one.call for one in taken), default=FOREVER)
            if until > since:
                yield Stay(path=path, since=since, until=until)
            first = next((one for one in taken if one.call == until), None)
            moved = first is not None and first.f == RENAME and first.ok and until > since
            if first is None or not moved or any(one.call < first.ret for one in taken if one is not first):
                return
            path, began, since = first.argument, first.call, first.ret

    def settled(self, path: str) -> bool:
        """Whether all that was ever done to ``path`` was done to one file: none was renamed to it, none may have been taken away."""
        return not self._taken.get(path) and self.origins(path) == {path}

    def _since(self, path: str, began: int) -> list[Step]:
        """What may have taken the name ``path`` away from a file that has had it since ``began``."""
        taken = self._taken.get(path, [])
        return [one for one in taken if one.ret > began] if self._by_name else taken

    def origins(self, path: str) -> frozenset[str]:
        """All names under which what is seen at ``path`` may have been put there, this one among them."""
        if path not in self._origins:
            reached, waiting = {path}, [path]
            while waiting:
                fresh = self._sources.get(waiting.pop(), set()) - reached
                reached |= fresh
                waiting += fresh
            self._origins[path] = frozenset(reached)
        return self._origins[path]
