"""All numbers of the diagnosis at one bandwidth."""

from __future__ import annotations

import numpy as np

from unifiedscore.diagnosis.data import Data
from unifiedscore.kernels import AbstractKernel, Gaussian
from unifiedscore.metrics import (
    CosineEstimate,
    best_relative_error,
    best_scale,
    global_cosine,
    mean_product,
    relative_error,
    replicated_cosines,
)
from unifiedscore.posterior import posterior_field, posterior_moments
from unifiedscore.posterior.moments import PosteriorMoments

_CURL_QUERIES, _CURL_DIRECTIONS = 100, 2


def measure(kernel: AbstractKernel, data: Data, *, level: float, rng) -> dict[str, float | list[float] | str]:
    """Return every variable of the data set at this kernel's bandwidth; pairs are (target, model)."""
    x, weights = data.queries, data.query_weights
    laws = data.target, data.model
    p, q = (posterior_moments(kernel, law.samples, x, exclude=law.exclude) for law in laws)
    drift, score = p.mean_shift - q.mean_shift, p.score - q.score
    cosines = replicated_cosines(*_fold_fields(kernel, data), weights, level=level)
    energy = mean_product(drift, drift, weights)
    # Variance falls like 1/n: a fold's, divided by the number of folds, is that of the whole sample.
    noise = max(cosines.noise_energy, 0.0) / len(data.target.folds)
    alpha = [float(weights @ m.preconditioner) for m in (p, q)]
    alpha_mean = (alpha[0] + alpha[1]) / 2
    mean_gap = np.broadcast_to(data.target.samples.mean - data.model.samples.mean, drift.shape)
    share = lambda part: _ratio(mean_product(part, part, weights), energy)  # noqa: E731
    estimates = {name: getattr(cosines, name) for name in ("cross_fitted", "split_sample", "same_sample")}
    if energy == 0:
        # The folds of two equal laws differ, but the drift that is asked about has no direction.
        estimates = dict.fromkeys(estimates, CosineEstimate(np.nan, np.nan, np.nan, "the drift is exactly zero"))
    out = {f"{name}_cosine": value.value for name, value in estimates.items()}
    out |= {f"{name}_cosine_{end}": getattr(v, end) for name, v in estimates.items() for end in ("low", "high")}
    out |= {f"{name}_reason": value.reason for name, value in estimates.items()}
    out |= {
        "whole_sample_cosine": global_cosine(drift, score, weights),
        "effective_samples": [float(np.median(m.effective_samples)) for m in (p, q)],
        "preconditioner_ratio": float(weights @ (p.preconditioner / q.preconditioner)),
        "residual_share": np.sqrt(share(p.residual - q.residual)),
        "preconditioner_share": np.sqrt(
            share((p.preconditioner - q.preconditioner)[:, None] * (p.score + q.score) / 2)
        ),
        "best_scale": best_scale(drift, score, weights),
        "scale_ratio": best_scale(drift, score, weights) / alpha_mean,
        "relative_error": relative_error(drift, score, alpha_mean, weights),
        "best_relative_error": best_relative_error(drift, score, weights),
        "effective_bandwidth": np.sqrt(alpha_mean),
        "matched_gaussian_error": _matched_gaussian_error(data, alpha, drift),
        "varying_share": share(drift - weights @ drift / weights.sum()),
        "mean_difference_share": _square(global_cosine(drift, mean_gap, weights)),
        "drift_energy": energy,
        "noise_energy": noise,
        "noise_share": _ratio(noise, energy),
    }
    out["curl_share"], out["jacobian_size"] = jacobian_shape(kernel, data, p, q, rng)
    if data.field is not None:
        out |= _decomposition(data, p, q) | {"drift": drift}
    return out


