"""Speed of the kernel posterior: against torch attention, KeOps and plain NumPy, and of one quantity against another.

    python benchmarks/bench_posterior.py [--quick] [--threads 2]

Every shape in both dtypes. The peers come with the extra `bench`; KeOps compiles a program for each dimension (20 s,
once). Attention is measured in both of its forms: with a key one coordinate longer than the value, which torch computes
with a matrix of all weights, and with the value padded to that length, for its fused kernel.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from contextlib import redirect_stdout

import numpy as np
from comparison import Row, compare, installed, limited, main, options_parser, within

SHAPES = [(2048, 4096, 1024), (4096, 4096, 128), (1000, 50_000, 64), (4096, 4096, 16), (4096, 4096, 2)]
EMBEDDINGS = (20_000, 20_000, 768)
QUICK = [(256, 512, 16), (256, 512, 2)]


def rows(options: argparse.Namespace) -> Iterator[Row]:
    yield memory(10_000 if options.quick else 100_000)  # first: the peak of a process never falls again
    yield from population(options)
    for shape in QUICK if options.quick else SHAPES:
        for dtype in ("float64", "float32"):
            yield from moments(shape, dtype, options)
    if not options.quick:
        yield embeddings(EMBEDDINGS, options)


def data(shape: tuple[int, int, int], dtype: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Normal queries and samples, and a bandwidth at which some hundreds of them count."""
    n, m, d = shape
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((n, d)), rng.standard_normal((m, d))
    return x.astype(dtype), y.astype(dtype), 0.5 * np.sqrt(d)


def embeddings(shape: tuple[int, int, int], options: argparse.Namespace) -> Row:
    """Mean shift of as many float32 vectors as a language model gives; a matrix of all weights would take 1.6 GB."""
    import unifiedscore as us
    from unifiedscore.posterior import posterior_field

    x, y, tau = data(shape, "float32")
    kernel, samples = us.Gaussian(tau), us.Samples(y)
    call = fused_attention(x, y, tau, options.threads) if installed("torch") else None
    return compare(
        f"Gaussian mean shift {shape}", lambda: posterior_field(kernel, samples, x, "mean_shift"),
        "torch attention, fused", call, target=0.8, tolerance=1e-4, needs="torch", options=options, dtype="float32",
    )  # fmt: skip


def moments(shape: tuple[int, int, int], dtype: str, options: argparse.Namespace) -> Iterator[Row]:
    """Mean shift and all moments at one shape (queries, samples, dimension)."""
    import unifiedscore as us
    from unifiedscore.posterior import posterior_field, posterior_moments

    d, (x, y, tau) = shape[2], data(shape, dtype)
    gauss, laplace, samples = us.Gaussian(tau), us.Laplace(tau), us.Samples(y)

    def mean_shift(kernel=gauss):
        return posterior_field(kernel, samples, x, "mean_shift")

    name = f"Gaussian mean shift {shape}"
    target = 0.7 if (d, dtype) == (2, "float64") else 1.0
    peers = [
        ("torch attention", torch_attention, "torch", target),
        ("torch attention, fused", fused_attention, "torch", target),
    ]
    if d <= 16 and dtype == "float64":
        peers.append(("KeOps", keops_softmax, "pykeops", None))
    if d == 16 and dtype == "float64":
        peers.append(("plain NumPy", numpy_mean_shift, "numpy", 1 / 3))
    for peer, build, package, target in peers:
        call = build(x, y, tau, options.threads) if installed(package) else None
        # Float32: some tens of roundings of the longest vector on both sides.
        tolerance = 1e-10 if dtype == "float64" else 1e-5
        yield compare(
            name,
            mean_shift,
            peer,
            call,
            target=target,
            tolerance=tolerance,
            needs=package,
            options=options,
            dtype=dtype,
        )
    pair = {"Gaussian": gauss, "Laplace": laplace}
    yield compare(
        f"Laplace mean shift {shape}", lambda: mean_shift(laplace), "own Gaussian kernel", mean_shift,
        kind="own", target=1.15, options=options, dtype=dtype,
    )  # fmt: skip
    for name, kernel in pair.items():
        yield compare(
            f"all moments, {name} {shape}", lambda k=kernel: posterior_moments(k, samples, x),
            "own mean shift alone", lambda k=kernel: mean_shift(k), kind="own", target=1.6, options=options,
            dtype=dtype,
        )  # fmt: skip


def torch_attention(x, y, tau, threads):
    """Gaussian mean shift as attention: an extra key coordinate carries -|y|^2 / 2 tau^2."""
    return attention(x, y, tau, threads, padded=False)


def fused_attention(x, y, tau, threads):
    """The same with a value as long as the key, whose last coordinate nobody reads."""
    return attention(x, y, tau, threads, padded=True)


def attention(x, y, tau, threads, *, padded):
    import torch

    torch.set_num_threads(threads)
    scale = x.dtype.type(1.0 / tau**2)
    columns = [[x * scale, np.ones_like(x[:, :1])], [y, -0.5 * scale * (y * y).sum(1, keepdims=True)]]
    columns.append([y, np.zeros_like(y[:, :1])] if padded else [y])
    query, key, value = (torch.from_numpy(np.concatenate(parts, axis=1))[None, None] for parts in columns)
    point, d = torch.from_numpy(x), x.shape[1]

    def call():
        mean = torch.nn.functional.scaled_dot_product_attention(query, key, value, scale=1.0)
        return (mean[0, 0, :, :d] - point).numpy()

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
