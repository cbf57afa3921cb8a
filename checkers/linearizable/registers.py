"""One key of a register-like model: which algorithm decides it, and the anomaly if it is impossible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from checkers.kernels.engine import Engine
from checkers.linearizable import chains, layers, quick, register_search, unique
from checkers.linearizable.encode import RegisterOps, encode, kinds_of
from checkers.linearizable.layout import Prepared, prepare
from checkers.linearizable.limits import Found, Limits, further
from checkers.linearizable.models import RegisterForm
from checkers.linearizable.sources import Sources, with_known_sources
from checkers.wording import Narrator
from harness.history import NO_KEY, Calls, Ints
from harness.verdict import Anomaly, Validity

# Names of algorithms, as the statistics tell them.
UNIQUE, SOURCES, SEARCH, LAYERS = "unique", "sources", "search", "layers"
# So many attempts go deep, which finds an order fast if there is one. Of what a later one may cost, where operations crashed, this
# share goes layer by layer, and what is left goes deep again.
DEEP_ATTEMPTS, LAYERS_SHARE = 2, 0.75


@dataclass(slots=True, kw_only=True)
class RegisterCase:
    """One register. ``part`` are the positions of its operations among ``whole``."""

    key: int
    size: int
    algorithm: str
    form: RegisterForm
    calls: Calls
    whole: RegisterOps | None  # None where it was not needed
    part: Ints
    found: Found | None = None
    _prepared: Prepared | None = None
    _attempts: int = 0

    def attempt(self, limits: Limits, run: Engine) -> None:
        if self._prepared is None:
            self._prepared = prepare(self.ops())
        self._attempts += 1
        if self._attempts > DEEP_ATTEMPTS and not self._prepared.ops.certain.all():
            found = layers.search(self._prepared, replace(limits, steps=int(limits.steps * LAYERS_SHARE)), run)
            self.found = further(self.found, found)
            if found.validity is not Validity.UNKNOWN:
                self.algorithm = LAYERS
                return
            limits = replace(limits, steps=max(1, limits.steps - found.steps))
            deep = register_search.search(self._prepared, limits, run)
            self.found = further(self.found, replace(deep, steps=deep.steps + found.steps))
        else:
            self.found = further(self.found, register_search.search(self._prepared, limits, run))

    def may_go_apart(self) -> bool:
        """See ``apart.Task``: what is prepared can be prepared again."""
        return True

    def progress(self) -> tuple[Found | None, str, int]:
        """See ``apart.Task``."""
        return self.found, self.algorithm, self._attempts

    def resume(self, progress: tuple[Found | None, str, int]) -> None:
        """See ``apart.Task``."""
        self.found, self.algorithm, self._attempts = progress

    def ops(self) -> RegisterOps:
        """The operations of this register, as its only one."""
        if self.whole is not None:
            return self.whole.register(self.part)
        return self._encoded(self._rows())

    def _rows(self) -> Ints:
        """The rows of its calls."""
        return np.flatnonzero(self.calls.key == self.key)

    def _encoded(self, rows: Ints) -> RegisterOps:
        alone = encode(self.calls.take(rows), self.form)
        return replace(alone.register(np.arange(len(alone))), row=rows[alone.row])

    def _shown(self) -> RegisterOps:
        """The operations, or as many of them as tell all of the orphan that is to be shown: no other is asked for."""
        if self.whole is None:
            rows = self._rows()
            mine = self.calls if len(rows) == len(self.calls) else self.calls.take(rows)
            about = quick.first_orphan(mine, kinds_of(mine.history, self.form))
            if about is not None:
                orphan, shown = about
                ops = self._encoded(rows[shown])
                # What a cas among the others saw is not here.
                return with_known_sources(ops, ops.row == rows[orphan])
        return self.ops()

    def anomaly(self, say: Narrator) -> Anomaly:
        from checkers.linearizable import patterns
        from checkers.linearizable.explain import explain

        ops = self._shown()
        sources = Sources(ops)
        stuck = self.found.stuck if self.found is not None else None
        shown = self._witness(ops, sources, stuck)
        told = explain(patterns.Case(ops=ops, form=self.form, sources=sources, say=say), shown, stuck)
        rows = [int(ops.row[i]) for i in shown]
        return Anomaly(
            checker="linearizable",
            name=told.name,
            ops=say.lines([*(int(ops.row[i]) for i in told.shows), *told.failed]),
            reason=told.sentence,
            witness=say.lines(rows),
        )

    def _witness(self, ops: RegisterOps, sources: Sources, stuck: int | None) -> tuple[int, ...]:
        from checkers.linearizable import witness

        part = witness.Part(ops, sources)
        orphans = sources.orphans()
        if len(orphans):  # the most convincing kind; of several the one that ended first
            return witness.of_orphan(part, int(orphans[np.argmin(ops.ret[orphans])]))
        if self.algorithm == UNIQUE:
            return witness.of_unique(part, unique.examine(ops))
        return witness.of_window(part, stuck)


def cases(calls: Calls, form: RegisterForm) -> Sequence[RegisterCase]:
    """Every key of ``calls``, decided where that takes no search; in the order of their first calls. Raises
    Unjudgeable.
    """
    if not form.swaps and form.initial is None:
        kinds = kinds_of(calls.history, form)
        wrong = (chains if quick.has_cas(calls, kinds) else quick).wrong_keys(calls, kinds)
        if wrong is not None:
            return _decided(calls, form, {int(key) for key in wrong})
    ops = encode(calls, form)
    status = np.asarray(unique.examine(ops).registers.status, dtype=np.int64)
    keys, firsts, sizes = np.unique(calls.key, return_index=True, return_counts=True)
    parts = dict(_parts(ops))
    nothing = np.zeros(0, dtype=np.int64)
    found = []
    for at in np.argsort(firsts).tolist():
        number = int(keys[at]) - NO_KEY
        case = RegisterCase(
            key=int(keys[at]),
            size=int(sizes[at]),
            algorithm=UNIQUE,
            form=form,
            calls=calls,
            whole=ops,
            part=parts.get(number, nothing),
        )
        if status[number] == unique.NOT_UNIQUE:
            _refute(case)
        else:
            case.found = _answer(Validity.VALID if status[number] == unique.OPEN else Validity.INVALID, case.size)
        found.append(case)
    return found


def _decided(calls: Calls, form: RegisterForm, wrong: set[int]) -> Sequence[RegisterCase]:
    """Every key, decided: linearizable, apart from those that are ``wrong``."""
    one_key = len(calls) > 0 and bool((calls.key == calls.key[0]).all())
    keys, firsts, sizes = (
        (calls.key[:1], np.zeros(1, dtype=np.int64), np.array([len(calls)]))
        if one_key
        else np.unique(calls.key, return_index=True, return_counts=True)
    )
    nothing = np.zeros(0, dtype=np.int64)
    return [
        RegisterCase(
            key=int(keys[at]),
            size=int(sizes[at]),
            algorithm=UNIQUE,
            form=form,
            calls=calls,
            whole=None,
            part=nothing,
            found=_answer(Validity.INVALID if int(keys[at]) in wrong else Validity.VALID, int(sizes[at])),
        )
        for at in np.argsort(firsts).tolist()
    ]


def _parts(ops: RegisterOps) -> Iterator[tuple[int, Ints]]:
    """(number of a register, positions of its operations)."""
    order = np.argsort(ops.key, kind="stable")
    cuts = np.flatnonzero(np.diff(ops.key[order])) + 1
    for positions in np.split(order, cuts) if len(order) else []:
        yield int(ops.key[positions[0]]), positions


def _refute(case: RegisterCase) -> None:
    """An operation without a source decides a key that would have to be searched."""
    if len(Sources(case.ops()).orphans()):
        case.algorithm, case.found = SOURCES, _answer(Validity.INVALID, case.size)
    else:
        case.algorithm = SEARCH


def _answer(validity: Validity, size: int) -> Found:
    return Found(validity=validity, steps=0, explained=size if validity is Validity.VALID else 0, completed=size)