def fit_together(data: Data, drifts) -> tuple[np.ndarray, float]:
    """Scales of several drifts fitted to the user's field at once, and the share of it that they leave."""
    root = np.sqrt(data.query_weights)[:, None]
    sizes = np.array([np.abs(drift).max() or 1.0 for drift in drifts])
    design = np.stack([(root * drift / size).ravel() for drift, size in zip(drifts, sizes, strict=True)], axis=1)
    unit = np.abs(data.field).max()
    # Drifts of bandwidths that are alike must not be fitted with huge opposite coefficients.
    scales = np.linalg.lstsq(design, (root * (data.field / unit)).ravel(), rcond=1e-10)[0] * unit / sizes
    return scales, _unexplained(data.field, drifts, data.query_weights)


def _fold_fields(kernel, data: Data) -> tuple[np.ndarray, np.ndarray]:
    """Drift and score difference from each pair of disjoint folds, each (R, n, d)."""
    drift, score = (np.empty((len(data.target.folds), *data.queries.shape)) for _ in range(2))
    for number in range(len(drift)):
        p, q = (
            posterior_moments(kernel, samples, data.queries, exclude=exclude)
            for samples, exclude in (law.fold(number) for law in (data.target, data.model))
        )
        np.subtract(p.mean_shift, q.mean_shift, out=drift[number])
        np.subtract(p.score, q.score, out=score[number])
    return drift, score


def _matched_gaussian_error(data: Data, alpha, drift) -> float:
    """Relative squared distance to the Gaussian drift whose two bandwidths match the mean preconditioners."""
    p, q = (
        posterior_field(Gaussian(np.sqrt(a)), law.samples, data.queries, "mean_shift", exclude=law.exclude)
        for a, law in zip(alpha, (data.target, data.model), strict=True)
    )
    return relative_error(drift, p - q, 1.0, data.query_weights)


def jacobian_shape(kernel, data: Data, p: PosteriorMoments, q: PosteriorMoments, rng) -> tuple[float, float]:
    r"""Return $E\lVert A\rVert^2 / E\lVert J\rVert^2$ and $h\sqrt{E\lVert J\rVert^2 / d E|\Delta|^2}$, h effective.

    A is the antisymmetric part of the Jacobian J of the drift, and exact; $\lVert J\rVert_F^2 = E\lVert Jv\rVert^2$
    over random signs v, by central differences.
    """
    x, weights = data.queries[:_CURL_QUERIES], data.query_weights[:_CURL_QUERIES]
    weights = weights / weights.sum()
    antisymmetric = float(weights @ _curl_energy(p, q)[: len(x)])
    reach = min(kernel.bandwidth, float(np.sqrt((p.mean_distance**2).mean())))
    # Rounding eps r / step and truncation (step / bandwidth)^2 are both far below a per cent.
    step = 1e-4 * reach / np.sqrt(x.shape[1])
    total = 0.0
    for _ in range(_CURL_DIRECTIONS):
        signs = rng.choice([-1.0, 1.0], size=x.shape)
        change = sum(sign * _drift(kernel, data, x + sign * step * signs) for sign in (1.0, -1.0)) / (2 * step)
        total += mean_product(change, change, weights) / _CURL_DIRECTIONS
    # Jacobians of the two laws near -I each; below this their difference is rounding (a single effective sample).
    drift = (p.mean_shift - q.mean_shift)[: len(x)]
    h = np.sqrt(weights @ (p.preconditioner + q.preconditioner)[: len(x)] / 2)
    size = float(h * np.sqrt(_ratio(total / x.shape[1], mean_product(drift, drift, weights))))
    if x.shape[1] == 1 or kernel.constant_weight:
        return 0.0, size
    return (min(antisymmetric / total, 1.0) if total > 1e-6 else np.nan), size


def _drift(kernel, data: Data, x) -> np.ndarray:
    p, q = (
        posterior_field(kernel, law.samples, x, "mean_shift", exclude=law.exclude[: len(x)])
        for law in (data.target, data.model)
    )
    return p - q


