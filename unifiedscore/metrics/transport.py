"""Transport distances between samples, exact for any two sizes."""

from __future__ import annotations

import warnings

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import NumericalError
from unifiedscore.memory import refuse_pairs

_DIRECTION_BLOCK = 64


def wasserstein2(x, y) -> float:
    r"""Return $W_2 = (\min_\pi \sum_{ij} \pi_{ij} \lVert x_i - y_j \rVert^2)^{1/2}$ between two samples, exactly.

    The network simplex of POT; nothing is regularised, and samples of unequal size are coupled with their true masses.

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
    import ot

    x, y = _pair(x, y)
    refuse_pairs(len(x), len(y), arrays=3, advice="use fewer points, or sliced_wasserstein2")
    cost = ot.dist(x - y.mean(0), y - y.mean(0))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plan, log = ot.emd(np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y)), cost, numItermax=10**8, log=True)
    if log["warning"] is not None:
        messages = "; ".join(str(item.message) for item in caught) or log["warning"]
        raise NumericalError(f"the transport solver did not reach its optimum ({messages}); use fewer points")
    rows, columns = np.nonzero(plan)
    # The distances along the plan are recomputed directly: equal points then cost exactly 0.
    return float(np.sqrt(plan[rows, columns] @ ((x[rows] - y[columns]) ** 2).sum(1)))


def sliced_wasserstein2(x, y, *, n_directions: int, rng: np.random.Generator) -> float:
    r"""Return $(\mathrm{mean}_\theta W_2^2(\theta \cdot x, \theta \cdot y))^{1/2}$ over random unit directions.

    Each one-dimensional distance is exact: quantile functions of unequal sizes are integrated over the union of their
    jumps, which are whole multiples of 1/(n m).

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
    x, y = _pair(x, y)
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
    return float(np.sqrt(total / n_directions))


def _pair(x, y):
    x = validate.points(x, "x").astype(np.float64)
    return x, validate.points(y, "y", dimension=x.shape[1]).astype(np.float64)
