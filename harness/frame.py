"""A history as a pandas frame, for people who explore. Nothing that judges goes through pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.columns import TYPES, Codes

if TYPE_CHECKING:
    from harness.history import History


def to_frame(history: History) -> pd.DataFrame:
    """See ``History.to_frame``."""
    error = np.full(len(history), None, dtype=object)
    for row, reason in history.errors.items():
        error[row] = reason
    return pd.DataFrame(
        {
            "index": history.index,
            "time_ns": history.time_ns,
            "type": _category(history.type.astype(np.int32), TYPES),
            "process": history.process,
            "f": _category(history.f, history.fs),
            "key": _objects(history.key, history.keys),
            "value": _objects(history.value, history.values),
            "node": _category(history.node, history.nodes),
            "pair": history.pair,
            "error": pd.Series(error, dtype=object),
        }
    )


def _category(codes: Codes, table: Sequence[str]) -> pd.Series[Any]:
    dtype = pd.CategoricalDtype([str(name) for name in table])
    return pd.Series(pd.Categorical.from_codes(codes, dtype=dtype))


def _objects(codes: Codes, table: Sequence[Any]) -> pd.Series[Any]:
    objects: npt.NDArray[np.object_] = np.full(len(table) + 1, None, dtype=object)  # the last is what code -1 picks
    for code, item in enumerate(table):
        objects[code] = item
    return pd.Series(objects[codes], dtype=object)
