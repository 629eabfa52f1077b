"""Speed of a step of moment-matched particles: near field against dense, and against dense jitted JAX programs.

    python tests/benchmarks/bench_moment_matched.py [--repeats 7] [--particles 20000] [--quick]

20000 particles, 1000 checkerboard points, noise level .02, smoothing .04, M = 8, float64, two threads at most on every
side. First all gradients are compared (largest difference over the largest entry: at most 1e-10). Then whole steps are
timed, noise, gradient, projection and retraction: the sides take turns in one process, the ratios are those of the
medians. The JAX step is written twice, with blocks of queries that stay in the cache and larger ones; the faster
counts. Its rows are left out, with a note, where JAX is not installed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

import numpy as np

DELTA, SMOOTHING, DRAWS, STEP = 0.02, 0.04, 8, 3e-4
BLOCKS = (500, 4000)  # queries that JAX takes at once: 4 and 32 MB of distances


def use_two_processors():
    """Confine this process, before any library counts its processors."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def our_gradient(data, z, noise, estimator):
    """grad V at all particles, as the sampler computes it."""
    from unifiedscore.samplers.estimators import barycenter_estimator

    center = barycenter_estimator(
        estimator, data, tolerance=1e-12, n_neighbours=1, n_remainder=0, rng=np.random.default_rng(0)
    )
    time_ = 1.0 / (1.0 + DELTA)
    return (z - center.smoothed(time_ * z, noise, time_ * SMOOTHING, time_)[0]) / DELTA**2


def tiled_gradient(data, z, noise):
    """The same by the engine for any kernel and dimension."""
    import unifiedscore as us

    return -us.Smoothed(us.KernelScore(us.Gaussian(DELTA), data), SMOOTHING, noise=noise[0]).evaluate(z, noise)


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

    def run(steps):
        y, carried, key = state
        for _ in range(steps):
            y, carried, key, _ = step(y, carried, key)
        y.block_until_ready()

    return jax.jit(gradient), run


def compare_gradients(data, z, noise, programs):
    centred = data.points - data.points.mean(0), z - data.points.mean(0)
    from unifiedscore.measures import Samples

    reference = tiled_gradient(data, z, noise)
    found = {name: our_gradient(Samples(centred[0]), centred[1], noise, name) for name in ("near", "dense")}
    found |= {name: np.asarray(gradient(centred[1], noise)) for name, (gradient, _) in programs.items()}
    for name, value in found.items():
        gap = np.abs(value - reference).max() / np.abs(reference).max()
        assert gap < 1e-10, f"{name} differs by {gap:.3g}"
        print(f"gradient, {name}: relative difference to the tiled engine {gap:.1e}")


def timed_steps(run, steps):
    wall, processor = time.perf_counter(), time.process_time()
    run(steps)
    return (time.perf_counter() - wall) / steps, (time.process_time() - processor) / steps


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--particles", type=int, default=20_000)
    parser.add_argument("--quick", action="store_true", help="4000 particles, 3 repeats: seconds, for a first look")
    options = parser.parse_args()
    use_two_processors()
    import unifiedscore as us
    from unifiedscore.samplers.noise import draw_noise

    n, repeats = (4000, 3) if options.quick else (options.particles, options.repeats)
    rng = np.random.default_rng(0)
    data = us.load_measure("checkerboard", n=1000, rng=rng)
    z = data.sample(n, rng) + DELTA * rng.standard_normal((n, 2))
    noise = draw_noise("fresh_antithetic", n, DRAWS, 2, rng)

    def sampler(estimator):
        return lambda steps: us.sample_moment_matched(
            data, n, noise_level=DELTA, smoothing=SMOOTHING, noise_draws=DRAWS, step=STEP, n_steps=steps,
            estimator=estimator, rng=np.random.default_rng(1),
        )  # fmt: skip

    runs, programs = {"near": (sampler("near"), 60), "dense": (sampler("dense"), 6)}, {}
    try:
        programs = {f"JAX in blocks of {b}": jax_program(data, n, b) for b in BLOCKS}
        runs |= {name: (run, 6) for name, (_, run) in programs.items()}
    except ImportError:
        print("JAX is not installed: its rows are left out (pip install 'unifiedscore[bench]')")
    compare_gradients(data, z, noise, programs)
    times = {name: [] for name in runs}
    for run, _ in runs.values():
        run(1)
    for _ in range(repeats):
        for name, (run, steps) in runs.items():
            times[name].append(timed_steps(run, steps))
    wall, processor = ({name: statistics.median(t[i] for t in rows) for name, rows in times.items()} for i in (0, 1))
    for name in runs:
        print(
            f"whole step, {name}: {1 / wall[name]:.2f} steps/s, {1e3 * wall[name]:.1f} ms, processors "
            f"{1e3 * processor[name]:.1f} ms; near is {wall[name] / wall['near']:.1f} times as fast "
            f"({processor[name] / processor['near']:.1f} in processor time)"
        )


if __name__ == "__main__":
    main()
