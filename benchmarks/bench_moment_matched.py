"""Speed of moment-matched particles: gradients and whole steps, near field against dense sums and dense jitted JAX.

    python benchmarks/bench_moment_matched.py [--quick] [--particles 20000]

1000 checkerboard points, noise level .02, smoothing .04, M = 8, float64. A whole step is noise, gradient, projection
and retraction. JAX takes the queries in blocks that stay in the cache or in larger ones; the faster counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial

import numpy as np
from comparison import Row, compare, fastest, installed, main, options_parser

import unifiedscore as us
from unifiedscore.samplers.estimators import as_estimator
from unifiedscore.samplers.noise import draw_noise

DELTA, SMOOTHING, DRAWS, STEP, STEPS = 0.02, 0.04, 8, 3e-4, 30
BLOCKS = (100, 500, 2000)  # queries that JAX takes at once: .8, 4 and 16 MB of distances


def rows(options: argparse.Namespace) -> Iterator[Row]:
    n = 1000 if options.quick else options.particles
    rng = np.random.default_rng(0)
    data = us.load_measure("checkerboard", n=1000, rng=rng)
    z = data.sample(n, rng) + DELTA * rng.standard_normal((n, 2))
    noise = draw_noise("fresh_antithetic", n, DRAWS, 2, rng)
    gradient, steps = jax_peers(data, z, noise) if installed("jax") else (None, None)
    for estimator in ("near", "dense"):
        yield compare(
            f"gradient of {n} particles, {estimator}", partial(our_gradient, data, z, noise, estimator),
            "jitted JAX, dense", gradient, needs="jax", target=1.0, tolerance=1e-10, options=options,
        )  # fmt: skip
    yield compare(
        f"gradient of {n} particles, near", partial(our_gradient, data, z, noise, "near"), "own tiled engine",
        partial(tiled_gradient, data, z, noise), kind="own", target=1.0, tolerance=1e-10, options=options,
    )  # fmt: skip
    near, dense = (partial(our_steps, data, n, name) for name in ("near", "dense"))
    for estimator, ours, target in (("near", near, 0.1), ("dense", dense, 1.0)):
        yield compare(
            f"{STEPS} steps of {n} particles, {estimator}", ours, "jitted JAX, dense", steps,
            needs="jax", target=target, options=options,
        )  # fmt: skip
    yield compare(
        f"{STEPS} steps of {n} particles, near", near, "own dense sum", dense,
        kind="own", target=0.1, tolerance=1e-6, options=options,
    )  # fmt: skip


def our_steps(data, n, estimator):
    return us.sample_moment_matched(
        data, n, noise_level=DELTA, smoothing=SMOOTHING, step=STEP, n_steps=STEPS,
        noise=us.Noise("fresh_antithetic", draws=DRAWS), estimator=estimator, rng=np.random.default_rng(1),
    ).samples  # fmt: skip


def our_gradient(data, z, noise, estimator):
    """grad V at all particles, as the sampler computes it."""
    center = as_estimator(estimator).prepare(data, rng=np.random.default_rng(0))
    time_ = 1.0 / (1.0 + DELTA)
    return (z - center.smoothed(time_ * z, noise, time_ * SMOOTHING, time_)[0]) / DELTA**2


def tiled_gradient(data, z, noise):
    """The same by the engine for any kernel and dimension."""
    return -us.Smoothed(us.KernelScore(us.Gaussian(DELTA), data), SMOOTHING, noise=noise[0]).evaluate(z, noise=noise)


def jax_program(data, n, block):
    """Gradient (z, noise) and whole step (y, carried, key) as dense jitted programs in float64."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    mean = data.points.mean(0)
    points = jnp.asarray(data.points - mean)
    squares = (points**2).sum(1)
    factor = jnp.asarray(np.linalg.cholesky(data.covariance_matrix + DELTA**2 * np.eye(2)))

    def gradient(z, noise):
        def means(q):
            # The squared norm of the query is the same for all points: softmax does not need it.
            return jax.nn.softmax((q @ points.T - 0.5 * squares) / DELTA**2, axis=1) @ points

        queries = (z[:, None] + SMOOTHING * noise).reshape(-1, block, 2)
        return (z - jax.lax.map(means, queries).reshape(n, DRAWS, 2).mean(1)) / DELTA**2

    def retract(y):
        y = y - y.mean(0)
        values, vectors = jnp.linalg.eigh(y.T @ y / n)
        y = y @ (vectors / jnp.sqrt(values)) @ vectors.T
        y = y - y.mean(0)
        return y @ (1.5 * jnp.eye(2) - 0.5 / n * (y.T @ y))

    def project(y, g):
        g = g - g.mean(0)
        inner = y.T @ g / n
        return g - y @ (0.5 * (inner + inner.T))

    @jax.jit
    def step(y, carried, key):
        key, first, second = jax.random.split(key, 3)
        half = jax.random.normal(first, (n, DRAWS // 2, 2))
        fresh = jax.random.normal(second, (n, 2))
        force = gradient(y @ factor.T, jnp.concatenate([half, -half], axis=1)) @ factor
        y = retract(y + project(y, np.sqrt(STEP / 2) * (carried + fresh) - STEP * force))
        errors = jnp.abs(y.mean(0)).max(), jnp.abs(y.T @ y / n - jnp.eye(2)).max()
        return y, fresh, key, errors

    start = retract(jax.random.normal(jax.random.key(1), (n, 2)))
    state = [start, jax.random.normal(jax.random.key(2), (n, 2)), jax.random.key(3)]

    def run():
        y, carried, key = state
        for _ in range(STEPS):
            y, carried, key, _ = step(y, carried, key)
        y.block_until_ready()

    return jax.jit(gradient), run


def jax_peers(data, z, noise):
    """The faster gradient and the faster run of whole steps."""
    programs = [jax_program(data, len(z), block) for block in BLOCKS]
    centred = z - data.points.mean(0)
    gradients = [lambda gradient=gradient: np.asarray(gradient(centred, noise)) for gradient, _ in programs]
    return fastest(gradients), fastest([run for _, run in programs])


if __name__ == "__main__":
    parser = options_parser(__doc__)
    parser.add_argument("--particles", type=int, default=20_000)
    main(rows, parser)
