"""The error of a broken law, and the second routes: differences and quadrature with tolerances of their own."""

from __future__ import annotations

import numpy as np

from unifiedscore.errors import UnifiedScoreError

EPS = float(np.finfo(np.float64).eps)
# Central difference of order 8 on offsets 1..4.
STENCIL = np.array([4 / 5, -1 / 5, 4 / 105, -1 / 280])


class LawError(UnifiedScoreError, AssertionError):
    """An object breaks a law of its interface. The message says which, with numbers, and what to change."""


def require(holds, law: str, expected, got, advice: str) -> None:
    """Raise a `LawError` with the whole story unless `holds`."""
    if not holds:
        raise LawError(f"{law}: expected {expected}; got {got}; {advice}")


def require_everywhere(got, expected, slack, *, r, law: str, advice: str, label: str = "") -> None:
    """Raise a `LawError` that names the worst distance r unless |got - expected| <= slack at each; NaN never is."""
    excess = np.abs(got - expected) - slack
    at = np.unravel_index(int(np.where(np.isnan(excess), np.inf, excess).argmax()), r.shape)
    require(excess[at] <= 0, law, f"{label}{expected[at]:.10g} at r = {r[at]:.4g}", f"{got[at]:.10g}", advice)


def log_integral(log_value) -> float:
    """Trapezoid rule over v on the window where the integrand is above e^-46 of its peak."""
    v = np.linspace(-120.0, 120.0, 24_001)
    for _ in range(2):
        with np.errstate(over="ignore"):
            value = log_value(v)
        active = np.flatnonzero(value >= value.max() - 46.0)
        v = np.linspace(v[max(active[0] - 1, 0)], v[min(active[-1] + 1, len(v) - 1)], 4001)
    value = log_value(v)
    return float(value.max() + np.log(np.exp(value - value.max()).sum() * (v[1] - v[0])))


def directions(x) -> np.ndarray:
    """All axes up to dimension 6, else six orthonormal directions, as rows."""
    d = x.shape[1]
    if d <= 6:
        return np.eye(d)
    return np.linalg.qr(np.random.default_rng(0).normal(size=(d, 6)))[0].T


def differentiate(function, x, directions):
    """Directional derivatives (n, ..., k) and their error: two eighth-order steps, the best of a ladder of lengths."""
    best = None
    length = max(1e-3, float(np.abs(x).max()))
    for h in length * np.array([0.1, 0.03, 0.01, 0.003, 0.001]):
        coarse, size = _central(function, x, directions, h)
        fine, _ = _central(function, x, directions, h / 2)
        error = np.abs(fine - coarse) + 64 * EPS * size / h
        if best is None or error.max() < best[1].max():
            best = fine, error
    return best


def _central(function, x, directions, h):
    """One call on all stencil points: derivatives (..., k) and the largest value met."""
    offsets = np.concatenate([np.arange(1, 5), -np.arange(1, 5)]) * h
    points = x + offsets[:, None, None, None] * directions[:, None, :]
    values = np.asarray(function(points.reshape(-1, x.shape[1])))
    values = values.reshape(8, len(directions), len(x), *values.shape[1:])
    slopes = np.tensordot(STENCIL, values[:4] - values[4:], axes=1) / h
    return np.moveaxis(slopes, 0, -1), float(np.abs(values).max())


def compare(got, expected, error, law, advice) -> None:
    # Fields by quadrature carry relative noise of about 1e-11, which differences magnify by 1e3 at most.
    gap = np.abs(got - expected) - 10 * error - 1e-7 * np.abs(expected).max()
    at = np.unravel_index(int(np.argmax(gap)), gap.shape)
    entry = tuple(map(int, at[1:]))
    require(
        gap[at] <= 0,
        law,
        f"{expected[at]:.8g} +- {error[at]:.1g} by finite differences at point {at[0]}, entry {entry}",
        f"{got[at]:.8g}",
        advice,
    )
