"""Sums of a sample in few dimensions, of which the engine leaves out nearly all pairs, against plain sums.

Samples have weights over eight decades, and of every query one sample is left out. The bandwidth is a hundredth of the
spread, so that less than a third of the pairs count; the second route adds all of them for forty of the queries. One
query is far out, where no sample is near.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.study import Control, Grid, Hypothesis, Inside, Study, Theorem, Variable

SIZE, SHOWN, WIDTH = 6000, 40, 0.01
MOMENTS = {"mean_shift": "mean shift", "log_normalizer": "log Z", "preconditioner": "preconditioner"}


def plain(kernel, points, mass, x, exclude):
    """Mean shift, log Z and preconditioner of a few queries, by sums over all pairs."""
    gap = points - x[:, None]
    r = np.sqrt((gap**2).sum(2))
    with np.errstate(divide="ignore"):
        log_weight = kernel.log_profile(r) + np.log(mass / mass.sum())
    if exclude is not None:
        log_weight[np.arange(len(x)), exclude] = -np.inf
    top = log_weight.max(1, keepdims=True)
    pi = np.exp(log_weight - top)
    log_z = top[:, 0] + np.log(pi.sum(1))
    pi /= pi.sum(1, keepdims=True)
    shift, inverse = np.einsum("nm,nmd->nd", pi, gap), (pi * kernel.inverse_weight(r)).sum(1)
    return {"mean_shift": shift, "log_normalizer": log_z, "preconditioner": inverse}


def measure(cell, rng):
    d = cell["dimension"]
    points = rng.standard_normal((SIZE, d)) + 20.0
    mass = 10 ** rng.uniform(-8.0, 0.0, SIZE)
    x = points[::-1] + WIDTH * rng.standard_normal((SIZE, d))
    x[0] = 20.0 + 6.0
    exclude = SIZE - 1 - np.arange(SIZE)  # of every query the sample that it lies beside
    kernel = us.kernel_by_name(cell["kernel"], WIDTH, dimension=d)
    moments = us.posterior_moments(kernel, us.Samples(points, mass), x, exclude=exclude)
    few = slice(0, SIZE, SIZE // SHOWN)
    ways = {"": (mass, exclude[few]), "_equal": (np.ones(SIZE), exclude[few]), "_whole": (mass, None)}
    sums = {way: plain(kernel, points, m, x[few], e) for way, (m, e) in ways.items()}
    out = {"visited": moments.visited}
    for name in MOMENTS:
        value = getattr(moments, name)[few]
        shape = lambda v: v.reshape(len(v), -1)
        size = np.abs(shape(sums[""][name])).max(1, keepdims=True) + (name == "log_normalizer")
        gap = lambda other, v=value, s=size, of=shape: float((np.abs(of(v) - of(other)) / s).max())
        out |= {name + way: gap(exact[name]) for way, exact in sums.items()}
    return out


SHARE = Hypothesis("less than a third of the pairs is visited", "visited", high=1 / 3)
sums = Theorem("drift.pruned_sums", None, "found here (plain sums)", "exact", test=Inside(-1.0, 1e-10),
               hypotheses=(SHARE,))  # fmt: skip
study = Study(
    name="drift_pruned_sums", title="Sums that leave out what does not count, against plain ones",
    grid=Grid(dimension=[1, 2], kernel=["gaussian", "matern:1.5"], paired=("kernel",)),
    measure=measure,
    variables={"visited": Variable("Share of the pairs that are visited")}
    | {name + way: Variable(f"Largest distance of the {words} to plain sums{said}, relative at each query")
       for name, words in MOMENTS.items()
       for way, said in (("", ""), ("_equal", " over samples of equal mass"), ("_whole", " that leave out no sample"))},
    claims=[
        sums.claim(regime=regime, variable=variable,
                   statement=f"The {MOMENTS[variable]} of 6000 samples on the line and in the plane, with weights over "
                             "eight decades and one sample left out, under a narrow {called} kernel, is that of sums "
                             "over all pairs to ten digits.",
                   where={"kernel": kernel},
                   control=Control(*control))
        for regime, variable, kernel, called, control in (
            ("mean shift, Gaussian", "mean_shift", "gaussian", "Gaussian", ("equal masses", "mean_shift_equal")),
            ("mean shift, Matern", "mean_shift", "matern:1.5", "Matern", ("no sample left out", "mean_shift_whole")),
            ("log Z, Gaussian", "log_normalizer", "gaussian", "Gaussian",
             ("no sample left out", "log_normalizer_whole")),
            ("preconditioner, Matern", "preconditioner", "matern:1.5", "Matern",
             ("equal masses", "preconditioner_equal")),
        )
    ],
)  # fmt: skip
