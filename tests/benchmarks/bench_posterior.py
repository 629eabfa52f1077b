"""Speed of the kernel posterior, side by side with its peers.

    python tests/benchmarks/bench_posterior.py [--repeats 7] [--threads 2]

Every row interleaves the two sides in one process, after a warm-up of each, and reports the ratio of the medians with
the smallest and largest ratio of neighbouring runs. Float64, the same number of threads on both sides. Needs the extra
`bench` for the torch rows; they are left out when torch is not installed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SHAPES = [(2048, 4096, 1024), (4096, 4096, 128), (1000, 50_000, 64), (4096, 4096, 16), (4096, 4096, 2)]


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: what was measured, both medians in milliseconds, their ratio with its range, and the target."""

    name: str
    ours: float
    peer: float
    ratio: float
    low: float
    high: float
    target: float


def compare(name: str, ours: Callable, peer: Callable, *, target: float, repeats: int) -> Row:
    """Time `ours` and `peer` in turn."""
    ours(), peer()
    pairs = []
    for _ in range(repeats):
        pairs.append((seconds(ours), seconds(peer)))
    a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = [first / second for first, second in pairs]
    return Row(name, 1e3 * a, 1e3 * b, a / b, min(ratios), max(ratios), target)


def seconds(call: Callable) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def rows(repeats: int, threads: int) -> list[Row]:
    import unifiedscore as us
    from unifiedscore.posterior import posterior_field, posterior_moments

    rng = np.random.default_rng(0)
    table = []
    for n, m, d in SHAPES:
        x, y = rng.standard_normal((n, d)), rng.standard_normal((m, d))
        tau = 0.5 * np.sqrt(d)
        gauss, laplace, samples = us.Gaussian(tau), us.Laplace(tau), us.Samples(y)
        shape = f"({n}, {m}, {d})"

        def mean_shift(kernel=gauss, samples=samples, x=x):
            return posterior_field(kernel, samples, x, "mean_shift")

        attention = torch_attention(x, y, tau, threads)
        if attention is not None:
            difference = np.abs(mean_shift() - attention()).max()
            assert difference < 1e-10, f"torch and unifiedscore differ by {difference}"
            target = 1.25 if d == 2 else 1.0
            name = f"Gaussian mean shift / torch attention {shape}"
            table.append(compare(name, mean_shift, attention, target=target, repeats=repeats))
        name = f"Laplace / Gaussian mean shift {shape}"
        table.append(compare(name, lambda k=laplace, f=mean_shift: f(k), mean_shift, target=1.4, repeats=repeats))
        for kernel in (gauss, laplace):

            def everything(kernel=kernel, samples=samples, x=x):
                return posterior_moments(kernel, samples, x)

            name = f"all moments / mean shift, {kernel.name} {shape}"
            single = lambda k=kernel, f=mean_shift: f(k)  # noqa: E731
            table.append(compare(name, everything, single, target=2.0, repeats=repeats))
        if (n, m, d) == (4096, 4096, 16):
            plain = lambda x=x, y=y, tau=tau: numpy_mean_shift(x, y, tau)  # noqa: E731
            name = f"Gaussian mean shift / plain NumPy {shape}"
            table.append(compare(name, mean_shift, plain, target=1 / 3, repeats=repeats))
    return table


def numpy_mean_shift(x, y, tau):
    """The plain expression: one (n, m) matrix of distances, one of weights."""
    squared = (x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T
    log_weight = -squared / (2 * tau**2)
    weight = np.exp(log_weight - log_weight.max(1, keepdims=True))
    return weight @ y / weight.sum(1, keepdims=True) - x


def torch_attention(x, y, tau, threads):
    """Gaussian mean shift as attention: an extra key coordinate carries -|y|^2 / 2 tau^2."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(threads)
    query = torch.from_numpy(np.column_stack([x / tau**2, np.ones(len(x))]))[None, None]
    key = torch.from_numpy(np.column_stack([y, -(y * y).sum(1) / (2 * tau**2)]))[None, None]
    value = torch.from_numpy(y)[None, None]
    point = torch.from_numpy(x)

    def call():
        attention = torch.nn.functional.scaled_dot_product_attention(query, key, value, scale=1.0)
        return (attention[0, 0] - point).numpy()

    return call


def population_rows() -> list[tuple[str, float, float]]:
    """1000 queries against a mixture of six components: seconds, and the target."""
    import unifiedscore as us

    out = []
    for d in (2, 2**20):
        target, model = (law.reduced() for law in us.load_pair("ring_mog", dimension=d))
        x = model.sample(1000, np.random.default_rng(0)) if d > 2 else model.quadrature(order=13)[0][:1000]
        kernel = us.Laplace(0.3 * np.sqrt(d))
        us.posterior_moments(kernel, target, x)
        times = [seconds(lambda k=kernel, p=target, x=x: us.posterior_moments(k, p, x)) for _ in range(5)]
        out.append((f"population moments, Laplace, 1000 queries, 6 components, d = {d}", statistics.median(times), 1.0))
    return out


def memory_row() -> tuple[str, float, float]:
    """Extra memory of a large mean shift, in megabytes: resident peak before and after."""
    import resource

    import unifiedscore as us
    from unifiedscore.posterior import posterior_field

    rng = np.random.default_rng(0)
    x, samples = rng.standard_normal((100_000, 16)), us.Samples(rng.standard_normal((100_000, 16)))
    posterior_field(us.Gaussian(2.0), samples, x[:1000], "mean_shift")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    posterior_field(us.Gaussian(2.0), samples, x, "mean_shift")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return "extra peak memory of (100000, 100000, 16), MB", (after - before) / 1024, 100.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    arguments = parser.parse_args()
    os.environ["NUMBA_NUM_THREADS"] = str(arguments.threads)
    name, value, target = memory_row()
    print("| what | ours | peer | ratio | range | target |\n|---|---|---|---|---|---|")
    print(f"| {name} | {value:.0f} | | | | {target:.0f} |")
    for name, value, target in population_rows():
        print(f"| {name} | {value:.2f} s | | | | {target:.1f} s |")
    for row in rows(arguments.repeats, arguments.threads):
        met = "" if row.ratio <= row.target else " (missed)"
        print(
            f"| {row.name} | {row.ours:.1f} ms | {row.peer:.1f} ms | {row.ratio:.2f} | {row.low:.2f} - {row.high:.2f} "
            f"| {row.target:.2f}{met} |"
        )


if __name__ == "__main__":
    main()
