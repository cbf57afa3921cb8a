"""Wall clocks of real programs: set wrong, changed, set right, whatever the program is and does meanwhile; the host's never moves."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from harness import heal, heal_machine, mark
from harness.clusters.clocks import marks
from harness.clusters.clocks.clocks import Clocks
from harness.effects import ClockSkew
from harness.errors import ClusterError
from tests.harness.clusters.clocks.programs import Teller, command, go, needs_skew
from tests.harness.clusters.local.running import until

pytestmark = needs_skew
ROOT = Path(__file__).parents[4]
NEAR_S = 0.2
CYCLES = 200
# Eight threads that read the clock as fast as they can, each reading between two of the system call, which nothing changes. What lies
# neither between those nor, set back by a minute, between them then, is wrong; so is a monotonic clock that goes back.
HAMMER = """\
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

func truth() int64 {
	var at syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 0, uintptr(unsafe.Pointer(&at)), 0)
	return at.Nano()
}

func main() {
	var wrong, skewed, right int64
	const off = 60 * 1000000000
	for thread := 0; thread < 8; thread++ {
		go func() {
			runtime.LockOSThread()
			last := time.Now()
			for {
				before := truth()
				now := time.Now()
				after := truth()
				shown := now.UnixNano()
				if before <= shown && shown <= after {
					atomic.AddInt64(&right, 1)
				} else if before-off <= shown && shown <= after-off {
					atomic.AddInt64(&skewed, 1)
				} else {
					atomic.AddInt64(&wrong, 1)
				}
				if now.Sub(last) < 0 {
					atomic.AddInt64(&wrong, 1)
				}
				last = now
			}
		}()
	}
	one := make([]byte, 1)
	for {
		if n, _ := os.Stdin.Read(one); n == 0 {
			return
		}
		fmt.Println(atomic.LoadInt64(&wrong), atomic.LoadInt64(&skewed), atomic.LoadInt64(&right))
	}
}
"""


@asynccontextmanager
async def clocks_of(pid: int) -> AsyncIterator[Clocks]:
    async def above(_node: str) -> int | None:
        return pid

    clocks = Clocks(above)
    try:
        yield clocks
    finally:
        await clocks.stop()


def play(argv: list[str], scenario: Callable[[Teller, Clocks], Coroutine[Any, Any, Any]]) -> Any:
    """With the program running, and this machine's own clock looked at before and after."""

    async def body(teller: Teller) -> Any:
        async with clocks_of(teller.pid) as clocks:
            return await scenario(teller, clocks)

    ahead_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    teller = Teller(argv)
    try:
        return asyncio.run(body(teller))
    finally:
        teller.end()
        assert abs(time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME) - ahead_ns) < NEAR_S * 1e9


@pytest.mark.parametrize("kind", ["go", "java", "python"])
def test_any_program_is_wrong_drifts_and_is_right_again(tmp_path: Path, kind: str) -> None:
    async def scenario(teller: Teller, clocks: Clocks) -> None:
        _, began_ns = teller.told()
        assert abs(await teller.offset_s()) < NEAR_S
        await clocks.skew("n1", ClockSkew(offset_s=-60))
        assert await teller.offset_s() == pytest.approx(-60, abs=NEAR_S)
        await teller.drifts(clocks, 0.5, NEAR_S)
        await clocks.unskew("n1")
        await clocks.unskew("n1")
        assert abs(await teller.offset_s()) < NEAR_S
        assert marks.owner_of(teller.pid) is None
        assert 0 < teller.told()[1] - began_ns < 60e9  # the monotonic clock never went back, nor forth by much

    play(command(kind, tmp_path), scenario)


@pytest.mark.parametrize("kind", ["execs", "forks", "threads"])
def test_what_a_program_starts_is_wrong_from_its_first_instruction(tmp_path: Path, kind: str) -> None:
    async def scenario(teller: Teller, clocks: Clocks) -> None:
        await clocks.skew("n1", ClockSkew(offset_s=1e5))
        for _ in range(10):
            assert await teller.offset_s() == pytest.approx(1e5, abs=NEAR_S)
        await clocks.skew("n1", ClockSkew(offset_s=-60))
        for _ in range(10):
            assert await teller.offset_s() == pytest.approx(-60, abs=NEAR_S)
        await clocks.unskew("n1")
        assert abs(await teller.offset_s()) < NEAR_S

    play(command(kind, tmp_path), scenario)


