"""Speed of the closed-form sampler: near field against dense, dense against the same step in jitted JAX, real digits.

    python tests/benchmarks/bench_closed_form.py [--repeats 3] [--samples 20000] [--csv FILE]

The two sides of a row take turns in one process after a warm-up of each; the ratio is that of the medians. Float64 and
the same number of threads on both sides. The JAX row is left out, with a note, when JAX is not installed. `--csv` keeps
the near-field rows: seconds hold for one machine and belong in no study.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import time

import numpy as np

import unifiedscore as us
from unifiedscore.fields.smoothed import Smoothed
from unifiedscore.posterior.nearfield import NearField

SMOOTHING, DRAWS, STEPS = 0.2, 8, 100


def timed(function):
    start = time.perf_counter()
    value = function()
    return time.perf_counter() - start, value


def compare(first, second, repeats):
    """Medians of both, their ratio second/first, and the last results."""
    first(), second()
    times = [(timed(first), timed(second)) for _ in range(repeats)]
    one, two = (statistics.median(pair[i][0] for pair in times) for i in (0, 1))
    return one, two, two / one, times[-1][0][1], times[-1][1][1]


def near_against_dense(points, n, start_time, repeats):
    def sample(estimator):
        return us.sample_closed_form(
            points, n, n_steps=STEPS, smoothing=SMOOTHING, noise_draws=DRAWS, noise_policy="fixed",
            start_time=start_time, estimator=estimator, rng=np.random.default_rng(1),
        )  # fmt: skip

    near, dense, ratio, a, b = compare(lambda: sample("near"), lambda: sample("dense"), repeats)
    worst = np.abs(a.samples - b.samples).max()
    print(
        f"start_time={start_time}: near {near:.2f} s, dense {dense:.2f} s, speed-up {ratio:.2f}, "
        f"points needed {a.fractions.mean():.1%}, largest difference {worst:.1e}"
    )
    return {
        "start_time": start_time, "near_seconds": near, "dense_seconds": dense, "speed_up": ratio,
        "share_of_points": a.fractions.mean(), "largest_difference": worst,
    }  # fmt: skip


def dense_against_jax(points, n, repeats):
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        print("JAX is not installed: row left out")
        return
    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(2)
    state, noise = rng.normal(size=(n, 2)), rng.normal(size=(n, DRAWS, 2))
    data = jnp.asarray(points)

    def center(queries, t):
        squared = (queries**2).sum(-1)[:, None] - 2 * t * queries @ data.T + t * t * (data**2).sum(-1)
        return jax.nn.softmax(-squared / (2 * (1 - t) ** 2), axis=-1) @ data

    def step_of(block):
        @jax.jit
        def step(z, e, t):
            queries = (z[:, None] + SMOOTHING * e).reshape(-1, block, 2)
            mean = jax.lax.map(lambda q: center(q, t), queries).reshape(n, DRAWS, 2).mean(1)
            return z + (mean - z) / (STEPS * (1 - t))

        return step

    near = NearField(points)

    def ours():
        def field(q):
            return near.means(q, scale=0.5, bandwidth=0.5, prune=False).mean

        smoothed = Smoothed(us.as_field(field, dimension=2), SMOOTHING, noise=noise[0])
        return state + (smoothed.evaluate(state, noise) - state) / (STEPS * 0.5)

    z, e = jnp.asarray(state), jnp.asarray(noise)
    # Whole array at once, and in blocks that stay in the cache: the fastest counts.
    for block in (n * DRAWS, 2000, 500):
        step = step_of(block)
        mine, peer, ratio, a, b = compare(ours, lambda step=step: step(z, e, 0.5).block_until_ready(), repeats)
        worst = np.abs(a - np.asarray(b)).max()
        print(f"one step, JAX in blocks of {block}: ours {mine:.3f} s, JAX {peer:.3f} s, ours/JAX {1 / ratio:.2f}, "
              f"largest difference {worst:.1e}")  # fmt: skip


def digits(n):
    points = us.load_measure("digits").points
    centred = points - points.mean(0)
    latents = centred @ np.linalg.svd(centred, full_matrices=False)[2][:40].T
    seconds, _ = timed(
        lambda: us.sample_closed_form(
            latents, n, n_steps=STEPS, smoothing=0.3, noise_draws=2, noise_policy="fixed", rng=np.random.default_rng(0)
        )
    )
    print(f"digits in 40 latents: {n} samples, {STEPS} steps, M = 2: {seconds:.1f} s (limit 60 s)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--start-times", type=float, nargs="+", default=[0.9, 0.0])
    parser.add_argument("--csv", help="file for the near-field rows")
    options = parser.parse_args()
    points = us.load_measure("checkerboard", n=1000, rng=np.random.default_rng(0), side=8.0).points
    dense_against_jax(points, options.samples, 2 * options.repeats + 1)
    rows = [near_against_dense(points, options.samples, t, options.repeats) for t in options.start_times]
    if options.csv:
        with open(options.csv, "w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            table.writeheader()
            table.writerows(rows)
    digits(options.samples // 2)


if __name__ == "__main__":
    main()
