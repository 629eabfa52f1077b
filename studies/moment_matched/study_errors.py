"""Standard errors come from independent systems: coverage of 95 % intervals of MMD and of sliced W2.

Every experiment has 48 systems and an exact truth: the squared MMD of two samples of one law has mean 0; for uniform
samples of sizes n and m the squared W2 couples order statistics, whose moments are those of Beta laws. Particles of one
system are tied by their moments: errors over them are wrong by a factor. Every seed is sixty experiments.
"""

import numpy as np
from scipy.stats import t

import unifiedscore as us
from unifiedscore.metrics.mmd import unbiased_mmd2
from unifiedscore.metrics.transport import sliced_wasserstein2
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable

EXPERIMENTS, SYSTEMS, SIZES, PARTICLES = 60, 48, (20, 60), 20


def covers(values, truth):
    """Does mean +- t sd/sqrt(n) over the last axis hold the truth?"""
    n = values.shape[-1]
    half = t.ppf(0.975, n - 1) * values.std(-1, ddof=1) / np.sqrt(n)
    return float((np.abs(values.mean(-1) - truth) <= half + 1e-15).mean())


def squared_transport(n, m):
    """E W2^2 of uniform samples of sizes n and m: pieces between the jumps of both quantile functions."""
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    mass = np.diff(ends, prepend=0) / (n * m)
    i, j = (ends - 1) // m + 1, (ends - 1) // n + 1
    spread = lambda k, size: k * (size + 1 - k) / ((size + 1) ** 2 * (size + 2))
    return float(mass @ (spread(i, n) + spread(j, m) + (i / (n + 1) - j / (m + 1)) ** 2))


def discrepancies(rng):
    """Squared MMD over systems, and over random halves of the first system of each experiment."""
    n = SIZES[0]
    whole, halves = np.zeros((2, EXPERIMENTS, SYSTEMS))
    for e in range(EXPERIMENTS):
        pairs = rng.standard_normal((SYSTEMS, 2, n, 2))
        for k, (a, b) in enumerate(pairs):
            whole[e, k] = unbiased_mmd2(a, b, bandwidths=[1.0])[0]
            keep = rng.permutation(n)[: n // 2]
            halves[e, k] = unbiased_mmd2(*pairs[0][:, keep], bandwidths=[1.0])[0]
    return covers(whole, 0.0), covers(halves, 0.0)


def transports(rng):
    """Squared W2 of uniform samples of unequal sizes, and that of all but one point of the first system of each."""
    n, m = SIZES
    whole, parts = np.zeros((2, EXPERIMENTS, SYSTEMS))
    for e in range(EXPERIMENTS):
        first, second = rng.random((SYSTEMS, n, 1)), rng.random((SYSTEMS, m, 1))
        for k in range(SYSTEMS):
            whole[e, k] = sliced_wasserstein2(first[k], second[k], n_directions=1, rng=rng) ** 2
            left = np.delete(first[0], rng.integers(n), axis=0)
            parts[e, k] = sliced_wasserstein2(left, second[0], n_directions=1, rng=rng) ** 2
    return covers(whole, squared_transport(n, m)), covers(parts, squared_transport(n - 1, m))


def particle_errors(rng):
    """Error of the mean of |y| from particles of one system, and from other systems, over its true spread."""
    y = np.abs(us.CenteredStiefel(PARTICLES, 1).sample(rng, systems=(2000,))[..., 0])
    spread = y[1000:].mean(-1).std()
    return float(np.sqrt(y[:1000].var(-1, ddof=1).mean() / PARTICLES) / spread), float(y[:1000].mean(-1).std() / spread)


def measure(cell, rng):
    maker = {"mmd": discrepancies, "transport": transports, "particles": particle_errors}[cell["metric"]]
    value, mutant = maker(rng)
    return {"value": value, "mutant": mutant}


standard_errors = Theorem("moment_matched.sw2_mmd_se", None, "derived here", "monte_carlo", "value")
COVERS = Inside(0.9, 0.99)
study = Study(
    name="moment_matched_errors", title="Coverage of 95 % intervals over independent systems",
    grid=Grid(metric=["particles"], seed=range(16)), measure=measure,
    variables={
        "value": Variable("Coverage of intervals over systems; for particles, their error over the true one"),
        "mutant": Variable("Coverage of intervals over parts of one system; for particles, the error over systems"),
    },
    profiles={"standard": {"metric": ["mmd", "transport", "particles"], "seed": range(32)}},
    claims=[
        standard_errors.claim(regime="mmd", where={"metric": "mmd"}, test=COVERS, profile="standard",
                              statement="95 % intervals of the squared MMD over systems cover.",
                              control=Control("halves of one system", variable="mutant")),
        standard_errors.claim(regime="transport", where={"metric": "transport"}, test=COVERS, profile="standard",
                              statement="95 % intervals of the squared sliced W2 over systems cover.",
                              control=Control("one system with a point left out", variable="mutant")),
        standard_errors.claim(regime="particles", where={"metric": "particles"}, test=Inside(2.0, 4.0),
                              statement="Errors of E|y| over the particles of one system are 2 to 4 times too large.",
                              control=Control("over systems", variable="mutant")),
    ],
)  # fmt: skip
