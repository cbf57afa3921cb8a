"""Every process of a node, followed through forks and execs, each with the node's clock: set before it has run its first instruction.

Code is changed only while all threads of the process stand still, none of them within the bytes that change. They stand for as long as
that takes, about a millisecond; a process that is stopped or frozen meanwhile is changed before it goes on. What the clock shows is changed
without stopping anybody. When the follower ends, however it ends, the kernel lets go of all whom it followed.

Not thread-safe: ptrace(2) wants to be called by one thread alone. ``attend`` must be called when SIGCHLD came.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from harness.clusters.clocks import ptrace
from harness.clusters.clocks.memory import Memory, own_page
from harness.clusters.clocks.page import RIGHT, Page, Setting, Write
from harness.clusters.clocks.processes import group, state, tasks, tracer, tree, why_not_followed
from harness.clusters.clocks.vdso import Unfit

_STOPPING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
# A thread stands within five bytes of code by the greatest of chances, and not twice.
_TRIES = 50


@dataclass(slots=True)
class _Node:
    """``setting``: what its processes' clocks show; None: the truth, and nobody is followed. ``refused``: whose cannot be set, and why."""

    setting: Setting | None = None
    processes: dict[int, _Process] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Process:
    pid: int
    node: _Node
    threads: dict[int, _Thread] = field(default_factory=dict)
    due: bool = True  # its clock is to be set, or set right
    tries: int = 0
    memory: Memory | None = None

    def forget_program(self) -> None:
        if self.memory is not None:
            self.memory.close()
        self.memory = None


@dataclass(slots=True)
class _Thread:
    number: int
    process: _Process
    go_on: Callable[[], None] | None = None  # how it goes on from where it has been stopped; None: it runs
    signal: int = 0  # what it is to get when it does


