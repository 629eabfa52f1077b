r"""Alignment of two *estimated* fields, without the noise that they share and without the noise that they do not.

A field estimated from samples is signal plus noise. A cosine of two estimates from one sample counts the shared noise
as agreement, one from two samples counts the noise in each length as disagreement. Products across replicates are
free of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.inference.estimates import binary_exponent, t_quantile

_QUERY_GROUPS = 20


@final
@dataclass(frozen=True, slots=True)
class CosineEstimate:
    """A global cosine with its interval.

    Use when you read one cosine with its interval, or the reason why there is none.

    Attributes
    ----------
    value, low, high : float
        NaN where there is none. A cross-fitted value may exceed 1 by its noise.
    reason : str
        Why something is missing; empty when nothing is.
    """

    value: float
    low: float
    high: float
    reason: str = ""


@final
@dataclass(frozen=True, slots=True)
class ReplicatedCosines:
    r"""Three estimates of the alignment of drift and score from R independent replicates, and the noise in the drift.

    Use when you read the three estimates that `replicated_cosines` compares.

    Attributes
    ----------
    cross_fitted : CosineEstimate
        Every product from two replicates: estimates the cosine of the *mean* fields.
    split_sample : CosineEstimate
        Drift and score from different replicates, lengths with their noise: attenuated towards 0.
    same_sample : CosineEstimate
        Drift and score from one replicate: shares the noise.
    signal_energy : float
        $E\langle\hat\Delta_i, \hat\Delta_j\rangle$ over $i \ne j$: the energy of the mean drift; may be negative.
    noise_energy : float
        $E\lVert\hat\Delta_i - \bar\Delta\rVert^2$, the variance of one replicate summed over coordinates.
    """

    cross_fitted: CosineEstimate
    split_sample: CosineEstimate
    same_sample: CosineEstimate
    signal_energy: float
    noise_energy: float


def cross_fitted_cosine(drift, score, weights=None, *, level: float = 0.99) -> CosineEstimate:
    r"""Estimate the global cosine of the population fields from R >= 2 independent estimates of both.

    Use when both fields come from the same few samples and shared noise must not count as alignment.

    $$\widehat{\mathrm{gcos}} = \frac{\overline{\langle\hat\Delta_i, \widehat{\Delta s}_j\rangle}}
    {\sqrt{\overline{\langle\hat\Delta_i, \hat\Delta_j\rangle}\;\overline{\langle\widehat{\Delta s}_i,
    \widehat{\Delta s}_j\rangle}}}, \qquad \text{means over } i \ne j \text{ and queries.}$$

    For R = 2 this is the two-replicate formula with both orders of the numerator.

    Parameters
    ----------
    drift, score : (R, n, d) array
        Replicate r holds the two fields estimated from sample r, at n queries common to all replicates.
    weights : (n,) array, optional
        Masses of the queries.
    level : float
        Of the interval, and of the test that the two denominators are positive.

    Returns
    -------
    CosineEstimate
        `value` is NaN, with a reason, where a denominator is not significantly positive: then the noise hides the
        fields and no cosine is estimated. Two replicates give no interval, and a value only where the energy across
        them exceeds the noise by a factor that one random number, the same at every query, would hardly reach (2026
        at level 0.99): use three replicates or more.

    Raises
    ------
    InputError
        Wrong shapes, fewer than two replicates, non-finite values.

    Notes
    -----
    The interval is Student's, from two jackknives: over replicates and over groups of queries, their variances
    added (conservative for both sources together). The groups are formed in the order of the queries, so that the
    interval, unlike the value, depends on it.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> signal = rng.standard_normal((50, 3))
    >>> noise = rng.standard_normal((8, 50, 3))
    >>> bool(abs(cross_fitted_cosine(signal + noise, 2 * signal + noise).value - 1) < 0.1)
    True
    """
    return replicated_cosines(drift, score, weights, level=level).cross_fitted


def replicated_cosines(drift, score, weights=None, *, level: float = 0.99) -> ReplicatedCosines:
    """Estimate the cross-fitted, the split-sample and the same-sample global cosine from the same replicates.

    Use when you want to show how far naive estimates of alignment are off, beside the right one.

    Parameters, errors and intervals as for `cross_fitted_cosine`.

    Returns
    -------
    ReplicatedCosines
    """
    drift, score = (_replicates(value, name) for value, name in ((drift, "drift"), (score, "score")))
    if drift.shape != score.shape:
        raise InputError(f"drift and score must have one shape (R, n, d); got {drift.shape} and {score.shape}")
    if not 0 < level < 1:
        raise InputError(f"level must lie strictly between 0 and 1; got {validate.shown(level)}")
    weights = validate.weights(weights, "weights", size=drift.shape[1])
    # A query without weight counts for nothing, neither as a group nor for the size of the fields.
    drift, score, weights = drift[:, weights > 0], score[:, weights > 0], weights[weights > 0]
    # Sizes near one keep the products of extreme fields representable; every cosine is free of scale.
    exponents = [binary_exponent(field) for field in (drift, score)]
    drift, score = (np.ldexp(field, -e) for field, e in zip((drift, score), exponents, strict=True))
    products = np.stack([_products(*pair) for pair in ((drift, score), (drift, drift), (score, score))])
    across, within = _means(products, weights)
    folds, groups = _leave_outs(products, weights)
    cosines = {
        "cross_fitted": lambda a, w: _ratio(a[0], a[1], a[2]),
        "split_sample": lambda a, w: _ratio(a[0], w[1], w[2]),
        "same_sample": lambda a, w: _ratio(w[0], w[1], w[2]),
    }
    hidden = _hidden(across, within, folds, groups, level)
    estimates = {
        name: CosineEstimate(np.nan, np.nan, np.nan, hidden)
        if hidden and name == "cross_fitted"
        else _estimate(cosine, (across, within), folds, groups, level)
        for name, cosine in cosines.items()
    }
    # From the differences themselves: a large mean field would leave no digit in that of two energies.
    noise = np.einsum("rnd,rnd,n->", apart := drift - drift.mean(0), apart, weights / weights.sum()) / (len(drift) - 1)
    with np.errstate(over="ignore", under="ignore"):
        signal, noise = (float(np.ldexp(energy, 2 * exponents[0])) for energy in (across[1], noise))
    return ReplicatedCosines(**estimates, signal_energy=signal, noise_energy=noise)


def _replicates(value, name) -> np.ndarray:
    array = validate.real_array(value, name).astype(np.float64, copy=False)
    if array.ndim != 3 or 0 in array.shape:
        raise InputError(f"{name} must have shape (R, n, d): replicates, queries, dimension; got shape {array.shape}")
    if len(array) < 2:
        raise InputError(f"{name} must hold at least two independent replicates to be crossed; got {len(array)}")
    return array


def _products(first, second) -> np.ndarray:
    """All products between replicates at each query, (R, R, n)."""
    return np.moveaxis(np.matmul(first.swapaxes(0, 1), np.moveaxis(second, 0, 2)), 0, 2)


def _means(products, weights):
    """Mean products across and within replicates, each (3,), for the three pairs of fields."""
    table = products @ (weights / weights.sum())
    count = table.shape[1]
    diagonal = np.einsum("prr->p", table)
    return (table.sum((1, 2)) - diagonal) / (count * (count - 1)), diagonal / count


def _leave_outs(products, weights):
    """The same means with one replicate, or one group of queries, left out."""
    count, groups = products.shape[1], np.arange(len(weights)) % min(_QUERY_GROUPS, len(weights))
    keep = [np.delete(np.arange(count), r) for r in range(count)] if count > 2 else []
    folds = [_means(products[:, rest][:, :, rest], weights) for rest in keep]
    left = [np.where(groups == g, 0.0, weights) for g in range(groups.max() + 1)]
    return folds, [_means(products, w) for w in left if w.sum() > 0] if len(left) > 1 else []


def _ratio(numerator, first, second) -> float:
    return float(numerator / np.sqrt(first * second)) if first > 0 and second > 0 else np.nan


def _error(statistic, samples) -> float:
    values = np.array([statistic(*sample) for sample in samples])
    return float(np.sqrt((len(values) - 1) * values.var())) if len(values) > 1 else np.nan


def _half_width(statistic, folds, groups, level) -> float:
    errors = [_error(statistic, samples) for samples in (folds, groups) if samples]
    degrees = min(len(samples) for samples in (folds, groups) if samples) - 1 if errors else 0
    return t_quantile(level, degrees) * float(np.hypot.reduce(errors)) if degrees > 0 else np.nan


def _hidden(across, within, folds, groups, level) -> str:
    """Why the cross-fitted cosine cannot be formed, or an empty string."""
    # Twice the tail on one side: a one-sided test at `level`.
    for index, name in ((1, "drift"), (2, "score difference")):
        half = _half_width(lambda a, w, i=index: a[i], folds, groups, 2 * level - 1 if level > 0.5 else level)
        if not across[index] > (half if np.isfinite(half) else 0.0):
            return (
                f"noise hides the {name}: its energy measured across replicates is not significantly positive "
                f"at level {level:g}; use more samples or a larger bandwidth"
            )
        if not folds and not across[index] > _single_draw(level) * (within[index] - across[index]):
            return (
                f"two replicates cannot tell the {name} from noise, which may be the same at every query; use three "
                "replicates or more"
            )
    return ""


def _single_draw(level) -> float:
    """Quantile of ab/((a - b)^2/2) for two independent centred normal numbers a, b: energy over noise of pure noise.

    With s = a + b and t = a - b it is (s^2/t^2 - 1)/2, and s/t is a Cauchy number. Noise of more independent parts,
    at other queries or along other coordinates, has smaller quantiles.
    """
    return (np.tan(0.5 * np.pi * level) ** 2 - 1) / 2


def _estimate(cosine, means, folds, groups, level) -> CosineEstimate:
    value = cosine(*means)
    if not np.isfinite(value):
        return CosineEstimate(np.nan, np.nan, np.nan, "a field vanishes at every query")
    if not folds:
        return CosineEstimate(value, np.nan, np.nan, "two replicates give no interval; at least three do")
    half = _half_width(cosine, folds, groups, level)
    if not np.isfinite(half):
        return CosineEstimate(value, np.nan, np.nan, "the interval is unbounded: leaving a replicate out hides a field")
    # The truth is a cosine: what lies beyond +-1 is no part of the interval.
    return CosineEstimate(value, max(-1.0, min(value - half, 1.0)), min(1.0, max(value + half, -1.0)))
