"""One shape for every benchmark: two sides timed in turn, a row of numbers, a peer that is never silently dropped.

A benchmark file defines `rows(options)`, which yields a `Row` for each comparison, and ends in `main(__doc__, rows)`.
Run alone it prints its table; `run.py` runs them all and writes one table and one figure.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, final

LEAST = 5  # pairs; below that quartiles say nothing
SHORTEST = 0.05  # seconds of a run, made of several calls where one is shorter: a few slices of the scheduler's time
HEAD = (
    "| benchmark | what | dtype | peer | ours | peer's | ratio | quartiles | target | same numbers to |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


@final
@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: how long each run of ours and of the peer took, in turn.

    Parameters
    ----------
    what, peer : str
        What is measured, and against what.
    ours, theirs : tuple of float
        Seconds (or `unit`) of each run; equally many, except that `theirs` is empty where the peer is missing.
    target : float, optional
        Largest ratio that is good enough.
    difference : float, optional
        Largest difference between the two results over the largest entry.
    missing : str
        Why there is no peer; empty if there is one.
    benchmark : str
        The group the row belongs to.
    kind : {"peer", "own", "limit"}
        Whether the other side is another program, another way through this package, or a number to stay below.
    dtype : str
        Of the arrays that both sides are given.
    """

    what: str
    peer: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...] = ()
    target: float | None = None
    difference: float | None = None
    missing: str = ""
    benchmark: str = ""
    unit: str = "s"
    kind: Literal["peer", "own", "limit"] = "peer"
    dtype: str = "float64"

    @property
    def ratio(self) -> float:
        """Median of ours over median of the peer's; below 1 is faster than the peer, NaN without one."""
        return statistics.median(self.ours) / statistics.median(self.theirs) if self.theirs else math.nan

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ratio of each pair of neighbouring runs."""
        return tuple(a / b for a, b in zip(self.ours, self.theirs, strict=True)) if self.theirs else ()

    @property
    def quartiles(self) -> tuple[float, float]:
        """Quartiles of the paired ratios, which a drift of the machine's speed moves little."""
        if len(self.ratios) < 2:
            return (self.ratio, self.ratio)
        low, _, high = statistics.quantiles(self.ratios, n=4, method="inclusive")
        return low, high

    @property
    def missed(self) -> bool:
        """Whether the target is measured and not met."""
        return self.target is not None and self.ratio > self.target

    def markdown(self) -> str:
        """The row of the table headed `HEAD`."""
        low, high = self.quartiles
        peers = amount(statistics.median(self.theirs), self.unit) if self.theirs else ""
        target = "" if self.target is None else f"≤ {self.target:.3g}" + (" (missed)" if self.missed else "")
        cells = [
            self.benchmark,
            self.what,
            self.dtype,
            f"{self.peer}: {self.missing}" if self.missing else self.peer,
            amount(statistics.median(self.ours), self.unit) if self.ours else "",
            peers,
            f"**{self.ratio:.3g}**" if self.theirs else "",
            f"{low:.3g} to {high:.3g}" if len(self.theirs) > 1 else "",
            target,
            "" if self.difference is None else f"{self.difference:.0e}",
        ]
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def amount(value: float, unit: str) -> str:
    """A measured amount as people write it.

    Examples
    --------
    >>> amount(0.01234, "s"), amount(12.34, "s"), amount(56.7, "MB")
    ('12.3 ms', '12.3 s', '56.7 MB')
    """
    return f"{1e3 * value:.3g} ms" if unit == "s" and value < 1 else f"{value:.3g} {unit}"


def compare(
    what: str,
    ours: Callable,
    peer: str,
    theirs: Callable | None,
    *,
    options: argparse.Namespace,
    target: float | None = None,
    tolerance: float | None = None,
    needs: str = "",
    kind: Literal["peer", "own"] = "peer",
    dtype: str = "float64",
) -> Row:
    """Time `ours` and `theirs` in turn, after a warm-up of both whose results must agree to `tolerance`.

    Runs alternate in order too, so that neither side always follows the other's threads. There are `options.repeats`
    pairs, fewer (at least `LEAST`) once they have taken `options.seconds`.

    Parameters
    ----------
    theirs : callable or None
        None where the package `needs` is not installed: ours is timed alone and the row says so.
    tolerance : float, optional
        Largest difference of the results over the largest entry of the peer's; None for sides that compute
        different things.
    """
    mine = ours()
    if theirs is None:
        times = [pair[0] for pair in _pairs((ours,), options)]
        return Row(what, peer, tuple(times), target=target, missing=f"not installed ({needs})", kind=kind, dtype=dtype)
    difference = None if tolerance is None else relative_difference(mine, theirs())
    if difference is None:
        theirs()
    elif not difference <= tolerance:
        raise ArithmeticError(f"{what}: {peer} gives other numbers, {difference:.2e} apart (at most {tolerance:.0e})")
    pairs = _pairs((ours, theirs), options)
    first, second = zip(*pairs, strict=True)
    return Row(what, peer, first, second, target=target, difference=difference, kind=kind, dtype=dtype)


