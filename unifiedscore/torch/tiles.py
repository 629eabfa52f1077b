"""Sums over a sample in tiles of torch operations: a running log-sum-exp forwards, the analytic derivative backwards.

No array of all pairs exists: a tile of queries visits the tiles of the sample one after the other, and the backward
pass computes them anew. The largest log-weight so far is subtracted before exponentials are taken, and older sums are
rescaled when it grows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from unifiedscore.kernels import AbstractKernel
from unifiedscore.posterior.loops import NEAR
from unifiedscore.torch.pairs import DIRECT, Tile
from unifiedscore.torch.profiles import AbstractProfile, profile_of

VECTORS = ("mean_shift", "score")
SCALARS = ("log_normalizer", "preconditioner", "mean_distance", "effective_samples")
# Queries and samples of a tile: on a processor it should stay in the cache, a device should be busy with it.
_HOST, _DEVICE = (256, 1024), (4096, 4096)
# Largest error of a log-weight, as bounded, that is accepted before a query is computed in float64.
_DOUBT = 2.0**-11
# Points that a center is taken from; an odd number, so that the median is a coordinate of the data.
_CENTRAL = 63


@dataclass(frozen=True)
class Law:
    """A weighted sample under one kernel, in the units and the dtype of the computation.

    Attributes
    ----------
    kernel : AbstractKernel
    points : (m, d) tensor
    log_mass : (m,) tensor or None
        Logarithms of weights of sum one; None for equal ones.
    """

    kernel: AbstractKernel
    points: torch.Tensor
    log_mass: torch.Tensor | None

    @property
    def profile(self) -> AbstractProfile:
        return profile_of(self.kernel)

    def center(self) -> torch.Tensor:
        """Coordinatewise median of up to 63 points, (d,): no outlier moves it, however far."""
        m = len(self.points)
        chosen = torch.linspace(0, m - 1, min(_CENTRAL, m - 1 + m % 2), dtype=torch.float64).long().unique()
        return self.points[chosen.to(self.points.device)].median(0).values

    def mass(self, start: int, stop: int) -> torch.Tensor | float:
        """Log-weights of the samples start ... stop - 1; a number for equal ones."""
        if self.log_mass is None:
            return -math.log(len(self.points))
        return self.log_mass[start:stop]

    def wide(self) -> Law:
        """The same law in float64; on a device without it, on the processor."""
        device = "cpu" if self.points.device.type == "mps" else self.points.device
        mass = None if self.log_mass is None else self.log_mass.to(device, torch.float64)
        return replace(self, points=self.points.to(device, torch.float64), log_mass=mass)


def blocks(n: int, size: int) -> Iterator[tuple[int, int]]:
    """First and last place of the blocks of `size` that cut n."""
    return ((start, min(start + size, n)) for start in range(0, n, size))


def tile_sizes(device: torch.device) -> tuple[int, int]:
    """Queries and samples of a tile on this device."""
    return _HOST if device.type == "cpu" else _DEVICE


def values(law: Law, x: torch.Tensor, exclude: torch.Tensor | None, wants: frozenset[str]) -> dict[str, torch.Tensor]:
    """Return what is wanted of the moments at queries x (n, d), with log Z always among them.

    A query all of whose weights underflow has log Z = -inf, and numbers without meaning.
    """
    parts, center = [], law.center()
    for start, stop in blocks(len(x), tile_sizes(x.device)[0]):
        left_out = None if exclude is None else exclude[start:stop]
        parts.append(_forward(law, x[start:stop], left_out, center, wants))
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _tile(law, x, exclude, center, start, stop) -> tuple[Tile, torch.Tensor]:
    """The pairs with samples start ... stop - 1 and their log-weights, the excluded ones -inf."""
    tile = Tile(x, law.points[start:stop], center)
    log_weight = law.profile.log_kernel(tile.squared).add_(law.mass(start, stop))
    if exclude is not None:
        rows = torch.nonzero((exclude >= start) & (exclude < stop))[:, 0]
        log_weight[rows, exclude[rows] - start] = -torch.inf
    return tile, log_weight


def _forward(law, x, exclude, center, wants) -> dict[str, torch.Tensor]:
    a, d = x.shape
    largest, total = x.new_full((a,), -torch.inf), x.new_zeros(a)
    vectors = {name: x.new_zeros(a, d) for name in VECTORS if name in wants}
    sums = {name: x.new_zeros(a) for name in SCALARS if name in wants}
    for start, stop in blocks(len(law.points), tile_sizes(x.device)[1]):
        tile, log_weight = _tile(law, x, exclude, center, start, stop)
        top = torch.maximum(largest, log_weight.amax(1))
        safe = torch.where(top > -torch.inf, top, 0.0)
        rescale, largest = torch.exp(largest - safe), top
        weight = log_weight.sub_(safe[:, None]).exp_()
        total = total.mul_(rescale).add_(weight.sum(1))
        b = law.profile.weight(tile.squared) if wants & {"score", "preconditioner"} else None
        if "preconditioner" in wants:
            inverse = weight / b if isinstance(b, float) else torch.where(b > 0, weight / b, 0.0)
            sums["preconditioner"].mul_(rescale).add_(inverse.sum(1))
        if "mean_distance" in wants:
            sums["mean_distance"].mul_(rescale).add_((weight * tile.squared.sqrt()).sum(1))
        if "effective_samples" in wants:
            sums["effective_samples"].mul_(rescale).mul_(rescale).add_(weight.square().sum(1))
        if "score" in wants:
            vectors["score"].mul_(rescale[:, None]).add_(tile.to_rows(weight * b))
        if "mean_shift" in wants:
            vectors["mean_shift"].mul_(rescale[:, None]).add_(tile.to_rows(weight))
    out = {name: vector / total[:, None] for name, vector in vectors.items()}
    out |= {name: value / total for name, value in sums.items()}
    if "effective_samples" in wants:
        out["effective_samples"] = total.square() / sums["effective_samples"]
    return out | {"log_normalizer": largest + total.log()}


def gradients(
    law: Law,
    x: torch.Tensor,
    exclude: torch.Tensor | None,
    known: dict[str, torch.Tensor],
    slopes: dict[str, torch.Tensor],
    needs: tuple[bool, bool, bool],
) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
    r"""Return the gradients of $\sum_i \langle g_i, O_i\rangle$ with respect to queries, samples and log-weights.

    With $O = \sum_j \pi_j\,o_j$ and $\delta\pi_j = \pi_j(\delta\ell_j - \sum_k \pi_k\,\delta\ell_k)$,

    $\delta\langle g, O\rangle = \sum_j \pi_j\,\langle g, o_j - O\rangle\,\delta\ell_j + \sum_j \pi_j\,\langle g,
    \delta o_j\rangle$, where $\ell_j = \log k + \log m_j$ and $\partial\ell_j/\partial q_j = -b_j/2$.

    Parameters
    ----------
    known : dict
        The values of the wanted moments, log Z among them.
    slopes : dict
        The cotangents g of the moments that have one, in the shapes of the values.
    needs : tuple of bool
        Whether the gradients of queries, samples and log-weights are wanted.
    """
    center = law.center()
    for_x = torch.empty_like(x) if needs[0] else None
    for_y = torch.zeros_like(law.points) if needs[1] else None
    for_mass = law.points.new_zeros(len(law.points)) if needs[2] else None
    for start, stop in blocks(len(x), tile_sizes(x.device)[0]):
        rows = slice(start, stop)
        left_out = None if exclude is None else exclude[rows]
        own = ({name: value[rows] for name, value in part.items()} for part in (known, slopes))
        found = _backward(law, x[rows], left_out, center, *own, for_y, for_mass)
        if needs[0]:
            for_x[rows] = found
    return for_x, for_y, for_mass


def constants(x, known, slopes) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The part of <g, o - O> that is the same for all samples of a query, and the factor of the effective samples."""
    constant, effective = x.new_zeros(len(x)), None
    for name in VECTORS:
        if name in slopes:
            constant -= (slopes[name] * known[name]).sum(1)
    for name in ("preconditioner", "mean_distance"):
        if name in slopes:
            constant -= slopes[name] * known[name]
    if "log_normalizer" in slopes:
        constant += slopes["log_normalizer"]
    if "effective_samples" in slopes:
        # N = 1/sum pi^2, so that dN = -2 N^2 sum_j pi_j (pi_j - 1/N) dl_j.
        effective = -2.0 * known["effective_samples"].square() * slopes["effective_samples"]
        constant -= effective / known["effective_samples"]
    return constant, effective


