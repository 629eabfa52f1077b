"""How time and memory of a Gaussian mean shift grow with the number of points, beside other programs.

    python benchmarks/bench_scaling.py [--quick] [--largest 1000000] [--cap 20] [--budget 840] [--out reference]

As many queries as samples, n = m = 1e3 ... 1e6, uniform on a checkerboard of side 8 in two dimensions, in a cube of
that side in three and six, normal in 16, 64 and 768. A side is not measured at a size where its last times say that it
would take longer than the cap; the first call of each size is compared, and kept as a time where a second would be
long. With `--out` it also writes `scaling.md` and `scaling.png`. Float64.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from bench_posterior import keops_softmax, numpy_mean_shift, torch_attention
from comparison import Row, installed, main, options_parser, relative_difference, seconds

SIDE = 8.0
# Bandwidths in units of the side, or of the standard deviation times the root of the dimension.
WIDTHS = {"narrow": 0.02 / SIDE, "medium": 0.2 / SIDE, "wide": 2.0 / SIDE}
CASES = [(d, width) for d in (2, 3, 6) for width in WIDTHS] + [(16, "medium"), (64, "medium"), (768, "medium")]
SIZES = (1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
SHORT = 1.0  # seconds: what takes longer is not run again
TOLERANCE = 1e-9


def bandwidth(d: int, width: str) -> float:
    return WIDTHS[width] * SIDE * np.sqrt(d / 2) if d < 16 else 0.5 * np.sqrt(d)


def cloud(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    if d >= 16:
        return rng.standard_normal((n, d))
    if d == 2:
        column, row = rng.integers(4, size=n), rng.integers(2, size=n)
        corner = np.stack([column, 2 * row + column % 2], axis=1)
        return SIDE / 4 * (corner + rng.uniform(size=(n, 2))) - SIDE / 2
    return SIDE * (rng.uniform(size=(n, d)) - 0.5)


def mean_shift(x, y, h, threads) -> Callable:
    import unifiedscore as us

    field = us.MeanShift(us.Gaussian(h), y)
    return lambda: field(x)


def log_density(x, y, h, threads) -> Callable:
    from unifiedscore import Gaussian, Samples
    from unifiedscore.posterior import posterior_vectors

    kernel, samples = Gaussian(h), Samples(y)
    return lambda: posterior_vectors(kernel, samples, x).log_normalizer


def kernel_density_tree(x, y, h, threads) -> Callable:
    """Trees of scikit-learn to the same relative tolerance: log Z alone, with the density's constant taken off."""
    from sklearn.neighbors import KernelDensity

    constant = 0.5 * y.shape[1] * np.log(2 * np.pi) + y.shape[1] * np.log(h)
    tree = KernelDensity(bandwidth=h, algorithm="kd_tree", rtol=1e-12, atol=0.0).fit(y)
    return lambda: tree.score_samples(x) + constant


