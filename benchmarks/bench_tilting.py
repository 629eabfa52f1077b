"""Speed of controlled paths, against the same chain in jitted JAX, and of escorted and tilted work.

    python benchmarks/bench_tilting.py [--quick] [--paths 1000000]

100 Euler steps under the optimal control, with Girsanov weights, float64. The two sides draw their own noise, so that
only their averages (of the end points, their squares and the weights) agree, to Monte Carlo accuracy.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from comparison import Row, compare, installed, limited, main, options_parser, seconds, within

import unifiedscore as us
from unifiedscore.samplers import EscortedLangevin, GaussianPath, tilted_jarzynski

TIMES = np.linspace(0.02, 1, 101)


def rows(options: argparse.Namespace) -> Iterator[Row]:
    n = 20_000 if options.quick else options.paths
    narrow = us.TiltedProcess(
        us.GaussianMixture([[-1.5], [1.5]], 0.36), us.QuadraticReward([0.8], 0.3), "rectified_flow"
    )
    means = np.random.default_rng(0).standard_normal((10, 16))
    full = us.GaussianMixture(means, np.stack([0.3 * np.eye(16) + 0.01] * 10))
    wide = us.TiltedProcess(full, us.QuadraticReward(means[0]), "vp_cosine")
    yield limited(f"{n} controlled paths, d = 1, 2 components", [seconds(lambda: controlled(narrow, n)())], 10.0)
    yield against_jax("d = 1, 2 components", narrow, n // 5, options)
    yield against_jax("d = 16, 10 full covariances", wide, n // 50, options)
    sampler = EscortedLangevin(
        GaussianPath([[0.0], [2.0]], (1.0, 0.5)).path(), n_steps=100, diffusivity=0.8, escort=lambda x, t: np.sin(x)
    )
    rng = np.random.default_rng(0)
    yield within(f"{n // 10} escorted paths, d = 1", lambda: sampler.run_forward(n // 10, rng), 10.0, options=options)
    yield within(
        f"{n // 50} tilted Jarzynski paths, d = 1",
        lambda: tilted_jarzynski(narrow, n // 50, rng, n_steps=100, diffusivity=0.5), 10.0, options=options,
    )  # fmt: skip


def against_jax(name: str, process: us.TiltedProcess, n: int, options: argparse.Namespace) -> Row:
    peer = jax_paths(process, n) if installed("jax") else None
    return compare(
        f"{n} controlled paths, {name}", controlled(process, n), "jitted JAX", peer, needs="jax", target=1.0,
        tolerance=20 / np.sqrt(n), options=options,
    )  # fmt: skip


def averages(points, log_weight):
    return np.append((points**2).mean(0), [points.mean(), log_weight.mean(), log_weight.std()])


def controlled(process: us.TiltedProcess, n: int):
    start = process.base_marginal(TIMES[0]).sample(n, np.random.default_rng(1))

    def call():
        paths = us.simulate(process, n, np.random.default_rng(2), times=TIMES, start=start)
        return averages(paths.points, paths.log_weight)

    return call


def jax_paths(process: us.TiltedProcess, n: int):
    """The same chain as one compiled scan over the steps; isotropic components need no matrices."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    isotropic = process.target.variances is not None

    def mixture(law):
        if isotropic:
            precision, log_det = 1 / law.variances, law.dimension * np.log(law.variances)
        else:
            vectors = law.eigenvectors
            precision = (vectors / law.eigenvalues[:, None]) @ vectors.swapaxes(1, 2)
            log_det = np.log(law.eigenvalues).sum(1)
        return np.log(law.weights) - 0.5 * log_det, law.means, precision

    steps = []
    for t, h in zip(TIMES[:-1], np.diff(TIMES), strict=True):
        kappa, gain = process.drift_rates(t, sigma=process.schedule.sigma(t))
        laws = (process.base_marginal(t), process.tilted_marginal(t))
        steps.append(((h, kappa, gain, process.schedule.sigma(t)), *(mixture(law) for law in laws)))
    steps = jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *steps)

    def score(x, law):
        logs, means, precision = law
        gap = means - x[:, None]
        pull = gap * precision[:, None] if isotropic else jnp.einsum("nmd,mde->nme", gap, precision)
        share = jax.nn.softmax(logs - 0.5 * (gap * pull).sum(-1), axis=1)
        return (share[..., None] * pull).sum(1)

    def step(state, inputs):
        (x, log_weight), ((h, kappa, gain, sigma), base, tilted, key) = state, inputs
        noise = jax.random.normal(key, x.shape)
        drift = score(x, base)
        u = sigma * (score(x, tilted) - drift)
        log_weight = log_weight - jnp.sqrt(h) * (u * noise).sum(1) - 0.5 * h * (u * u).sum(1)
        x = x + h * (kappa * x + gain * drift + sigma * u) + jnp.sqrt(h) * sigma * noise
        return (x, log_weight), None

    linear, quadratic = np.asarray(process.reward.linear), np.asarray(process.reward.hessian)

    @jax.jit
    def chain(x, key):
        keys = jax.random.split(key, len(TIMES) - 1)
        (x, log_weight), _ = jax.lax.scan(step, (x, jnp.zeros(len(x))), (*steps, keys))
        return x, log_weight + x @ linear + 0.5 * ((x @ quadratic) * x).sum(1)

    first = jnp.asarray(process.base_marginal(TIMES[0]).sample(n, np.random.default_rng(1)))
    return lambda: averages(*map(np.asarray, chain(first, jax.random.key(0))))


if __name__ == "__main__":
    parser = options_parser(__doc__)
    parser.add_argument("--paths", type=int, default=1_000_000)
    main(rows, parser)
