"""Speed of the closed-form sampler: one step against jitted JAX, near field against dense, real digits.

    python benchmarks/bench_closed_form.py [--quick] [--samples 20000] [--start-times 0.9 0.0]

1000 checkerboard points, smoothing .2, M = 8, 100 steps, float64. The near field returns what the dense sum returns.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from comparison import Row, compare, fastest, installed, limited, main, options_parser, seconds

import unifiedscore as us
from unifiedscore.posterior.nearfield import NearField

SMOOTHING, DRAWS, STEPS = 0.2, 8, 100


def rows(options: argparse.Namespace) -> Iterator[Row]:
    samples = 400 if options.quick else options.samples
    points = us.load_measure("checkerboard", n=1000, rng=np.random.default_rng(0), side=8.0).points
    yield dense_step(points, samples, options)
    for start_time in options.start_times:
        yield near_against_dense(points, samples, start_time, options)
    yield digits(100 if options.quick else 5000)


def near_against_dense(points, n, start_time, options):
    def sample(estimator):
        return us.sample_closed_form(
            points, n, n_steps=STEPS, smoothing=SMOOTHING, noise=us.Noise("fixed", draws=DRAWS),
            start_time=start_time, estimator=estimator, rng=np.random.default_rng(1),
        )  # fmt: skip

    share = sample("near").fractions.mean()
    return compare(
        f"{n} samples, {STEPS} steps from time {start_time:g}, near field ({share:.0%} of the points needed)",
        lambda: sample("near").samples, "own dense sum", lambda: sample("dense").samples,
        kind="own", target=1.0, tolerance=1e-6, options=options,
    )  # fmt: skip


def dense_step(points, n, options):
    """One smoothed Euler step, all points for all queries."""
    rng = np.random.default_rng(2)
    state, noise = rng.normal(size=(n, 2)), rng.normal(size=(n, DRAWS, 2))
    near = NearField(points)

    def ours():
        mean = near.smoothed_means(state, noise, SMOOTHING, scale=0.5, bandwidth=0.5, prune=False).mean
        return state + (mean - state) / (STEPS * 0.5)

    peer = jax_step(points, state, noise) if installed("jax") else None
    name = f"one dense step of {n} samples"
    return compare(name, ours, "jitted JAX", peer, tolerance=1e-10, needs="jax", target=1.0, options=options)


def jax_step(points, state, noise):
    """The same step in JAX, in blocks of the size that is fastest here: all at once, or so that they stay in cache."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    data, z, e = jnp.asarray(points), jnp.asarray(state), jnp.asarray(noise)
    n = len(state)

    def center(queries, t):
        squared = (queries**2).sum(-1)[:, None] - 2 * t * queries @ data.T + t * t * (data**2).sum(-1)
        return jax.nn.softmax(-squared / (2 * (1 - t) ** 2), axis=-1) @ data

    def in_blocks(block):
        @jax.jit
        def step(z, e, t):
            queries = (z[:, None] + SMOOTHING * e).reshape(-1, block, 2)
            mean = jax.lax.map(lambda q: center(q, t), queries).reshape(n, DRAWS, 2).mean(1)
            return z + (mean - z) / (STEPS * (1 - t))

        return lambda: np.asarray(step(z, e, 0.5))

    return fastest(in_blocks(block) for block in (n * DRAWS, 2000, 500, 100) if n * DRAWS % block == 0)


def digits(n):
    points = us.load_measure("digits").points
    centred = points - points.mean(0)
    latents = centred @ np.linalg.svd(centred, full_matrices=False)[2][:40].T

    def sample():
        us.sample_closed_form(
            latents, n, n_steps=STEPS, smoothing=0.3, noise=us.Noise("fixed", draws=2), rng=np.random.default_rng(0)
        )

    return limited(f"digits in 40 latents: {n} samples, {STEPS} steps, M = 2", [seconds(sample)], 30.0)


if __name__ == "__main__":
    parser = options_parser(__doc__)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--start-times", type=float, nargs="+", default=[0.9, 0.0])
    main(rows, parser)
