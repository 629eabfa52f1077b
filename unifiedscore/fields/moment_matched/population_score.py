r"""The population-smoothed score of a data set in one or two dimensions, from one lattice.

$E\log Z(z + s\epsilon) = -(\lVert z\rVert^2 + d s^2)/2\delta^2 + E f(z + s\epsilon)$ with the convex function
$f = \log\sum_i w_i e^{(y_i \cdot z - \lVert y_i\rVert^2/2)/\delta^2}$. f has kinks of width $\delta^2/\mathrm{gap}$,
so that no Gauss-Hermite rule of fixed order converges for $s \gg \delta$; a lattice finer than the kinks does. The
Gaussian is split, $s^2 = s_1^2 + s_2^2$: the first part is a convolution of the lattice, after which f is analytic; the
second is the interpolation to any point, a trapezoid rule of spacing $s_2/2.5$ with error $2e^{-2\pi^2\cdot 6.25}$.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.fields.base import AbstractField
from unifiedscore.measures.nodes import with_weight
from unifiedscore.measures.samples import Samples, as_samples
from unifiedscore.memory import rows_within

# exp(-8.5^2/2) = 2e-16.
_REACH = 8.5
_VANISHED = 39.0  # standard deviations at which exp(-z^2/2) is 0 in double precision
_PER_WIDTH = 2.5
# Share of the variance left to the interpolation: spacing s/5.
_LAST = 0.25
_MOST_WORK = 30_000_000_000


@final
@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class PopulationScore(AbstractField):
    r"""$-\nabla V$, $V(z) = -E\log Z(z + s\epsilon)$, $\epsilon \sim N(0, I)$, of a data set in one or two dimensions.

    Use when the smoothed score should be exact in one or two dimensions, without a tuple of noise.

    Parameters
    ----------
    data : Samples or (m, d) array
        d = 1 or 2.
    noise_level : float
        $\delta > 0$.
    smoothing : float
        $s > 0$, in the units of the data.
    mesh : float, optional
        Spacing of the lattice of f; by default finer than the kinks of f and a third of s.

    Raises
    ------
    InputError
        More than two dimensions, or, when called, points farther than nine standard deviations from the data.
    NumericalError
        The lattice would take minutes; pass a tuple of noise to `SmoothedScore` instead.
    """

    data: Samples
    noise_level: float
    smoothing: float
    mesh: float
    axes: tuple  # lattice of the once convolved f, one (k,) array an axis
    values: np.ndarray
    center: np.ndarray

    def __init__(self, data, noise_level, smoothing, *, mesh=None):
        data = with_weight(as_samples(data))
        if data.dimension > 2:
            raise InputError(
                f"the population average over noise is computed in one or two dimensions; got {data.dimension}; "
                "pass an antithetic (M, d) array as noise"
            )
        delta, s = validate.positive(noise_level, "noise_level"), validate.positive(smoothing, "smoothing")
        center = data.mean
        points = data.points.astype(np.float64) - center
        mesh = _default_mesh(points, delta, s) if mesh is None else validate.positive(mesh, "mesh")
        first, last = s * np.sqrt(1 - _LAST), s * np.sqrt(_LAST)
        # Nine standard deviations of the law with the moments of the smoothed data hold all of any tilted law.
        spread = np.sqrt(np.einsum("m,md->d", data.weights, points**2) + delta**2)
        low = np.minimum(points.min(0) - 9 * delta, -9.5 * spread) - (_REACH + 1) * last
        high = np.maximum(points.max(0) + 9 * delta, 9.5 * spread) + (_REACH + 1) * last
        coarse = [np.arange(np.floor(a * _PER_WIDTH / last), np.ceil(b * _PER_WIDTH / last) + 1) * (last / _PER_WIDTH)
                  for a, b in zip(low, high, strict=True)]  # fmt: skip
        fine = [np.arange(np.floor((axis[0] - _REACH * first) / mesh), np.ceil((axis[-1] + _REACH * first) / mesh) + 1)
                * mesh for axis in coarse]  # fmt: skip
        work = data.size * np.prod([float(len(axis)) for axis in fine])
        if work > _MOST_WORK:
            raise NumericalError(
                f"a lattice of spacing {mesh:.3g} for {data.size} points takes {work:.2g} evaluations; use a larger "
                f"noise_level (got {delta:.3g}), a larger mesh, fewer points, or a tuple of noise"
            )
        values = _log_sums(points, data.weights, delta, fine)
        for axis, (new, old) in enumerate(zip(coarse, fine, strict=True)):
            kernel = _convolution(new, old, first, mesh)
            values = np.moveaxis(np.tensordot(kernel, values, axes=(1, axis)), 0, axis)
        for name, part in zip(
            ("data", "noise_level", "smoothing", "mesh", "axes", "values", "center"),
            (data, delta, s, mesh, tuple(coarse), values, center),
            strict=True,
        ):
            object.__setattr__(self, name, part)

    def __repr__(self) -> str:
        return f"PopulationScore({self.data!r}, noise_level={self.noise_level}, smoothing={self.smoothing})"

    @property
    def dimension(self) -> int:
        return self.data.dimension

    @property
    def is_conservative(self) -> bool:
        return True

    def __call__(self, x):
        x = validate.points(x, "x", dimension=self.dimension)
        z = self._inside(x)
        slope = np.stack([self._interpolate(z, _unit(self.dimension, a)) for a in range(self.dimension)], axis=1)
        return (slope - z / self.noise_level**2).astype(x.dtype, copy=False)

    def potential(self, x):
        r"""Return $-V(z) = E\log Z(z + s\epsilon)$."""
        x = validate.points(x, "x", dimension=self.dimension)
        z = self._inside(x)
        value = self._interpolate(z, (0,) * self.dimension) - self._quadratic((z**2).sum(1))
        return value.astype(x.dtype, copy=False)

    def jacobian(self, x):
        x = validate.points(x, "x", dimension=self.dimension)
        z, d = self._inside(x), self.dimension
        hessian = np.empty((len(z), d, d))
        for a in range(d):
            for b in range(d):
                orders = tuple(np.add(_unit(d, a), _unit(d, b)))
                hessian[:, a, b] = self._interpolate(z, orders) - (a == b) / self.noise_level**2
        return hessian.astype(x.dtype, copy=False)

    def potential_on(self, *axes) -> np.ndarray:
        """Return the potential on the product of d sorted axes: products of matrices instead of one window a point."""
        axes = [validate.real_array(axis, "axes").astype(np.float64, copy=False) for axis in axes]
        shifted = [axis - c for axis, c in zip(axes, self.center, strict=True)]
        last, value = self.smoothing * np.sqrt(_LAST), self.values
        for k, (new, old) in enumerate(zip(shifted, self.axes, strict=True)):
            self._check(new, k)
            kernel = _convolution(new, old, last, last / _PER_WIDTH)
            value = np.moveaxis(np.tensordot(kernel, value, axes=(1, k)), 0, k)
        square = sum(np.square(axis).reshape([-1 if i == k else 1 for i in range(len(shifted))])
                     for k, axis in enumerate(shifted))  # fmt: skip
        return value - self._quadratic(square)

    def _quadratic(self, square):
        return (square + self.dimension * self.smoothing**2) / (2 * self.noise_level**2)

    def _inside(self, x):
        z = x.astype(np.float64) - self.center
        for k in range(self.dimension):
            self._check(z[:, k], k)
        return z

    def _check(self, z, k):
        last, axis = self.smoothing * np.sqrt(_LAST), self.axes[k]
        margin = _REACH * last
        if z.min() < axis[0] + margin or z.max() > axis[-1] - margin:
            raise InputError(
                f"coordinate {k} of x must lie within {axis[0] + margin + self.center[k]:.6g} and "
                f"{axis[-1] - margin + self.center[k]:.6g}, nine standard deviations around the data; "
                "use a tuple of noise for points beyond"
            )

    def _interpolate(self, z, orders):
        """Derivative of the given order along each axis of the second convolution, (n,)."""
        last = self.smoothing * np.sqrt(_LAST)
        spacing = last / _PER_WIDTH
        half = int(np.ceil(_REACH * _PER_WIDTH))
        offsets = np.arange(-half, half + 1)
        result = np.empty(len(z))
        width = rows_within(len(offsets) ** self.dimension)
        for start in range(0, len(z), width):
            part = z[start : start + width]
            weights, index = [], []
            for k in range(self.dimension):
                nearest = np.rint((part[:, k] - self.axes[k][0]) / spacing).astype(np.int64)
                chosen = np.clip(nearest[:, None] + offsets, 0, len(self.axes[k]) - 1)
                index.append(chosen)
                weights.append(_gaussian(part[:, k, None] - self.axes[k][chosen], last, spacing, order=orders[k]))
            if self.dimension == 1:
                window = self.values[index[0]]
                base = window[:, half, None]
                value = np.einsum("nj,nj->n", weights[0], window - base)
            else:
                window = self.values[index[0][:, :, None], index[1][:, None, :]]
                base = window[:, half, half]
                value = np.einsum("nj,njk,nk->n", weights[0], window - base[:, None, None], weights[1], optimize=True)
            # Derivatives of the kernel sum to zero: without the middle value nothing large cancels.
            if not any(orders):
                value = value + base.reshape(-1)
            result[start : start + width] = value
        return result


def _unit(dimension, axis):
    return tuple(int(k == axis) for k in range(dimension))


def _convolution(new, old, width, spacing):
    """`_gaussian` of all gaps between two sorted axes, (len(new), len(old)).

    Only where it is not zero: on a fine lattice that is a narrow band, and numbers too small for a normal float are
    slow to make.
    """
    kernel = np.zeros((len(new), len(old)))
    ends = np.searchsorted(old, [new - _VANISHED * width, new + _VANISHED * width])
    for row, at, low, high in zip(kernel, new, *ends, strict=True):
        row[low:high] = _gaussian(at - old[low:high], width, spacing)
    return kernel


def _gaussian(gap, width, spacing, order=0):
    """Trapezoid weights of a normal density of standard deviation `width`, or of its derivative in `gap`."""
    scaled = gap / width
    weight = np.exp(-0.5 * scaled**2) * (spacing / (width * np.sqrt(2 * np.pi)))
    if order == 1:
        weight *= -scaled / width
    elif order == 2:
        weight *= (scaled**2 - 1) / width**2
    return weight


def _default_mesh(points, delta, s):
    """Kinks between two data points a gap apart have width delta^2/gap, and the pole of f is pi times that away."""
    if points.shape[1] == 1:
        gap = np.diff(np.sort(points[:, 0])).max(initial=0.0)
        share = 0.5
    else:
        # In the plane only the extent bounds which points compete; the aliasing error at 2 widths is about 1e-7.
        gap = np.ptp(points, axis=0).max()
        share = 2.0
    return min(s / 3, share * delta**2 / max(gap, delta))


def _log_sums(points, weights, delta, axes):
    """f on the lattice."""
    offset = np.log(weights) - (points**2).sum(1) / (2 * delta**2)
    rate = points / delta**2
    if len(axes) == 1:
        return _log_sum_exp(np.outer(axes[0], rate[:, 0]) + offset)
    # Within a tile no two terms change places by more than e^300, so that the sum is a product of two matrices.
    half = 150.0 / max(np.ptp(rate, axis=0).max(), 1e-300)
    tiles = [np.array_split(axis, int(np.ceil((axis[-1] - axis[0]) / (2 * half))) or 1) for axis in axes]
    rows = []
    for first in tiles[0]:
        row = []
        for second in tiles[1]:
            middle = np.array([first[[0, -1]].mean(), second[[0, -1]].mean()])
            at_middle = rate @ middle + offset
            largest = int(at_middle.argmax())
            relative = rate - rate[largest]
            left = np.exp(np.outer(first - middle[0], relative[:, 0]))
            right = np.exp(np.outer(relative[:, 1], second - middle[1]) + (at_middle - at_middle[largest])[:, None])
            slope = rate[largest]
            linear = (first - middle[0])[:, None] * slope[0] + (second - middle[1]) * slope[1]
            row.append(np.log(left @ right) + linear + at_middle[largest])
        rows.append(np.concatenate(row, axis=1))
    return np.concatenate(rows)


def _log_sum_exp(terms):
    largest = terms.max(1, keepdims=True)
    np.subtract(terms, largest, out=terms)
    return np.log(np.exp(terms, out=terms).sum(1)) + largest[:, 0]