def _backward(law, x, exclude, center, known, slopes, for_y, for_mass) -> torch.Tensor:
    for_x, profile = torch.zeros_like(x), law.profile
    shift, score = slopes.get("mean_shift"), slopes.get("score")
    constant, effective = constants(x, known, slopes)
    for start, stop in blocks(len(law.points), tile_sizes(x.device)[1]):
        tile, log_weight = _tile(law, x, exclude, center, start, stop)
        q, share = tile.squared, log_weight.sub_(known["log_normalizer"][:, None]).exp_()
        b = profile.weight(q)
        slope = profile.slope(q) if score is not None or "preconditioner" in slopes else 0.0
        # `change` is <g, o - O>, `moved` is <g, do/dq> for what of o depends on the distance alone.
        moved = None
        if score is not None:
            heights = tile.along(score)
            change = heights * b
            moved = None if isinstance(slope, float) else heights * slope
            if shift is not None:
                change += tile.along(shift)
        elif shift is not None:
            change = tile.along(shift)
        else:
            change = torch.zeros_like(q)
        change += constant[:, None]
        if "preconditioner" in slopes:
            weighted = slopes["preconditioner"][:, None]
            inverse = 1.0 / b if isinstance(b, float) else torch.where(b > 0, 1.0 / b, 0.0)
            change += weighted * inverse
            if not isinstance(slope, float):
                moved = _plus(moved, -weighted * slope * inverse * inverse)
        if "mean_distance" in slopes:
            distance, weighted = q.sqrt(), slopes["mean_distance"][:, None]
            change += weighted * distance
            moved = _plus(moved, torch.where(q > 0, 0.5 * weighted / distance, 0.0))
        if effective is not None:
            change += effective[:, None] * share
        change *= share
        if for_mass is not None:
            for_mass[start:stop] += change.sum(0)
        # dx = sum_j h_ij (y_j - x_i) - ..., dy = -sum_i h_ij (y_j - x_i) + ...
        pull = change.mul_(b) if moved is None else change.mul_(b).sub_(moved.mul_(share), alpha=2.0)
        if for_y is not None:
            columns = for_y[start:stop]
            columns -= tile.to_columns(pull)
            if shift is not None:
                columns += share.T @ shift
            if score is not None:
                columns += (share * b).T @ score
        for_x += tile.to_rows(pull)
        if score is not None:
            for_x -= (share * b).sum(1, keepdim=True) * score
    return for_x if shift is None else for_x.sub_(shift)


