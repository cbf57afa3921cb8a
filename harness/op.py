"""One operation of a history, with Jepsen's meaning. Standard library only; imports nothing of ours.

A client operation is two ops of one process: an ``invoke`` and its completion. The completion's type says what is known:

* ``ok``: it took effect, between invocation and completion;
* ``fail``: it certainly did not take effect, and never will;
* ``info``: unknown. It may take effect at any time after its invocation, so it is concurrent with all that follows.
  The thread that ran it goes on under a new process number (old number + concurrency).

Nemesis ops record faults in the same history; both their start and their completion are ``info``.
Source: Jepsen's history rules (jepsen-io/history, jepsen.generator.interpreter).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal, TypeVar, dataclass_transform

NEMESIS: Literal["nemesis"] = "nemesis"
Process = int | str  # a client's number, or NEMESIS


class OpType(StrEnum):
    """What a line says about its operation; see above."""

    INVOKE = "invoke"
    OK = "ok"
    FAIL = "fail"
    INFO = "info"


# Looking a member up in its enum costs as much as three names.
OK: Final = OpType.OK
FAIL: Final = OpType.FAIL
INFO: Final = OpType.INFO


_C = TypeVar("_C")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def _line(cls: type[_C]) -> type[_C]:
    """A dataclass that mypy takes for frozen. Python does not enforce it: a frozen one takes three times as long to make, and every
    operation of a run makes half a dozen.
    """
    return dataclass(slots=True, kw_only=True, unsafe_hash=True)(cls)


@_line
class Op:
    """One line of a history. Nobody changes one.

    ``index`` counts lines from 0 and ``time_ns`` nanoseconds since the run began; both are stamped by the runner (-1 before).
    ``f`` is the operation's name. ``key`` is the object it works on (None where the workload has only one).
    ``value`` is its argument or result, any JSON value. ``node`` is the node a client spoke to.
    ``error`` says why a completion is not ok. ``extra`` holds everything else (``final``, ``bit``, ...).
    """

    index: int = -1
    time_ns: int = -1
    type: OpType = OpType.INVOKE
    process: Process = -1
    f: str
    key: Any = None
    value: Any = None
    node: str | None = None
    error: Any = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_nemesis(self) -> bool:
        return self.process == NEMESIS

    def stamped(self, index: int, time_ns: int, node: str | None) -> Op:
        """This op as the line ``index`` of a history."""
        return Op(
            index=index,
            time_ns=time_ns,
            type=self.type,
            process=self.process,
            f=self.f,
            key=self.key,
            value=self.value,
            node=node,
            error=self.error,
            extra=self.extra,
        )

    def ok(self, value: Any) -> Op:
        """This invocation, completed: it took effect and returned ``value``."""
        return self._completed(OK, value, self.error)

    def fail(self, error: Any) -> Op:
        """This invocation, completed: it certainly did not and will not take effect."""
        return self._completed(FAIL, self.value, error)

    def info(self, error: Any) -> Op:
        """This invocation, completed: whether it took or will take effect is unknown."""
        return self._completed(INFO, self.value, error)

    def info_value(self, value: Any) -> Op:
        """This nemesis op, completed: nemesis lines are always ``info``, and their value says what was done."""
        return self._completed(INFO, value, self.error)

    # Field by field, here and in ``stamped``: dataclasses.replace takes three times as long, and every operation needs it.
    def _completed(self, type_: OpType, value: Any, error: Any) -> Op:
        return Op(
            index=self.index,
            time_ns=self.time_ns,
            type=type_,
            process=self.process,
            f=self.f,
            key=self.key,
            value=value,
            node=self.node,
            error=error,
            extra=self.extra,
        )
