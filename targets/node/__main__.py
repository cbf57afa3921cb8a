"""Run one node: ``python -m targets.node PROGRAM [--data DIR] [--seed N] [--option NAME=VALUE]...``. Needs no option under Maelstrom."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from targets.node import tcp
from targets.node.programs import PROGRAMS, load
from targets.node.stdio import Seat, run
from targets.node.wallclock import Skew

USAGE = 2


def _option(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _skew(text: str) -> Skew:
    fields = json.loads(text)
    return Skew.parse(fields, fields["since_s"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m targets.node", description="Run one node on standard input and output."
    )
    parser.add_argument("program", help=f"{', '.join(sorted(PROGRAMS))}, or MODULE:ATTR")
    parser.add_argument("--data", type=Path, help="directory of the node's storage (default: a temporary one)")
    parser.add_argument(
        "--through", action="store_true", help="what is appended reaches the system before it is synced"
    )
    parser.add_argument("--seed", type=int, help="of the node's dice (default: none, no two runs alike)")
    parser.add_argument(
        "--option", type=_option, action="append", default=[], help="NAME=VALUE for the program; JSON, else text"
    )
    parser.add_argument(
        "--incarnation", type=int, help="how often this node has been started before (default: by chance)"
    )
    parser.add_argument(
        "--epoch", type=float, help="the monotonic clock's reading from which log times count (default: now)"
    )
    parser.add_argument(
        "--skew", type=_skew, help="how wrong the wall clock is: JSON of since_s, offset_s, drift, strobe_period_s"
    )
    parser.add_argument(
        "--listen", type=tcp.place, help="HOST:PORT to receive messages by TCP (default: standard input)"
    )
    parser.add_argument(
        "--peer",
        type=tcp.peer,
        action="append",
        default=[],
        help="NAME=HOST:PORT of each node that listens, this one too",
    )
    return parser


def main() -> int:
    arguments = _parser().parse_args()
    try:
        program = load(arguments.program)
    except LookupError as error:
        print(error, file=sys.stderr)
        return USAGE
    # Not made where it is not needed: a node that is killed cannot remove it.
    made = nullcontext("") if arguments.data else tempfile.TemporaryDirectory(prefix="splitbrain-node-")
    with made as scratch:
        seat = Seat(
            program=program,
            data=arguments.data or Path(scratch),
            options=dict(arguments.option),
            seed=arguments.seed,
            # Nobody counts the lives: a number that no other life is likely to have, so that message ids do not meet again.
            incarnation=random.getrandbits(20) if arguments.incarnation is None else arguments.incarnation,
            epoch_s=arguments.epoch,
            skew=arguments.skew,
            through=arguments.through,
        )
        if arguments.listen is not None:
            return tcp.run(seat, tcp.Book(listen=arguments.listen, peers=dict(arguments.peer)))
        return run(seat)


sys.exit(main())
