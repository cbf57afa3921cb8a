"""``splitbrain verify``: a file of claims against many runs, and what it says to people and machines."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from harness import __version__, store
from harness.claims import Case, ClaimFile, parse_claims
from harness.cli import tables
from harness.cli.corpus import learn_seeds, read_corpus
from harness.cli.planning import SEEDS
from harness.cli.progress import TrialsView
from harness.cli.showing import EXIT_CODES, console_for
from harness.cli.verifying import Wishes, conduct_trials, make_trials
from harness.errors import ClusterError, PlanError
from harness.registry import load
from harness.verification import PROFILES, Profile, Trial, compare, document, fingerprints, row
from reports import VERIFICATIONS
from reports.verification.github import commands
from reports.verification.terminal import print_verification

LEDGER = "flakes.jsonl"
# So many earlier verifications tell which findings are new and which are rare.
EARLIER_MAX = 20


@click.command()
@click.argument("claims", type=click.Path(path_type=Path), metavar="CLAIMS.toml")
@click.option("--profile", type=click.Choice(list(PROFILES)), default="pr", show_default=True, help="How many runs.")
@click.option(
    "--cluster",
    "clusters",
    multiple=True,
    metavar="NAME",
    help="Where (may be repeated).  [default: the claim's, or sim; a real one for targets that sim cannot run]",
)
@click.option("--claim", "wanted", multiple=True, metavar="TEXT", help="Only claims whose TARGET:NAME contains TEXT.")
@click.option("--runs", type=click.IntRange(min=1), metavar="N", help="Runs per claim, instead of the profile's.")
@click.option(
    "--first-seed", type=click.IntRange(min=0), metavar="N", help="Seeds from here on.  [default: 0; nightly: drawn]"
)
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Runs at a time.  [default: one per core in the simulator]"
)
@click.option(
    "--time-limit", "time_limit_s", type=float, metavar="S", help="Length of each run, instead of the claim's."
)
@click.option("--bug", metavar="TARGET=NAME", help="Plant a seeded bug in one target: its claims should turn red.")
@click.option(
    "--corpus",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Known seeds, tried first.  [default: CLAIMS.corpus.json]",
)
@click.option("--learn", is_flag=True, help="Add the seeds that showed something to the corpus.")
@click.option("--keep", is_flag=True, help="Keep the directories of valid simulated runs, too.")
@click.option(
    "--store", "store_path", type=click.Path(path_type=Path), default=Path("store"), show_default=True, metavar="DIR"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else on standard output.")
@click.option("--debug", is_flag=True, help="Show where a bug of splitbrain itself happened.")
def verify(
    claims: Path,
    profile: str,
    clusters: tuple[str, ...],
    wanted: tuple[str, ...],
    runs: int | None,
    first_seed: int | None,
    jobs: int | None,
    time_limit_s: float | None,
    bug: str | None,
    corpus: Path | None,
    learn: bool,
    keep: bool,
    store_path: Path,
    as_json: bool,
    debug: bool,  # noqa: ARG001 - read by the last line of defence in main
) -> int:
    """Verify each claim of CLAIMS.toml (format: harness/claims.py) by runs of its target, and write the reports.

    The exit code is the whole verdict: 0 every claim holds or is violated as expected, 1 one is VIOLATED, 2 one is unknown or the canary,
    a false claim that is part of every verification, went unnoticed.
    """
    file = read_claims(claims)
    first = _first_seed(first_seed, profile)
    path = corpus or claims.with_suffix(".corpus.json")
    known = read_corpus(path)
    wishes = Wishes(
        profile=_profile(PROFILES[profile], runs),
        clusters=clusters,
        first_seed=first,
        settings={} if time_limit_s is None else {"time_limit_s": time_limit_s},
        bugs=_planted(bug),
        known=known,
        keep=keep,
        store=store_path,
    )
    canary, trials = make_trials(_chosen(file, wanted), wishes)
    directory, console, began_s = _directory(store_path), console_for(as_json=as_json), time.monotonic()
    console.print(
        f"splitbrain {__version__}  {claims}, {profile}, seeds from {first}, {len(trials)} claims", highlight=False
    )
    with TrialsView([canary, *trials], console) as view:
        ledger = conduct_trials(canary, trials, wishes, jobs=_jobs(jobs, trials), observe=view.observe)
    head = {
        "title": file.title,
        "file": str(claims),
        "profile": profile,
        "bug": bug,
        "splitbrain": __version__,
        "store": str(store_path),
        "began": directory.name,
        "wall_s": round(time.monotonic() - began_s, 3),
        "first_seed": first,
        "retries": [dict(line) for line in ledger],
        "repeat": _repeat(claims, profile, first, clusters, wanted, bug),
    }
    if learn:
        learn_seeds(path, known, trials)
    verification = document(claims=[row(trial) for trial in trials], canary=row(canary), head=head)
    return _publish(verification, directory, console, as_json=as_json)


def read_claims(path: Path) -> ClaimFile:
    """The claims in the file. Raises PlanError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise PlanError(f"{path}: cannot be read ({why})") from error
    return parse_claims(text, str(path), tables.targets().get)


