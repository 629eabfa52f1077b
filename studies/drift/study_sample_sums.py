"""Streamed sums over a sample: every moment against plain sums, across tiles, near pairs, masses and exclusions.

The engine visits 2500 samples in tiles of 1024 and updates its sums. Below eight dimensions it takes differences; from
eight on it takes matrix products and recomputes the pairs that these do not resolve. The second route forms every
difference and adds once. Half of the queries lie within 1e-5 of a sample of the last tile.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable

SAMPLES, QUERIES, NEAR = 2500, 12, 1e-5
NAMES = ("log_normalizer", "mean_shift", "score", "preconditioner", "mean_distance", "effective_samples")


def plain(kernel, points, mass, x, exclude):
    """The moments at each query from one sum over explicit differences."""
    rows = []
    for query, left_out in zip(x, exclude, strict=True):
        gap = points - query
        r = np.sqrt((gap**2).sum(1))
        log_weight = kernel.log_profile(r) + np.log(mass / mass.sum())
        log_weight[left_out] = -np.inf
        top = log_weight.max()
        pi = np.exp(log_weight - top)
        total = pi.sum()
        pi /= total
        inverse = kernel.inverse_weight(r)
        rows.append((top + np.log(total), pi @ gap, (pi / inverse) @ gap, pi @ inverse, pi @ r, 1 / (pi @ pi)))
    return dict(zip(NAMES, (np.array(column) for column in zip(*rows, strict=True)), strict=True))


def other_masses(kernel, points, mass, x, exclude):
    """log Z of samples that carry no weights, and of samples of which every third has weight 0, against plain sums."""
    rest = np.where(np.arange(SAMPLES) % 3, mass, 0.0)
    own = exclude - exclude % 3 + 1  # a sample that has weight
    log_z = lambda law, left_out: us.posterior_moments(kernel, law, x, exclude=left_out).log_normalizer
    with np.errstate(divide="ignore"):
        exact = [plain(kernel, points, m, x, own)["log_normalizer"] for m in (np.ones(SAMPLES), mass, rest)]
    without, some = log_z(us.Samples(points), own), log_z(us.Samples(points, rest), own)
    gap = lambda value, other: float(np.abs(value - other).max())
    return {"unweighted": gap(without, exact[0]), "unweighted_masses": gap(without, exact[1]),
            "massless": gap(some, exact[2]), "massless_all": gap(some, exact[1])}  # fmt: skip


def measure(cell, rng):
    d = cell["dimension"]
    points = rng.standard_normal((SAMPLES, d)) * np.linspace(0.5, 1.5, d) + 20.0
    mass = rng.uniform(0.5, 2.0, SAMPLES)
    nearest = SAMPLES - 1 - np.arange(QUERIES)
    offset = np.where(np.arange(QUERIES) % 2, NEAR, 0.3)[:, None]
    x = points[nearest] + offset * rng.standard_normal((QUERIES, d))
    exclude = rng.integers(0, SAMPLES // 2, QUERIES)
    kernel = us.kernel_by_name(cell["kernel"], 0.3 * np.sqrt(2 * d), dimension=d)
    moments = us.posterior_moments(kernel, us.Samples(points, mass), x, exclude=exclude)
    # Normalised by all masses: of the sample that is left out the engine keeps the share of log Z.
    exact = plain(kernel, points, mass, x, exclude)
    wrong = plain(kernel, points, np.ones(SAMPLES), x, exclude)
    out = other_masses(kernel, points, mass, x, exclude)
    for name in NAMES:
        value = getattr(moments, name)
        size = np.maximum(np.abs(exact[name]), 1.0) if name == "log_normalizer" else np.abs(exact[name]).max(-1)
        gap = lambda other, v=value, s=size, n=name: float((np.abs(v - other[n]).reshape(QUERIES, -1).max(1) / s).max())
        out |= {name: gap(exact), f"{name}_equal": gap(wrong)}
    return out


WORDS = {
    "log_normalizer": "log Z", "mean_shift": "mean shift", "score": "score", "preconditioner": "preconditioner",
    "mean_distance": "mean distance", "effective_samples": "effective number of samples",
}  # fmt: skip
sums = Theorem("drift.sample_sums", None, "found here (plain sums)", "exact", test=Inside(-1.0, 1e-9))
study = Study(
    name="drift_sample_sums", title="Streamed sums over a sample against plain ones",
    grid=Grid(dimension=[2, 16, 64], kernel=["gaussian", "laplace", "matern:1.5", "rational_quadratic:0.5"],
              paired=("kernel",)),
    measure=measure,
    variables={name: Variable(f"Largest relative distance of the {words} of 2500 weighted samples to plain sums")
               for name, words in WORDS.items()}
    | {f"{name}_equal": Variable(f"Largest relative distance of the {words} of 2500 weighted samples to plain sums "
                                 "over samples of equal mass") for name, words in WORDS.items()}
    | {
        "unweighted": Variable("Distance of log Z of 2500 samples without weights to plain sums"),
        "unweighted_masses": Variable("Distance of log Z of 2500 samples without weights to plain sums with masses"),
        "massless": Variable("Distance of log Z of 2500 samples, a third of them without mass, to plain sums"),
        "massless_all": Variable("Distance of log Z of 2500 samples, a third of them without mass, to plain sums with "
                                 "all masses"),
    },
    claims=[
        sums.claim(regime=words, variable=name,
                   statement=f"The {words} of 2500 weighted samples, one of them left out, at queries of which half "
                             "nearly coincide with a sample, is that of plain sums to nine digits.",
                   control=Control("samples of equal mass", variable=f"{name}_equal"))
        for name, words in WORDS.items()
    ]
    + [
        sums.claim(regime="log Z without weights", variable="unweighted",
                   statement="The log Z of 2500 samples that carry no weights, one of them left out, is that of plain "
                             "means to nine digits.",
                   control=Control("means over samples with masses", variable="unweighted_masses")),
        sums.claim(regime="log Z, a third without mass", variable="massless",
                   statement="The log Z of 2500 samples of which every third has mass 0 and one other is left out is "
                             "that of plain sums to nine digits.",
                   control=Control("the masses that were taken away", variable="massless_all")),
    ],
)  # fmt: skip
