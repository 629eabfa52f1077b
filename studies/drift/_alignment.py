"""Laplace drift and score difference: population values by quadrature, and the three ways to estimate them."""

import numpy as np
from _laws import pair

import unifiedscore as us
from unifiedscore.metrics import (
    best_relative_error,
    best_scale,
    global_cosine,
    mean_cosine,
    mean_product,
    relative_error,
    replicated_cosines,
)
from unifiedscore.posterior import posterior_vectors
from unifiedscore.study import two_rules

ORDERS = {"raw_mog": (4, 5), "ring_mog_shifted": (4, 5), "ring_mog": (6, 8)}
REPLICATES = 4  # for cross-fitting: two cannot tell a field from noise
ABSENT = dict.fromkeys(("refused", "push", "norm_ratio", "norm_gap"), np.nan)


def summary(drift, score, weights, *, scale, bandwidth, dimension):
    """Errors and cosines of a drift against `scale` times a score; the suffix _one stands for the wrong scale R tau."""
    relative = relative_error(drift, score, scale, weights)
    # R of one law for the typical distance rho = sqrt(2) R of two.
    one = relative_error(drift, score, scale / np.sqrt(2), weights)
    return {
        "energy": mean_product(drift, drift, weights),
        "absolute": mean_product(drift - scale * score, drift - scale * score, weights),
        "relative": relative,
        "relative_one": one,
        "relative_best": best_relative_error(drift, score, weights),
        "relative_scaled": dimension * relative,
        "relative_scaled_one": dimension * one,
        "flat_ratio": relative / bandwidth**2,
        "flat_ratio_one": one / bandwidth**2,
        "scale_ratio": best_scale(drift, score, weights) / scale,
        "cosine": global_cosine(drift, score, weights),
        "mean_cosine": mean_cosine(drift, score, weights),
    }


def theory(target, model, kernel):
    """The theory's scale rho tau, and the norms it rests on."""
    norms = [float(np.trace(law.second_moment)) for law in (target, model)]
    gap = abs(model.ambient_dimension * (norms[0] / norms[1] - 1))
    return {"scale": np.sqrt(sum(norms)) * kernel.bandwidth, "norm_ratio": norms[0] / norms[1], "norm_gap": gap}


def population(name, d, bandwidth):
    """Values for the laws themselves. Drift and score difference are the fields that a user calls."""
    *laws, components = pair(name, d)
    target, model = (law.reduced() for law in laws)
    kernel = us.Laplace(bandwidth)
    scales = theory(target, model, kernel)
    drift, score = (field(kernel, target=target, model=model) for field in (us.Drift, us.ScoreDifference))
    low, high = (
        summary(value := drift(x), score(x), w, scale=scales["scale"], bandwidth=bandwidth, dimension=d)
        | {"push": float(w @ value[:, 0])}
        for x, w in (model.quadrature(order=order, components=components) for order in ORDERS.get(name, (4, 5)))
    )
    return two_rules(low, high) | {"refused": np.nan} | scales


def fields(kernel, target, model, x):
    """Drift and score difference of two samples at x, from one pass over each."""
    p, q = (posterior_vectors(kernel, sample, x) for sample in (target, model))
    return p.mean_shift - q.mean_shift, p.score - q.score


def estimated(kernel, draws, x, estimator, *, scale):
    """From independent draws of (target, model): fields of the same draw, of different draws, or cross-fitted."""
    values = [fields(kernel, *draw, x) for draw in draws]
    (drift, own), (_, other) = values[0], values[min(1, len(values) - 1)]
    score = own if estimator == "same_sample" else other
    found = summary(drift, score, None, scale=scale, bandwidth=kernel.bandwidth, dimension=x.shape[1])
    found |= ABSENT | {"scale": scale}
    if estimator == "cross_fitted":
        crossed = replicated_cosines(*(np.stack(parts) for parts in zip(*values, strict=True)))
        cosine = crossed.cross_fitted.value
        found = dict.fromkeys(found, np.nan) | {
            "cosine": cosine,
            "energy": crossed.signal_energy,
            "refused": float(np.isnan(cosine)),
        }
    return found
