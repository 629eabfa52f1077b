"""Closed-form samples against simple baselines in W2: checkerboard, spirals, swiss roll, a sphere and real digits.

Every method sees the same training set (paired); the reference is the law itself, as evenly spread as it allows. The
smoothing is in units of the length in `LENGTHS`: half the side of a cell for the checkerboard.
"""

from dataclasses import replace

import numpy as np

import unifiedscore as us
from unifiedscore.metrics import wasserstein2
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable

N, OUT, DRAWS, STEPS = 200, 1000, 4, 50
LENGTHS = {"checkerboard": 1.0, "spirals": 0.3, "swiss_roll": 0.3, "sphere": 0.3, "digits": 0.7}
SMOOTHED = ["sigma=0", "sigma=0.26", "sigma=0.5", "sigma=0.75", "sigma=1.5"]
BASELINES = ["truth", "training", "random mean", "near mean", "mixup", "gaussian", "kde=0.2", "kde=0.35", "kde=0.5"]


def lattice(n):
    """Low-discrepancy points of the unit square from the plastic number."""
    root = 1.32471795724474602596
    return (0.5 + np.arange(1, n + 1)[:, None] / np.array([root, root**2])) % 1.0


def board(rng, n):
    cells = np.array([(i, j) for i in range(4) for j in range(4) if (i + j) % 2 == 0])
    return (cells[rng.integers(8, size=n)] + rng.random((n, 2))) * 2 - 4


def sphere(rng, n):
    x = rng.normal(size=(n, 3))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def digits(rng):
    """Forty principal components of a training set; the other images in two halves that share none."""
    points = us.load_measure("digits").points
    order = rng.permutation(len(points))
    half = (len(points) - N) // 2
    train, first, second = (points[part] for part in np.split(order[: N + 2 * half], [N, N + half]))
    center = train.mean(0)
    axes = np.linalg.svd(train - center, full_matrices=False)[2][:40]
    return tuple((part - center) @ axes.T for part in (train, first, second))


def draw(name, rng):
    """Training set (200), reference (1000) and an independent fresh sample (1000; of digits 798 each)."""
    if name == "digits":
        return digits(rng)
    if name == "checkerboard":
        cells = np.array([(i, j) for i in range(4) for j in range(4) if (i + j) % 2 == 0])
        reference = (cells[:, None] + lattice(OUT // 8)).reshape(-1, 2) * 2 - 4
        return board(rng, N), reference, board(rng, OUT)
    if name == "sphere":
        return sphere(rng, N), sphere(rng, OUT), sphere(rng, OUT)
    return tuple(us.load_measure(name, n=n, rng=rng).points for n in (N, OUT, OUT))


def neighbours(points, rng):
    """Four nearest points (itself among them) of random training points."""
    squared = ((points[:, None] - points) ** 2).sum(-1)
    return points[np.argsort(squared, axis=1)[rng.integers(N, size=OUT), :DRAWS]]


def produce(sampler, points, fresh, length, rng):
    kind, _, value = sampler.partition("=")
    if kind == "sigma":
        options = {"n_steps": STEPS, "noise": us.Noise("fixed", draws=DRAWS)}
        return us.sample_closed_form(points, OUT, smoothing=float(value) * length, rng=rng, **options).samples
    if kind == "truth":
        return fresh
    if kind == "training":
        return points
    if kind == "random mean":
        return points[rng.integers(N, size=(OUT, DRAWS))].mean(1)
    if kind == "near mean":
        return neighbours(points, rng).mean(1)
    if kind == "mixup":
        return np.einsum("nm,nmd->nd", rng.dirichlet(np.ones(DRAWS), OUT), neighbours(points, rng))
    if kind == "gaussian":
        return rng.multivariate_normal(points.mean(0), np.cov(points.T), size=OUT)
    return points[rng.integers(N, size=OUT)] + float(value) * length * rng.normal(size=(OUT, points.shape[1]))


def measure(cell, rng):
    data, run = rng.spawn(2)
    points, reference, fresh = draw(cell["dataset"], data)
    return {"w2": wasserstein2(produce(cell["sampler"], points, fresh, LENGTHS[cell["dataset"]], run), reference)}


BOARD = {"dataset": "checkerboard", "sampler": "sigma=0.5"}
below = Theorem(evidence="monte_carlo", variable="w2", test=Inside(-np.inf, 0.0), where=BOARD)
minimum = replace(below, id="closed_form.w2_interior_minimum",
                  source="Scarvelis et al. 2025, arXiv 2310.12395, Fig. 2 (shape)")  # fmt: skip
WORSE = Control("the sampler is worse", test=Inside(0.0, np.inf))
WIDER = Control("sigma = 1.5 is better", where={"sampler": "sigma=1.5"})
study = Study(
    name="closed_form_w2", title="W2 against the smoothing, with the baselines",
    # The gain over the best kernel density is 0.03 with a spread of 0.06 between sets: it takes more of them.
    grid=Grid(dataset=["checkerboard"], sampler=["sigma=0", "sigma=0.5"], seed=range(32), paired=("sampler",),
              skip=lambda cell: cell["dataset"] != "checkerboard" and cell["seed"] >= 24),
    measure=measure,
    profiles={"standard": {"seed": range(64), "dataset": list(LENGTHS), "sampler": [*SMOOTHED, *BASELINES]}},
    variables={"w2": Variable("W2 between samples and reference", units="length", symbol="W_2")},
    claims=[
        minimum.claim(regime="against sigma=0", minus={"sampler": "sigma=0"},
                      finding="with 16 training sets the control was undecided at root seed 1 (-.094 [-.189, .001] at "
                              "99.99 %); with 32 it is decided at root seeds 0, 1 and 2",
                      statement="On the checkerboard W2 is smaller at sigma = .5 half-sides of a cell than without "
                                "smoothing.",
                      control=Control("the minimum is at sigma = 0", test=Inside(0.0, np.inf))),
        minimum.claim(regime="against sigma=1.5", minus={"sampler": "sigma=1.5"}, profile="standard",
                      statement="On the checkerboard W2 is smaller at sigma = .5 half-sides of a cell than at 1.5.",
                      control=Control("the minimum is at sigma = 1.5", test=Inside(0.0, np.inf))),
        *(
            below.claim(id="closed_form.baselines", regime=f"against {method}", minus={"sampler": method},
                        source="raised in public reviews of arXiv 2310.12395", profile="standard",
                        statement=f"On the checkerboard the sampler at sigma = .5 has a smaller W2 than {method}.",
                        control=WIDER if method in ("training", "kde=0.35") else WORSE)
            for method in BASELINES[1:]
        ),
    ],
)  # fmt: skip
