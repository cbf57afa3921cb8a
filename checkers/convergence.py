"""Eventual consistency of registers: once everything is healed and nobody writes, do all nodes agree, and on something recent?

The promise: when ``settle_s`` have passed since the heal and since the last write of a key completed, all reads of the key
return the same; and what they return is not older than a write that was acknowledged. Judged are the *final reads* (``final``)
that began later than that. Two anomalies, both certain:

* ``diverged``: two final reads of a key differ although, ``settle_s`` before the earlier of them began, all that the two returned
  had taken effect already. (A write of unknown outcome may take effect at any time, also between two final reads. So a value that
  was new to everybody then, which nothing but such a write explains, is not held against anyone.)
* ``lost-update``: a final read returned a value although a write that began after that value had taken effect was acknowledged:
  the newer one is gone. A store that settles conflicts by clocks does that; ``lost_updates=False`` if it promises no better.

With ``siblings`` reads return lists, compared as sets; a write is lost if it is missing and began after everything that is
there had taken effect. An empty list, like null, is a key that was never written.

Measured, per key: the time to converge, from the heal (or from the key's last write, if that is later) to the end of the last read
that did not yet return what all agreed on in the end; and until when after the heal reads were certainly stale.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.agreement import Disagreement, Findings, examine
from checkers.linearizable.encode import Unjudgeable
from checkers.samples import quantiles
from checkers.versions import Versions, odd_sights, saw, versions_of
from checkers.windows import windows_of
from checkers.wording import Narrator, count, name
from harness.errors import PlanError
from harness.history import NO_KEY, History
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict
