"""Figures about samples: quantiles, and the interval in which a share lies. Nothing is judged here."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

QUANTILES = (0.5, 0.9, 0.99, 1.0)
Z_95 = 1.959963984540054  # of the standard normal distribution, 95 % lie within so many deviations


def quantiles(values: npt.ArrayLike) -> Mapping[str, float]:
    """``{"0.5": ..., "0.9": ..., "0.99": ..., "1": ...}``, each a value of the sample; empty for an empty sample."""
    sample = np.asarray(values, dtype=np.float64)
    if not len(sample):
        return {}
    found = np.quantile(sample, QUANTILES, method="inverted_cdf")
    return {f"{quantile:g}": round(float(value), 9) for quantile, value in zip(QUANTILES, found, strict=True)}


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % confidence interval of the share of which ``hits`` of ``total`` are a sample (Wilson 1927).

    It stays inside 0 to 1 and is honest also for few or no hits. It takes the sample for independent; reads of one run
    follow one another, so the truth is somewhat wider. (0, 1) if nothing was sampled.
    """
    if total == 0:
        return 0.0, 1.0
    share, z2 = hits / total, Z_95 * Z_95
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    reach = Z_95 * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total)) / (1 + z2 / total)
    return (0.0 if hits == 0 else middle - reach), (1.0 if hits == total else middle + reach)
