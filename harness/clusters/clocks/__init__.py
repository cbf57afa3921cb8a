"""Wall clocks of real processes, set wrong without the host's clock moving: any binary, its own vDSO edited in memory. x86-64 Linux.

Every process reads the time by functions that the kernel maps into it (vdso(7)). Writing to them gives the process a copy of its own, in
which they jump to functions of ours; only CLOCK_REALTIME and its kin are wrong, monotonic clocks are not.

In reading order: ``blob`` our functions as machine code (``blob.S``, their source); ``vdso`` reads the kernel's image; ``page`` what to
write where; ``ptrace`` the system calls; ``memory`` reading and writing a process; ``processes`` who started whom; ``follower`` every
process, thread and program of a node, followed through forks and execs, stopped for a moment where code changes; ``bell`` how a loop
hears of them; ``keeper`` the process that follows for a run; ``trial`` whether it works here; ``clocks`` the controller's end of it;
``marks`` whose wrong clocks there are on a machine, and setting them right from nothing.

Not covered: programs that make the system call themselves instead of using the vDSO, timers that the kernel runs by the wall clock, times
that the kernel writes into files, 32-bit programs. Where this cannot work, libfaketime(1) may, for programs that are linked dynamically:
FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 with a file that is replaced by rename(2); splitbrain does not use it.
"""
