"""For a Gaussian kernel the mean shift is a score: two independent computations, d = 1 ... 4096.

Route one is the kernel posterior (tiled sums for samples, quadrature for mixtures). Route two never forms a
posterior: it differentiates the log-density of the smoothed law p * N(0, tau^2 I), itself a Gaussian mixture.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.posterior import posterior_moments
from unifiedscore.study import Claim, Control, Grid, Identity, Study, Variable

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
    return {
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


statement = (
    "for a Gaussian kernel the mean shift is the score of the smoothed law: V = tau^2 grad log (p * N(0, tau^2 I))"
)
source = "Lai et al. 2026, arXiv 2603.07514, Theorem 1"


def claim(data, **parts):
    return parts.claim(id="drift.gaussian_identity", regime=data, variable="residual",
                       where={"data": data, "kernel": "gaussian"}, test=Identity(c=100, scale="scale"),
                       evidence="exact", source=source, statement=statement)  # fmt: skip


study = Study(
    name="gaussian_identity", title="The Gaussian mean shift is an exact score",
    grid=Grid(
        data=["mixture", "samples", "digits", "image_patches"],
        dimension=DIMENSIONS,
        kernel=["gaussian", "laplace"],
        skip=skip,
        paired=("kernel",),
    ),
    measure=measure,
    variables={
        "residual": Variable("Largest norm of V - tau^2 score of the smoothed law", symbol="|V - tau^2 s|"),
        "residual_doubled": Variable("The same with the kernel exp(-r^2/tau^2) in mind: V - 2 tau^2 score"),
        "scale": Variable("Largest term times its conditioning"),
        "cosine_gap": Variable("Largest 1 - cosine between mean shift and score"),
    },
    claims=[
        claim("mixture", control=Control("Laplace kernel of the same bandwidth", where={"kernel": "laplace"})),
        claim(
            "samples", control=Control("a factor 2: tau^2 read as the exponent's scale", variable="residual_doubled")
        ),
        claim("digits", control=Control("Laplace kernel of the same bandwidth", where={"kernel": "laplace"})),
        claim("image_patches", control=Control("Laplace kernel of the same bandwidth", where={"kernel": "laplace"})),
    ],
)  # fmt: skip