def test_a_program_that_stands_still_is_wrong_when_it_goes_on_and_signals_still_reach_it(tmp_path: Path) -> None:
    def state(pid: int) -> str:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]

    async def scenario(teller: Teller, clocks: Clocks) -> None:
        os.kill(teller.pid, signal.SIGSTOP)
        await until(lambda: state(teller.pid) == "T")
        await clocks.skew("n1", ClockSkew(offset_s=-60))
        assert state(teller.pid) in "Tt"
        os.kill(teller.pid, signal.SIGCONT)
        assert await teller.offset_s() == pytest.approx(-60, abs=NEAR_S)
        os.kill(teller.pid, signal.SIGSTOP)
        await until(lambda: state(teller.pid) in "Tt")
        await clocks.unskew("n1")
        assert state(teller.pid) in "Tt"
        os.kill(teller.pid, signal.SIGCONT)
        assert abs(await teller.offset_s()) < NEAR_S
        await clocks.skew("n1", ClockSkew(offset_s=-60))
        os.kill(teller.pid, signal.SIGTERM)
        assert await asyncio.to_thread(teller.process.wait) == -signal.SIGTERM

    play(command("python", tmp_path), scenario)


def test_threads_that_do_nothing_else_see_no_wrong_value(tmp_path: Path) -> None:
    async def scenario(clocks: Clocks) -> None:
        for _ in range(CYCLES):
            await clocks.skew("n1", ClockSkew(offset_s=-60))
            await clocks.unskew("n1")

    with subprocess.Popen(
        [str(go(HAMMER, tmp_path))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as hammer:
        assert hammer.stdin is not None
        assert hammer.stdout is not None

        async def body() -> None:
            async with clocks_of(hammer.pid) as clocks:
                await scenario(clocks)

        asyncio.run(body())
        hammer.stdin.write(b"?")
        wrong, skewed, right = (int(word) for word in hammer.stdout.readline().split())
        hammer.kill()
    assert wrong == 0
    assert skewed > CYCLES
    assert right > CYCLES


def test_where_memory_may_not_be_written_to_a_debuggers_call_does_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.harness.clusters.clocks.poking"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["refused"] is None
    assert told["offsets"] == pytest.approx([-60, 3600, 0], abs=NEAR_S)


def test_what_somebody_debugs_already_is_refused_by_name(tmp_path: Path) -> None:
    async def scenario(teller: Teller, clocks: Clocks) -> None:
        await clocks.skew("n1", ClockSkew(offset_s=-60))
        async with clocks_of(teller.pid) as others:
            with pytest.raises(
                ClusterError, match=r"not faultable here, because process \d+ cannot be followed: process \d+ debugs"
            ):
                await others.skew("n1", ClockSkew(offset_s=60))
        assert await teller.offset_s() == pytest.approx(-60, abs=NEAR_S)

    play(command("python", tmp_path), scenario)


def test_a_keeper_whose_controller_is_gone_sets_all_clocks_right(tmp_path: Path) -> None:
    async def scenario(teller: Teller, clocks: Clocks) -> None:
        await clocks.skew("n1", ClockSkew(offset_s=-60))
        assert clocks._keeper is not None
        clocks._keeper.close()  # as the kernel does when we die
        await until(lambda: marks.owner_of(teller.pid) is None)
        assert abs(await teller.offset_s()) < NEAR_S

    play(command("python", tmp_path), scenario)


def test_any_later_process_finds_a_wrong_clock_and_sets_it_right_from_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(teller: Teller, clocks: Clocks) -> None:
        owner = mark.mine()
        ours = mark.Mark(teller.pid, 1, owner.boot, owner.space)  # who had this number and began at the boot is dead
        monkeypatch.setattr(mark, "mine", lambda: ours)
        await clocks.skew("n1", ClockSkew(offset_s=-60))
        monkeypatch.undo()
        assert clocks._process is not None
        clocks._process.kill()
        await until(lambda: clocks._process is not None and clocks._process.poll() is not None)
        assert await teller.offset_s() == pytest.approx(-60, abs=NEAR_S)
        healing = await asyncio.to_thread(heal.sweep, {"clocks": heal_machine.clocks})
        assert [thing.name for thing in healing.removed if thing.owner == ours] == [f"of process {teller.pid}"]
        assert abs(await teller.offset_s()) < NEAR_S

    play(command("python", tmp_path), scenario)
