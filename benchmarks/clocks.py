"""What a wrong clock costs: ``python -m benchmarks.clocks [--runs N]``.

Prints, with the goal of each: a static Go program's clock set wrong, changed and set right, from the controller's word to the keeper's
answer; the change alone, as the write that it is; a reading of a right and of a wrong clock; and why forks and execs are followed by
ptrace(2) and not looked for in /proc: how many of a shell's short programs are wrong either way, and what that costs them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from harness.clusters.clocks.bell import Bell
from harness.clusters.clocks.clocks import Clocks
from harness.clusters.clocks.follower import Follower
from harness.clusters.clocks.memory import Memory, own_page
from harness.clusters.clocks.page import Setting
from harness.clusters.clocks.processes import tree
from harness.effects import ClockSkew
from tests.harness.clusters.clocks.programs import THREAD, Teller, command

OFFSET_S = -3600.0
EXECS = 200
LOOK_S = 0.005  # how often /proc is looked through, where nobody follows
READ = "import time\nbegan = time.perf_counter()\nfor _ in range(200_000): time.time()\nprint((time.perf_counter() - began) / 200_000)"
# A shell, as it were: it starts programs that tell the time, one after the other, and says how many of them were wrong.
SHELL = f"""\
import json, os, subprocess, sys, time
sys.stdin.readline()
began, wrong = time.monotonic(), 0
for _ in range({EXECS}):
    told = int(subprocess.run(["date", "+%s"], stdout=subprocess.PIPE).stdout)
    wrong += told < int(sys.argv[1]) - 1800
print(json.dumps([wrong, time.monotonic() - began]), flush=True)
sys.stdin.readline()
"""


def say(what: str, figure: str, goal: str) -> None:
    print(f"{what:<62} {figure:>24}   {goal}", flush=True)


def milliseconds(taken_s: list[float]) -> str:
    taken_s = sorted(taken_s)
    return f"{statistics.median(taken_s) * 1e3:.2f} (worst {taken_s[-1] * 1e3:.2f}) ms"


async def changes(runs: int) -> None:
    """Times of the three that a controller can ask for."""
    with tempfile.TemporaryDirectory() as scratch:
        teller = Teller(command("go", Path(scratch)))

    async def above(_node: str) -> int | None:
        return teller.pid

    clocks, time_s = Clocks(above), time.perf_counter
    taken: dict[str, list[float]] = {"set wrong": [], "changed": [], "set right": []}
    try:
        await clocks.skew("n1", ClockSkew(offset_s=1.0))  # the keeper starts
        await clocks.unskew("n1")
        for number in range(runs):
            for what, work in (
                ("set wrong", clocks.skew("n1", ClockSkew(offset_s=OFFSET_S))),
                ("changed", clocks.skew("n1", ClockSkew(offset_s=float(number)))),
                ("set right", clocks.unskew("n1")),
            ):
                began_s = time_s()
                await work
                taken[what].append(time_s() - began_s)
    finally:
        await clocks.stop()
        teller.end()
    for what, times_s in taken.items():
        say(f"a static Go program's clock is {what}, asked and answered", milliseconds(times_s), "goal: < 5 ms")


def write(runs: int) -> None:
    """The change alone, of a process that is wrong already. In this process, which has no other children that end."""
    teller, bell, follower = Teller([sys.executable, "-S", "-c", THREAD]), Bell(), Follower("benchmark")
    follower.skew("n1", teller.pid, Setting(since_s=time.time(), offset_s=OFFSET_S))
    while not follower.settled("n1"):
        bell.wait(1.0)
        follower.attend()
    taken, page = [], own_page()
    with Memory(teller.pid) as memory:
        for number in range(runs):
            began_s = time.perf_counter()
            live = int.from_bytes(memory.read(page.live_at, 8), "little")
            memory.write(page.change(Setting(since_s=0.0, offset_s=float(number)), live))
            taken.append(time.perf_counter() - began_s)
    follower.unskew("n1")
    while not follower.settled("n1"):
        bell.wait(1.0)
        follower.attend()
    teller.process.kill()
    say("the change itself, without a stop", milliseconds(taken), "goal: < 0.1 ms")


async def readings() -> None:
    """What a reading takes, in nanoseconds, when the clock is right and when it is wrong."""
    taken = []
    for wrong in (False, True):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-S", "-c", f"import sys; sys.stdin.readline()\n{READ}", stdin=-1, stdout=-1
        )

        async def above(_node: str, pid: int = child.pid) -> int | None:
            return pid

        clocks = Clocks(above)
        if wrong:
            await clocks.skew("n1", ClockSkew(offset_s=OFFSET_S))
        out, _ = await child.communicate(b"\n")
        await clocks.stop()
        taken.append(float(out) * 1e9)
    say("time.time() of CPython, clock right and wrong", f"{taken[0]:.0f} and {taken[1]:.0f} ns", "a system call")


def looked_for(pid: int) -> Iterator[None]:
    """Look through /proc for new programs, again and again, and set each wrong as if it stood still: the way not taken."""
    known: set[int] = set()
    page = own_page()
    while True:
        for one in tree(pid):
            if one in known:
                continue
            known.add(one)
            try:
                with Memory(one) as memory:
                    memory.write(page.patch("benchmark", Setting(since_s=time.time(), offset_s=OFFSET_S)))
            except OSError:
                continue  # it has ended already
        yield


def started(argv: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


async def execs(way: str) -> None:
    """Short programs of a shell: how many of them are wrong, and how long all of them take."""
    shell = started([sys.executable, "-S", "-c", SHELL, str(int(time.time()))])
    assert shell.stdin is not None
    assert shell.stdout is not None

    async def above(_node: str) -> int | None:
        return shell.pid

    clocks = Clocks(above)
    if way == "followed":
        await clocks.skew("n1", ClockSkew(offset_s=OFFSET_S))
    shell.stdin.write(b"\n")
    reading = asyncio.create_task(asyncio.to_thread(shell.stdout.readline))
    if way == "looked for":
        look = looked_for(shell.pid)
        while not reading.done():
            next(look)
            await asyncio.sleep(LOOK_S)
    wrong, took_s = json.loads(await reading)
    await clocks.stop()
    shell.kill()
    shell.wait()
    say(f"{EXECS} short programs, {way}", f"{wrong} wrong, {took_s:.2f} s", "")


async def main(runs: int) -> None:
    await changes(runs)
    await readings()
    for way in ("left alone", "followed", "looked for"):
        await execs(way)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    chosen = parser.parse_args()
    asyncio.run(main(chosen.runs))
    write(chosen.runs)