def within(what: str, ours: Callable, limit: float, *, options: argparse.Namespace) -> Row:
    """Time what has no peer against a limit in seconds."""
    ours()
    times = tuple(pair[0] for pair in _pairs((ours,), options))
    return limited(what, times, limit)


def limited(what: str, values: Iterable[float], limit: float, *, unit: str = "s") -> Row:
    """The row of values that should stay below `limit`."""
    values = tuple(values)
    return Row(what, f"a limit of {limit:g} {unit}", values, (limit,) * len(values), 1.0, unit=unit, kind="limit")


def relative_difference(first, second) -> float:
    """Largest difference of two arrays over the largest entry of the second.

    Examples
    --------
    >>> relative_difference([1.0, 2.0], [1.0, 4.0])
    0.5
    """
    import numpy as np

    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape:
        raise ArithmeticError(f"results of shapes {first.shape} and {second.shape}")
    return float(np.abs(first - second).max() / np.abs(second).max())


def _pairs(sides: tuple[Callable, ...], options: argparse.Namespace) -> list[tuple[float, ...]]:
    counts = [max(1, math.ceil(SHORTEST / seconds(side))) for side in sides]
    turns, pairs, start = list(zip(sides, counts, strict=True)), [], time.perf_counter()
    while len(pairs) < options.repeats and (len(pairs) < LEAST or time.perf_counter() - start < options.seconds):
        forward = len(pairs) % 2 == 0
        times = [seconds(side, count) for side, count in (turns if forward else turns[::-1])]
        pairs.append(tuple(times if forward else times[::-1]))
    return pairs


def seconds(call: Callable, count: int = 1) -> float:
    """Wall-clock time of a call, the mean of `count`."""
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def fastest(calls: Iterable[Callable]) -> Callable:
    """The fastest of several ways to write a peer, after a warm-up of each: the one to be measured against."""
    return min(calls, key=lambda call: (call(), min(seconds(call) for _ in range(3)))[1])


def installed(module: str) -> bool:
    """Whether an optional peer can be imported, without importing it."""
    return importlib.util.find_spec(module) is not None


def hold_threads(threads: int) -> None:
    """Give every library the same cores for the rest of this process."""
    from unifiedscore.study.threads import THREAD_VARIABLES

    # Each library's own switch, read when it is loaded; and the processor affinity, which is also what JAX, KeOps and
    # torch size their pools by.
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def options_parser(description: str) -> argparse.ArgumentParser:
    """The options every benchmark has."""
    from unifiedscore.study.pool import available_cores

    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run, not how fast is it")
    parser.add_argument("--repeats", type=int, default=15, help="pairs of runs of a row, if they fit --seconds")
    parser.add_argument("--seconds", type=float, default=4.0, help=f"time for a row's pairs (at least {LEAST} are run)")
    parser.add_argument("--threads", type=int, default=min(2, available_cores()))
    parser.add_argument("--json", type=Path, help="also append every row to this file, one JSON object a line")
    return parser


def main(rows: Callable[[argparse.Namespace], Iterable[Row]], parser: argparse.ArgumentParser) -> None:
    """Run one benchmark: print each row of its table as soon as it is measured."""
    from unifiedscore.study.threads import limited_threads

    options = parser.parse_args()
    name = Path(parser.prog).stem.removeprefix("bench_").replace("_", " ")
    if options.quick:
        options.repeats, options.seconds = LEAST, 0.0
    print(*HEAD, sep="\n", flush=True)
    hold_threads(options.threads)
    with limited_threads(options.threads):  # for libraries that are loaded already
        for row in rows(options):
            row = replace(row, benchmark=name)
            print(row.markdown(), flush=True)
            if options.json:
                with open(options.json, "a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(row)) + "\n")


def read_rows(path: Path) -> list[Row]:
    """The rows that a benchmark appended to `path`."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = [json.loads(line) for line in lines]
    return [Row(**row | {"ours": tuple(row["ours"]), "theirs": tuple(row["theirs"])}) for row in found]
