"""A corpus: seeds that once showed something, of claims (or of whatever else has a name), tried before any other.

A JSON document of one line for each name, so that versions of it can be compared: {"version": 1, "claims": {NAME: {CLUSTER: [SEED, ...]}}}.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from harness import store
from harness.errors import PlanError
from harness.verification import Trial

CORPUS_VERSION = 1
Corpus = dict[str, dict[str, list[int]]]  # claim → cluster → seeds


def read_corpus(path: Path) -> Corpus:
    """Seeds that showed something before: claim → cluster → seeds; empty if there is no such file. Raises PlanError."""
    if not path.exists():
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] != CORPUS_VERSION:
            raise PlanError(f"{path}: corpus of version {document['version']!r}, but this is for {CORPUS_VERSION}")
        return {
            str(claim): {str(cluster): [int(seed) for seed in seeds] for cluster, seeds in places.items()}
            for claim, places in document["claims"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PlanError(
            f'{path}: not a corpus ({type(error).__name__}: {error}): write {{"version": 1, "claims": {{}}}}'
        ) from error


def learn_seeds(path: Path, known: Corpus, trials: Iterable[Trial]) -> None:
    """Write ``known`` and the telling seeds of these trials to ``path``.

    Every seed that broke a promise is worth another try; of what is known to break one seed is enough, if it still shows.
    """
    for trial in trials:
        seeds = known.setdefault(trial.case.name, {}).setdefault(trial.cluster, [])
        telling = [outcome.seed for outcome in trial.outcomes if outcome.verdict == "invalid"]
        if trial.case.breaks:
            telling = [] if set(telling) & set(seeds) else telling[:1]
        seeds += [seed for seed in telling if seed not in seeds]
    write_corpus(path, known)


def write_corpus(path: Path, corpus: Corpus) -> None:
    """Write what ``read_corpus`` reads, whole or not at all; names without a seed are left out."""
    kept = {name: {place: seeds for place, seeds in sorted(places.items()) if seeds} for name, places in corpus.items()}
    lines = [f"{json.dumps(name)}: {json.dumps(places)}" for name, places in sorted(kept.items()) if places]
    inner = ",\n".join(f"  {line}" for line in lines)
    store.write(path, f'{{\n "version": {CORPUS_VERSION},\n "claims": {{\n{inner}\n }}\n}}\n')
