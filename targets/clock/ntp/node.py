"""The node program ``clock/ntp``: references read their wall clocks for whoever asks; every node, also they, is asked for the time.

Messages between nodes: ``ask {round}`` → ``reading {round, time_s}``. A client's ``now`` is answered with the time and its bound, or
refused as long as it is not known well enough. Time goes on by the monotonic clock, so that a node's own wall clock does not matter.
"""

from __future__ import annotations

import math
from typing import Any

from targets.clock.ntp.bugs import Bugs
from targets.clock.ntp.config import CRISTIAN, Config
from targets.clock.ntp.intervals import Interval, Sample, agreed, soonest, width
from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal

# A reading of a clock is rounded: seconds since the epoch, as a number of 53 bits, are exact to 0.2 µs.
ROUNDING_S = 1e-6
CACHED_S, TICK_S = 0.1, 0.01  # the seeded bugs ``reading_cached`` and ``coarse_clock``


class TimeNode:
    """One node. It remembers nothing over a restart."""

    def __init__(self, env: Env) -> None:
        self._env, self._config, self._bugs = env, Config.of(env.options), Bugs.named(env.options.get("bug"))
        self._references = env.node_ids[: self._config.references]
        self._round = 0
        self._asked: tuple[float, float] = (0.0, 0.0)  # when the round began, by the monotonic and the wall clock
        self._samples: dict[str, Sample] = {}
        self._ahead_s = env.wall_time() - env.monotonic()  # of the wall clock, when the latest answer came
        self._cached: tuple[float, float] = (-math.inf, 0.0)
        env.on("ask", self._on_ask)
        env.on("reading", self._on_reading)
        env.on("now", self._on_now)

    def start(self) -> None:
        """``init`` has been answered: time begins."""
        self._env.call_later(self._env.random.uniform(0, self._config.poll_s), self._poll)

    def status(self) -> dict[str, Any]:
        """What the report shows."""
        found = self._known()
        return {
            "answers": len(self._samples),
            "bound_s": None if found is None else round(width(found) / 2, 6),
            "reference": self._env.node_id in self._references,
        }

    # References

    def _read(self) -> float:
        """This node's wall clock, for others."""
        time_s = self._env.wall_time()
        if self._bugs.coarse_clock:
            return math.floor(time_s / TICK_S) * TICK_S
        if self._bugs.reading_cached:
            if self._env.monotonic() - self._cached[0] > CACHED_S:
                self._cached = self._env.monotonic(), time_s
            return self._cached[1]
        return time_s

    def _on_ask(self, message: Message) -> None:
        self._env.send(message["src"], {"type": "reading", "round": message["body"]["round"], "time_s": self._read()})

    # Those who ask

    def _poll(self) -> None:
        self._round += 1
        self._asked = self._env.monotonic(), self._env.wall_time()
        for reference in self._references:
            if reference != self._env.node_id:
                self._env.send(reference, {"type": "ask", "round": self._round})
        self._env.call_later(self._config.poll_s, self._poll)

    def _on_reading(self, message: Message) -> None:
        body, now_s = message["body"], self._env.monotonic()
        if body["round"] != self._round and not self._bugs.old_answer_taken:
            return  # when that was asked is forgotten
        asked_s, wall_s = self._asked
        if self._bugs.trip_by_wall_clock:
            asked_s = now_s - (self._env.wall_time() - wall_s)
        sample = Sample(time_s=body["time_s"], asked_s=asked_s, answered_s=now_s)
        old = self._fresh(now_s).get(message["src"])
        if old is None or width(self._interval(sample, now_s)) <= width(self._interval(old, now_s)):
            self._samples[message["src"]] = sample
        self._ahead_s = self._env.wall_time() - now_s

    def _on_now(self, _message: Message) -> Body:
        found = self._known()
        if found is None:
            raise Refusal(codes.UNAVAILABLE, "too few references have answered, or they contradict each other")
        bound_s = width(found) / 2 + ROUNDING_S
        if bound_s > self._config.bound_max_s:
            raise Refusal(codes.UNAVAILABLE, f"the time is known to {bound_s:.3f} s alone")
        now_s = self._env.monotonic()
        if self._bugs.counts_by_wall_clock:
            now_s = self._env.wall_time() - self._ahead_s
        return {"type": "now_ok", "time_s": now_s + sum(found) / 2, "bound_s": bound_s}

    def _known(self) -> Interval | None:
        """Where the true time minus the monotonic clock lies; None if that is not known."""
        now_s = self._env.monotonic()
        intervals = [self._interval(sample, now_s) for sample in self._fresh(now_s).values()]
        if self._env.node_id in self._references:
            own = self._read() - now_s
            intervals.append((own, own))
        if self._config.method == CRISTIAN:
            return soonest(intervals)
        return agreed(intervals, self._config.liars_max, self._bugs)

    def _fresh(self, now_s: float) -> dict[str, Sample]:
        return {
            name: sample for name, sample in self._samples.items() if now_s - sample.answered_s <= self._config.age_s
        }

    def _interval(self, sample: Sample, now_s: float) -> Interval:
        return sample.interval(now_s, self._config.drift, self._bugs)
