"""Entropic plans between two weighted samples: kernel matrices scaled by Sinkhorn's iteration in the log domain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unifiedscore.errors import NumericalError

# Scalings within these bounds neither overflow nor lose the small entries of a plan.
_SAFE = 1e100


@dataclass(frozen=True, slots=True)
class SinkhornScaling:
    """Scalings of the plan $u_i k(x_i, y_j) v_j$ between two weighted samples.

    Use when you need the scalings of a plan that `sinkhorn_scaling` found, or its remaining error.

    Attributes
    ----------
    log_first, log_second : (n,), (m,) arrays
        Logarithms of u and v, masses included; the rows of the plan sum to the first law exactly.
    error : float
        L1 distance between the columns of the plan and the second law.
    iterations : int
    """

    log_first: np.ndarray
    log_second: np.ndarray
    error: float
    iterations: int


def balance(
    log_kernel: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    *,
    same: bool,
    tolerance: float,
    max_iterations: int,
    wider: str,
) -> SinkhornScaling:
    """The scalings of the plan with masses `first` (n,) and `second` (m,) for log k (n, m).

    Parameters
    ----------
    same : bool
        Whether both sides are one law: the iteration is then symmetric and averaged, which converges much faster.
    wider : str
        What to advise where the kernel is too narrow.

    Raises
    ------
    NumericalError
        The columns are still off by more than `tolerance` after `max_iterations`, or a point is out of reach.
    """
    from scipy.special import logsumexp

    if (log_kernel.max(0) == -np.inf).any() or (log_kernel.max(1) == -np.inf).any():
        raise NumericalError(
            "a point is so far from all points of the other law that none of its kernel values is a number; leave it "
            f"out, or use {wider}"
        )
    log_a, log_b = np.log(first), np.log(second)
    log_v, error, iteration = log_b.copy(), np.inf, 0
    while iteration < max_iterations:
        # One exact iteration in the log domain, whatever the range of the kernel ...
        iteration += 1
        log_u = log_a - logsumexp(log_kernel + log_v, axis=1)
        columns = logsumexp(log_kernel.T + log_u, axis=1)
        error = float(np.abs(np.exp(columns + log_v) - second).sum())
        if error <= tolerance:
            return SinkhornScaling(log_u, log_v, error, iteration)
        log_v = 0.5 * (log_u + log_v) if same else log_b - columns
        # ... then matrix products around it, some thirty times cheaper, until the scalings leave a safe range.
        plan, lag = np.exp(log_kernel + log_u[:, None] + log_v), np.exp(0.5 * (log_u - log_v)) if same else 1.0
        scale = np.ones_like(log_b)
        while iteration < max_iterations:
            rows = plan @ scale
            if not rows.min() > 1 / _SAFE:
                break
            iteration += 1
            left = first / rows
            sums = left @ plan
            error = float(np.abs(sums * scale - second).sum())
            if error <= tolerance:
                return SinkhornScaling(log_u + np.log(left), log_v + np.log(scale), error, iteration)
            if not sums.min() > 1 / _SAFE**2:
                break
            scale = lag * np.sqrt(left * scale) if same else second / sums
            if not (1 / _SAFE < scale.min() and scale.max() < _SAFE):
                break
        log_v = log_v + np.log(scale)
    raise NumericalError(
        f"the entropic plan has marginals off by {error:.1e} after {max_iterations} iterations, not {tolerance:.1e}; "
        f"use {wider}, more iterations (max_iterations=) or a larger tolerance"
    )
