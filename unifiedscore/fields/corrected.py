"""The mean shift of a sample with its first-order bias removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.errors import InputError, NumericalError
from unifiedscore.fields.base import AbstractField
from unifiedscore.kernels import AbstractKernel
from unifiedscore.measures import as_samples
from unifiedscore.memory import refuse_pairs, rows_within
from unifiedscore.posterior.pairs import distances, weighted_differences
from unifiedscore.validate import points, shown


@final
@dataclass(frozen=True, slots=True)
class CorrectedMeanShift(AbstractField):
    r"""The bias-corrected mean shift $\sum_i w_i(1 + w_i - \sum_j w_j^2)\,(y_i - x)$ with posterior weights w.

    Use when samples are few or one of them dominates, and the bias of the plug-in mean shift matters.

    The plug-in mean shift of n samples has bias $-E[k^2(y - m)]/(n Z^2)$; adding its plug-in estimate leaves
    $O(n^{-2})$. The corrected weights are non-negative and sum to 1.

    Parameters
    ----------
    kernel : AbstractKernel
    samples : Samples or (m, d) array
        Equally weighted, independent draws.

    Raises
    ------
    InputError
        Unequal weights (the expansion is in 1/n), bad points.
    NumericalError
        A query so far from all samples that none of its weights is a number.

    References
    ----------
    arXiv 2604.27239; this form is derived here.

    Examples
    --------
    >>> import numpy as np, unifiedscore as us
    >>> us.CorrectedMeanShift(us.Gaussian(bandwidth=1.0), np.array([[-1.0], [1.0]]))([[0.0]])
    array([[0.]])
    """

    kernel: AbstractKernel
    samples: object

    def __post_init__(self) -> None:
        if not isinstance(self.kernel, AbstractKernel):
            raise InputError(
                f"kernel must be a kernel such as unifiedscore.Laplace(bandwidth=0.5); got {shown(self.kernel)}"
            )
        samples = as_samples(self.samples, "samples")
        if np.ptp(samples.weights) > 1e-12 * samples.weights.max():
            raise InputError("samples must carry equal weights: the correction expands in 1/n of independent draws")
        object.__setattr__(self, "samples", samples)

    @property
    def dimension(self) -> int:
        return self.samples.dimension

    @property
    def is_conservative(self) -> bool:
        return self.dimension == 1

    def weights(self, x) -> np.ndarray:
        """Return the corrected weights, (n, m): non-negative, each row sums to 1."""
        x = points(x, "x", dimension=self.dimension).astype(np.float64)
        refuse_pairs(len(x), len(self.samples.points), arrays=4, advice="evaluate the field at fewer points at once")
        with np.errstate(over="ignore"):
            log_weight = self.kernel.log_profile(distances(x, self.samples.points.astype(np.float64, copy=False)))
        if not (bounded := log_weight.max(1) > -np.inf).all():
            raise NumericalError(
                f"every weight of query {int(np.argmin(bounded))} underflows: its distances to the samples, or their "
                f"ratio to the bandwidth {self.kernel.bandwidth:.3g}, exceed float64; rescale the points"
            )
        w = np.exp(log_weight - log_weight.max(1, keepdims=True))
        w /= w.sum(1, keepdims=True)
        return w * (1 + w - np.sum(w * w, axis=1, keepdims=True))

    def __call__(self, x):
        x = points(x, "x", dimension=self.dimension)
        y, wide = self.samples.points.astype(np.float64), x.astype(np.float64)
        step = rows_within(self.samples.size)
        blocks = [wide[start : start + step] for start in range(0, len(x), step)]
        return np.concatenate([weighted_differences(self.weights(b), b, y) for b in blocks]).astype(x.dtype)
