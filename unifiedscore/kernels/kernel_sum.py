"""Several kernels at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from unifiedscore.compiled import njit
from unifiedscore.errors import InputError
from unifiedscore.kernels.base import AbstractKernel, ScaleMixture, SharpKernel, Tile
from unifiedscore.validate import array, positive, real_array, shown


@njit(cache=True, nogil=True, error_model="numpy")
def _add(log_share, log_kernel, weight, total, heavy):
    """Add one kernel to log k and, where `weight` has rows, to b times its share; a diverging b (0) stays so."""
    for i in range(total.shape[0]):
        for j in range(total.shape[1]):
            own, before = log_share + log_kernel[i, j], total[i, j]
            after = max(own, before)
            if after > -np.inf:
                after += np.log1p(np.exp(min(own, before) - after))
            if heavy.shape[0] > 0:
                old, new = np.exp(before - after), np.exp(own - after)
                b = weight[i, j]
                heavy[i, j] = old * heavy[i, j] + new * b if b > 0.0 and heavy[i, j] >= 0.0 else -1.0
            total[i, j] = after


@dataclass(frozen=True, slots=True)
class _SumTile:
    """The tiles of the members one after another, in float64 whatever the precision of the result."""

    members: tuple[tuple[Tile, np.ndarray], ...]

    def __call__(self, squared, parameters, log_kernel, weight) -> None:
        square = squared.astype(np.float64, copy=False)
        total, own = np.full(square.shape, -np.inf), np.empty(square.shape)
        heavy, b = (np.zeros((len(weight), square.shape[1])) for _ in range(2))
        for log_share, (tile, numbers) in zip(parameters, self.members, strict=True):
            tile(square, numbers, own, b)
            _add(log_share, own, b, total, heavy)
        log_kernel[...] = np.minimum(total, 0.0)  # shares add up to 1 but for rounding
        np.maximum(heavy, 0.0, out=heavy)
        if len(weight):  # else it has no rows, and not even the width of a last, narrower tile
            weight[...] = heavy


@final
@dataclass(frozen=True, slots=True)
class KernelSum(AbstractKernel):
    r"""The weighted mean $k = \sum_i w_i k_i$ of several radial kernels, such as one kernel at three bandwidths.

    Use when one bandwidth is too narrow for far points and too wide for near ones, and the kernels should be added.

    The score is the mean of those of the members, each with the share $w_i Z_i(x)/Z(x)$ of the normaliser that it has
    at the point, and so is the mean shift. `MultiTemperatureDrift` adds fields that are normalised one by one, which
    is another field.

    Parameters
    ----------
    kernels : sequence of AbstractKernel
        The members, of unbounded support.
    weights : sequence of floats, optional
        Positive, taken relative to their sum; equal by default.

    Raises
    ------
    InputError
        Not kernels, a compact support, or weights that are not as many positive numbers.

    Examples
    --------
    >>> import unifiedscore as us
    >>> kernel = us.KernelSum([us.Laplace(bandwidth=tau) for tau in (0.5, 2.0)])
    >>> kernel.log_profile([0.0, 4.0]).round(4), kernel.bandwidth
    (array([ 0.    , -2.6907]), 1.0)
    """

    kernels: Sequence[AbstractKernel]
    weights: Sequence[float] | None = None
    name: ClassVar[str] = "sum"

    def __post_init__(self) -> None:
        members = tuple(self.kernels) if isinstance(self.kernels, list | tuple) else ()
        if not members or not all(isinstance(kernel, AbstractKernel) for kernel in members):
            raise InputError(
                "kernels must be a list of kernels, as in KernelSum([Laplace(bandwidth=0.5), Laplace(bandwidth=2.0)]); "
                f"got {shown(self.kernels)}"
            )
        for kernel in members:
            if np.isfinite(kernel.support):
                raise InputError(
                    f"kernels must have an unbounded support; {kernel!r} vanishes from {kernel.support} on"
                )
        shares = np.ones(len(members)) if self.weights is None else real_array(self.weights, "weights").astype(float)
        if shares.shape != (len(members),) or not (np.isfinite(shares) & (shares > 0)).all():
            raise InputError(
                f"weights must hold a positive number for each of the {len(members)} kernels; got {shown(self.weights)}"
            )
        shares = shares / shares.max()
        # A sum of sums is one sum.
        pairs = [
            (inner, share * weight)
            for kernel, share in zip(members, (shares / shares.sum()).tolist(), strict=True)
            for inner, weight in (
                zip(kernel.kernels, kernel.weights, strict=True) if isinstance(kernel, KernelSum) else [(kernel, 1.0)]
            )
        ]
        object.__setattr__(self, "kernels", tuple(kernel for kernel, _ in pairs))
        object.__setattr__(self, "weights", tuple(weight for _, weight in pairs))

    @property
    def bandwidth(self) -> float:
        """The geometric mean of the members' bandwidths: `with_bandwidth` scales all of them alike."""
        return float(np.exp(np.mean([np.log(kernel.bandwidth) for kernel in self.kernels])))

    def with_bandwidth(self, bandwidth: float) -> KernelSum:
        factor = positive(bandwidth, "bandwidth") / self.bandwidth
        return KernelSum([k.with_bandwidth(factor * k.bandwidth) for k in self.kernels], self.weights)

    @property
    def rounding(self) -> float:
        """The shares of the members are exponentials of logs: up to about 36 where more than one member counts."""
        return 256.0 + max(kernel.rounding for kernel in self.kernels)

    def log_profile(self, r):
        r = array(r, "r")
        # Shares may miss 1 by a rounding, k(0) may not.
        log_k = np.minimum(np.logaddexp.reduce(self._logs(r), axis=0), 0.0)
        return np.where(r == 0, 0.0, log_k)

    def inverse_weight(self, r):
        r = array(r, "r")
        inverse = np.stack([np.asarray(kernel.inverse_weight(r)) for kernel in self.kernels])
        logs = self._logs(r)
        share = np.exp(logs - logs.real.max(axis=0))
        # 1/b = k/(b k); where one b diverges (r = 0) the sum does.
        zero = (inverse == 0).any(axis=0)
        heavy = (share / np.where(inverse == 0, 1.0, inverse)).sum(axis=0)
        return np.where(zero, 0.0, share.sum(axis=0) / np.where(zero, 1.0, heavy))

    def _logs(self, r) -> np.ndarray:
        """Log of each member's part of k."""
        parts = [np.log(w) + k.log_profile(r) for w, k in zip(self.weights, self.kernels, strict=True)]
        return np.stack([np.asarray(part) for part in parts])

    def compiled_tile(self):
        return _SumTile(tuple(kernel.compiled_tile() for kernel in self.kernels)), np.log(self.weights)

    def scale_mixture(self):
        mixtures = [kernel.scale_mixture() for kernel in self.kernels]
        if any(mixture is None for mixture in mixtures):
            return None
        # A member of bandwidth c times that of the sum has its nodes at s/c^2.
        ratios = [kernel.bandwidth / self.bandwidth for kernel in self.kernels]
        parts = list(zip(np.log(self.weights), mixtures, 2 * np.log(ratios), strict=True))
        atoms = [node for _, mixture, shift in parts for node in mixture.atoms * np.exp(-shift)]
        masses = [mass for log_share, mixture, _ in parts for mass in mixture.masses * np.exp(log_share)]
        smooth = [part for part in parts if part[1].log_density is not None]

        def log_density(v):
            terms = [log_share + mixture.log_density(v + shift) for log_share, mixture, shift in smooth]
            return np.logaddexp.reduce(np.stack(terms), axis=0)

        return ScaleMixture(log_density if smooth else None, atoms or None, masses or None)

    def sharp(self):
        sharps = [kernel.sharp() for kernel in self.kernels]
        if any(sharp is None for sharp in sharps):
            return None
        logs = np.log(self.weights) + np.array([sharp.log_scale for sharp in sharps])
        scale = float(np.logaddexp.reduce(logs))
        return SharpKernel(KernelSum([sharp.kernel for sharp in sharps], np.exp(logs - scale)), scale)
