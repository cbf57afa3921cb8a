"""One key of a model that is no register: searched, and, if impossible, shown by its shortest impossible
beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from checkers.kernels.engine import Engine
from checkers.linearizable import register_search, wgl
from checkers.linearizable.encode import Unjudgeable
from checkers.linearizable.layout import Prepared
from checkers.linearizable.limits import Found, Limits, further
from checkers.linearizable.models import UNKNOWN, Model, frozen
from checkers.linearizable.shrink import shrink
from checkers.linearizable.tabled import Tabled, is_worth_it
from checkers.linearizable.wgl import Call
from checkers.wording import Narrator, count
from harness.history import FAIL, FOREVER, OK, Calls
from harness.verdict import Anomaly, Validity

WGL, TABLED = "wgl", "tabled"
# A step in plain Python counts as so many compiled ones: a budget is to mean about the same time for every model.
STEP_COST = 16
# What one attempt at a smaller witness may cost, and all of them together.
PART_LIMITS = Limits(steps=100_000, configs=20_000)
WORK_STEPS_MAX = 500_000


@dataclass(slots=True, kw_only=True)
class GenericCase:
    """One key. ``rows`` are the rows of its operations among all calls; ``prepare`` makes them ready for the compiled
    search, where there is one for the model.
    """

    key: int
    size: int
    model: Model
    calls: Sequence[Call]
    rows: Sequence[int]
    algorithm: str = WGL
    found: Found | None = None
    prepare: Callable[[Sequence[Call]], Prepared] | None = None
    tabled: Tabled | None = None

    def attempt(self, limits: Limits, run: Engine) -> None:
        if self.algorithm == WGL and self.tabled is None and is_worth_it(self.model, self.calls):
            self.algorithm, self.tabled = TABLED, Tabled(self.model, self.calls)
        if self.tabled is not None:
            self.found = further(self.found, _guarded(self.model, partial(self.tabled.search, limits, run)))
            return
        most = Limits(steps=-(-limits.steps // STEP_COST), configs=limits.configs, bytes=limits.bytes)
        found = _search(self.model, self.calls, most)
        self.found = replace(found, steps=found.steps * STEP_COST)

    def may_go_apart(self) -> bool:
        """See ``apart.Task``: not where a table of states grows from attempt to attempt."""
        return self.algorithm == WGL and self.tabled is None and not is_worth_it(self.model, self.calls)

    def progress(self) -> Found | None:
        """See ``apart.Task``."""
        return self.found

    def resume(self, progress: Found) -> None:
        """See ``apart.Task``."""
        self.found = progress

    def anomaly(self, say: Narrator) -> Anomaly:
        assert self.found is not None
        assert self.found.stuck is not None
        stuck = self.found.stuck
        shown = self.witness(stuck)
        row = self.rows[stuck]
        others = count(len(shown) - 1, "earlier operation") + say.key(row, "on")
        return Anomaly(
            checker="linearizable",
            name="nonlinearizable",
            ops=say.lines([row]),
            reason=f"no order that respects real time explains {say.whose(row)} {say.span(row)} together with {others}",
            witness=say.lines(self.rows[i] for i in shown),
        )

    def witness(self, stuck: int) -> list[int]:
        """The operations up to the completion that no order reaches, without the reads that do not matter.

        A read can always be left out of a legal order; of other calls of an unknown model nothing can be
        said.
        """
        end = self.calls[stuck].ret
        before = [i for i, c in enumerate(self.calls) if c.call < end and not (self._reads(i) and c.ret > end)]
        keep = [i for i in before if not self._reads(i)]
        steps_left = WORK_STEPS_MAX

        def broken(reads: list[int]) -> list[int] | None:
            nonlocal steps_left
            if steps_left <= 0:
                return None
            found = self._judge([self.calls[i] for i in sorted(keep + reads)])
            steps_left -= found.steps
            return reads if found.validity is Validity.INVALID else None

        reads = [i for i in before if self._reads(i)]
        return sorted(keep + (shrink(reads, broken) if broken(reads) is not None else reads))

    def _judge(self, calls: Sequence[Call]) -> Found:
        if self.prepare is not None:
            return register_search.search(self.prepare(calls), PART_LIMITS)
        return _search(self.model, calls, PART_LIMITS)

    def _reads(self, i: int) -> bool:
        return self.calls[i].f in self.model.reads


def cases(calls: Calls, model: Model) -> Sequence[GenericCase]:
    """Every key of ``calls``, undecided."""
    row_of = {int(position): row for row, position in enumerate(calls.call.tolist())}
    return [
        case_of(key, part, [row_of[position] for position in part.call.tolist()], model) for key, part in calls.by_key()
    ]


def case_of(key: int, part: Calls, rows: Sequence[int], model: Model) -> GenericCase:
    """One key, undecided; ``rows`` are the rows of the calls of ``part`` among all."""
    history = part.history
    values: dict[int, Any] = {}

    def value(code: int) -> Any:
        if code not in values:
            values[code] = frozen(history.values[code])
        return values[code]

    kept, kept_rows = [], []
    for i in range(len(part)):
        f, outcome = history.fs[part.f[i]], part.outcome[i]
        if outcome == FAIL or (outcome != OK and f in model.reads):
            continue
        kept.append(
            Call(
                call=int(part.call[i]),
                ret=int(part.ret[i]) if outcome == OK else FOREVER,
                f=f,
                argument=value(int(part.argument[i])),
                result=value(int(part.result[i])) if outcome == OK else UNKNOWN,
            )
        )
        kept_rows.append(int(rows[i]))
    return GenericCase(key=key, size=len(part), model=model, calls=kept, rows=kept_rows)


def _search(model: Model, calls: Sequence[Call], limits: Limits) -> Found:
    return _guarded(model, lambda: wgl.search(model, calls, limits))


def _guarded(model: Model, search: Callable[[], Found]) -> Found:
    try:
        return search()
    except Exception as error:  # a model is anybody's code, and values are anybody's data
        raise Unjudgeable(
            f"the model {model.name} cannot judge this history: {type(error).__name__}: {error}"
        ) from error
