"""For a Gaussian kernel the mean shift is a score: two independent computations, d = 1 ... 4096.

Route one is the kernel posterior (tiled sums for samples, quadrature for mixtures). Route two never forms a
posterior: it differentiates the log-density of the smoothed law p * N(0, tau^2 I), itself a Gaussian mixture.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.posterior import posterior_moments
from unifiedscore.study import Control, Grid, Identity, Study, Theorem, Variable

DIMENSIONS = [4**k for k in range(7)]
QUERIES = 40


def skip(cell):
    d = cell["dimension"]
    if cell["data"] == "digits":
        return d != 64
    if cell["data"] == "image_patches":
        return d == 1
    return False


def load(data, d, rng):
    """The law whose mean shift is taken, and queries near it."""
    if data == "mixture":
        law = us.GaussianMixture(rng.standard_normal((5, d)), 0.25, rng.uniform(1, 2, 5))
        return law, law.sample(QUERIES, rng)
    if data == "digits":
        points = us.load_measure("digits").points / 4.0
    elif data == "image_patches":
        points = us.load_measure("image_patches", patch=int(np.sqrt(d)), n=500).points
    else:
        points = rng.standard_normal((500, d)) + 3.0
    return us.Samples(points), points[:QUERIES] + 0.1 * rng.standard_normal((QUERIES, d))


def potentials(kernel, law, smoothed, x, tau):
    """How far the potential of the mean shift rises otherwise than tau^2, or tau, times log of the smoothed density."""
    if isinstance(kernel, us.Laplace):
        return dict.fromkeys(("potential", "potential_tau", "potential_scale"), np.nan)
    potential, density = us.MeanShift(kernel, law).potential(x), smoothed.log_density(x)
    rise, known = potential - potential[0], density - density[0]
    size = 1.0 + float(np.abs(density).max())
    return {"potential": float(np.abs(rise / tau**2 - known).max()),
            "potential_tau": float(np.abs(rise / tau - known).max()), "potential_scale": size}  # fmt: skip


def measure(cell, rng):
    d = cell["dimension"]
    law, x = load(cell["data"], d, rng)
    spread = np.sqrt(np.mean((x - x.mean(0)) ** 2) * d)
    tau = 0.5 * float(spread)
    kernel = {"gaussian": us.Gaussian, "laplace": us.Laplace}[cell["kernel"]](bandwidth=tau)
    smoothed = (
        law.smoothed(tau**2) if cell["data"] == "mixture" else us.GaussianMixture(law.points, tau**2, law.weights)
    )
    score = smoothed.score(x)
    moments = posterior_moments(kernel, law, x)
    # Largest term of either side, |x| from y - x, times the conditioning of the softmax, its largest log-weight.
    largest = float(np.linalg.norm(x, axis=1).max())
    log_weight = float(np.abs(moments.log_normalizer).max())
    worst = lambda gap: float(np.linalg.norm(gap, axis=1).max())
    return potentials(kernel, law, smoothed, x, tau) | {
        "residual": worst(moments.mean_shift - tau**2 * score),
        "residual_doubled": worst(moments.mean_shift - 2 * tau**2 * score),
        "scale": largest * (1.0 + log_weight),
        "cosine_gap": float(
            1
            - np.min(
                np.sum(moments.mean_shift * score, 1)
                / np.linalg.norm(moments.mean_shift, axis=1)
                / np.linalg.norm(score, axis=1)
            )
        ),
    }


identity = Theorem(
    "drift.gaussian_identity",
    "For a Gaussian kernel the mean shift is V = tau^2 grad log (p * N(0, tau^2 I)), the score of the smoothed law.",
    "Lai et al. 2026, arXiv 2603.07514, Theorem 1", "exact", "residual", Identity(c=100, scale="scale"),
)  # fmt: skip
LAPLACE = Control("Laplace kernel of the same bandwidth", where={"kernel": "laplace"})
DOUBLED = Control("a factor 2: tau^2 read as the exponent's scale", variable="residual_doubled")
study = Study(
    name="gaussian_identity", title="The Gaussian mean shift is an exact score",
    grid=Grid(data=["mixture", "samples", "digits", "image_patches"], dimension=DIMENSIONS,
              kernel=["gaussian", "laplace"], skip=skip, paired=("kernel",)),
    measure=measure,
    variables={
        "residual": Variable("Largest norm of V - tau^2 score of the smoothed law", symbol="|V - tau^2 s|"),
        "residual_doubled": Variable("Largest norm of V - 2 tau^2 score, the smoothed law of the kernel "
                                     "exp(-r^2/tau^2)"),
        "scale": Variable("Size of the largest term times its conditioning"),
        "potential": Variable("Rise of the potential of V over tau^2 minus that of log density of the smoothed law"),
        "potential_tau": Variable("Rise of the potential of V over tau minus that of log density of the smoothed law"),
        "potential_scale": Variable("Size of the largest log density of the smoothed law"),
        "cosine_gap": Variable("Largest 1 - cosine between mean shift and smoothed score"),
    },
    claims=[
        identity.claim(regime=data, where={"data": data, "kernel": "gaussian"}, control=control)
        for data, control in (
            ("mixture", LAPLACE), ("samples", DOUBLED), ("digits", LAPLACE), ("image_patches", LAPLACE),
        )
    ]
    + [
        identity.claim(regime="potential", variable="potential", where={"kernel": "gaussian"},
                       test=Identity(c=100, scale="potential_scale"),
                       statement="For a Gaussian kernel the mean shift has the potential tau^2 log (p * N(0, tau^2 "
                                 "I)): both rise alike between the queries, on mixtures, samples, digits and patches.",
                       control=Control("tau in place of tau^2", variable="potential_tau")),
    ],
)  # fmt: skip