def _curl_energy(p: PosteriorMoments, q: PosteriorMoments) -> np.ndarray:
    r"""Squared Frobenius norm of $-\frac12[(V_p s_p^\top - s_p V_p^\top) - (V_q s_q^\top - s_q V_q^\top)]$, (n,)."""
    dot = lambda a, b: np.einsum("nd,nd->n", a, b)  # noqa: E731

    def across(moments):
        # Only the part of the score across the mean shift turns; subtracting the rest first keeps the digits.
        along = moments.mean_shift
        size = dot(along, along)
        return moments.score - (dot(moments.score, along) / np.where(size > 0, size, 1.0))[:, None] * along

    a, b, c, d = p.mean_shift, across(p), q.mean_shift, across(q)
    energy = dot(a, a) * dot(b, b) + dot(c, c) * dot(d, d) - 2 * (dot(a, c) * dot(b, d) - dot(a, d) * dot(b, c))
    return np.maximum(energy, 0.0) / 2


def _decomposition(data: Data, p: PosteriorMoments, q: PosteriorMoments) -> dict[str, float]:
    """Shares of the energy of the user's field, each what its part adds to the parts before it; they sum to 1."""
    field, weights = data.field, data.query_weights
    drift, score = p.mean_shift - q.mean_shift, p.score - q.score
    middle, gap = (p.preconditioner + q.preconditioner)[:, None] / 2, (p.preconditioner - q.preconditioner)[:, None]
    parts = [[score], [middle * score, gap * (p.score + q.score) / 2], [p.residual - q.residual]]
    left, columns = [1.0], []
    for part in parts:
        columns += part
        left.append(_unexplained(field, columns, weights))
    return {
        "field_score_share": left[0] - left[1],
        "field_preconditioner_share": left[1] - left[2],
        "field_residual_share": left[2] - left[3],
        "field_unexplained_share": left[3],
        "field_score_scale": best_scale(field, score, weights),
        "field_drift_cosine": global_cosine(field, drift, weights),
        "field_chance_cosine": _chance_cosine(field, drift, weights),
        "field_drift_scale": best_scale(field, drift, weights),
        "field_curl_indication": linear_curl_share(data.queries, field, weights),
        "score_curl_indication": linear_curl_share(data.queries, score, weights),
    }


def _chance_cosine(field, drift, weights) -> float:
    """Standard deviation of the cosine when the sign of the field at each query is a coin toss."""
    products = weights * np.einsum("nd,nd->n", field, drift)
    energies = mean_product(field, field, weights) * mean_product(drift, drift, weights)
    return float(np.sqrt((products**2).sum() / energies)) / float(weights.sum()) if energies > 0 else np.nan


def _unexplained(field, columns, weights) -> float:
    """Share of the field's energy outside the span of the columns (one coefficient each, the same at all queries)."""
    root = np.sqrt(weights)[:, None]
    design = np.stack([(root * column).ravel() for column in columns], axis=1)
    sizes = np.linalg.norm(design, axis=0)
    design = design[:, sizes > 0] / sizes[sizes > 0]
    target = (root * (field / np.abs(field).max())).ravel()
    if not design.shape[1]:
        return 1.0
    # A column that repeats another to rounding must not be fitted with huge opposite coefficients.
    fit = design @ np.linalg.lstsq(design, target, rcond=1e-10)[0]
    return min(1.0, float(np.sum((target - fit) ** 2) / np.sum(target**2)))


def linear_curl_share(x, field, weights) -> float:
    """Antisymmetric share of the best linear fit to a field known at points alone; NaN with too few points.

    Exact for linear fields and, for Gaussian points, zero for every gradient (Stein); elsewhere an indication, to be
    read beside the same number of the score difference, which is a gradient.
    """
    count, dimension = x.shape
    if count < 3 * (dimension + 1) or dimension == 1 or not field.any():
        return np.nan if dimension > 1 else 0.0
    root = np.sqrt(weights / weights.sum())[:, None]
    centred = x - weights @ x / weights.sum()
    design = root * np.concatenate([np.ones((count, 1)), centred / np.abs(centred).max()], axis=1)
    jacobian = np.linalg.lstsq(design, root * (field / np.abs(field).max()), rcond=1e-8)[0][1:]
    size = float((jacobian**2).sum())
    return float(((jacobian - jacobian.T) ** 2).sum() / 4 / size) if size > 0 else np.nan


def _square(value: float) -> float:
    return value * value


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else np.nan
