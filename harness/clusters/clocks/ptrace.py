"""ptrace(2) as far as following needs it. x86-64 Linux; standard library alone.

The kernel ties a traced thread to the thread that traces it: all of this must be called by one and the same thread.
"""

from __future__ import annotations

import ctypes
import os
import struct

ALL_KINDS = 0x40000000  # __WALL: also threads are waited for
# Events, as they stand above a stop's signal in a wait status.
FORK, VFORK, CLONE, EXEC, STOP = 1, 2, 3, 4, 128
OPTIONS = 1 << FORK | 1 << VFORK | 1 << CLONE | 1 << EXEC
_POKE, _CONT, _DETACH, _MESSAGE, _SEIZE, _INTERRUPT, _LISTEN, _REGISTERS = 5, 7, 17, 0x4201, 0x4206, 0x4207, 0x4208, 12
_REGISTERS_SIZE, _RIP = 27 * 8, 16 * 8  # struct user_regs_struct of sys/user.h

_libc = ctypes.CDLL(None, use_errno=True)


def _ptrace(request: int, thread: int, address: int = 0, data: int = 0) -> None:
    _libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    _libc.ptrace.restype = ctypes.c_long
    if _libc.ptrace(request, thread, address or None, data or None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def seize(thread: int) -> None:
    """Follow this thread and all that it will start, without stopping it. Raises OSError."""
    _ptrace(_SEIZE, thread, 0, OPTIONS)


def interrupt(thread: int) -> None:
    """Let a running thread stop soon (event STOP); one that sleeps in the kernel, too. Raises OSError."""
    _ptrace(_INTERRUPT, thread)


def go_on(thread: int, signal: int = 0) -> None:
    """A stopped thread goes on, and gets this signal. Raises OSError."""
    _ptrace(_CONT, thread, 0, signal)


def listen(thread: int) -> None:
    """A thread that a signal has stopped stays stopped, till it is to go on. Raises OSError."""
    _ptrace(_LISTEN, thread)


def let_go(thread: int, signal: int = 0) -> None:
    """A stopped thread is followed no more. Raises OSError."""
    _ptrace(_DETACH, thread, 0, signal)


def message(thread: int) -> int:
    """Of a stop at an event: the new thread's number. Raises OSError."""
    number = ctypes.c_ulong()
    _ptrace(_MESSAGE, thread, 0, ctypes.addressof(number))
    return number.value


def program_counter(thread: int) -> int:
    """Where a stopped thread will go on. Raises OSError."""
    registers = ctypes.create_string_buffer(_REGISTERS_SIZE)
    _ptrace(_REGISTERS, thread, 0, ctypes.addressof(registers))
    counter: int = struct.unpack_from("<Q", registers.raw, _RIP)[0]
    return counter


def poke(thread: int, address: int, word: int) -> None:
    """Write eight bytes into the memory of a stopped thread. Raises OSError."""
    _ptrace(_POKE, thread, address, word)
