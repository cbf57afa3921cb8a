"""What it costs to load a history from each format: `python benchmarks/history_formats.py [LINES...] [FORMAT...]`, by default 10^6, all.

A register with unique writes, ten processes, two lines for an operation. Each row is a process of its own: MB are its peak of memory
beyond what it had before it loaded, so with the history, and seconds are of the processor, so that a busy machine does not blur them.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from harness.formats import load_history

PROCESSES = 10
LINES_AT_ONCE = 100_000
Row = tuple[int, int, str, str, int | None]  # index, process, type, f, value


def rows(lines: int) -> Iterator[Row]:
    """The lines: processes take turns, half of the operations write."""
    for index in range(lines):
        turn, process = divmod(index, PROCESSES)
        number = turn // 2 * PROCESSES + process
        f = ("read", "write")[number % 2]
        done = turn % 2 == 1
        value = number if f == "write" else max(0, number - 2 * PROCESSES) | 1 if done else None
        yield index, process, ("invoke", "ok")[done], f, value


def _json(row: Row) -> str:
    index, process, type_, f, value = row
    said = "null" if value is None else value
    return f'{{"index":{index},"time":{index + 1}000,"type":"{type_}","process":{process},"f":"{f}","value":{said}}}\n'


def _edn(row: Row) -> str:
    index, process, type_, f, value = row
    said = "nil" if value is None else value
    return f"{{:index {index}, :time {index + 1}000, :type :{type_}, :process {process}, :f :{f}, :value {said}}}\n"


def _csv(row: Row) -> str:
    index, process, type_, f, value = row
    return f"{index},{index + 1}000,{type_},{process},{f},{'' if value is None else value}\n"


def _log(row: Row) -> str:
    _, process, type_, f, value = row
    return f"INFO  jepsen.util - {process}\t:{type_}\t:{f}\t{'nil' if value is None else value}\n"


TEXTS: dict[str, tuple[str, Callable[[Row], str]]] = {
    "jsonl": ("", _json),
    "edn": ("", _edn),
    "csv": ("index,time,type,process,f,value\n", _csv),
    "log": ("", _log),
}


def write_text(path: Path, lines: int) -> None:
    head, line = TEXTS[path.suffix[1:]]
    with path.open("w", encoding="ascii") as file:
        file.write(head)
        file.writelines(map(line, rows(lines)))


def write_parquet(path: Path, lines: int) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    names = ("index", "process", "type", "f", "value")
    whole = pa.int64()
    kinds = pa.schema(
        zip(names, (whole, whole, pa.string(), pa.string(), whole), strict=True)  # type: ignore[arg-type]
    )
    source = rows(lines)
    with parquet.ParquetWriter(path, kinds) as writer:
        for _ in range(-(-lines // LINES_AT_ONCE)):
            part = list(islice(source, LINES_AT_ONCE))
            writer.write_table(pa.table(list(zip(*part, strict=True)), schema=kinds))


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def loaded(path: Path, lines: int) -> tuple[float, float]:
    """Seconds and MB, in a process of its own."""
    before_mb, began = peak_mb(), time.process_time()
    history = load_history(path)
    took_s = time.process_time() - began
    assert len(history) == lines
    return took_s, peak_mb() - before_mb


def main(counts: list[int], formats: list[str]) -> None:
    print(f"{'format':<8} {'lines':>11} {'file MB':>8} {'s':>8} {'µs/line':>8} {'peak MB':>8} {'B/line':>7}")
    alone = multiprocessing.get_context("spawn")
    for lines in counts:
        for suffix in formats:
            with tempfile.TemporaryDirectory() as directory:
                path = Path(directory) / f"history.{suffix}"
                (write_parquet if suffix == "parquet" else write_text)(path, lines)
                with alone.Pool(1) as pool:
                    took_s, used_mb = pool.apply(loaded, (path, lines))
                size_mb = path.stat().st_size / 1e6
            each = f"{took_s / lines * 1e6:>8.2f} {used_mb:>8.0f} {used_mb * (1 << 20) / lines:>7.0f}"
            print(f"{suffix:<8} {lines:>11,} {size_mb:>8.0f} {took_s:>8.1f} {each}", flush=True)


if __name__ == "__main__":
    every = [*TEXTS, "parquet"]
    numbers = [int(float(word)) for word in sys.argv[1:] if word not in every]
    main(numbers or [1_000_000], [word for word in sys.argv[1:] if word in every] or every)