class Follower:
    """See the module. ``owner`` is the mark of the controller, which is left in every process."""

    def __init__(self, owner: str, write: Callable[[Memory, list[Write]], bool] = Memory.write) -> None:
        self._owner, self._write = owner, write
        self._nodes: dict[str, _Node] = {}
        self._threads: dict[int, _Thread] = {}
        self._early: dict[int, int] = {}  # stops of the newborn whose parents have not told of them yet

    # What is wanted

    def skew(self, name: str, root: int, setting: Setting) -> None:
        """From now on the process ``root``, all below it and all that they start have this clock. Raises OSError, Unfit."""
        own_page()
        node = self._nodes.setdefault(name, _Node())
        node.setting = setting
        for process in list(node.processes.values()):
            if not process.due:
                self._change(process, setting)
        seen: set[int] = set()
        while new := [pid for pid in tree(root) if pid not in seen]:  # what forks meanwhile is found in the next round
            seen.update(new)
            for pid in new:
                if pid not in node.processes:
                    self._adopt(node, pid)

    def cure(self, pid: int) -> None:
        """Set right what somebody else has left in this process; ``settled(str(pid))`` tells when it is. Raises OSError, Unfit."""
        own_page()
        self._adopt(self._nodes.setdefault(str(pid), _Node()), pid)

    def unskew(self, name: str) -> None:
        """Their clocks are right at once; they are let go when no trace is left in them. Idempotent."""
        node = self._nodes.get(name)
        if node is None or node.setting is None:
            return
        node.setting = None
        for process in list(node.processes.values()):
            if not process.due:
                self._change(process, RIGHT)
            process.due, process.tries = True, 0
            self._halt(process)

    def settled(self, name: str) -> bool:
        """Whether all of the node's processes are as they are to be."""
        node = self._nodes.get(name)
        return node is None or not any(process.due for process in node.processes.values())

    def count(self, name: str) -> int:
        """How many processes of the node are followed."""
        node = self._nodes.get(name)
        return len(node.processes) if node is not None else 0

    def refused(self, name: str) -> str | None:
        """Why the clock of a process of the node cannot be set; None if all can. Asking forgets it."""
        node = self._nodes.get(name)
        if node is None or not node.refused:
            return None
        pid, why = node.refused.popitem()
        node.refused.clear()
        return f"process {pid}: {why}"

    def names(self) -> list[str]:
        return list(self._nodes)

    # What happens

    def attend(self) -> None:
        """Take note of all that has happened to the followed. Does not block."""
        while True:
            try:
                number, status = os.waitpid(-1, os.WNOHANG | ptrace.ALL_KINDS)
            except ChildProcessError:
                return
            if number == 0:
                return
            if not os.WIFSTOPPED(status):
                self._ended(number)
            elif number in self._threads:
                with suppress(ProcessLookupError):  # it is being killed: its end is told next
                    self._stopped(self._threads[number], status)
            else:
                self._early[number] = status

    def _ended(self, number: int) -> None:
        self._early.pop(number, None)
        thread = self._threads.pop(number, None)
        if thread is None:
            return
        process = thread.process
        process.threads.pop(number, None)
        if not process.threads or number == process.pid:  # the first is told of last
            process.forget_program()
            process.due = False
            process.node.processes.pop(process.pid, None)
        else:
            self._proceed(process)

    def _stopped(self, thread: _Thread, status: int) -> None:
        number, event = os.WSTOPSIG(status), status >> 16
        process = thread.process
        thread.signal, thread.go_on = 0, partial(ptrace.go_on, thread.number)
        if event in (ptrace.FORK, ptrace.VFORK, ptrace.CLONE):
            self._born(process, ptrace.message(thread.number))
        elif event == ptrace.EXEC:
            for other in [other for other in process.threads if other != thread.number]:
                del process.threads[other]  # they are gone without a word
                self._threads.pop(other, None)
            process.forget_program()
            process.due, process.tries = True, 0
        elif event == ptrace.STOP:
            if number in _STOPPING:
                thread.go_on = partial(ptrace.listen, thread.number)
        else:
            thread.signal, thread.go_on = number, partial(ptrace.go_on, thread.number, number)
        self._proceed(process)

    def _born(self, parent: _Process, number: int) -> None:
        """A new thread or process. It is stopped before it runs, and has a copy of its parent's clock, which may be of yesterday."""
        if number not in self._threads:
            pid = group(number)
            process = parent
            if pid is not None and pid != parent.pid:
                process = parent.node.processes.setdefault(pid, _Process(pid, parent.node))
            self._know(process, number)

    def _know(self, process: _Process, number: int) -> None:
        thread = self._threads[number] = process.threads[number] = _Thread(number, process)
        early = self._early.pop(number, None)
        if early is not None:
            with suppress(ProcessLookupError):
                self._stopped(thread, early)

    def _adopt(self, node: _Node, pid: int) -> None:
        """Follow a process that runs already. Raises OSError."""
        process = node.processes.setdefault(pid, _Process(pid, node))
        gone: set[int] = set()
        while new := [number for number in tasks(pid) if number not in self._threads and number not in gone]:
            for number in new:
                try:
                    ptrace.seize(number)
                except ProcessLookupError:
                    gone.add(number)
                except PermissionError as error:
                    if state(number) in "ZX":
                        gone.add(number)
                    elif tracer(number) != os.getpid():  # else one of ours has just started it
                        if not process.threads:
                            del node.processes[pid]
                        raise OSError(
                            error.errno, f"process {pid} cannot be followed: {why_not_followed(number)}"
                        ) from error
                if number not in gone:
                    self._know(process, number)
        if not process.threads:
            node.processes.pop(pid, None)
        self._halt(process)

    # What is done

    def _halt(self, process: _Process) -> None:
        """Let all its threads stop."""
        for number, thread in list(process.threads.items()):
            if thread.go_on is None:
                try:
                    ptrace.interrupt(number)
                except ProcessLookupError:
                    if state(number) in "ZX":  # a first thread that ended before the others: told of when all have
                        del process.threads[number]
                        self._threads.pop(number, None)
        self._proceed(process)

    def _proceed(self, process: _Process) -> None:
        """What waits for nothing goes on; what is due is done once all threads stand still."""
        if process.due:
            if not process.threads or any(thread.go_on is None for thread in process.threads.values()):
                return
            if not self._set(process):
                process.tries += 1
                self._resume(process)
                self._halt(process)
                return
            process.due = False
        self._resume(process)

    def _resume(self, process: _Process) -> None:
        leaves = process.node.setting is None and not process.due
        for thread in list(process.threads.values()):
            go_on, thread.go_on = thread.go_on, None
            if leaves:
                with suppress(ProcessLookupError):
                    ptrace.let_go(thread.number, thread.signal)
                del self._threads[thread.number]
            elif go_on is not None:
                with suppress(ProcessLookupError):
                    go_on()
        if leaves:
            process.forget_program()
            process.node.processes.pop(process.pid, None)

    def _set(self, process: _Process) -> bool:
        """Give a process that stands still the clock that it is to have; False if a thread stands where code must change."""
        try:
            return self._carry_out(process, own_page(), self._memory(process))
        except ProcessLookupError:
            pass  # it has ended
        except (OSError, Unfit) as error:
            process.node.refused[process.pid] = str(error)
        return True

    def _carry_out(self, process: _Process, page: Page, memory: Memory) -> bool:
        setting = process.node.setting
        data = memory.read(0, len(page.image.data))
        ours = page.owner(data) is not None
        if ours:
            live = int.from_bytes(memory.read(page.live_at, 8), "little")
            self._put(process, memory, page.change(setting or RIGHT, live))
        if ours == (setting is not None):
            return True
        if not ours and not page.fresh(data):
            raise Unfit("its vDSO is not that of this machine's kernel for 64-bit programs")
        if not self._safe(process, page, memory):
            if process.tries < _TRIES:
                return False
            raise Unfit("its threads do not leave the functions of the clock")
        self._put(process, memory, page.patch(self._owner, setting) if setting else page.restore())
        return True

    def _change(self, process: _Process, setting: Setting) -> None:
        """Of one that runs, and has a clock of ours already."""
        try:
            page, memory = own_page(), self._memory(process)
            live = int.from_bytes(memory.read(page.live_at, 8), "little")
            if not self._write(memory, page.change(setting, live)):
                process.due, process.tries = True, 0  # by ptrace(2), which wants it to stand still
                self._halt(process)
        except ProcessLookupError:
            pass
        except OSError as error:
            process.node.refused[process.pid] = str(error)

    def _memory(self, process: _Process) -> Memory:
        if process.memory is None:
            process.memory = Memory(process.pid)
        return process.memory

    def _put(self, process: _Process, memory: Memory, writes: list[Write]) -> None:
        if not self._write(memory, writes):
            memory.poke(writes, next(iter(process.threads)))

    @staticmethod
    def _safe(process: _Process, page: Page, memory: Memory) -> bool:
        counters = [ptrace.program_counter(number) - memory.base for number in process.threads]
        return not any(counter in unsafe for counter in counters for unsafe in page.unsafe)
