"""What `sample_closed_form` starts from, where its steps lie, what its estimators find: each against its definition.

The training set has unequal weights. Nothing is integrated: the runs are read at their first and at their last state.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.study import Control, Grid, Identity, Inside, Study, Theorem, Variable

DRAWS = 12_000
STEPS, START = 100, 0.29  # int(0.29 * 100) is 28
FAR = [4.0, 40.0, 400.0]


def sample(data, n, rng, *, n_steps=STEPS, estimator="dense", **options):
    return us.sample_closed_form(data, n, n_steps=n_steps, smoothing=0.0, rng=rng, estimator=estimator, **options)


def starts(data, time, rng):
    """Second moment about the weighted mean and the mean along it, of particles that start at T, over their values."""
    state = sample(data, DRAWS, rng, n_steps=2, start_time=time, trajectory=True).trajectory[0]
    center, d = time * data.mean, data.dimension
    spread = np.trace(data.covariance_matrix)
    second = ((state - center) ** 2).sum(1).mean()
    return {
        "start": second / (time**2 * spread + (1 - time) ** 2 * d),
        "start_root": second / (time**2 * spread + (1 - time) * d),
        "center": state.mean(0) @ center / (center @ center),
        "center_equal": state.mean(0) @ center / (time * data.points.mean(0) @ center),
    }


def first_step(data, rng):
    """How far the first step of a run from T = .29 is from z + (x(z, T) - z)/71, and from a step of 1/72 at .28."""
    path = sample(data, 20, rng, start_time=START, trajectory=True).trajectory
    gap = {}
    for name, left in (("grid", 71), ("grid_cut", 72)):
        time = 1 - left / STEPS
        mean = us.Barycenter(us.Gaussian(1 - time), data, scale=time)(path[0])
        gap[name] = float(np.abs(path[1] - path[0] - (mean - path[0]) / left).max())
    return gap | {"grid_scale": float(np.abs(path[:2]).max())}


def far_queries(points, rng):
    """The last barycenters of particles far from every point, by pruned sums, against plain sums over all points."""
    out = {"near": 0.0, "near_radius": 0.0}
    for distance in FAR:
        direction = rng.standard_normal((20, points.shape[1]))
        start = distance * direction / np.linalg.norm(direction, axis=1, keepdims=True)
        # One step of size one from T = .5: the sample is the barycenter of its start.
        found = sample(points, 20, rng, n_steps=2, start_time=0.5, start=start, estimator="near").samples
        squared = ((start[:, None] - 0.5 * points) ** 2).sum(2)
        # Without |start|^2, which all points share and whose rounding would show.
        log_weight = (start @ (0.5 * points.T) - 0.125 * (points**2).sum(1)) / 0.5**2
        weight = np.exp(log_weight - log_weight.max(1, keepdims=True))
        # Who keeps a ball about the query, in place of one that reaches past its nearest point, finds nothing here.
        ball = np.where(squared < (8 * 0.5) ** 2, weight, 0.0)
        for name, w in (("near", weight), ("near_radius", ball)):
            with np.errstate(invalid="ignore"):
                mean = (w / w.sum(1, keepdims=True)) @ points
            out[name] = max(out[name], float(np.abs(np.nan_to_num(found - mean, nan=1e9)).max()))
    return out | {"near_scale": float(np.abs(points).max())}


def likeliest(data, rng):
    """Share of particles whose reported training point has the largest posterior weight, of unequal weights."""
    found = sample(data, 2000, rng, n_steps=3)
    time = found.times[-2]
    squared = ((found.last_state[:, None] - time * data.points) ** 2).sum(2)
    fit = np.log(data.weights) - squared / (2 * (1 - time) ** 2)
    return {"likeliest": float((found.indices[:, 0] == fit.argmax(1)).mean()),
            "nearest": float((found.indices[:, 0] == squared.argmin(1)).mean())}  # fmt: skip


EXACT = ("grid", "grid_cut", "grid_scale", "near", "near_radius", "near_scale", "likeliest", "nearest")


def measure(cell, rng):
    d = cell["dimension"]
    points = 2.0 + rng.standard_normal((30, d)) * np.linspace(0.5, 1.0, d)
    # The farther along the first axis, the heavier: the weighted mean is elsewhere.
    data = us.Samples(points, np.exp(2.0 * (points[:, 0] - 2.0)))
    first, second, third, last = rng.spawn(4)
    out = dict.fromkeys(EXACT, np.nan) | starts(data, 0.5, first)
    if cell["seed"] == 0:  # exact values need one draw
        out |= first_step(data, second) | far_queries(points, third) | likeliest(data, last)
    return out


DEFINED = "derived here, from the definition of the sampler of arXiv 2310.12395"
run = Theorem(source=DEFINED)
ONE = {"seed": 0}
study = Study(
    name="closed_form_sampler", title="The closed-form sampler against its definition",
    grid=Grid(dimension=[1, 2, 5], seed=range(16)), measure=measure,
    variables={
        "start": Variable("Second moment about T mean of starts at T over T^2 tr Cov + (1-T)^2 d"),
        "start_root": Variable("Second moment about T mean of starts at T over T^2 tr Cov + (1-T) d"),
        "center": Variable("Mean of starts at T along the weighted mean of the data, over T times that mean"),
        "center_equal": Variable("Mean of starts at T along the weighted mean, over T times the mean of equal weights"),
        "grid": Variable("Largest gap of the first step from T = 29/100 to the step of size 1/71"),
        "grid_cut": Variable("Largest gap of the first step from T = 29/100 to the step of size 1/72 at 28/100"),
        "grid_scale": Variable("Size of the largest coordinate of the first two states"),
        "near": Variable("Largest gap of barycenters of far queries, pruned sums to plain ones"),
        "near_radius": Variable("Largest gap of barycenters of far queries, pruned sums to sums over a ball about the "
                                "query"),
        "near_scale": Variable("Size of the largest coordinate of the data"),
        "likeliest": Variable("Share of samples whose reported point has the largest posterior weight"),
        "nearest": Variable("Share of samples whose reported point is the nearest one, whatever its weight"),
    },
    claims=[
        run.claim(id="closed_form.sampler_start", evidence="monte_carlo", regime="spread", variable="start",
                  test=Inside(0.98, 1.02),
                  statement="Particles that start at T = .5 of thirty weighted points have the second moment T^2 tr "
                            "Cov + (1-T)^2 d about T times the weighted mean, within 2 %.",
                  control=Control("noise of variance 1 - T", variable="start_root")),
        run.claim(id="closed_form.sampler_start", evidence="monte_carlo", regime="weights", variable="center",
                  test=Inside(0.98, 1.02),
                  statement="Particles that start at T = .5 of thirty weighted points have T times the weighted mean, "
                            "within 2 %.",
                  control=Control("the mean of equal weights", variable="center_equal")),
        run.claim(id="closed_form.sampler_grid", evidence="exact", variable="grid", where=ONE,
                  test=Identity(c=100, scale="grid_scale"),
                  statement="A run of 100 steps from T = .29 begins with the step of size 1/71 at that time.",
                  control=Control("the first step cut off to 28", variable="grid_cut")),
        run.claim(id="closed_form.sampler_near", evidence="exact", variable="near", where=ONE,
                  test=Identity(c=1e5, scale="near_scale"),
                  statement="The estimator near gives particles 4 to 400 away the barycenter of all points to ten "
                            "digits: it keeps what lies beyond the nearest point by its radius.",
                  control=Control("a ball of eight bandwidths about the query", variable="near_radius")),
        run.claim(id="closed_form.sampler_likeliest", evidence="exact", variable="likeliest", where=ONE,
                  test=Inside(0.999, 1.001),
                  statement="The training point that is reported with a sample is the one of largest posterior weight, "
                            "for unequal weights.",
                  control=Control("the nearest point", variable="nearest")),
    ],
)  # fmt: skip
