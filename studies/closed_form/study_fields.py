"""Closed-form diffusion fields in one dimension and many: exact identities and expansions in the smoothing."""

import numpy as np

import unifiedscore as us
from unifiedscore.study import Claim, Control, Grid, Identity, Inside, Rate, Study, Variable

POINTS = np.array([[-1.0], [0.3], [2.0]])
HEAT = np.array([[-1.0], [0.5], [2.0]])
SMOOTHINGS = [0.006, 0.008, 0.011, 0.015, 0.02, 0.5]


def tower(time, smoothing):
    """E x_sigma(z) over rho_t by quadrature, relative to the data mean; two rules give the error."""
    values = []
    # The trapezoid rule converges exponentially for analytic integrands that vanish at both ends.
    for step in (0.025, 0.02):
        z = np.arange(-11.0, 11.0, step)[:, None]
        density = np.exp(-((z - time * POINTS[:, 0]) ** 2) / (2 * (1 - time) ** 2)).mean(1)
        density *= step / (np.sqrt(2 * np.pi) * (1 - time))
        field = us.Barycenter(us.Gaussian(1 - time), POINTS, scale=time)
        field = us.Smoothed(field, smoothing, noise="population") if smoothing else field
        values.append(density @ field(z)[:, 0] - POINTS.mean())
    return values[1], abs(values[1] - values[0]) + 1e-14


def heat(time, smoothing):
    """Remainders of x_sigma - x with the coefficients sigma^2/2 and sigma^2 of the Laplacian, a third cumulant."""
    z = np.array([[0.3]])
    weights = np.exp(-((z - time * HEAT[:, 0]) ** 2) / (2 * (1 - time) ** 2))[0]
    weights /= weights.sum()
    mean = weights @ HEAT[:, 0]
    laplacian = (time / (1 - time) ** 2) ** 2 * (weights @ (HEAT[:, 0] - mean) ** 3)
    field = us.Barycenter(us.Gaussian(1 - time), HEAT, scale=time)
    gap = us.Smoothed(field, smoothing, noise="population")(z)[0, 0] - mean
    return abs(gap - smoothing**2 / 2 * laplacian), abs(gap - smoothing**2 * laplacian)


def exact(d, time, rng):
    """Scores by two routes, and the part that noise with a mean adds."""
    points, x, noise = rng.normal(size=(30, d)), rng.normal(size=(10, d)), rng.normal(size=(4, d))
    bandwidth = 1 - time
    density = us.GaussianMixture(time * points, bandwidth**2)
    score = us.ClosedFormScore(points, time)(x)
    wrong = us.GaussianMixture(time * points, 1 - time**2)
    kept = us.SmoothedClosedFormScore(points, time, 0.3, noise)(x)
    moved = us.Smoothed(us.ClosedFormScore(points, time), 0.3, noise=noise)(x)
    size = np.abs(points).max() + np.abs(x).max() + np.abs(noise).max()
    # The size of a score, times that of the rounding of an active log-weight.
    scale = size**2 / bandwidth**2
    return {
        "score_gap": np.abs(score - density.score(x)).max(),
        "score_gap_wrong": np.abs(score - wrong.score(x)).max(),
        "noise_gap": np.abs(kept - moved - 0.3 * noise.mean(0) / bandwidth**2).max(),
        "noise_gap_wrong": np.abs(kept - moved).max(),
        "scale": scale,
    }


NAMES = ("score_gap", "score_gap_wrong", "noise_gap", "noise_gap_wrong", "scale")


def measure(cell, rng):
    d, time, smoothing = cell["dimension"], cell["time"], cell["smoothing"]
    out = dict.fromkeys((*NAMES, "tower", "remainder", "remainder_wrong"), np.nan)
    out |= exact(d, time, rng) if smoothing == 0.0 else {}
    if d > 1:
        return out
    if smoothing in (0.0, 0.5):
        value, error = tower(time, smoothing)
        out |= {"tower": value, "tower_error": error}
    if 0 < smoothing < 0.5:
        right, wrong = heat(time, smoothing)
        out |= {"remainder": right, "remainder_error": 1e-14, "remainder_wrong": wrong, "remainder_wrong_error": 1e-14}
    return out


study = Study(
    name="closed_form_fields",
    title="Scores, barycenters and what smoothing does to them",
    grid=Grid(
        dimension=[1, 2, 8, 32],
        time=[0.3, 0.5, 0.6, 0.9],
        smoothing=[0.0, *SMOOTHINGS],
        skip=lambda cell: cell["dimension"] > 1 and cell["smoothing"] > 0,
        paired=("smoothing",),
    ),
    measure=measure,
    variables={
        "score_gap": Variable("Largest difference between the score and the gradient of log rho_t"),
        "score_gap_wrong": Variable("The same with variance 1 - t^2"),
        "noise_gap": Variable("Smoothed score minus mean of scores minus sigma mean(e)/(1-t)^2, largest"),
        "noise_gap_wrong": Variable("Smoothed score minus mean of scores, largest"),
        "scale": Variable("Largest term with its conditioning"),
        "tower": Variable("Mean of the barycenter over rho_t minus the data mean"),
        "remainder": Variable("Remainder of x_sigma - x with the coefficient sigma^2/2"),
        "remainder_wrong": Variable("Remainder with the coefficient sigma^2"),
    },
    claims=[
        Claim(
            id="closed_form.kde_score",
            evidence="exact",
            variable="score_gap",
            test=Identity(c=1e3, scale="scale"),
            where={"smoothing": 0.0},
            statement="the exact score is the gradient of the log of a kernel density of t x_i with bandwidth 1 - t",
            source="Scarvelis et al. 2025, arXiv 2310.12395",
            control=Control("variance 1 - t^2", variable="score_gap_wrong"),
        ),
        Claim(
            id="closed_form.mean_of_scores",
            evidence="exact",
            variable="noise_gap",
            test=Identity(c=100, scale="scale"),
            where={"smoothing": 0.0},
            statement="the smoothed score exceeds the mean of M scores by sigma mean(e)/(1-t)^2",
            source="derived here",
            control=Control("no difference for noise that has a mean", variable="noise_gap_wrong"),
        ),
        Claim(
            id="closed_form.tower",
            evidence="quadrature",
            variable="tower",
            test=Inside(-1e-12, 1e-12),
            where={"dimension": 1, "smoothing": 0.0},
            statement="without smoothing the mean of the barycenter over rho_t is the data mean",
            source="derived here",
            control=Control("sigma = .5", where={"smoothing": 0.5}),
        ),
        Claim(
            id="closed_form.heat_expansion",
            evidence="quadrature",
            variable="remainder",
            test=Rate(3.9, 4.1, along="smoothing", toward="zero"),
            where={"dimension": 1, "time": 0.5, "smoothing": SMOOTHINGS[:5]},
            statement="x_sigma - x = sigma^2/2 times the Laplacian of x, plus O(sigma^4)",
            source="derived here",
            control=Control("coefficient sigma^2", variable="remainder_wrong"),
        ),
    ],
)
