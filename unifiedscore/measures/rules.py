r"""Quadrature rules under probability laws: normal, gamma, and sparse products of them.

Every rule integrates against a *probability*: its weights sum to 1.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, product
from math import comb

import numpy as np
from scipy.linalg import eigh_tridiagonal

from unifiedscore.errors import InputError

MAX_NODES = 2_000_000
"""Largest rule a component may ask for."""

MAX_ORDER = 200
"""Largest order of a Hermite rule: beyond it NumPy's recurrence overflows."""


def gauss_hermite(order: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights under N(0, 1), exact for degree 2 order - 1."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(order)
    return nodes, weights / weights.sum()


def gauss_gamma(order: int, shape: float) -> tuple[np.ndarray, np.ndarray]:
    r"""Nodes and weights under Gamma(shape, 1), exact for degree 2 order - 1 (generalised Gauss-Laguerre).

    Golub-Welsch on the Jacobi matrix *minus its mean shape*: the eigenvalues are then of size
    :math:`\sqrt{shape}` and keep full accuracy relative to the spread at shape = 2^19, where the classical
    weight function overflows. The weights are squared first components: no Gamma function appears.
    """
    index = np.arange(order, dtype=float)
    shifted, vectors = eigh_tridiagonal(2 * index, np.sqrt(index[1:] * (index[1:] + shape - 1)))
    weights = vectors[0] ** 2
    return np.maximum(shape + shifted, 0.0), weights / weights.sum()


def tensor(rules: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Product of one-dimensional rules: (N, k) nodes and (N,) weights."""
    nodes = np.stack([g.ravel() for g in np.meshgrid(*(r[0] for r in rules), indexing="ij")], axis=1)
    weights = rules[0][1]
    for _, more in rules[1:]:
        weights = (weights[:, None] * more).ravel()
    return nodes, weights


@lru_cache(maxsize=16)
def normal_gamma(normal: int, *, shape: float | None, order: int, sparse: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rule under `normal` standard normal axes and, unless `shape` is None, a last Gamma(shape) axis.

    Tensor: `order` nodes a normal axis and min(order, 8) on the gamma axis, degree 2 order - 1 in each normal axis.
    Sparse: Smolyak's combination of Gauss rules, exact for total degree 2 (order // 2) + 1 over all axes together.
    """
    if not sparse:
        radial = [] if shape is None else [gauss_gamma(min(order, 8), shape)]
        _refuse_too_many(order**normal * min(order, 8) ** len(radial), order)
        return tensor([gauss_hermite(order)] * normal + radial)
    return _smolyak(normal, shape=shape, level=order // 2)


def _smolyak(normal: int, *, shape: float | None, level: int) -> tuple[np.ndarray, np.ndarray]:
    """Combination technique: sum over index sums s <= level of (-1)^(level-s) C(K-1, level-s) tensor rules."""
    axes = normal + (shape is not None)
    # The nodes of index sum s number C(2K + s - 1, s), the coefficient of z^s in (sum_i (i+1) z^i)^K.
    _refuse_too_many(sum(comb(2 * axes + s - 1, s) for s in range(level + 1)), 2 * level)
    hermite = [gauss_hermite(i + 1) for i in range(level + 1)]
    gamma = None if shape is None else [gauss_gamma(i + 1, shape) for i in range(level + 1)]
    center = np.zeros(axes)
    if gamma is not None:
        center[-1] = gamma[0][0][0]
    blocks, masses = [], []
    for total in range(max(0, level - axes + 1), level + 1):
        sign = (-1) ** (level - total) * comb(axes - 1, level - total)
        for levels in _compositions(total):
            for active in combinations(range(axes), len(levels)):
                rules = [
                    (gamma if gamma is not None and a == axes - 1 else hermite)[i]
                    for a, i in zip(active, levels, strict=True)
                ]
                nodes, weights = tensor(rules) if rules else (np.zeros((1, 0)), np.ones(1))
                block = np.tile(center, (len(weights), 1))
                block[:, active] = nodes
                blocks.append(block)
                masses.append(sign * weights)
    # Odd Hermite rules share the node 0 exactly, so equal rows merge without a tolerance.
    nodes, inverse = np.unique(np.concatenate(blocks), axis=0, return_inverse=True)
    weights = np.bincount(inverse.ravel(), weights=np.concatenate(masses), minlength=len(nodes))
    return nodes, weights / weights.sum()


def _compositions(total: int):
    """All tuples of positive integers that sum to `total` (one empty tuple for 0)."""
    for length in range(total + 1):
        for parts in product(range(1, total + 1), repeat=length):
            if sum(parts) == total:
                yield parts


def _refuse_too_many(count: int, order: int) -> None:
    if count > MAX_NODES:
        raise InputError(
            f"a quadrature rule of order {order} would need {count} nodes per component (at most {MAX_NODES}); "
            "lower `order`, or draw with .sample(n, rng)"
        )
