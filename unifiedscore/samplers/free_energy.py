"""Free energies and sample sizes from work values and log-weights; everything in log space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError


def log_mean_exp(log_weights) -> float:
    """log of the mean of exp(log_weights).

    Use when you average weights whose exponentials would overflow.
    """
    values = _vector(log_weights, "log_weights")
    largest = values.max()
    return float(largest + np.log(np.mean(np.exp(values - largest))))


def effective_sample_size(log_weights) -> float:
    """(sum w)^2 / sum w^2, between 1 and n.

    Use when you ask whether a few samples dominate a weighted average.

    Examples
    --------
    >>> effective_sample_size([0.0, 0.0, -1000.0])
    2.0
    """
    values = _vector(log_weights, "log_weights")
    weights = np.exp(values - values.max())
    return float(weights.sum() ** 2 / (weights @ weights))


def weighted_mean(values, log_weights) -> np.ndarray:
    """Self-normalised average of values (n, ...) with weights exp(log_weights).

    Use when you need an average under the law that log-weights correct to.
    """
    log_weights = _vector(log_weights, "log_weights")
    values = validate.real_array(values, "values").astype(float)
    if len(values) != len(log_weights):
        raise InputError(f"values must have one row per weight; got {len(values)} and {len(log_weights)}")
    weights = np.exp(log_weights - log_weights.max())
    return np.tensordot(weights / weights.sum(), values, axes=1)


def jarzynski(work) -> float:
    r"""Free energy difference :math:`-\log E_F e^{-W}`; trust it only with `effective_sample_size(-work)`.

    Use when you have forward work alone; with work from both directions `bennett` is better.
    """
    return -log_mean_exp(-_vector(work, "work"))


def bennett(forward_work, backward_work) -> float:
    r"""Free energy by Bennett's acceptance ratio.

    Use when you have work from both directions and want the free energy of least variance.

    Solves :math:`\sum_F (1 + e^{M + W - \Delta F})^{-1} = \sum_B (1 + e^{-(M + W - \Delta F)})^{-1}`,
    M = log(n_F / n_B), where both samples use the *same* functional W. Unlike exponential averages
    it needs overlap only.

    Examples
    --------
    >>> round(bennett([1.5, 2.5], [-0.5, 0.5]), 12)
    1.0
    """
    from scipy.optimize import brentq
    from scipy.special import expit

    forward, backward = _vector(forward_work, "forward_work"), _vector(backward_work, "backward_work")
    offset = np.log(len(forward) / len(backward))

    def gap(value):
        return expit(-(offset + forward - value)).sum() - expit(offset + backward - value).sum()

    low, high = min(forward.min(), backward.min()) - 50, max(forward.max(), backward.max()) + 50
    return float(brentq(gap, low - abs(offset), high + abs(offset), xtol=1e-12))


@final
@dataclass(frozen=True, slots=True, eq=False)
class CrooksHistogram:
    """Work densities forward and backward in bins.

    Use when you plot or test the work densities that `crooks_histogram` binned.

    Attributes
    ----------
    edges : (m + 1,) array
    forward, backward : (m,) arrays
        Fractions of each sample in the bins.
    reweighted : (m,) array
        E_F[1(W in bin) exp(-(W - dF))], which Crooks' identity says is `backward`.
    """

    edges: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    reweighted: np.ndarray


def crooks_histogram(forward_work, backward_work, edges, *, free_energy: float) -> CrooksHistogram:
    r"""Bin both samples and check :math:`dP_F(W) / dP_B(W) = e^{W - \Delta F}` on bounded functionals.

    Use when you check forward against backward work, bin by bin.
    """
    forward, backward = _vector(forward_work, "forward_work"), _vector(backward_work, "backward_work")
    edges = _vector(edges, "edges")
    if len(edges) < 2 or (np.diff(edges) <= 0).any():
        raise InputError("edges must increase and be at least two")
    count = lambda w, mass: np.histogram(w, bins=edges, weights=mass)[0] / len(w)  # noqa: E731
    inside = (forward >= edges[0]) & (forward <= edges[-1])
    weights = np.exp(np.where(inside, free_energy - forward, 0.0))
    return CrooksHistogram(
        edges,
        count(forward, np.ones_like(forward)),
        count(backward, np.ones_like(backward)),
        count(forward, weights),
    )


def cmcd_losses(work, *, free_energy: float) -> tuple[float, float]:
    """(KL loss E_F W - dF >= 0, log-variance loss Var W) of controlled Monte Carlo diffusion [arXiv 2307.01050].

    Use when you measure an escort by the losses that train it and the free energy is known.
    """
    work = _vector(work, "work")
    return float(work.mean() - free_energy), float(work.var())


def _vector(value, name: str) -> np.ndarray:
    array = validate.real_array(value, name).astype(np.float64)
    if array.ndim != 1 or not array.size:
        raise InputError(f"{name} must be a non-empty array of numbers; got shape {array.shape}")
    return array
