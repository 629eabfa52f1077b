"""What one Euler step and a whole path of the closed-form sampler are, with every estimator of the barycenter.

A run that starts at T = 1 - 1/S has one step left, so that its samples are the smoothed barycenters of its start.
"""

import numpy as np
from _brute import barycenter, diameter, smoothed

import unifiedscore as us
from unifiedscore.study import Control, Grid, Identity, Inside, Study, Theorem, Variable, known

PATHS, DRAWS, STEPS, SMOOTHING, TOLERANCE = 30, 3, 12, 0.4, 1e-4
RIM, FAR, MANY = 256, 20, 400


def run(data, start, steps, noise, *, smoothing=SMOOTHING, policy="fixed", seed=0, **options):
    options |= {"smoothing": smoothing, "noise": us.Noise(policy, given=noise), "trajectory": True}
    return us.sample_closed_form(
        data, len(start), n_steps=steps, start=start, rng=np.random.default_rng(seed), **options
    )


def path_gaps(points, prior, start, noise, policy):
    """Path as a mean of barycenters, its last step, and both with one thing wrong."""
    states = run(us.Samples(points, prior), start, STEPS, noise, policy=policy).trajectory
    tuples = noise if policy == "fresh" else [noise] * STEPS
    at = lambda n, time: smoothed(points, states[n], tuples[n], SMOOTHING, time, prior)
    centers = np.stack([at(n, n / STEPS) for n in range(STEPS)])
    out = {"path_gap": 0.0, "path_gap_plain": 0.0}
    for n in range(1, STEPS):
        j, rest = np.arange(n), states[n] - (1 - n / STEPS) * states[0]
        omega = STEPS * (STEPS - n) / (n * (STEPS - j) * (STEPS - j - 1))
        for name, weights in (("path_gap", omega), ("path_gap_plain", np.full(n, 1 / n))):
            gap = np.abs(rest - n / STEPS * np.einsum("j,jnd->nd", weights, centers[:n])).max()
            out[name] = max(out[name], gap)
    before = at(STEPS - 1, (STEPS - 2) / STEPS)
    return out | {
        "last_gap": np.abs(states[-1] - centers[-1]).max(),
        "last_gap_before": np.abs(states[-1] - before).max(),
    }


def one_point_gaps(start, noise):
    """The straight line to a single training point, and what skipping the step at t = 0 makes of it."""
    point = np.full((1, start.shape[1]), 0.7)
    line = lambda times: point + (1 - times)[:, None, None] * (start - point)
    whole, late = (run(point, start, STEPS, noise, start_time=first / STEPS) for first in (0, 1))
    gap = lambda found: np.abs(found.trajectory - line(found.times)).max()
    return {"line_gap": gap(whole), "line_gap_skipped": gap(late)}


def one_step_gaps(points, start, noise, time, estimators):
    """The last barycenters of estimators, against the sum by hand, and the share of the points that each visits."""
    steps = round(1 / (1 - time))
    exact = smoothed(points, start, noise, SMOOTHING, time)
    found = {
        name: run(points, start, steps, noise, start_time=time, estimator=estimator)
        for name, estimator in estimators.items()
    }
    gaps = {f"{name}_gap": np.abs(r.samples - exact).max() for name, r in found.items()}
    return gaps | {f"{name}_share": float(r.fractions[-1]) for name, r in found.items()}


def rim_ratio(beyond, tolerance=TOLERANCE):
    """What "near" neglects over 1e-4 of the diameter: one point at the query, the others at the rim.

    At the rim a weight is tolerance/m of the largest one; `beyond` scales the distance.
    """
    time = 1 - 1 / FAR
    reach = np.sqrt(2 * np.log(RIM / tolerance)) * (1 - time) / time
    points = reach * np.array([0.0] + [beyond] * (RIM - 2) + [1 + 1e-9])[:, None]
    start, noise = np.zeros((1, 1)), np.zeros((1, 1, 1))
    found = run(points, start, FAR, noise, start_time=time, smoothing=0.0, estimator=us.Near(tolerance))
    return np.abs(found.samples - barycenter(points, start, time)).max() / (TOLERANCE * np.ptp(points))


def measure(cell, rng):
    d, policy = cell["dimension"], cell["policy"]
    points, prior, start = 1 + rng.normal(size=(40, d)), rng.dirichlet(np.ones(40)), rng.normal(size=(PATHS, d))
    noise = rng.normal(size=(STEPS, PATHS, DRAWS, d) if policy == "fresh" else (PATHS, DRAWS, d))
    out = dict.fromkeys(VARIABLES, np.nan) | path_gaps(points, prior, start, noise, policy)
    scale = np.abs(points).max() + np.abs(start).max() + SMOOTHING * np.abs(noise).max()
    out |= {"scale": STEPS * scale, "line_scale": scale}
    if policy == "fresh":
        return out
    out |= one_point_gaps(start, noise)
    if d <= 2:
        few, many, half = 3 * points, 3 * rng.normal(size=(MANY, d)), len(points) // 2
        every = {"all": us.Neighbours(half, half), "all_but_one": us.Neighbours(half, half - 1)}
        near = {"near": us.Near(), "near_loose": us.Near(0.05)}
        gaps = one_step_gaps(few, few[:PATHS] + start, noise, 0.75, every)
        gaps |= one_step_gaps(many, many[:PATHS] + start, noise, 0.75, near)
        out |= {name: gaps[name] for name in VARIABLES if name in gaps}
        out |= {"step_scale": max(diameter(few), diameter(many)) * (1 + 3 * scale)}
    if d == 1:
        beyond = 1 + 1e-9
        rim = {"outside": rim_ratio(beyond), "inside": rim_ratio(0.97), "loose": rim_ratio(beyond, 1.05 * TOLERANCE)}
        out |= known(rim, 1e-6)
    return out


