"""Paths of the closed-form sampler: memorisation, tuples of training points, hulls, energies, wide smoothing."""

from dataclasses import replace

import numpy as np
from scipy.spatial import ConvexHull

import unifiedscore as us
from unifiedscore.metrics import nearest_training_distance
from unifiedscore.study import Control, Grid, Inside, Proportion, Study, Theorem, Variable

PATHS, DRAWS, WIDER, WIDE, SEEDS = 200, 4, 50.0, 1000.0, 24
TWO_RADII = np.where(np.arange(20) % 2, 1.0, 0.5)[:, None]
STEINER = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 1.0], [1.0, 0.2]])


def outside(hull, x):
    """Largest distance beyond a face of the hull."""
    return float((x @ hull.equations[:, :2].T + hull.equations[:, 2]).max())


def energy_increase(points, rng):
    """Largest one-step increase of W_t - t |x_1|^2/2 along paths with one fixed tuple."""
    noise, steps = rng.normal(size=(DRAWS, 2)), 20
    found = us.sample_closed_form(
        points,
        100,
        n_steps=steps,
        smoothing=0.5,
        noise=us.Noise("shared", given=noise),
        rng=rng,
        trajectory=True,
    )
    values = []
    for z, time in zip(found.trajectory[:-1], found.times[:-1], strict=True):
        field = us.Barycenter(us.Gaussian(1 - time), points, scale=time)
        potential = us.Smoothed(field, 0.5, noise=noise).potential(z)
        values.append(0.5 * (z**2).sum(1) - potential - time / 2 * (points[0] ** 2).sum())
    return float(np.diff(values, axis=0).max())


def steiner(smoothing, rng):
    """Mean first coordinate of samples of four points."""
    noise = us.Noise("fixed", draws=6)
    found = us.sample_closed_form(STEINER, 400, n_steps=100, smoothing=smoothing, noise=noise, rng=rng)
    return float(found.samples[:, 0].mean())


def measure(cell, rng):
    smoothing, steps = cell["smoothing"], cell["n_steps"]
    paths = PATHS // 2 if smoothing >= WIDER else PATHS
    data, run, other = rng.spawn(3)
    points = 2 * data.normal(size=(cell["n_points"], 2))
    noise = run.normal(size=(paths, DRAWS, 2))
    found = us.sample_closed_form(
        points, paths, n_steps=steps, smoothing=smoothing, noise=us.Noise("fixed", given=noise), rng=run
    )
    gap = lambda index: np.linalg.norm(found.samples - points[index].mean(1), axis=1)
    unperturbed = np.argmin(((found.last_state[:, None] - (1 - 1 / steps) * points) ** 2).sum(-1), axis=1)[:, None]
    hull = ConvexHull(points)
    extreme = np.argmax(noise @ points.T, axis=2)
    novel = (nearest_training_distance(found.samples, points) > 1e-12).mean()
    off_tuple, off_nearest = ((gap(index) > 1e-2).mean() for index in (found.indices, unperturbed))
    out = dict.fromkeys(("increase", "increase_two_radii", "steiner", "steiner_narrow"), np.nan) | {
        "novel": novel,
        "memorised": float(novel <= 0.05),
        "off_tuple": off_tuple,
        "on_tuple": float(off_tuple <= 0.01),
        "on_nearest": float(off_nearest <= 0.01),
        "outside_hull": outside(hull, found.samples),
        "outside_hull_noisy": outside(hull, found.samples + other.normal(size=(paths, 2)) / steps),
        "extreme": float((gap(extreme) < 1e-6).mean()),
    }
    if (smoothing, steps) == (1.0, 200):
        angle = data.uniform(0, 2 * np.pi, 20)
        circle = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        first, second = other.spawn(2)
        out["increase"] = energy_increase(circle, first)
        out["increase_two_radii"] = energy_increase(circle * TWO_RADII, second)
    if smoothing == WIDE:
        first, second = other.spawn(2)
        out["steiner"], out["steiner_narrow"] = steiner(200.0, first), steiner(0.5, second)
    return out


def skip(cell):
    if cell["seed"] >= SEEDS and (cell["smoothing"], cell["n_steps"]) != (0.0, 20):
        return True
    if cell["n_points"] == 500:
        return cell["smoothing"] > 0 or cell["n_steps"] > 20
    return (cell["smoothing"] >= WIDER) != (cell["n_steps"] == 400)


STEINER_X = 3 * (np.pi - np.arctan(1 / 3)) / (2 * np.pi)
FEW = {"n_points": 50}
AT = FEW | {"smoothing": 1.0, "n_steps": 200}
EXTREME = FEW | {"smoothing": WIDE, "n_steps": 400}
HERE = "derived here"
MOST = Proportion(0.65, 1.0, trials=1)  # rare samples: counted by training set, within which they are not independent
paths = Theorem(source=HERE, evidence="monte_carlo")
memory = replace(paths, id="closed_form.memorisation", variable="novel",
                 source="derived here; the motivation of Scarvelis et al. 2025, arXiv 2310.12395")  # fmt: skip
