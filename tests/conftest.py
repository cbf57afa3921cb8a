"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

# Machines are noisy: an example that takes long is no failure. Examples are the same in every run; the nightly profile explores.
settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("nightly", deadline=None, max_examples=10_000)
settings.load_profile("default")
