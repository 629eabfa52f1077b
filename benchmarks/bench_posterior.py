"""Speed of the kernel posterior: against torch attention, KeOps and plain NumPy, and of one quantity against another.

    python benchmarks/bench_posterior.py [--quick] [--threads 2]

Float64 throughout. The peers come with the extra `bench`; KeOps compiles a program for each dimension (20 s, once).
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from contextlib import redirect_stdout

import numpy as np
from comparison import Row, compare, installed, limited, main, options_parser, within

SHAPES = [(2048, 4096, 1024), (4096, 4096, 128), (1000, 50_000, 64), (4096, 4096, 16), (4096, 4096, 2)]
QUICK = [(256, 512, 16), (256, 512, 2)]


def rows(options: argparse.Namespace) -> Iterator[Row]:
    yield memory(10_000 if options.quick else 100_000)  # first: the peak of a process never falls again
    yield from population(options)
    for shape in QUICK if options.quick else SHAPES:
        yield from moments(shape, options)


def moments(shape: tuple[int, int, int], options: argparse.Namespace) -> Iterator[Row]:
    """Mean shift and all moments at one shape (queries, samples, dimension)."""
    import unifiedscore as us
    from unifiedscore.posterior import posterior_field, posterior_moments

    n, m, d = shape
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((n, d)), rng.standard_normal((m, d))
    tau = 0.5 * np.sqrt(d)
    gauss, laplace, samples = us.Gaussian(tau), us.Laplace(tau), us.Samples(y)

    def mean_shift(kernel=gauss):
        return posterior_field(kernel, samples, x, "mean_shift")

    name = f"Gaussian mean shift {shape}"
    peers = [("torch attention", torch_attention, "torch", 1.25 if d == 2 else 1.0)]
    if d <= 16:
        peers.append(("KeOps", keops_softmax, "pykeops", None))
    if d == 16:
        peers.append(("plain NumPy", numpy_mean_shift, "numpy", 1 / 3))
    for peer, build, package, target in peers:
        call = build(x, y, tau, options.threads) if installed(package) else None
        yield compare(name, mean_shift, peer, call, target=target, tolerance=1e-10, needs=package, options=options)
    pair = {"Gaussian": gauss, "Laplace": laplace}
    yield compare(
        f"Laplace mean shift {shape}", lambda: mean_shift(laplace), "own Gaussian kernel", mean_shift,
        kind="own", target=1.4, options=options,
    )  # fmt: skip
    for name, kernel in pair.items():
        yield compare(
            f"all moments, {name} {shape}", lambda k=kernel: posterior_moments(k, samples, x),
            "own mean shift alone", lambda k=kernel: mean_shift(k), kind="own", target=2.0, options=options,
        )  # fmt: skip


def torch_attention(x, y, tau, threads):
    """Gaussian mean shift as attention: an extra key coordinate carries -|y|^2 / 2 tau^2."""
    import torch

    torch.set_num_threads(threads)
    query = torch.from_numpy(np.column_stack([x / tau**2, np.ones(len(x))]))[None, None]
    key = torch.from_numpy(np.column_stack([y, -(y * y).sum(1) / (2 * tau**2)]))[None, None]
    value = torch.from_numpy(y)[None, None]
    point = torch.from_numpy(x)

    def call():
        attention = torch.nn.functional.scaled_dot_product_attention(query, key, value, scale=1.0)
        return (attention[0, 0] - point).numpy()

    return call


def keops_softmax(x, y, tau, threads):
    """The same as a symbolic (n, m) matrix reduced on the fly."""
    with redirect_stdout(io.StringIO()):  # it reports each compilation and a missing CUDA there
        import pykeops
        from pykeops.numpy import LazyTensor
    pykeops.set_verbose(False)

    def call():
        second = LazyTensor(y[None])
        squared = ((LazyTensor(x[:, None]) - second) ** 2).sum(-1)
        return (-squared / (2 * tau**2)).sumsoftmaxweight(second, axis=1) - x

    return call


def numpy_mean_shift(x, y, tau, threads):
    """The plain expression: one (n, m) matrix of distances, one of weights."""

    def call():
        squared = (x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T
        log_weight = -squared / (2 * tau**2)
        weight = np.exp(log_weight - log_weight.max(1, keepdims=True))
        return weight @ y / weight.sum(1, keepdims=True) - x

    return call


def population(options: argparse.Namespace) -> Iterator[Row]:
    """1000 queries against a mixture of six components, at any dimension."""
    import unifiedscore as us

    for d in (2, 2**20):
        target, model = (law.reduced() for law in us.load_pair("ring_mog", dimension=d))
        x = model.sample(1000, np.random.default_rng(0)) if d > 2 else model.quadrature(order=13)[0][:1000]
        kernel = us.Laplace(0.3 * np.sqrt(d))
        yield within(
            f"population moments, Laplace, 1000 queries, 6 components, d = {d}",
            lambda k=kernel, p=target, x=x: us.posterior_moments(k, p, x), 1.0, options=options,
        )  # fmt: skip


def memory(n: int) -> Row:
    """Extra memory of a large mean shift: resident peak before and after."""
    import resource

    import unifiedscore as us
    from unifiedscore.posterior import posterior_field

    rng = np.random.default_rng(0)
    x, samples = rng.standard_normal((n, 16)), us.Samples(rng.standard_normal((n, 16)))
    posterior_field(us.Gaussian(2.0), samples, x[:1000], "mean_shift")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    posterior_field(us.Gaussian(2.0), samples, x, "mean_shift")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return limited(f"extra peak memory of a mean shift ({n}, {n}, 16)", [(after - before) / 1024], 100.0, unit="MB")


if __name__ == "__main__":
    main(rows, options_parser(__doc__))
