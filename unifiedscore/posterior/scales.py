"""A Gaussian scale mixture cut into pieces with one peak each, so that no narrow one is stepped over.

A search for the peak of an integrand, zooming in from a coarse grid, is safe where there is one peak. A density over
log s with several is split at its valleys by a smooth partition of unity, which costs the trapezoid rule nothing; the
nodes of a discrete part are pieces of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from unifiedscore.compiled import njit
from unifiedscore.kernels import AbstractKernel

COARSE = np.concatenate(
    [np.linspace(-690.0, -90.0, 25)[:-1], np.linspace(-90.0, 100.0, 77), np.linspace(100.0, 600.0, 21)[1:]]
)
"""Where the search for a peak in log s starts. Peaks lie in the middle; the slow tails of small exponents run out."""

# Peaks narrower than this grid are found by nobody; the profile they give tells (see `quadrature`).
_GRID = np.linspace(-690.0, 600.0, 258_001)
# A valley less deep than a factor e is no gap between two peaks, one of less mass than e^-690 is no peak.
_PROMINENCE, _MASS = 1.0, 690.0
# The partition changes over this share of the distance between two peaks: each is gone, to e^-50, at the other.
_SOFT = 0.01


@dataclass(frozen=True, slots=True)
class Piece:
    """A density over v = log(s - atom) with one peak, or, without a density, the node `atom` itself.

    Attributes
    ----------
    log_density : callable or None
    atom : float
    log_weight : float
        Logarithm of the mass of a node.
    coarse : array
        Increasing v from which the peak of an integrand is searched.
    """

    log_density: Callable[[np.ndarray], np.ndarray] | None
    atom: float
    log_weight: float
    coarse: np.ndarray


@lru_cache(maxsize=64)
def pieces(kernel: AbstractKernel) -> tuple[Piece, ...]:
    """Return the pieces of the scale mixture of a kernel of unit bandwidth."""
    mixture = kernel.scale_mixture()
    nodes = tuple(Piece(None, s, float(np.log(w)), COARSE) for s, w in zip(mixture.atoms, mixture.masses, strict=True))
    return nodes if mixture.log_density is None else nodes + _by_peak(mixture.log_density)


def _by_peak(log_density) -> tuple[Piece, ...]:
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        values = log_density(_GRID)
    values = np.where(np.isnan(values), -np.inf, values)
    peaks, valleys = _peaks(np.maximum(values - values.max(), -_MASS), _PROMINENCE)
    if len(peaks) < 2:
        return (Piece(log_density, 0.0, 0.0, COARSE),)
    centers, cuts = _GRID[peaks], _GRID[valleys]
    widths = _SOFT * np.diff(centers)
    found = []
    for i, center in enumerate(centers):
        left = (cuts[i - 1], widths[i - 1]) if i > 0 else None
        right = (cuts[i], widths[i]) if i < len(cuts) else None
        around = center + np.sinh(np.linspace(-7.0, 7.0, 141)) * 5e-3
        coarse = np.unique(np.concatenate([COARSE, around[(around > COARSE[0]) & (around < COARSE[-1])]]))
        found.append(Piece(_between(log_density, left, right), 0.0, 0.0, coarse))
    return tuple(found)


def _between(log_density, left, right):
    """The density times a smooth step up at `left` and down at `right`, both (place, width) or None.

    The steps of neighbours add up to one where those of others are one, which at e^-50 they are.
    """

    from scipy.special import log_expit

    def piece(v):
        value = log_density(v)
        if left is not None:
            value = value + log_expit((v - left[0]) / left[1])
        if right is not None:
            value = value + log_expit((right[0] - v) / right[1])
        return value

    return piece


@njit(cache=True, nogil=True)
def _peaks(values, depth):
    """Indices of the peaks that rise by more than `depth` over the valleys beside them, and of these valleys."""
    peaks, valleys = [0], [0]
    peaks.clear()
    valleys.clear()
    high, low, climbing = 0, 0, True
    for i in range(values.shape[0]):
        if climbing:
            if values[i] > values[high]:
                high = i
            elif values[i] < values[high] - depth:
                peaks.append(high)
                climbing, low = False, i
        elif values[i] < values[low]:
            low = i
        elif values[i] > values[low] + depth:
            valleys.append(low)
            climbing, high = True, i
    if climbing and (len(peaks) == 0 or len(valleys) == len(peaks)):
        peaks.append(high)
    return np.array(peaks), np.array(valleys)