def _chosen(file: ClaimFile, wanted: Sequence[str]) -> list[Case]:
    cases = [case for case in file.cases if not wanted or any(text in case.name for text in wanted)]
    if not cases:
        raise PlanError(f"{file.path}: no claim has {' or '.join(wanted)} in its name")
    return cases


def _first_seed(asked: int | None, profile: str) -> int:
    """With every change the same seeds, at night others."""
    if asked is not None:
        return asked
    return 0 if profile == "pr" else secrets.randbelow(SEEDS)


def _planted(bug: str | None) -> dict[str, str]:
    if bug is None:
        return {}
    target, separator, name = bug.partition("=")
    if not separator:
        raise PlanError(f"--bug {bug!r}: write it as TARGET=NAME, as in kv/raft=stale-local-read")
    tables.targets().check(target)
    return {target: name}


def _profile(profile: Profile, runs: int | None) -> Profile:
    if runs is None:
        return profile
    return replace(profile, holding_runs=runs, breaking_runs=runs)


def _jobs(jobs: int | None, trials: Sequence[Trial]) -> int:
    """Real clusters share the machine with what they measure: one run at a time, if not asked otherwise."""
    simulated = all(getattr(tables.clusters().get(trial.cluster), "simulated", False) for trial in trials)
    return jobs or ((os.cpu_count() or 1) if simulated else 1)


def _repeat(
    claims: Path, profile: str, first: int, clusters: Sequence[str], wanted: Sequence[str], bug: str | None
) -> str:
    argv = ["splitbrain", "verify", str(claims), "--profile", profile, "--first-seed", str(first)]
    argv += [part for cluster in clusters for part in ("--cluster", cluster)]
    argv += [part for text in wanted for part in ("--claim", text)]
    argv += ["--bug", bug] if bug else []
    return shlex.join(argv)


def _directory(store_path: Path) -> Path:
    path = store_path / store.VERIFICATIONS / datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise ClusterError(f"cannot create {path}: {error.strerror}: choose another --store") from error
    return path


def _earlier(directory: Path, verification: Mapping[str, Any]) -> list[list[str]]:
    """The findings about these claims of the verifications of this file before this one, newest last."""
    tried = {f"{claim['name']} on {claim['cluster']}" for claim in verification["claims"]}
    found = sorted(path for path in directory.parent.glob(f"*/{store.VERIFICATION}") if path.parent != directory)
    told = (json.loads(path.read_text(encoding="utf-8")) for path in found)
    same = [fingerprints(earlier) for earlier in told if earlier["file"] == verification["file"]]
    return [
        [finding for finding in findings if finding.partition(": ")[0] in tried] for findings in same[-EARLIER_MAX:]
    ]


def _publish(verification: dict[str, Any], directory: Path, console: Console, *, as_json: bool) -> int:
    """Write every report, add to the ledger, show the verdict; returns the exit code."""
    verification["findings"] = compare(fingerprints(verification), _earlier(directory, verification))
    for name, path in VERIFICATIONS.items():
        store.write(directory / name, load(path)(verification))
    if verification["retries"]:
        with (directory.parent / LEDGER).open("a", encoding="utf-8") as lines:
            lines.writelines(json.dumps(line) + "\n" for line in verification["retries"])
    return _show(verification, directory, console, as_json=as_json)


def _show(verification: Mapping[str, Any], directory: Path, console: Console, *, as_json: bool) -> int:
    if as_json:
        click.echo((directory / store.VERIFICATION).read_text(encoding="utf-8"), nl=False)
    else:
        print_verification(console, verification, str(directory))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as page:
            page.write((directory / "summary.md").read_text(encoding="utf-8"))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in commands(verification):
            click.echo(line, err=as_json)
    return EXIT_CODES[verification["verdict"]]
