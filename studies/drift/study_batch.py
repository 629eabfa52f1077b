"""Algorithm 2 as trained: it factorises, its self term breaks antisymmetry, its normalised loss says nothing.

The second route writes row and column softmax, masks and sums in plain NumPy.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.fields import PUBLISHED_FLOOR
from unifiedscore.metrics import drift_scale, feature_scale
from unifiedscore.study import Claim, Control, Grid, Identity, Inside, Study, Theorem, Variable

N = 64


def distances(x, y):
    return np.array([np.linalg.norm(y - query, axis=1) for query in x])


def factorised(x, y, kernel, *, power, floor=0.0):
    """a_i b_i (m+ - m-) with weights K_ij / col_j^power, the queries masked among the negatives."""
    k = np.exp(kernel.log_profile(distances(x, np.concatenate([y, x]))))
    k[np.arange(N), N + np.arange(N)] = 0.0
    a = k / np.sqrt(k.sum(1, keepdims=True) * k.sum(0))
    w = k / k.sum(0) ** power
    plus, minus = w[:, :N], w[:, N:]
    mean = lambda w, z: w @ z / w.sum(1, keepdims=True)
    return (a[:, :N].sum(1) * a[:, N:].sum(1))[:, None] * (mean(plus, y) - mean(minus, x))


def self_term(kernel, x):
    """(1 - w_self) V_excl at the samples: what keeping the self term must give."""
    r = distances(x, x)
    k = np.exp(kernel.log_profile(r))
    share = 1.0 / k.sum(1)
    excluded = us.posterior_moments(kernel, x, x, exclude=np.arange(len(x))).mean_shift
    return (1 - share)[:, None] * excluded


def mean_cosine(first, second):
    product = np.sum(first * second, 1)
    return float(np.mean(product / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)))


def measure(cell, rng):
    d = cell["dimension"]
    x, y = rng.standard_normal((N, d)), rng.standard_normal((N, d)) + 0.5
    second = rng.standard_normal((N, d))
    unit = feature_scale(x, np.concatenate([x, y])) * np.sqrt(d)
    kernel = us.Laplace(cell["temperature"] * unit)
    clean = us.batch_drift(kernel, x, positives=y)
    floored = us.batch_drift(kernel, x, positives=y, floor=PUBLISHED_FLOOR)
    worst = lambda v: float(np.abs(v).max())
    expected = self_term(kernel, x)
    size = drift_scale(clean.drift)
    loss = lambda v: float(np.mean((x - (x + v)) ** 2))
    return {
        "factorisation": worst(clean.drift - factorised(x, y, kernel, power=0.5)),
        "factorisation_unweighted": worst(clean.drift - factorised(x, y, kernel, power=0.0)),
        "factorisation_floored": worst(floored.drift - factorised(x, y, kernel, power=0.5)),
        "self_term": worst(us.MeanShift(kernel, x)(x) - expected),
        "self_term_independent": worst(us.MeanShift(kernel, second)(x) - expected),
        # Exponents of size r/tau carry eps r/tau of relative rounding into every weight.
        "scale": float(np.abs(np.concatenate([x, y])).max() * (1 + 2 / cell["temperature"])),
        "floored_cosine": mean_cosine(clean.drift, floored.drift),
        "floored_share": floored.floored,
        "unfloored_cosine": mean_cosine(clean.drift, us.batch_drift(kernel, x, positives=y, floor=1e-300).drift),
        "normalised_loss": loss(clean.drift / size),
        "plain_loss": loss(clean.drift),
    }


floor = Theorem("drift.affinity_floor",
                "The published floor 1e-6 under the squared affinities turns the batch drift of 64 + 64 normal points.",
                "a public implementation; found here", "exact", "floored_cosine", Inside(-1.0, 0.9))  # fmt: skip
ROUND = Identity(c=1e3, scale="scale")
factorised_drift = Theorem("drift.alg2_factorisation",
                           "Algorithm 2 is a b (m+ - m-) with means weighted by K_ij / sqrt(col_j).",
                           "derived here from the pseudo-code of Deng et al. 2026, arXiv 2602.04770", "exact",
                           test=ROUND)  # fmt: skip
study = Study(
    name="drift_batch", title="The field that is trained: Algorithm 2, batch by batch",
    grid=Grid(dimension=[2, 16, 64, 256, 1024], temperature=[0.02, 0.05, 0.2], paired=("temperature",)),
    measure=measure,
    variables={
        "factorisation": Variable("Largest entry of V - a b (m+ - m-), weights K/sqrt(col)"),
        "factorisation_unweighted": Variable("Largest entry of V - a b (m+ - m-), unweighted means of eq. 11"),
        "factorisation_floored": Variable("Largest entry of V - a b (m+ - m-), weights K/sqrt(col), drift with the "
                                          "affinity floor"),
        "self_term": Variable("Largest entry of V_incl - (1 - w_self) V_excl"),
        "self_term_independent": Variable("Largest entry of V_incl - (1 - w_self) V_excl, V_incl from an independent "
                                          "second batch"),
        "scale": Variable("Largest coordinate times the largest exponent"),
        "floored_cosine": Variable("Mean cosine between the batch drift with and without the floor"),
        "floored_share": Variable("Share of affinities replaced by the floor"),
        "unfloored_cosine": Variable("Mean cosine between the batch drift without the floor and with a floor of "
                                     "1e-300"),
        "normalised_loss": Variable("Loss of one temperature after drift normalisation"),
        "plain_loss": Variable("Loss of one temperature without normalisation"),
    },
    claims=[
        factorised_drift.claim(regime="algorithm", variable="factorisation",
                               control=Control("unweighted means (eq. 11)", variable="factorisation_unweighted")),
        factorised_drift.claim(regime="affinity floor on", variable="factorisation_floored",
                               where={"dimension": [2, 16], "temperature": [0.02, 0.05]}, expect="refuted"),
        Claim("drift.self_term",
              "Keeping the query among the negatives multiplies the model's mean shift V_q by 1 - w_self.",
              "derived here", "exact", "self_term", ROUND,
              control=Control("an independent second batch as negatives", variable="self_term_independent")),
        floor.claim(regime="low dimension", where={"dimension": [2, 16], "temperature": 0.02},
                    control=Control("no floor", variable="unfloored_cosine")),
        floor.claim(regime="high dimension", where={"dimension": 1024, "temperature": 0.02}, expect="refuted"),
        Claim("drift.normalised_loss_constant",
              "After drift normalisation the loss of one temperature is 1 whatever the field, and so shows nothing.",
              "derived here from Deng et al. 2026, arXiv 2602.04770, A.6", "exact", "normalised_loss",
              Inside(1 - 1e-12, 1 + 1e-12), control=Control("without normalisation", variable="plain_loss")),
    ],
)  # fmt: skip
