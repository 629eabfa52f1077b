r"""$E\,F(x + \sigma\epsilon)$ in one dimension, $\epsilon \sim N(0, 1)$, for smooth or nearly discontinuous F.

Near the end of a closed-form diffusion F is a staircase whose steps are $(1 - t)^2$ wide: a fixed rule of any order
has no node inside them. Panels are therefore halved until a polynomial of degree 16 resolves F, and the Gaussian
density is integrated over the same nodes; it is smooth on the scale of the widest panel.
"""

from __future__ import annotations

import numpy as np

from unifiedscore.errors import NumericalError

_ORDER = 16
_DEGREES = np.arange(_ORDER + 1)
# Chebyshev points with both ends: a step cannot hide beyond the last node of a panel, as it does for Gauss nodes.
_NODES = -np.cos(np.pi * _DEGREES / _ORDER)
# Values to Chebyshev coefficients: the last ones measure how well F is resolved, the even ones have integrals.
_COEFFICIENTS = np.linalg.inv(np.polynomial.chebyshev.chebvander(_NODES, _ORDER))
_WEIGHTS = np.where(_DEGREES % 2 == 0, 2.0 / (1.0 - _DEGREES.astype(float) ** 2 + (_DEGREES % 2)), 0.0) @ _COEFFICIENTS
# Beyond 9 standard deviations lies 2e-19 of the mass.
_REACH = 9.0
# Degree 16 integrates exp(-u^2/2) over a panel of half a standard deviation to rounding.
_PANEL = 0.5
# Allowed error of a panel, in units of the smoothing times the largest |F|: hundreds of panels add up to 1e-12.
_RESOLVED = 1e-14
_MOST_PANELS = 50_000
_GROUP = 64


def gaussian_average(function, x: np.ndarray, smoothing: float) -> np.ndarray:
    """Return E function(x + smoothing * N(0, 1)) for (n, 1) queries and a function (k, 1) -> (k, 1)."""
    order = np.argsort(x[:, 0], kind="stable")
    centers = x[order, 0].astype(np.float64)
    value = np.empty(len(x))
    for start in range(0, len(x), _GROUP):
        group = centers[start : start + _GROUP]
        value[order[start : start + _GROUP]] = _group_average(function, group, smoothing)
    return value[:, None].astype(x.dtype)


def _group_average(function, centers, smoothing):
    edges = _initial_edges(centers, smoothing)
    nodes, weights, values = _resolved_panels(function, edges[:, 0], edges[:, 1], smoothing)
    density = np.exp(-0.5 * ((nodes[None, :] - centers[:, None]) / smoothing) ** 2)
    density *= weights / (smoothing * np.sqrt(2 * np.pi))
    # Dividing by the integral of 1 removes the common rounding of the rule.
    return density @ values / density.sum(1)


def _initial_edges(centers, smoothing):
    """Panels that cover the union of the windows around sorted centres, none wider than half a smoothing."""
    low, high = centers - _REACH * smoothing, centers + _REACH * smoothing
    breaks = np.flatnonzero(low[1:] > high[:-1]) + 1
    panels = []
    for part in np.split(np.arange(len(centers)), breaks):
        first, last = low[part[0]], high[part[-1]]
        grid = np.linspace(first, last, int(np.ceil((last - first) / (_PANEL * smoothing))) + 1)
        panels.append(np.column_stack([grid[:-1], grid[1:]]))
    return np.concatenate(panels)


def _resolved_panels(function, low, high, smoothing):
    """Halve panels until the last two coefficients of F, times the width, vanish; nodes, weights, values."""
    done, count, largest = [], 0, 0.0
    while True:
        half = 0.5 * (high - low)
        nodes = 0.5 * (high + low)[:, None] + half[:, None] * _NODES
        values = function(nodes.reshape(-1, 1)).reshape(nodes.shape)
        tail = np.abs(values @ _COEFFICIENTS[-2:].T).max(1)
        largest = max(largest, np.abs(values).max())
        # Weighted by the width: inside a step F is known to eps |logit| only, but a step is narrow.
        fine = tail * half <= _RESOLVED * smoothing * largest
        done.append((nodes[fine], half[fine, None] * _WEIGHTS, values[fine]))
        count += len(low)
        if fine.all():
            break
        if count > _MOST_PANELS:
            raise NumericalError(
                f"the field is not resolved by {_MOST_PANELS} panels of {_ORDER + 1} nodes; use a larger smoothing "
                f"(got {smoothing}), an earlier time, or an explicit noise tuple"
            )
        low, high = low[~fine], high[~fine]
        middle = 0.5 * (low + high)
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
    return tuple(np.concatenate([part[i].ravel() for part in done]) for i in range(3))
