"""Where a denoiser stands between the truth and the memory of its training set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError


@final
@dataclass(frozen=True, slots=True)
class ErrorSplit:
    """The two distances of a denoiser, in units of the distance between the truth and the empirical denoiser.

    Use when you read what `split_error` returned.

    Attributes
    ----------
    to_truth : float
        e_* = E|D - D*|^2 / E|D* - Dhat|^2.
    to_memory : float
        e_0 = E|D - Dhat|^2 / E|D* - Dhat|^2.
    """

    to_truth: float
    to_memory: float

    @property
    def generalises(self) -> bool:
        """Whether the denoiser is nearer to the truth than to the empirical denoiser."""
        return self.to_truth < self.to_memory

    @property
    def memorised(self) -> float:
        """Memorised share m = 1 - e_0: 1 for the empirical denoiser, 0 for the truth."""
        return 1 - self.to_memory


def split_error(values, *, truth, empirical) -> ErrorSplit:
    r"""Split the error of a denoiser at one noise level into its distance to the truth and to the training set.

    Use when you ask at which noise levels a denoiser generalises and at which it memorises.

    Parameters
    ----------
    values, truth, empirical : (n, d) arrays
        The denoiser, the denoiser D* of the true law and the empirical denoiser, at the same noisy points. A network
        and the empirical denoiser share their training points, so the points need fresh noise.

    Returns
    -------
    ErrorSplit

    Raises
    ------
    InputError
        The arrays differ in shape, or the truth equals the empirical denoiser at every point.

    Examples
    --------
    >>> split = split_error([[0.5]], truth=[[0.0]], empirical=[[2.0]])
    >>> split.to_truth, split.to_memory, split.generalises, split.memorised
    (0.0625, 0.5625, True, 0.4375)
    """
    values = validate.points(values, "values")
    others = {"truth": truth, "empirical": empirical}
    for name, other in others.items():
        others[name] = validate.points(other, name, dimension=values.shape[1])
        if len(others[name]) != len(values):
            raise InputError(f"{name} must hold one row for each of the {len(values)} points; got {len(others[name])}")
    unit = _square(others["truth"] - others["empirical"])
    if unit == 0:
        raise InputError("truth and empirical must differ somewhere: their distance is the unit of the split")
    return ErrorSplit(_square(values - others["truth"]) / unit, _square(values - others["empirical"]) / unit)


def memorisation_step(steps, shares, *, threshold: float = 0.5) -> float:
    r"""Return the first step at which the memorised share reaches the threshold, between checkpoints on a log scale.

    Use when you ask how long a network trains before it has memorised half of the way to its training set.

    Parameters
    ----------
    steps : (k,) array
        Training steps of the checkpoints, positive and increasing.
    shares : (k,) array
        Memorised share `ErrorSplit.memorised` at each.
    threshold : float

    Returns
    -------
    float
        inf where the threshold is never reached; the first step where it is reached from the start.

    Examples
    --------
    >>> memorisation_step([100, 400, 1600], [0.0, 0.25, 0.75])
    800.0
    """
    steps, shares = validate.real_array(steps, "steps"), validate.real_array(shares, "shares")
    if steps.ndim != 1 or steps.shape != shares.shape or steps.size == 0:
        raise InputError(f"steps and shares must be arrays of one length; got {steps.shape} and {shares.shape}")
    if (steps <= 0).any() or (np.diff(steps) <= 0).any():
        raise InputError("steps must be positive and increasing")
    threshold = validate.number(threshold, "threshold")
    reached = np.flatnonzero(shares >= threshold)
    if reached.size == 0:
        return float("inf")
    k = int(reached[0])
    if k == 0:
        return float(steps[0])
    part = (threshold - shares[k - 1]) / (shares[k] - shares[k - 1])
    return float(np.exp((1 - part) * np.log(steps[k - 1]) + part * np.log(steps[k])).round(12))


def _square(gap: np.ndarray) -> float:
    return float(np.einsum("nd,nd->", gap, gap, dtype=np.float64) / len(gap))