def nonuniform_fft(x, y, h, threads) -> Callable:
    """Sums in the plane by the non-uniform FFT: their error is absolute, small beside Z only near samples."""
    import finufft

    reach = 8.0 * h
    low, high = np.minimum(x.min(0), y.min(0)) - reach, np.maximum(x.max(0), y.max(0)) + reach
    period = float((high - low).max())
    modes = 2 * int(np.ceil(8.0 / h * period / (2 * np.pi))) + 2
    frequency = 2 * np.pi / period * (np.arange(modes) - modes // 2)
    factor = np.exp(-0.5 * (h * frequency) ** 2)
    spectrum = factor[:, None] * factor
    center = 0.5 * (low + high)
    there, here = ([c for c in np.ascontiguousarray((2 * np.pi / period * (p - center)).T)] for p in (y, x))
    strengths = np.ascontiguousarray(np.concatenate([np.ones((1, len(y))), (y - center).T]).astype(complex))
    first, second = finufft.nufft2d1, finufft.nufft2d2
    shape = (modes, modes)

    def call():
        coefficients = np.ascontiguousarray(first(*there, strengths, shape, eps=1e-13, nthreads=threads) * spectrum)
        sums = second(*here, coefficients, eps=1e-13, nthreads=threads).real
        return (sums[1:] / sums[0]).T - (x - center)

    return call


# Name, how it is made, what it needs, the largest dimension, the way of ours that computes the same.
PEERS = (
    ("torch attention", torch_attention, "torch", 10_000, mean_shift),
    ("KeOps", keops_softmax, "pykeops", 16, mean_shift),
    ("plain NumPy", numpy_mean_shift, "numpy", 10_000, mean_shift),
    ("scikit-learn trees (log Z)", kernel_density_tree, "sklearn", 3, log_density),
    ("finufft", nonuniform_fft, "finufft", 2, mean_shift),
)


def rows(options: argparse.Namespace) -> Iterator[Row]:
    start = time.perf_counter()
    sizes = [n for n in SIZES if n <= (3000 if options.quick else options.largest)]
    cases = [(2, "narrow"), (16, "medium")] if options.quick else CASES
    for number, (d, width) in enumerate(cases, start=1):
        # What a case leaves of its share is there for the next.
        stop = start + options.budget * number / len(cases)
        known: dict[str, dict[int, float]] = {}
        for n in sizes:
            for row in at_size(n, d, width, known, stop, options):
                options.rows.append((d, width, n, row))
                yield row


def at_size(n, d, width, known, stop, options) -> Iterator[Row]:
    """Ours in turn with every peer that can still keep up."""
    rng, h = np.random.default_rng(0), bandwidth(d, width)
    y, x = cloud(n, d, rng), cloud(n, d, rng)
    for peer, build, package, most, way in PEERS:
        if d > most or time.perf_counter() > stop:
            continue
        what = f"n = m = {n}, d = {d}, {width} ({h:.3g})"
        if not installed(package):
            if n == SIZES[0]:
                yield Row(what, peer, (), missing=f"not installed ({package})")
            continue
        if peer == "plain NumPy" and n > 10_000:  # two matrices of n m numbers
            continue
        names = (way.__name__, peer)
        if any(expected(known.get(name, {}), n) > min(options.cap, stop - time.perf_counter()) for name in names):
            continue
        if peer not in known:
            for make in (way, build):  # programs are compiled and libraries loaded
                make(x[:300], y[:300], h, options.threads)()
        ours, theirs = (make(x, y, h, options.threads) for make in (way, build))
        times, difference = turns(ours, theirs, options)
        for name, values in zip(names, times, strict=True):
            known.setdefault(name, {})[n] = float(np.median(values))
        if not difference <= TOLERANCE:
            what += f" (other numbers, {difference:.0e} apart)"
        yield Row(what, peer, *times, difference=difference)


def turns(ours, theirs, options):
    """Times of both sides, in turn, and the difference of their results."""
    first, second = [], []
    results = []
    for side, found in ((ours, first), (theirs, second)):
        start = time.perf_counter()
        results.append(side())
        found.append(time.perf_counter() - start)
    if max(first[0], second[0]) < SHORT:
        first, second = [], []
        for turn in range(min(5, options.repeats)):
            for side, found in [(ours, first), (theirs, second)][:: 1 if turn % 2 else -1]:
                found.append(seconds(side, 1 + int(0.02 / max(1e-4, found[-1])) if found else 1))
    return (tuple(first), tuple(second)), relative_difference(results[0], results[1])


def expected(times: dict[int, float], n: int) -> float:
    """Seconds at n points where the last sizes took so long; a square law at worst."""
    before, slope = [point for point in times.items() if point[0] < n], 2.0
    if not before:
        return 0.0
    m, last = before[-1]
    if len(before) > 1 and before[-2][1] > 0.01:
        slope = min(2.0, max(1.0, np.log(last / before[-2][1]) / np.log(m / before[-2][0])))
    return 2 * last * (n / m) ** slope


MEMORY = """
import resource, sys
sys.path.insert(0, {folder!r})
import numpy as np
from bench_scaling import bandwidth, cloud, mean_shift
rng = np.random.default_rng(0)
mean_shift(cloud(3000, 2, rng), cloud(3000, 2, rng), 0.02, 2)()
y, x = cloud({n}, 2, rng), cloud({n}, 2, rng)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
mean_shift(x, y, bandwidth(2, "narrow"), 2)()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def memory(n: int) -> float:
    """Extra resident memory, MB, of a narrow mean shift in the plane, in a process of its own."""
    code = MEMORY.format(folder=str(Path(__file__).parent), n=n)
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def lines(found) -> dict[tuple[int, str], dict[str, list[tuple[int, float]]]]:
    """For each case and program the sizes and median times; ours is the median over all its turns."""
    cases: dict = {}
    for d, width, n, row in found:
        if row.theirs:
            case = cases.setdefault((d, width), {})
            own = "unifiedscore (log Z)" if "log Z" in row.peer else "unifiedscore"
            for name, times in ((own, row.ours), (row.peer, row.theirs)):
                case.setdefault(name, {}).setdefault(n, []).extend(times)
    return {case: {name: sorted((n, float(np.median(t))) for n, t in sizes.items()) for name, sizes in programs.items()}
            for case, programs in cases.items()}  # fmt: skip


def slope(points: list[tuple[int, float]]) -> float:
    """Slope of log time over log n, from the sizes that take more than ten milliseconds."""
    long = [(n, t) for n, t in points if t > 0.01]
    return float(np.polyfit(*np.log(np.array(long).T), 1)[0]) if len(long) > 1 else float("nan")


def write(found, memories, out: Path, options) -> None:
    from comparison import HEAD
    from report import measured_on

    cases = lines(found)
    text = ["# Scaling", "", " ".join(__doc__.split("\n\n")[2].split()), ""]
    text += [f"- {name}: {fact}" for name, fact in measured_on(options.threads).items()]
    text += ["", "![Time over the number of points](scaling.png)", "", "## Slopes", "",
             "Slope of log time over log n, from sizes that take more than 10 ms; the last size and its time.", "",
             "| dimension | width | program | slope | largest n | time |", "|---|---|---|---|---|---|"]  # fmt: skip
    for (d, width), programs in cases.items():
        for name, points in programs.items():
            text.append(f"| {d} | {width} | {name} | {slope(points):.2f} | {points[-1][0]} | {points[-1][1]:.3g} s |")
    if memories:
        text += ["", "## Memory", "", "Extra resident memory of a narrow mean shift in the plane.", "",
                 "| n = m | MB | bytes per point |", "|---|---|---|"]  # fmt: skip
        text += [f"| {n} | {size:.0f} | {size * 2**20 / (2 * n):.0f} |" for n, size in memories]
    text += ["", "## Times", "", *HEAD, *(row.markdown() for *_, row in found)]
    out.mkdir(parents=True, exist_ok=True)
    (out / "scaling.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    figure(cases, options).savefig(out / "scaling.png", dpi=150)


def figure(cases, options):
    from report import measured_on

    from unifiedscore.plotting.style import caption, new_figure, style, tidy

    names = ["unifiedscore", *(peer for peer, *_ in PEERS), "unifiedscore (log Z)"]
    colours = dict(
        zip(names, ("#0072B2", "#D55E00", "#009E73", "#999999", "#CC79A7", "#E69F00", "#56B4E9"), strict=True)
    )
    with style():
        columns = 3
        height = -(-len(cases) // columns)
        drawn = new_figure(10.5, 2.6 * height + 1.2)
        axes = drawn.subplots(height, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for ax, ((d, width), programs) in zip(axes, cases.items(), strict=False):
            for name, points in programs.items():
                label = f"{name.replace('scikit-learn', 'sklearn')}: {slope(points):.2f}"
                marker = "o" if name.startswith("unified") else "s"
                ax.loglog(*np.array(points).T, marker=marker, markersize=3.5, color=colours[name], label=label)
            ax.set_title(f"d = {d}, {width}", fontsize=9)
            ax.legend(fontsize=6, title="slope", title_fontsize=6)
            tidy(ax)
        for ax in axes[len(cases) :]:
            ax.set_visible(False)
        drawn.supxlabel("number of samples, and of queries")
        drawn.supylabel("seconds")
        caption(drawn, f"Gaussian mean shift, medians of runs in turn. {measured_on(options.threads)['processor']}.")
    return drawn


if __name__ == "__main__":
    parser = options_parser(__doc__)
    parser.add_argument("--largest", type=int, default=1_000_000)
    parser.add_argument("--cap", type=float, default=20.0, help="longest run, seconds")
    parser.add_argument("--budget", type=float, default=240.0, help="seconds after which nothing new is begun")
    parser.add_argument("--out", type=Path, help="folder of scaling.md and scaling.png")
    found: list = []
    parser.set_defaults(rows=found)
    main(rows, parser)
    if (options := parser.parse_args()).out:
        sizes = [n for n in (10_000, 100_000, 1_000_000) if n <= (10_000 if options.quick else options.largest)]
        write(found, [(n, memory(n)) for n in sizes], options.out, options)