study = Study(
    name="closed_form_paths", title="What closed-form samples are made of",
    grid=Grid(n_points=[50, 500], smoothing=[0.0, 0.3, 1.0, WIDER, WIDE], n_steps=[20, 200, 400], seed=range(48),
              skip=skip, paired=("smoothing", "n_steps")),
    measure=measure,
    variables={
        "novel": Variable("Share of samples farther than 1e-12 from every training point"),
        "off_tuple": Variable("Share of samples farther than 1e-2 from the mean of their tuple"),
        "memorised": Variable("Whether at least 95 % of the samples are training points to 1e-12"),
        "on_tuple": Variable("Whether at least 99 % of the samples lie within 1e-2 of the mean of their tuple"),
        "on_nearest": Variable("Whether at least 99 % of the samples lie within 1e-2 of the nearest neighbour of the "
                               "unperturbed state"),
        "outside_hull": Variable("Largest distance of a sample outside the hull of the data"),
        "outside_hull_noisy": Variable("Largest distance outside the hull with noise of the last bandwidth added"),
        "extreme": Variable("Share of samples equal to the mean of the points extreme along their noise"),
        "increase": Variable("Largest one-step increase of the energy, data of equal norm"),
        "increase_two_radii": Variable("Largest one-step increase of the energy, every second point half as far out"),
        "steiner_narrow": Variable("Mean first coordinate of the samples of four points at sigma = .5"),
        "steiner": Variable("Mean first coordinate of the samples of four points"),
    },
    claims=[
        memory.claim(regime="S=200, n=50", variable="memorised", test=MOST,
                     where=FEW | {"smoothing": 0.0, "n_steps": 200},
                     statement="Without smoothing and with S = 200 steps at least 95 % of the samples of 50 points of "
                               "2 N(0, I) are training points to 1e-12, for more than 65 % of the training sets.",
                     control=Control("S = 20", where={"n_steps": 20})),
        memory.claim(regime="S=20, n=500", test=Inside(0.9, 0.95),
                     where={"n_points": 500, "smoothing": 0.0, "n_steps": 20},
                     statement="Without smoothing but with S = 20 steps and 500 points of 2 N(0, I) 90 to 95 % of the "
                               "samples are no training points.",
                     control=Control("50 points", where=FEW)),
        paths.claim(id="closed_form.m_tuple_support", variable="on_tuple", test=MOST,
                    where=FEW | {"smoothing": [0.3, 1.0], "n_steps": 200},
                    source="derived here; name of the theorem in Scarvelis et al. 2025, arXiv 2310.12395, Thm 5.1",
                    statement="With a fixed tuple per path and S = 200 at least 99 % of the samples of 50 points lie "
                              "within .01 of the mean of the nearest neighbours of z_{S-1} + sigma e_m, at sigma = .3 "
                              "and 1, for more than 65 % of the training sets.",
                    control=Control("the tuple is built without the noise", variable="on_nearest")),
        paths.claim(id="closed_form.convex_hull", variable="outside_hull", test=Inside(-np.inf, 1e-12),
                    where=FEW | {"smoothing": [0.0, 0.3, 1.0], "n_steps": [20, 200]},
                    statement="Closed-form samples of 50 points in the plane never leave the convex hull of the data; "
                              "without smoothing they reach its corners.",
                    control=Control("noise of the last bandwidth 1/S added", variable="outside_hull_noisy")),
        paths.claim(id="closed_form.equal_norm_lyapunov", variable="increase", test=Inside(-np.inf, 1e-12), where=AT,
                    statement="For data of equal norm W_t - t|x|^2/2 never increases along paths with one fixed tuple "
                              "(20 points on a circle, S = 20).",
                    control=Control("every second point at half the distance", variable="increase_two_radii")),
        paths.claim(id="closed_form.large_sigma_law", variable="extreme", test=Inside(0.96, np.inf), where=EXTREME,
                    statement="For sigma of 60 diameters and S = 400 at least 96 % of the samples are the mean of the "
                              "data points extreme along their four fixed draws, to 1e-6.",
                    control=Control("sigma of three diameters", where={"smoothing": WIDER})),
        paths.claim(id="closed_form.steiner_point", variable="steiner", where=EXTREME,
                    test=Inside(STEINER_X - 0.06, STEINER_X + 0.06),
                    statement="For sigma = 200 the mean of the samples of four points in a triangle of side 3 is the "
                              "Steiner point of their hull.",
                    control=Control("sigma = .5", variable="steiner_narrow")),
    ],
)  # fmt: skip
