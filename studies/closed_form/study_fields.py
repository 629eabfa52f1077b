"""Closed-form diffusion fields in one dimension and many: exact identities and expansions in the smoothing."""

import numpy as np

import unifiedscore as us
from unifiedscore.study import Claim, Control, Grid, Identity, Inside, Rate, Study, Variable, known, two_rules

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
    return two_rules(*values, rounding=1e-14)


def heat(time, smoothing):
    """Remainders of x_sigma - x with the coefficients sigma^2/2 and sigma^2 of the Laplacian, a third cumulant."""
    z = np.array([[0.3]])
    weights = np.exp(-((z - time * HEAT[:, 0]) ** 2) / (2 * (1 - time) ** 2))[0]
    weights /= weights.sum()
    mean = weights @ HEAT[:, 0]
    laplacian = (time / (1 - time) ** 2) ** 2 * (weights @ (HEAT[:, 0] - mean) ** 3)
    field = us.Barycenter(us.Gaussian(1 - time), HEAT, scale=time)
    gap = us.Smoothed(field, smoothing, noise="population")(z)[0, 0] - mean
    remainders = {"remainder": smoothing**2 / 2 * laplacian, "remainder_wrong": smoothing**2 * laplacian}
    return known({name: abs(gap - leading) for name, leading in remainders.items()}, 1e-14)


def exact(d, time, rng):
    """Scores by two routes, and the part that noise with a mean adds."""
    points, x, noise = rng.normal(size=(30, d)), rng.normal(size=(10, d)), rng.normal(size=(4, d))
    bandwidth = 1 - time
    density = us.GaussianMixture(time * points, bandwidth**2)
    score = us.ClosedFormScore(points, time)(x)
    wrong = us.GaussianMixture(time * points, 1 - time**2)
    kept = us.SmoothedClosedFormScore(points, time, 0.3, noise=noise)(x)
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
        out |= {"tower": tower(time, smoothing)}
    return out | (heat(time, smoothing) if 0 < smoothing < 0.5 else {})


study = Study(
    name="closed_form_fields", title="Scores, barycenters and what smoothing does to them",
    grid=Grid(dimension=[1, 2, 8, 32], time=[0.3, 0.5, 0.6, 0.9], smoothing=[0.0, *SMOOTHINGS],
              skip=lambda cell: cell["dimension"] > 1 and cell["smoothing"] > 0, paired=("smoothing",)),
    measure=measure,
    variables={
        "score_gap": Variable("Largest difference between the score and the gradient of log rho_t"),
        "score_gap_wrong": Variable("Largest difference between the score and the gradient of log rho_t, variance 1 - "
                                    "t^2"),
        "noise_gap": Variable("Largest |smoothed score - mean of scores - sigma mean(e)/(1-t)^2|"),
        "noise_gap_wrong": Variable("Largest |smoothed score - mean of scores|"),
        "scale": Variable("Size of the largest term times its conditioning"),
        "tower": Variable("Mean of the barycenter over rho_t minus the data mean"),
        "remainder": Variable("Remainder of x_sigma - x after sigma^2/2 times the Laplacian"),
        "remainder_wrong": Variable("Remainder of x_sigma - x after sigma^2 times the Laplacian"),
    },
    claims=[
        Claim("closed_form.kde_score",
              "The exact score is the gradient of the log of a Gaussian kernel density of t x_i with bandwidth 1 - t.",
              "Scarvelis et al. 2025, arXiv 2310.12395", "exact", "score_gap", Identity(c=1e3, scale="scale"),
              where={"smoothing": 0.0}, control=Control("variance 1 - t^2", variable="score_gap_wrong")),
        Claim("closed_form.mean_of_scores",
              "The smoothed score exceeds the mean of M scores by sigma mean(e)/(1-t)^2.",
              "derived here", "exact", "noise_gap", Identity(c=100, scale="scale"), where={"smoothing": 0.0},
              control=Control("no difference for noise that has a mean", variable="noise_gap_wrong")),
        Claim("closed_form.tower", "Without smoothing the mean of the barycenter over rho_t is the data mean.",
              "derived here", "quadrature", "tower", Inside(-1e-12, 1e-12), where={"dimension": 1, "smoothing": 0.0},
              control=Control("sigma = .5", where={"smoothing": 0.5})),
        Claim("closed_form.heat_expansion",
              "Smoothing by sigma moves the barycenter by sigma^2/2 times its Laplacian, plus O(sigma^4).",
              "derived here", "quadrature", "remainder", Rate(3.9, 4.1, along="smoothing", toward="zero"),
              where={"dimension": 1, "time": 0.5, "smoothing": SMOOTHINGS[:5]},
              control=Control("coefficient sigma^2", variable="remainder_wrong")),
    ],
)  # fmt: skip
