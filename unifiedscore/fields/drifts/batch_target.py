"""The population field that Algorithm 2 aims at."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import final

import numpy as np

from unifiedscore.errors import InputError, NumericalError
from unifiedscore.fields.base import AbstractField
from unifiedscore.kernels import AbstractKernel
from unifiedscore.keywords import keyword_only
from unifiedscore.measures import Samples
from unifiedscore.measures.nodes import RANGE, as_nodes, with_weight
from unifiedscore.measures.rules import MAX_ORDER
from unifiedscore.posterior import posterior_vectors
from unifiedscore.posterior.moments import as_posterior_measure
from unifiedscore.validate import integer, points


@final
@keyword_only("target", "model", "queries", "order")
@dataclass(frozen=True, slots=True)
class BatchDriftTarget(AbstractField):
    r"""The limit of the batch drift for batches of equal, growing size (self terms are then negligible).

    Use when you ask what the batch drift of a trained model aims at, without the noise of a batch.

    $V = \frac{PQ}{Z_p + Z_q}\,(m_P - m_Q)$ with $P = E_p[k/\sqrt g]$, $Q = E_q[k/\sqrt g]$,
    $g(y) = E_{x \sim \mathrm{queries}}\,k(x, y)$ and $m_P, m_Q$ the posterior means of the tilted laws $p/\sqrt g$ and
    $q/\sqrt g$. For a Gaussian kernel the direction is $\tau^2\nabla\log(P/Q)$, yet the scalar in front makes the field
    no gradient in two dimensions or more.

    Parameters
    ----------
    kernel : AbstractKernel
    target, model : Samples, GaussianMixture (d <= 3) or (m, d) array
        With samples of one size and the model's points as queries the value at these points is that of `batch_drift`
        with `self_terms="keep"`.
    queries : Samples, GaussianMixture or (m, d) array, optional
        Law of the queries; the model by default.
    order : int
        Quadrature nodes an axis and component of a mixture.

    Raises
    ------
    InputError
        A mixture in more than three dimensions, different dimensions, bad points.
    NumericalError
        A point so far from all queries that its weight leaves the range of floating point.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770, Algorithm 2; the limit is derived here.

    Examples
    --------
    >>> import unifiedscore as us
    >>> p, q = us.GaussianMixture([[0.7]], 0.64), us.GaussianMixture([[0.0]], 1.0)
    >>> us.BatchDriftTarget(us.Gaussian(bandwidth=0.6), target=p, model=q)([[0.5]]).shape
    (1, 1)
    """

    kernel: AbstractKernel
    _: KW_ONLY
    target: object
    model: object
    queries: object = None
    order: int = 48
    _tilted: tuple = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        integer(self.order, "order", high=MAX_ORDER)
        laws = [as_posterior_measure(self.kernel, getattr(self, name), name) for name in ("target", "model")]
        queries = laws[1] if self.queries is None else as_posterior_measure(self.kernel, self.queries, "queries")
        if len({law.dimension for law in (*laws, queries)}) > 1:
            raise InputError(
                "target, model and queries must have one dimension; "
                f"got {laws[0].dimension}, {laws[1].dimension} and {queries.dimension}"
            )
        for name, law in zip(("target", "model", "queries"), (*laws, queries), strict=True):
            object.__setattr__(self, name, law)
        names = ("target", "model")
        tilted = tuple(self._tilt(law, name, queries) for law, name in zip(laws, names, strict=True))
        object.__setattr__(self, "_tilted", tilted)

    def _tilt(self, law, name, queries) -> tuple[Samples, float]:
        """The law times g^(-1/2) as weighted points, and the logarithm of its mass."""
        nodes = with_weight(as_nodes(law, name, self.order))
        log_g = posterior_vectors(self.kernel, queries, nodes.points.astype(np.float64)).log_normalizer
        log_weight = np.log(nodes.weights) - 0.5 * log_g
        top = log_weight.max()
        if top - log_weight.min() > RANGE:
            span = f"e^{top - log_weight.min():.0f}"
            raise NumericalError(
                f"the weights of the tilted {name} span {span}, more than floating point holds: a point far from all "
                "queries outweighs the others; leave it out, or use a larger bandwidth"
            )
        weight = np.exp(log_weight - top)
        return Samples(nodes.points, weight), float(top + np.log(weight.sum()))

    @property
    def dimension(self) -> int:
        return self.target.dimension

    @property
    def is_conservative(self) -> bool:
        return self.dimension == 1

    def __call__(self, x):
        x = points(x, "x", dimension=self.dimension)
        scale, direction = self.parts(x.astype(np.float64))
        return (scale[:, None] * direction).astype(x.dtype)

    def parts(self, x) -> tuple[np.ndarray, np.ndarray]:
        r"""Return the scalar $PQ/(Z_p + Z_q)$, (n,), and the direction $m_P - m_Q$, (n, d)."""
        plus, minus = (posterior_vectors(self.kernel, law, x) for law, _ in self._tilted)
        log_z = [posterior_vectors(self.kernel, law, x).log_normalizer for law in (self.target, self.model)]
        log_scale = plus.log_normalizer + minus.log_normalizer + self._tilted[0][1] + self._tilted[1][1]
        return np.exp(log_scale - np.logaddexp(*log_z)), plus.mean_shift - minus.mean_shift