def _plus(first, second):
    return second if first is None else first + second


def in_doubt(law: Law, x: torch.Tensor, log_normalizer: torch.Tensor) -> torch.Tensor:
    r"""Return the queries, (n,) bool, whose log-weights single precision may get wrong by more than 2^-11.

    A log-weight is wrong by eps times its size, and where $r^2$ is a matrix product by $\frac b2$ times some
    $\varepsilon (|x|^2 + |y|^2)$; products are taken of pairs beyond $r^2 = (|x|^2 + |y|^2)/256$ alone, and b
    decreases with the distance.
    """
    eps = torch.finfo(x.dtype).eps
    bound = eps * (8.0 + 4.0 * log_normalizer.abs())
    if x.shape[1] >= DIRECT:
        bound = bound + 2.0 * eps * rounding_of_products(law, x)
    # Also where the bound is not a number.
    return ~(bound <= _DOUBT)


def rounding_of_products(law: Law, x: torch.Tensor) -> torch.Tensor:
    r"""Return $N b(r_N)$ with $N = |x|^2 + \max_j |y_j|^2$ and the least $r_N^2 = N/256$ of a product, (n,).

    It grows with N, so that it is the largest for the sample that is farthest from the centre.
    """
    center = law.center()
    largest = max(
        float((law.points[start:stop] - center).square().sum(1).amax())
        for start, stop in blocks(len(law.points), tile_sizes(x.device)[1])
    )
    norms = (x - center).square().sum(1) + largest
    return norms * law.profile.weight(NEAR * norms)