VARIABLES = {
    "path_gap": Variable("Largest distance of a state from its mean of start and barycenters"),
    "path_gap_plain": Variable("Largest distance of a state from the plain mean of start and barycenters"),
    "last_gap": Variable("Largest distance of a sample from the smoothed barycenter of the last state"),
    "last_gap_before": Variable("Largest distance of a sample from the barycenter at the time before the last"),
    "line_gap": Variable("Largest distance of a path to one point from its straight line"),
    "line_gap_skipped": Variable("Largest distance of a path without the step at t = 0 from its straight line"),
    "near_gap": Variable("Largest error of a barycenter by the near estimator"),
    "all_gap": Variable("Largest error of a barycenter by the neighbour estimator with every point"),
    "all_but_one_gap": Variable("Largest error of a barycenter by the neighbour estimator with one point left out"),
    "near_loose_gap": Variable("Largest error of a barycenter by the near estimator at a tolerance of .05"),
    "near_share": Variable("Share of the points that the near estimator visits"),
    "outside": Variable("Error of the near estimator over tolerance times diameter, points just beyond the rim"),
    "inside": Variable("Error of the near estimator over tolerance times diameter, points just within the rim"),
    "loose": Variable("Error of the near estimator at a tolerance 5 % larger, over the bound of the smaller one"),
    "scale": Variable("Size of the largest state times the number of steps"),
    "line_scale": Variable("Size of the largest state"),
    "step_scale": Variable("Diameter of the data times the conditioning of the weights"),
}  # fmt: skip
HERE = "derived here"
exact = Theorem(source=HERE, evidence="exact")
IDENTITY, FIXED = Identity(c=100, scale="scale"), {"policy": "fixed"}
STEP = {"policy": "fixed", "dimension": [1, 2]}
ONE = {"policy": "fixed", "dimension": 1}
study = Study(
    name="closed_form_steps", title="Steps and paths of the closed-form sampler, with every estimator",
    grid=Grid(dimension=[1, 2, 8], policy=["fixed", "fresh"]), measure=measure, variables=VARIABLES,
    claims=[
        exact.claim(id="closed_form.path_hull", variable="path_gap", test=IDENTITY,
                    statement="With fixed and with fresh noise z_n - (1-t_n) z_0 is t_n times the mean of the "
                              "barycenters met so far with weights S(S-n)/(n(S-j)(S-j-1)); unequal weights, S = 12.",
                    control=Control("plain averages of the barycenters", variable="path_gap_plain")),
        exact.claim(id="closed_form.last_step_barycenter", variable="last_gap", test=IDENTITY,
                    statement="With uniform steps to t = 1 samples are the smoothed barycenters of the last states at "
                              "t = 1 - 1/S, for fixed and for fresh noise.",
                    control=Control("the barycenter at the time of the step before", variable="last_gap_before")),
        exact.claim(id="closed_form.one_point", variable="line_gap", where=FIXED,
                    test=Identity(c=100, scale="line_scale"),
                    statement="A single training point x is approached in a straight line: z_n - x = (1-t_n)(z_0 - x).",
                    control=Control("the step at t = 0 is skipped", variable="line_gap_skipped")),
        exact.claim(id="closed_form.nn_exact", regime="sampler", variable="all_gap", where=STEP,
                    test=Identity(c=1, scale="step_scale"),
                    statement="A step of the sampler with the neighbour estimator is exact if K + L is the number of "
                              "training points.",
                    control=Control("one point left out", variable="all_but_one_gap")),
        exact.claim(id="closed_form.near_estimator", regime="exact", variable="near_gap", where=STEP,
                    test=Identity(c=1, scale="step_scale"),
                    statement="A step of the sampler with the near estimator at tolerance 1e-12 equals the sum over "
                              "all 400 points, in one and two dimensions at t = .75.",
                    control=Control("tolerance .05", variable="near_loose_gap")),
        exact.claim(id="closed_form.near_estimator", regime="bound", variable="outside", where=ONE,
                    test=Inside(-np.inf, 1.0), sharpness="outside",
                    statement="The near estimator moves a barycenter by at most its tolerance times the diameter; "
                              "points just beyond the rim of its radius attain 99 % of it.",
                    control=Control("a tolerance 5 % larger", variable="loose")),
        exact.claim(id="closed_form.near_estimator", regime="radius", variable="inside", where=ONE,
                    test=Inside(-np.inf, 0.01),
                    statement="The near estimator keeps every point within its radius: of 255 points at 97 % of the "
                              "radius and one beyond, one is lost, 0.4 % of the bound.",
                    control=Control("points just beyond the radius", variable="outside")),
    ],
)  # fmt: skip
