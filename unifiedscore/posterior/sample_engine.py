"""The kernel posterior of a sample: sums over its points, in tiles wherever squared distances hold.

Points without weight are dropped (`active`), pairs whose square leaves float64 are summed by `extreme`, all others by
`tiled`, or by `pruned` where most of them do not count. Tiles are computed in float32 where samples and queries are
float32 and a bound on the error allows it (`rounding`), everything else in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.kernels import AbstractKernel
from unifiedscore.measures import Samples
from unifiedscore.posterior.active import Active, active_part
from unifiedscore.posterior.engine import AbstractEngine
from unifiedscore.posterior.extreme import extreme_sums
from unifiedscore.posterior.pairs import distances
from unifiedscore.posterior.pruned import TOLERANCE, near_samples, pruned_sums
from unifiedscore.posterior.records import PosteriorMoments, PosteriorVectors
from unifiedscore.posterior.rounding import relative_error, single_sums
from unifiedscore.posterior.sums import Sums, merged
from unifiedscore.posterior.tiled import tiled_sums


@final
@dataclass(frozen=True, slots=True)
class SampleEngine(AbstractEngine):
    """The kernel posterior of `Samples`: every moment is a sum over the points of positive weight.

    Use when you need several quantities of one posterior; `posterior_moments` and its kin make one for each call.
    """

    kernel: AbstractKernel
    measure: Samples
    precision: Literal["auto", "float32", "float64"] = "auto"
    tolerance: float = TOLERANCE

    @property
    def has_jacobian(self) -> bool:
        return True

    def moments(self, x, *, exclude=None) -> PosteriorMoments:
        kernel = self.kernel
        # A constant weight makes the score a multiple of the mean shift: one product less.
        wants = {"mean_shift", "sums"} if kernel.constant_weight else {"mean_shift", "score", "sums"}
        part, out, visited = self._sums(x, exclude, frozenset(wants))
        square, inverse, distance = out.radial.T
        alpha = np.full(len(x), _constant_inverse(part.kernel)) if kernel.constant_weight else inverse / out.total
        mean_distance = distance / out.total
        preconditioner = np.ldexp(alpha, 2 * part.exponent)
        if ((alpha > 0) & (preconditioner < np.finfo(np.float64).tiny)).any():
            raise NumericalError(
                f"the preconditioner, of the size of the squared bandwidth, underflows float64 at bandwidth "
                f"{kernel.bandwidth:.3g}; rescale the points and the bandwidth, or ask for posterior_vectors or a field"
            )
        values = {
            "log_normalizer": _log_normalizer(part, out),
            "mean_shift": np.ldexp(out.mean_shift, part.exponent),
            "score": _score(part, out),
            "preconditioner": preconditioner,
            "mean_distance": np.ldexp(mean_distance, part.exponent),
            "effective_samples": out.total**2 / square,
            "relative_error": self._relative_error(part, out, visited, x.dtype),
        }
        arrays = {name: value.astype(x.dtype) for name, value in values.items()}
        return PosteriorMoments(**arrays, visited=visited)

    def field(self, x, quantity, *, exclude=None) -> np.ndarray:
        from_shift = quantity == "score" and self.kernel.constant_weight
        part, out, _ = self._sums(x, exclude, frozenset({"mean_shift" if from_shift else quantity}))
        value = _score(part, out) if quantity == "score" else np.ldexp(out.mean_shift, part.exponent)
        return value.astype(x.dtype)

    def vectors(self, x, *, exclude=None) -> PosteriorVectors:
        wants = {"mean_shift"} if self.kernel.constant_weight else {"mean_shift", "score"}
        part, out, visited = self._sums(x, exclude, frozenset(wants))
        values = np.ldexp(out.mean_shift, part.exponent), _score(part, out), _log_normalizer(part, out)
        return PosteriorVectors(*(value.astype(x.dtype) for value in values), visited=visited)

    def spread(self, x) -> np.ndarray:
        part = active_part(self.measure, self.kernel, x, None)
        total = np.empty((len(x), x.shape[1], x.shape[1]))
        for group, near in near_samples(part, self.measure, frozenset({"spread"}), self.tolerance):
            points, mass = part.points[near], 0.0 if part.log_mass is None else part.log_mass[near]
            for i in group:
                total[i] = _spread(part.kernel, part.queries[i], points, mass)
        return total

    def _relative_error(self, part: Active, out: Sums, visited: float, dtype) -> np.ndarray:
        """Rounding on the way and of the result, and what was left out."""
        error = relative_error(part, out) + (self.tolerance if visited < 1.0 else 0.0)
        return error + (0.0 if dtype == np.float64 else np.finfo(dtype).eps)

    def _dtype(self, x) -> np.dtype:
        """The precision that is asked for; by itself that of the samples and queries, float64 if they differ."""
        return np.result_type(self.measure.points, x) if self.precision == "auto" else np.dtype(self.precision)

    def _sums(self, x, exclude, wants) -> tuple[Active, Sums, float]:
        """Return the active part of samples and queries, the sums of what is wanted in its units, and the fraction of
        the pairs that was visited."""
        index = _checked_exclusion(exclude, len(x), self.measure.size)
        part, visited = active_part(self.measure, self.kernel, x, index, self._dtype(x)), 1.0
        if part.far is not None or part.extreme is not None:
            out = _split_sums(part, wants)
        elif (pruned := pruned_sums(part, self.measure, wants, self.tolerance)) is not None:
            out, visited = pruned
        elif part.single:
            out = single_sums(part, wants)
        else:
            out = tiled_sums(part, wants)
        if not (bounded := out.largest > -np.inf).all():
            query = int(np.argmin(bounded))
            if part.remaining(query) == 0:
                raise InputError(f"exclude leaves query {query} without any sample of positive weight")
            support = self.kernel.support
            if np.isfinite(support):
                raise NumericalError(
                    f"{int((~bounded).sum())} of {len(x)} queries, the first query {query}, have no sample within the "
                    f"support of the kernel {self.kernel.name}, r < {support * self.kernel.bandwidth:.3g}: its "
                    "posterior is not defined there; leave these queries out, or choose a larger bandwidth"
                )
            raise NumericalError(
                f"every weight of query {query} overflows or underflows: its squared distances to the samples, or "
                f"their ratio to the bandwidth {self.kernel.bandwidth:.3g}, exceed float64; rescale the points or the "
                "bandwidth"
            )
        return part, out, visited


def _spread(kernel, query, points, log_mass) -> np.ndarray:
    """The matrix of one query, (d, d)."""
    r = distances(query[None], points)[0]
    log_weight = kernel.log_profile(r) + log_mass
    share = np.exp(log_weight - log_weight.max())
    inverse = kernel.inverse_weight(r)
    # Coincident samples have no direction.
    held = (share > 0) & (inverse > 0)
    gap, share = points[held] - query, share / share.sum()
    return gap.T @ ((share[held] / inverse[held])[:, None] * gap)


def _constant_inverse(kernel) -> float:
    return float(kernel.inverse_weight(np.zeros(())))


def _score(part: Active, out: Sums) -> np.ndarray:
    score = out.score if out.score is not None else out.mean_shift / _constant_inverse(part.kernel)
    return np.ldexp(score, -part.exponent)


def _log_normalizer(part: Active, out: Sums) -> np.ndarray:
    return out.largest + np.log(out.total) - (np.log(len(part.points)) if part.log_mass is None else 0.0)


def _split_sums(part: Active, wants) -> Sums:
    """Pairs without a square, of far samples or extreme queries, are summed on their own."""
    n, m = len(part.queries), len(part.points)
    extreme = np.zeros(n, dtype=bool) if part.extreme is None else part.extreme
    far = np.zeros(m, dtype=bool) if part.far is None else part.far
    out = Sums.empty(n, part.points.shape[1], wants)

    def apart(some: Active, *, alone):
        return extreme_sums(
            some.kernel, some.queries, some.points, some.log_mass, some.exclude, wants, alone=alone
        )  # fmt: skip

    if extreme.any():
        out.put(extreme, apart(part.choose(extreme, np.ones(m, dtype=bool)), alone=True))
    if not extreme.all():
        usual = None if far.all() else tiled_sums(part.choose(~extreme, ~far), wants)
        if far.any():
            others = apart(part.choose(~extreme, far), alone=usual is None)
            usual = others if usual is None else merged(usual, others)
        out.put(~extreme, usual)
    return out


def _checked_exclusion(exclude, n, size):
    if exclude is None:
        return None
    index = validate.integer_array(exclude, "exclude", (n,))
    if (index < -1).any() or (index >= size).any():
        raise InputError(f"exclude must hold indices in [0, {size}) or -1; got {index.min()} ... {index.max()}")
    return index
