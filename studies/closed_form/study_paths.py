"""Paths of the closed-form sampler: memorisation, tuples of training points, hulls, energies, wide smoothing."""

import numpy as np
from scipy.spatial import ConvexHull

import unifiedscore as us
from unifiedscore.metrics import nearest_training_distance
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable

PATHS, DRAWS, WIDE = 200, 4, 1000.0
STEINER = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 1.0], [1.0, 0.2]])


def outside(hull, x):
    """Largest distance beyond a face of the hull."""
    return float((x @ hull.equations[:, :2].T + hull.equations[:, 2]).max())


def energy_increase(points, rng, *, limit):
    """Largest one-step increase of an energy along paths with one fixed tuple.

    W_t - t |x_1|^2/2 for points of equal norm, or the limit energy W_M.
    """
    noise, steps = rng.normal(size=(DRAWS, 2)), 40
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
        queries = z[:, None] + 0.5 * noise
        half = 0.5 * (z**2).sum(1)
        if limit:
            heights = queries @ points.T - 0.5 * (points**2).sum(1)
            values.append(half - heights.max(2).mean(1))
        else:
            field = us.Barycenter(us.Gaussian(1 - time), points, scale=time)
            values.append(half - us.Smoothed(field, 0.5, noise=noise).potential(z) - time / 2 * (points[0] ** 2).sum())
    return float(np.diff(values, axis=0).max())


def measure(cell, rng):
    smoothing, steps = cell["smoothing"], cell["n_steps"]
    paths = PATHS // 2 if smoothing == WIDE else PATHS
    data, run, other = rng.spawn(3)
    points = 2 * data.normal(size=(50, 2))
    noise = run.normal(size=(paths, DRAWS, 2))
    found = us.sample_closed_form(
        points, paths, n_steps=steps, smoothing=smoothing, noise=us.Noise("fixed", given=noise), rng=run
    )
    gap = lambda index: np.linalg.norm(found.samples - points[index].mean(1), axis=1)
    unperturbed = np.argmin(((found.last_state[:, None] - (1 - 1 / steps) * points) ** 2).sum(-1), axis=1)[:, None]
    hull = ConvexHull(points)
    fit = points.mean(0) + other.normal(size=(paths, 2)) @ np.linalg.cholesky(np.cov(points.T)).T
    extreme = np.argmax(noise @ points.T, axis=2)
    out = dict.fromkeys(("increase", "increase_limit", "steiner"), np.nan) | {
        "novel": float((nearest_training_distance(found.samples, points) > 1e-12).mean()),
        "off_tuple": float((gap(found.indices) > 1e-2).mean()),
        "off_nearest": float((gap(unperturbed) > 1e-2).mean()),
        "outside_hull": outside(hull, found.samples),
        "outside_hull_gaussian": outside(hull, fit),
        "extreme": float((gap(extreme) < 1e-6).mean()),
    }
    if (smoothing, steps) == (1.0, 200):
        angle = data.uniform(0, 2 * np.pi, 20)
        circle = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        first, second = other.spawn(2)
        out["increase"] = energy_increase(circle, first, limit=False)
        out["increase_limit"] = energy_increase(points[:20], second, limit=True)
    if smoothing == WIDE:
        result = us.sample_closed_form(
            STEINER, 400, n_steps=100, smoothing=200.0, noise=us.Noise("fixed", draws=6), rng=other
        )
        out["steiner"] = float(result.samples[:, 0].mean())
    return out


def skip(cell):
    return (cell["smoothing"] == WIDE) != (cell["n_steps"] == 400)


STEINER_X = 3 * (np.pi - np.arctan(1 / 3)) / (2 * np.pi)
AT = {"smoothing": 1.0, "n_steps": 200}
study = Study(
    name="closed_form_paths", title="What closed-form samples are made of",
    grid=Grid(smoothing=[0.0, 0.3, 1.0, WIDE], n_steps=[20, 200, 400], seed=range(16), skip=skip,
              paired=("smoothing", "n_steps")),
    measure=measure,
    variables={
        "novel": Variable("Share of samples farther than 1e-12 from every training point"),
        "off_tuple": Variable("Share of samples farther than 1e-2 from the mean of their tuple"),
        "off_nearest": Variable("Share of samples farther than 1e-2 from the nearest neighbour of the unperturbed "
                                "state"),
        "outside_hull": Variable("Largest distance of a sample outside the hull of the data"),
        "outside_hull_gaussian": Variable("Largest distance of a draw from a Gaussian fit outside the hull of the "
                                          "data"),
        "extreme": Variable("Share of samples equal to the mean of the points extreme along their noise"),
        "increase": Variable("Largest one-step increase of the energy, data of equal norm"),
        "increase_limit": Variable("Largest one-step increase of the limit energy, generic data"),
        "steiner": Variable("Mean first coordinate of the samples of four points"),
    },
    claims=[
        Claim("closed_form.memorisation",
              "Without smoothing and with S = 200 at least 95 % of the samples are training points to 1e-12.",
              "derived here; the motivation of Scarvelis et al. 2025, arXiv 2310.12395", "monte_carlo", "novel",
              Inside(-np.inf, 0.05), where={"smoothing": 0.0, "n_steps": 200},
              control=Control("sigma = 1", where={"smoothing": 1.0})),
        Claim("closed_form.m_tuple_support",
              "Samples are means of the nearest neighbours of z_{S-1} + sigma e_m, within the last bandwidth.",
              "derived here; name of the theorem in Scarvelis et al. 2025, arXiv 2310.12395, Thm 5.1", "monte_carlo",
              "off_tuple", Inside(-np.inf, 0.05), where={"smoothing": [0.3, 1.0], "n_steps": 200},
              control=Control("the tuple is built without the noise", variable="off_nearest")),
        Claim("closed_form.convex_hull", "Closed-form samples never leave the convex hull of the data.",
              "derived here", "monte_carlo", "outside_hull", Inside(-np.inf, 1e-12),
              where={"smoothing": [0.0, 0.3, 1.0], "n_steps": [20, 200]},
              control=Control("samples of a Gaussian fit", variable="outside_hull_gaussian")),
        Claim("closed_form.equal_norm_lyapunov",
              "For data of equal norm W_t - t|x|^2/2 never increases along paths with fixed noise.",
              "derived here", "monte_carlo", "increase", Inside(-np.inf, 1e-12), where=AT,
              control=Control("the limit energy, on generic data", variable="increase_limit")),
        Claim("closed_form.large_sigma_law",
              "For sigma of 60 diameters samples are means of the data points extreme along their noise.",
              "derived here", "monte_carlo", "extreme", Inside(0.96, np.inf),
              where={"smoothing": WIDE, "n_steps": 400},
              control=Control("sigma = 1", where={"smoothing": 1.0, "n_steps": 200})),
        Claim("closed_form.steiner_point",
              "For wide smoothing the mean of the samples of four points is the Steiner point of their hull.",
              "derived here", "monte_carlo", "steiner", Inside(STEINER_X - 0.06, STEINER_X + 0.06),
              where={"smoothing": WIDE, "n_steps": 400}, control=Control("the data mean", test=Inside(0.94, 1.06))),
    ],
)  # fmt: skip
