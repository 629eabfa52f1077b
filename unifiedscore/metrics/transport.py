"""Transport distances between samples of any two sizes: exact, sliced, and entropic without bias."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.measures.distances import common_frame, pairwise_distances
from unifiedscore.measures.entropic import balance
from unifiedscore.memory import refuse_pairs

_DIRECTION_BLOCK = 64

_RESOLVED = 2.0**12
"""The solver rounds at the largest cost: up to this many mean costs, twelve digits of the mean are left."""

_NARROW = 1e-30
"""Smallest epsilon in squared distances: below it a single far point takes every digit of the potentials."""

_FLAT = 1e6
"""Largest epsilon in squared distances: rounding, 1e-16 epsilon, leaves ten digits of them."""


def wasserstein2(x, y) -> float:
    r"""Return $W_2 = (\min_\pi \sum_{ij} \pi_{ij} \lVert x_i - y_j \rVert^2)^{1/2}$ between two samples, exactly.

    Use when two samples of at most a few thousand points are compared exactly.

    The network simplex of POT; nothing is regularised, and samples of unequal size are coupled with their true masses.
    Costs far above the result, such as those between clusters that no mass crosses, are capped: a plan that is
    optimal for capped costs and uses none of the capped ones is optimal.

    Parameters
    ----------
    x, y : (n, d), (m, d) arrays
        Equally weighted points. Memory n m, time about $(n m)^{1.2}$: a thousand points take a second.

    Raises
    ------
    NumericalError
        The solver stopped before its optimum.

    Examples
    --------
    >>> wasserstein2([[0.0], [1.0]], [[0.0], [1.0], [1.0], [3.0]])
    1.118033988749895
    """
    (x, y), exponent = common_frame(*_pair(x, y))
    refuse_pairs(len(x), len(y), arrays=4, advice="use fewer points, or sliced_wasserstein2")
    distance = pairwise_distances(x, y)
    cap, too_low = float(distance.max()), 0.0
    plan = _plan(distance, cap)
    while plan.size and (cap / plan.size) ** 2 > _RESOLVED * plan.mean:
        closer = max(2 * plan.size, 2 * too_low)
        while closer < cap and (found := _plan(distance, closer)).size > closer:
            too_low, closer = closer, 2 * closer
        if closer >= cap:
            break
        cap, plan = closer, found
    with np.errstate(over="ignore", under="ignore"):
        return float(np.ldexp(plan.size * math.sqrt(plan.mean), exponent))


@dataclass(frozen=True, slots=True)
class _Plan:
    """The largest distance that a plan moves mass over, and its mean squared distance in units of that."""

    size: float
    mean: float


def _plan(distance, cap: float) -> _Plan:
    """The optimal plan for squared distances, where those above `cap` are taken to be as far as it."""
    import ot

    n, m = distance.shape
    total = math.lcm(n, m)
    cost = np.minimum(distance, cap) / (cap or 1.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # Whole numbers as masses: none of their rounding is carried over a large distance.
        masses = np.full(n, float(total // n)), np.full(m, float(total // m))
        plan, log = ot.emd(*masses, np.square(cost, out=cost), numItermax=10**8, log=True)
    if log["warning"] is not None:
        messages = "; ".join(str(item.message) for item in caught) or log["warning"]
        raise NumericalError(f"the transport solver did not reach its optimum ({messages}); use fewer points")
    pairs = np.nonzero(plan)
    used = distance[pairs]
    size = float(used.max())
    return _Plan(size, float(plan[pairs] @ (used / size) ** 2) / total if size else 0.0)


def sliced_wasserstein2(x, y, *, n_directions: int, rng: np.random.Generator) -> float:
    r"""Return $(\mathrm{mean}_\theta W_2^2(\theta \cdot x, \theta \cdot y))^{1/2}$ over random unit directions.

    Use when two samples are too large, or of too many dimensions, for exact transport.

    Each one-dimensional distance is exact: quantile functions of unequal sizes are integrated over the union of their
    jumps, which are whole multiples of 1/(n m). A rotation of both samples leaves the law of the value as it is, not
    the value at given directions.

    Parameters
    ----------
    x, y : (n, d), (m, d) arrays
    n_directions : int
    rng : numpy.random.Generator
        Draws the directions; give the same one to compare samples in pairs.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> round(sliced_wasserstein2([[0.0], [1.0]], [[0.0], [1.0], [1.0], [3.0]], n_directions=3, rng=rng), 12)
    1.11803398875
    """
    (x, y), exponent = common_frame(*_pair(x, y))
    n_directions = validate.integer(n_directions, "n_directions")
    directions = validate.generator(rng).standard_normal((n_directions, x.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    n, m = len(x), len(y)
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    mass = np.diff(ends, prepend=0) / (n * m)
    of_x, of_y = (ends - 1) // m, (ends - 1) // n
    total = 0.0
    for start in range(0, n_directions, _DIRECTION_BLOCK):
        some = directions[start : start + _DIRECTION_BLOCK].T
        gap = np.sort(x @ some, axis=0)[of_x] - np.sort(y @ some, axis=0)[of_y]
        total += float((mass @ gap**2).sum())
    with np.errstate(over="ignore", under="ignore"):
        return float(np.ldexp(np.sqrt(total / n_directions), exponent))


def sinkhorn_divergence(x, y, *, epsilon: float, tolerance: float = 1e-5, max_iterations: int = 20_000) -> float:
    r"""Return the debiased entropic transport cost $S_\varepsilon$ between two samples.

    Use when exact transport is too slow or too noisy, and a distance is wanted that vanishes for equal samples.

    $S_\varepsilon = \mathrm{OT}_\varepsilon(x, y) - \frac12 \mathrm{OT}_\varepsilon(x, x)
    - \frac12 \mathrm{OT}_\varepsilon(y, y)$ with $\mathrm{OT}_\varepsilon = \min_\pi \langle \pi,
    \lVert x - y\rVert^2\rangle + \varepsilon\,\mathrm{KL}(\pi\,|\,\mu \otimes \nu)$. It tends to $W_2^2$ as
    $\varepsilon \to 0$ and to the squared distance of the means as $\varepsilon \to \infty$; it is never negative.

    Parameters
    ----------
    x, y : (n, d), (m, d) arrays
        Equally weighted points. Memory grows with the product of their numbers.
    epsilon : float
        Squared length: small against the squared distances that matter, and the smaller, the more iterations.
    tolerance : float
        L1 error of the marginals at which a plan counts as converged. The value is off by at most about as much in
        units of the largest squared distance, and mostly by its square.
    max_iterations : int

    Returns
    -------
    float
        A squared length; compare its root with `wasserstein2`.

    Raises
    ------
    InputError
        `epsilon` is above a million times the largest squared distance.
    NumericalError
        A plan has not converged: `epsilon` is too small.

    References
    ----------
    Feydy et al. 2019, arXiv 1810.08278.

    Examples
    --------
    >>> round(sinkhorn_divergence([[0.0], [1.0]], [[3.0], [4.0]], epsilon=0.3), 6)
    9.0
    """
    (x, y), exponent = common_frame(*_pair(x, y))
    epsilon, tolerance = validate.positive(epsilon, "epsilon"), validate.positive(tolerance, "tolerance")
    max_iterations = validate.integer(max_iterations, "max_iterations")
    largest = max(len(x), len(y))
    refuse_pairs(largest, largest, arrays=4, advice="use fewer points, or sliced_wasserstein2")
    squared = pairwise_distances(x, y) ** 2
    with np.errstate(over="ignore", under="ignore"):
        framed = float(np.ldexp(epsilon, -2 * exponent))
    if squared.any() and framed < _NARROW * squared.max():
        raise NumericalError(
            f"epsilon = {epsilon:.3g} is nothing beside the largest squared distance; leave far points out, or use a "
            "larger epsilon"
        )
    if not framed <= _FLAT * squared.max() and squared.any():
        raise InputError(
            f"epsilon must be at most {_FLAT:g} times the largest squared distance; got {epsilon:.3g}; beyond it the "
            "divergence is the squared distance of the means"
        )

    def cost(squared, *, same) -> float:
        masses = [np.full(size, 1.0 / size) for size in squared.shape]
        plan = balance(
            -squared / framed if squared.any() else -squared,
            *masses,
            same=same,
            tolerance=tolerance,
            max_iterations=max_iterations,
            wider=f"a larger epsilon than {epsilon:.3g}",
        )
        # The dual value: an error of the potentials enters in the second order.
        logs = zip((plan.log_first, plan.log_second), masses, strict=True)
        return sum(float((log - np.log(mass)).mean()) for log, mass in logs)

    within = [cost(pairwise_distances(z, z) ** 2, same=True) for z in (x, y)]
    value = max(0.0, cost(squared, same=False) - 0.5 * sum(within))
    with np.errstate(over="ignore", under="ignore"):
        return float(np.ldexp(framed * value, 2 * exponent)) if value else 0.0


def _pair(x, y):
    x = validate.points(x, "x")
    return x, validate.points(y, "y", dimension=x.shape[1])
