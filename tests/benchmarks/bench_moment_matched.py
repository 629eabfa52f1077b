"""Speed of a step of moment-matched particles: pruned against dense, and against a dense jitted JAX program.

    python tests/benchmarks/bench_moment_matched.py [--repeats 5] [--particles 20000]

20000 particles, 1000 checkerboard points, noise level .02, smoothing .04, M = 8, float64, same threads everywhere.
Before anything is timed the gradients are compared (largest difference over the largest entry: at most 1e-10). The JAX
row is left out where JAX is not installed.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

DELTA, SMOOTHING, DRAWS = 0.02, 0.04, 8


def gradients(data, queries):
    """grad U at all queries: pruned, dense tiles, dense compiled loop."""
    import unifiedscore as us
    from unifiedscore.posterior.nearfield import NearField

    near = NearField(data)
    score = us.KernelScore(us.Gaussian(DELTA), data)
    return {
        "near": lambda: (queries - near.means(queries, bandwidth=DELTA).mean) / DELTA**2,
        "dense compiled": lambda: (queries - near.means(queries, bandwidth=DELTA, prune=False).mean) / DELTA**2,
        "dense tiles": lambda: -score(queries),
    }


def jax_gradient(data, queries):
    """The same as a dense jitted JAX program in float64, or None."""
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    points = jnp.asarray(data.points)

    @jax.jit
    def gradient(z):
        def block(part):
            squared = (part**2).sum(1)[:, None] + (points**2).sum(1) - 2 * part @ points.T
            return (part - jax.nn.softmax(-squared / (2 * DELTA**2), axis=1) @ points) / DELTA**2

        return jax.lax.map(block, z.reshape(-1, 2000, 2)).reshape(-1, 2)

    z = jnp.asarray(queries)
    return lambda: np.asarray(gradient(z).block_until_ready())


def steps_per_second(data, n, estimator, steps):
    import unifiedscore as us

    start = time.perf_counter()
    us.sample_moment_matched(data, n, noise_level=DELTA, smoothing=SMOOTHING, noise_draws=DRAWS, step=3e-4,
                             n_steps=steps, estimator=estimator, rng=np.random.default_rng(1))  # fmt: skip
    return steps / (time.perf_counter() - start)


def seconds(call, repeats):
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--particles", type=int, default=20_000)
    options = parser.parse_args()
    import unifiedscore as us

    rng = np.random.default_rng(0)
    data = us.load_measure("checkerboard", n=1000, rng=rng)
    z = data.sample(options.particles, rng) + DELTA * rng.standard_normal((options.particles, 2))
    half = rng.standard_normal((options.particles, DRAWS // 2, 2))
    noise = np.concatenate([half, -half], axis=1)
    queries = (z[:, None] + SMOOTHING * noise).reshape(-1, 2)
    calls = gradients(data, queries)
    other = jax_gradient(data, queries)
    if other is not None:
        calls["dense jitted JAX"] = other
    else:
        print("JAX is not installed: its row is left out (pip install 'unifiedscore[bench]')")
    reference = calls["dense tiles"]()
    for name, call in calls.items():
        gap = np.abs(call() - reference).max() / np.abs(reference).max()
        assert gap < 1e-10, f"{name} differs by {gap:.3g}"
        print(f"gradient, {name:18s}: {1e3 * seconds(call, options.repeats):9.1f} ms   (relative difference {gap:.1e})")
    for name in ("near", "dense"):
        steps_per_second(data, options.particles, name, 1)
        steps = 40 if name == "near" else 5
        rates = [steps_per_second(data, options.particles, name, steps) for _ in range(options.repeats)]
        print(f"whole step, {name:6s}: {statistics.median(rates):7.2f} steps/s")


if __name__ == "__main__":
    main()
