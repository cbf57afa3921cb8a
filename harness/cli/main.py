"""The command ``splitbrain``: finds the subcommand, turns every error into one sentence and an exit code.

Subcommands are imported when they are called: ``splitbrain --help`` must answer at once, and numpy alone takes longer than that.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

from harness import __version__
from harness.errors import EXIT_BROKEN, EXIT_INTERRUPTED, EXIT_USAGE, SplitbrainError, suggest

# name → (where the command lives, its line in --help)
COMMANDS = {
    "run": ("harness.cli.run:run", "Run a target under faults, judge its history, write a report."),
    "verify": ("harness.cli.verify:verify", "Verify a file of claims by many runs: the CI job."),
    "check": ("harness.cli.check:check", "Judge a run's directory or any history file."),
    "report": ("harness.cli.report:report", "Draw the report of an old run again."),
    "compare": ("harness.cli.compare:compare", "What is new in a run, or a verification, against earlier ones."),
    "serve": ("harness.cli.serve:serve", "Show the runs of a store in a browser, on this machine alone."),
    "replay": ("harness.cli.replay:replay", "Repeat a simulated run and compare the histories byte for byte."),
    "heal": ("harness.cli.heal:heal", "Remove what dead runs have left, and make their records whole."),
    "doctor": ("harness.cli.doctor:doctor", "Try which faults work here, and say what would enable the others."),
    "image": ("harness.cli.image:image", "The image that nodes run in on the docker cluster."),
    "hosts": ("harness.cli.hosts:hosts", "The hosts of the ssh cluster: pin their keys."),
    "list": (
        "harness.cli.listing:list_",
        "List targets, bugs, nemeses, workloads, checkers, models, clusters or runs.",
    ),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            raise click.UsageError(f"no such command {cmd_name!r}: {suggest(cmd_name, COMMANDS)}")
        from harness.registry import load

        command = load(COMMANDS[cmd_name][0])
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="splitbrain")
def main() -> None:
    """Break distributed systems on purpose, and decide from the recorded history whether they kept their promises.

    Exit codes: 0 valid, 1 invalid, 2 unknown, 254 wrong arguments or plan, 255 the harness or the machine failed, 130 interrupted.
    """


def run_command(argv: list[str]) -> int:
    """Run the command line; returns its exit code. Prints one sentence instead of a traceback."""
    with _ends_are_interrupts():
        return _run_command(argv)


@contextmanager
def _ends_are_interrupts() -> Iterator[None]:
    """SIGTERM, and SIGHUP of a terminal that closes, end a command as an interrupt does: everything is healed on the way out."""
    ends = [number for number in (signal.SIGTERM, getattr(signal, "SIGHUP", None)) if number is not None]
    if threading.current_thread() is not threading.main_thread():  # only there can handlers be set
        ends = []
    ours = [number for number in ends if signal.getsignal(number) is signal.SIG_DFL]
    # What a shell runs in the background ignores interrupts. It goes on doing so, but there has to be a handler: asyncio puts one of its
    # own in the place of Python's, and that one ends a run in good order.
    ignoring = bool(ours) and signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignoring:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in ours:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
        if ignoring:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def _interrupt(_number: int, frame: FrameType | None) -> None:
    """What an interrupt would do now."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)


def _run_command(argv: list[str]) -> int:
    try:
        code = main.main(argv, prog_name="splitbrain", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return EXIT_USAGE
    except click.ClickException as error:
        return _complain(argv, error.format_message(), EXIT_USAGE)
    except SplitbrainError as error:
        return _complain(argv, str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _complain(argv, "interrupted; all faults are healed and all nodes stopped", EXIT_INTERRUPTED)
    except BrokenPipeError:
        return EXIT_BROKEN
    except Exception as error:  # noqa: BLE001 - the last line of defence: a bug of ours, told in one sentence
        if "--debug" in argv:
            traceback.print_exc()
        return _complain(
            argv, f"this is a bug of splitbrain: {type(error).__name__}: {error} (--debug shows where)", EXIT_BROKEN
        )
    return code if isinstance(code, int) else 0


def _complain(argv: list[str], sentence: str, code: int) -> int:
    if "--json" in argv:
        document: dict[str, Any] = {"version": 1, "error": sentence, "exit_code": code}
        click.echo(json.dumps(document))
    click.echo(f"splitbrain: {sentence}", err=True)
    return code


def entry() -> None:
    """The console script."""
    sys.exit(run_command(sys.argv[1:]))
