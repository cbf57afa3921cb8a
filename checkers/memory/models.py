"""Which outcomes a memory model allows a small program: by trying all its executions. Pure.

* ``sc``: all accesses take effect one after the other, those of a thread in its order (Lamport 1979);
* ``tso``: writes wait in a queue of their thread, which reads its own ones there, and reach the memory in order at any later time
  (Owens, Sarkar, Sewell 2009); a fence, or a release, waits until the queue is empty;
* ``rc``: accesses of a thread to different locations take effect in any order, but for what fences, releases (all before comes before) and
  acquires (all behind comes after) keep apart: release consistency with one memory (Gharachorloo et al. 1990). Each location is coherent.

Locks acquire, and release when they are given back; a barrier is an arrival, which releases, and a passage, which acquires. They are in no
queue: before one that releases, it is empty. What is read in the end is read when all has reached the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from harness.litmus import ACQUIRE, BARRIER, FENCE, LOCK, READ, RELEASE, UNLOCK, WRITE, Instruction, Litmus

Outcome = tuple[int, ...]
Memory = tuple[tuple[str, int], ...]
Program = tuple[tuple[Instruction, ...], ...]
_ARRIVE, _PASS = "arrive", "pass"
_ACQUIRING, _RELEASING = frozenset({LOCK, _PASS}), frozenset({UNLOCK, _ARRIVE})


def _read(memory: Memory, location: str) -> int:
    return dict(memory).get(location, 0)


def _written(memory: Memory, location: str, value: int) -> Memory:
    return tuple(sorted({**dict(memory), location: value}.items()))


def _program(test: Litmus) -> Program:
    """The threads, with two steps for each barrier."""
    parts = {BARRIER: lambda step: ((_ARRIVE, step[1]), (_PASS, *step[1:]))}
    return tuple(tuple(part for step in thread for part in parts.get(step[0], _same)(step)) for thread in test.threads)


def _same(step: Instruction) -> tuple[Instruction, ...]:
    return (step,)


def _met(memory: Memory, step: Instruction) -> Memory | None:
    """The memory after a step that is no access; None while it must wait. Who holds a lock, and how many arrived, stand in it too."""
    match step[0]:
        case "lock":
            return None if _read(memory, step[1]) else _written(memory, step[1], 1)
        case "unlock":
            return _written(memory, step[1], 0)
        case "arrive":
            return _written(memory, step[1], _read(memory, step[1]) + 1)
        case "pass":
            return memory if _read(memory, step[1]) >= step[2] else None
        case _:
            return memory


def _outcome(test: Litmus, memory: Memory, registers: Memory) -> Outcome:
    values = dict(registers)
    for step in test.end:
        values[step[2]] = _read(memory, step[1])
    return tuple(values[register] for register in test.registers)


def _in_any_order(test: Litmus, before: Callable[[Instruction, Instruction], bool]) -> frozenset[Outcome]:
    """All outcomes where accesses take effect at once, in an order that keeps ``before`` between those of a thread."""
    found: set[Outcome] = set()
    seen = set()
    rest: list[tuple[Program, Memory, Memory]] = [(_program(test), (), ())]
    while rest:
        state = rest.pop()
        if state in seen:
            continue
        seen.add(state)
        threads, memory, registers = state
        if not any(threads):
            found.add(_outcome(test, memory, registers))
        for number, thread in enumerate(threads):
            for place, step in enumerate(thread):
                if any(before(earlier, step) for earlier in thread[:place]):
                    continue
                left = (*threads[:number], thread[:place] + thread[place + 1 :], *threads[number + 1 :])
                if step[0] == WRITE:
                    rest.append((left, _written(memory, step[1], step[2]), registers))
                elif step[0] == READ:
                    rest.append((left, memory, _written(registers, step[2], _read(memory, step[1]))))
                elif (after := _met(memory, step)) is not None:
                    rest.append((left, after, registers))
    return frozenset(found)


def _always(_earlier: Instruction, _later: Instruction) -> bool:
    return True


def _released(earlier: Instruction, later: Instruction) -> bool:
    """What release consistency keeps in order."""
    return (
        FENCE in (earlier[0], later[0])
        or earlier[1] == later[1]
        or earlier[-1] == ACQUIRE
        or later[-1] == RELEASE
        or earlier[0] in _ACQUIRING
        or later[0] in _RELEASING
    )


def _with_queues(test: Litmus) -> frozenset[Outcome]:
    found: set[Outcome] = set()
    seen = set()
    none: tuple[tuple[tuple[str, int], ...], ...] = tuple(() for _ in test.threads)
    rest = [(_program(test), none, Memory(), Memory())]
    while rest:
        state = rest.pop()
        if state not in seen:
            seen.add(state)
            threads, queues, memory, registers = state
            if not any(threads) and not any(queues):
                found.add(_outcome(test, memory, registers))
            rest += _steps(threads, queues, memory, registers)
    return frozenset(found)


Queues = tuple[tuple[tuple[str, int], ...], ...]


def _steps(
    threads: Program, queues: Queues, memory: Memory, registers: Memory
) -> Iterator[tuple[Program, Queues, Memory, Memory]]:
    """All that can happen next: the oldest write of a queue reaches the memory, or a thread takes its next step."""
    for number, queue in enumerate(queues):
        if queue:
            emptier = (*queues[:number], queue[1:], *queues[number + 1 :])
            yield threads, emptier, _written(memory, *queue[0]), registers
    for number, thread in enumerate(threads):
        if not thread:
            continue
        step, queue = thread[0], queues[number]
        left = (*threads[:number], thread[1:], *threads[number + 1 :])
        if step[0] == WRITE and not (step[-1] == RELEASE and queue):
            fuller = (*queues[:number], (*queue, (step[1], step[2])), *queues[number + 1 :])
            yield left, fuller, memory, registers
        elif step[0] == READ:
            own = next((value for location, value in reversed(queue) if location == step[1]), None)
            value = _read(memory, step[1]) if own is None else own
            yield left, queues, memory, _written(registers, step[2], value)
        elif step[0] != WRITE and not (queue and (step[0] == FENCE or step[0] in _RELEASING)):
            after = _met(memory, step)
            if after is not None:
                yield left, queues, after, registers


MODELS: Mapping[str, Callable[[Litmus], frozenset[Outcome]]] = {
    "sc": cache(lambda test: _in_any_order(test, _always)),
    "tso": cache(_with_queues),
    "rc": cache(lambda test: _in_any_order(test, _released)),
}
