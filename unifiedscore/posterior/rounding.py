r"""How far rounding moves the moments of a sample, and which of them float32 is good enough for.

A moment in float32 is kept where a bound on its error says so, and computed again in float64 where the bound says
nothing: at offsets, clusters and bandwidths for which inner products of centred points do not resolve a log-weight, far
from the sample, where a log-weight is large itself, and where weights below the smallest float32 would matter.
"""

from __future__ import annotations

import numpy as np

from unifiedscore.posterior import loops
from unifiedscore.posterior.active import Active
from unifiedscore.posterior.sums import Sums
from unifiedscore.posterior.tiled import tiled_sums

ENOUGH = 2.0**-8
"""A bound is the worst case of all roundings, some hundred times what they do: moments within it have five digits."""

# The smallest weight relative to the largest; what is below counts as zero.
_LOST = float(np.exp(-87.0))
# What lost weights add to a score times the bandwidth, each: w b r <= 2 w |log w|/r, and none of them is so close.
_LOST_SCORE = 2 * 87 * _LOST * 1e6


def single_sums(part: Active, wants: frozenset[str]) -> Sums:
    """Return the sums over all pairs, in float32 for the queries whose bound allows it, in float64 for the others."""
    out = tiled_sums(part, wants, np.float32, go_on=lambda first, sums: bool(_enough(first, sums).any()))
    if out is None:
        return tiled_sums(part.double(), wants)
    if not (held := _enough(part, out)).all():
        everything = np.ones(len(part.points), dtype=bool)
        out.put(~held, tiled_sums(part.choose(~held, everything).double(), wants))
    return out


def _enough(part: Active, out: Sums) -> np.ndarray:
    """Whether the bound on the error of float32 allows to keep what was computed, (n,) bool."""
    with np.errstate(all="ignore"):
        return relative_error(part, out) <= ENOUGH  # False for NaN


def relative_error(part: Active, out: Sums) -> np.ndarray:
    r"""Bound on the relative rounding error of the moments, (n,); see `PosteriorMoments.relative_error`.

    A log-weight is wrong by eps times its size (and what inner products add). Those that carry $E_\pi r$ exceed the
    largest by more than it does: with shares $s_j = w_j r_j/\sum w r$ their mean size is
    $\sum s_j |\log w_j| \le \log m + \log(r_{\max}/E_\pi r)$, an entropy and a ratio. Where $E_\pi r$ was not asked
    for, the length of the mean shift stands for it, which is at most that.
    """
    m, tau, eps = len(part.points), part.kernel.bandwidth, np.finfo(np.float64).eps
    reach = np.sqrt(part.queries.shape[1]) * (loops.span(part.points)[0] + np.abs(part.queries).max(1)).astype(float)
    shift = None if out.mean_shift is None else np.linalg.norm(out.mean_shift, axis=1)
    score = None if out.score is None else np.linalg.norm(out.score, axis=1)
    length = shift if out.radial is None else out.radial[:, 2] / out.total
    deep = np.zeros(len(reach))
    with np.errstate(divide="ignore", invalid="ignore"):
        if length is not None:
            deep = np.where(length > 0, np.log(reach) - np.log(length), 0.0)
        elif score is not None:
            # Shares of w b r; in bandwidths it is of the size one, e^5 at most where it has weight.
            deep = np.where(score > 0, 5.0 - np.log(tau * score), 0.0)
        size = np.abs(out.largest) + np.maximum(deep, 0.0) + np.log(m)
        bound = out.fixed + out.slope * size + eps * part.kernel.rounding
        if (single := out.slope > 64.0 * eps).any():
            lost = np.zeros(len(reach))
            if length is not None:
                lost = m * _LOST * 2.0 * reach / length
            if out.radial is not None and not part.kernel.constant_weight:
                farthest = part.kernel.inverse_weight(2.0 * reach)
                lost = np.maximum(lost, m * _LOST * farthest * out.total / out.radial[:, 1])
            if score is not None:
                lost = np.maximum(lost, m * _LOST_SCORE / (tau * score))
            bound = np.where(single, bound + lost, bound)
    return bound
