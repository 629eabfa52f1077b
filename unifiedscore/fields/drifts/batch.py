"""The drift of a batch as it is trained: Algorithm 2 of the original paper, joint row and column softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from unifiedscore.errors import InputError, NumericalError
from unifiedscore.kernels import AbstractKernel
from unifiedscore.memory import refuse_pairs
from unifiedscore.posterior.pairs import distances, weighted_differences
from unifiedscore.validate import choice, points, positive, shown

PUBLISHED_FLOOR = 1e-6
"""A public implementation takes sqrt(clip(A_row A_col, 1e-6)): no affinity, not even a masked one, is below 1e-3."""


@dataclass(frozen=True, slots=True)
class BatchDrift:
    """What Algorithm 2 gives for one batch.

    Use when you read what `batch_drift` returned: the drift, its masses and the share that the floor replaced.

    Attributes
    ----------
    drift : (n, d) array
        The field at the queries.
    positive_mass, negative_mass : (n,) arrays
        Row sums a and b of the affinities to positives and negatives.
    floored : float
        Share of the affinities that the floor replaced.
    """

    drift: np.ndarray
    positive_mass: np.ndarray
    negative_mass: np.ndarray
    floored: float


def batch_drift(
    kernel: AbstractKernel,
    queries,
    *,
    positives,
    negatives=None,
    self_terms: Literal["mask", "keep"] = "mask",
    floor: float = 0.0,
) -> BatchDrift:
    r"""Compute the drift of Algorithm 2 at every query of a batch.

    Use when you need exactly what one training step computes on a batch of points.

    With $K$ the kernel between queries and the joint list of positives and negatives, the affinities are
    $A_{ij} = K_{ij}/\sqrt{\mathrm{row}_i\,\mathrm{col}_j}$, the geometric mean of the softmax over rows and over
    columns, and $V_i = \sum_+ A_{ij} \sum_- A_{il}\, y_j - \dots$, that is
    $V_i = a_i b_i\,(m^+_i - m^-_i)$ with weights $K_{ij}/\sqrt{\mathrm{col}_j}$ in the two means: not the drift
    $V_p - V_q$, but a positive multiple of the drift of tilted laws (`BatchDriftTarget`). The value at a query depends
    on the whole batch, so this is a function, not a field.

    Parameters
    ----------
    kernel : AbstractKernel
        The paper takes `Laplace(temperature)`.
    queries : (n, d) array
    positives : (m, d) array
    negatives : (l, d) array, optional
        The queries themselves by default.
    self_terms : {"mask", "keep"}
        Whether a query meets itself among the negatives (only where these are the queries).
    floor : float
        Lower bound of $A^2$; `PUBLISHED_FLOOR` reproduces a public implementation, 0 the algorithm.

    Returns
    -------
    BatchDrift

    Raises
    ------
    InputError
        Wrong shapes, a masked batch of a single query, an unknown option.
    NumericalError
        A query so far from all points that none of its weights is a number.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770, Algorithm 2.

    Examples
    --------
    >>> import numpy as np, unifiedscore as us
    >>> us.batch_drift(us.Laplace(bandwidth=1.0), [[0.0], [1.0]], positives=[[2.0], [3.0]],
    ...                negatives=[[-1.0], [0.5]]).drift.round(6).ravel()
    array([0.736289, 1.123041])
    """
    x = points(queries, "queries")
    y = points(positives, "positives", dimension=x.shape[1])
    own = negatives is None
    z = x if own else points(negatives, "negatives", dimension=x.shape[1])
    choice(self_terms, "self_terms", ("mask", "keep"))
    if own and self_terms == "mask" and len(x) == 1:
        raise InputError("a masked batch needs two queries or more: a single one would have no negative left")
    floor = positive(floor, "floor", allow_zero=True)
    dtype = x.dtype
    x, y, z = (part.astype(np.float64, copy=False) for part in (x, y, z))
    log_affinity = log_affinities(
        kernel, x, np.concatenate([y, z]), mask=len(y) if own and self_terms == "mask" else None
    )
    affinity = np.exp(log_affinity)
    floored = float(np.mean(affinity**2 < floor))
    affinity = np.sqrt(np.maximum(affinity**2, floor)) if floor else affinity
    plus, minus = affinity[:, : len(y)], affinity[:, len(y) :]
    a, b = plus.sum(1), minus.sum(1)
    # Row sums of both weights are a b, so that the queries cancel: differences from them keep the digits of the points.
    drift = b[:, None] * weighted_differences(plus, x, y) - a[:, None] * weighted_differences(minus, x, z)
    return BatchDrift(drift.astype(dtype), a.astype(dtype), b.astype(dtype), floored)


def log_affinities(kernel, x, y, *, mask=None) -> np.ndarray:
    """Return log of the geometric mean of row and column softmax, (n, m); `mask` is the first column of the queries."""
    from scipy.special import logsumexp

    if not isinstance(kernel, AbstractKernel):
        raise InputError(f"kernel must be a kernel such as unifiedscore.Laplace(bandwidth=0.5); got {shown(kernel)}")
    refuse_pairs(len(x), len(y), arrays=3, advice="use smaller batches")
    with np.errstate(over="ignore"):
        log_kernel = kernel.log_profile(distances(x, y))
    if mask is not None:
        rows = np.arange(len(x))
        log_kernel[rows, mask + rows] = -np.inf
    row, column = logsumexp(log_kernel, axis=1, keepdims=True), logsumexp(log_kernel, axis=0, keepdims=True)
    if not (bounded := row[:, 0] > -np.inf).all():
        raise NumericalError(
            f"every weight of query {int(np.argmin(bounded))} underflows: its distances to the other points, or their "
            f"ratio to the bandwidth {kernel.bandwidth:.3g}, exceed float64; leave out the query, or rescale the points"
        )
    # A point that no query reaches has no affinity, although its column has no sum to divide by.
    return log_kernel - 0.5 * (row + np.where(column > -np.inf, column, 0.0))
