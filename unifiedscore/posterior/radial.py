r"""Posterior expectations of radial functions of a scale-mixture kernel, as one-dimensional mixtures.

Let $k(r) = \int e^{-s r^2} g(s)\,ds$ and $h(r) = h_0 + h_1 r^2 + r^2 \int_0^\infty \sigma(t)/(r^2 + t)\,dt$ with
$\sigma \ge 0$ (true of $r$ itself and of $1/b$ for every kernel here). Then, with
$\hat S(a) = \int \sigma(t) e^{-at} dt$,

$$k(r)\,h(r) = h_0 k + h_1 r^2 k + r^2 \int e^{-s r^2} G_h(s)\,ds, \qquad G_h(s) = \int_0^s g(s - a) \hat S(a)\,da,$$

so that $E[k h]$ under a Gaussian needs only $E[e^{-s r^2}]$ and $E[r^2 e^{-s r^2}]$, both elementary. Every integrand
is positive: nothing cancels. $G_h$ is tabulated once per kernel shape, relative to $g$.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from unifiedscore.compiled import njit
from unifiedscore.errors import NumericalError
from unifiedscore.kernels import AbstractKernel

# Lattices in logarithms: a trapezoid rule of step h on a function analytic in a strip of half-width c errs by
# exp(-2 pi c/h). c is pi/2 for Laplace and small Matern, and shrinks like nu^(-2/3) for very smooth ones.
_LOG_T = np.arange(-140.0, 140.0, 0.05)
_LOG_A = np.arange(-135.0, 115.0, 0.25)
_STEP = 1.0 / 32


@dataclass(frozen=True, slots=True)
class MixtureTable:
    r"""The density of G_h over log s on a lattice that is fine around the mode of g and coarse in the tails.

    Left of the mode the ratio to g is smooth (both may vanish like $e^{-1/4s}$), right of it the density itself.
    """

    log_g: object
    center: float
    width: float
    start: float
    log_ratio: np.ndarray
    log_density: np.ndarray

    def __call__(self, v: np.ndarray) -> np.ndarray:
        """Return the log-density at v = log s by local Lagrange interpolation of degree 7."""
        if self.log_g is None:
            return self._read(self.log_density, v)
        left = v < self.center
        value = np.empty_like(v)
        value[left] = self._read(self.log_ratio, v[left]) + self.log_g(v[left])
        value[~left] = self._read(self.log_density, v[~left])
        return value

    def _read(self, table: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Interpolate; beyond the lattice both tables are power laws, straight lines in v."""
        first, last = self.start, self.start + (len(table) - 1) * _STEP
        low, before, high, after = self.center + self.width * np.sinh([first, first + _STEP, last, last - _STEP])
        below, above = (table[1] - table[0]) / (before - low), (table[-1] - table[-2]) / (high - after)
        inside = np.clip(v, low, high)
        at = (np.arcsinh((inside - self.center) / self.width) - self.start) / _STEP
        return _interpolate(table, at) + below * np.minimum(v - low, 0.0) + above * np.maximum(v - high, 0.0)


@dataclass(frozen=True, slots=True)
class RadialTerms:
    """h(0), h_0, h_1 and the mixture G_h; None where the integral term vanishes."""

    at_zero: float
    constant: float
    quadratic: float
    mixture: MixtureTable | None


@njit(cache=True, nogil=True)
def _interpolate_flat(table, at, out):
    """Newton's form of the seventh-degree polynomial through the eight nearest nodes, on integer positions."""
    difference = np.empty(8)
    for i in range(at.shape[0]):
        base = min(max(int(np.floor(at[i])) - 3, 0), table.shape[0] - 8)
        local = at[i] - base
        for a in range(8):
            difference[a] = table[base + a]
        value, product = difference[0], 1.0
        for order in range(1, 8):
            for a in range(8 - order):
                difference[a] = difference[a + 1] - difference[a]
            product *= (local - (order - 1)) / order
            value += product * difference[0]
        out[i] = value


def _interpolate(table: np.ndarray, at: np.ndarray) -> np.ndarray:
    out = np.empty(at.size)
    _interpolate_flat(table, at.ravel(), out)
    return out.reshape(at.shape)


def distance_terms(kernel: AbstractKernel) -> RadialTerms:
    r"""Return the terms of $h(r) = r$: $\sigma(t) = 1/(\pi\sqrt t)$, $\hat S(a) = 1/\sqrt{\pi a}$."""
    return _at_unit(_distance_terms, kernel)


@lru_cache(maxsize=32)
def _distance_terms(kernel: AbstractKernel) -> RadialTerms:
    return RadialTerms(0.0, 0.0, 0.0, _convolve(kernel, lambda log_a: -0.5 * (log_a + np.log(np.pi))))


def inverse_weight_terms(kernel: AbstractKernel) -> RadialTerms:
    """Return the terms of 1/b of the unit-bandwidth kernel.

    Raises
    ------
    NumericalError
        1/b is not of the required form, so that a population preconditioner is not available.
    """
    return _at_unit(_inverse_weight_terms, kernel)


def _at_unit(terms, kernel: AbstractKernel) -> RadialTerms:
    """The terms of the kernel at unit bandwidth; a refusal names the kernel that the caller has."""
    unit = kernel.with_bandwidth(1.0)
    try:
        return terms(unit)
    except NumericalError as error:
        raise NumericalError(str(error).replace(repr(unit), repr(kernel))) from None


@lru_cache(maxsize=32)
def _inverse_weight_terms(kernel: AbstractKernel) -> RadialTerms:
    at_zero = float(kernel.inverse_weight(np.zeros(())))
    if kernel.constant_weight:
        return RadialTerms(at_zero, at_zero, 0.0, None)
    t = np.exp(_LOG_T)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        density = kernel.inverse_weight_density(t) * t * (_LOG_T[1] - _LOG_T[0])
    vanishes = not (np.abs(density) > 0).any()

    def integral(r):
        return (r[:, None] ** 2 * density / (r[:, None] ** 2 + t)).sum(1)

    # The two constants follow from a small and a large distance; the small one also carries the mass of sigma below
    # the lattice, which acts like a constant there.
    ends = np.array([1e-8, 1e8])
    gap = kernel.inverse_weight(ends) - (0.0 if vanishes else integral(ends))
    size = kernel.inverse_weight(ends)
    constant = float(gap[0]) if abs(gap[0]) > 1e-13 * size[0] else 0.0
    remainder = gap[1] - constant
    quadratic = float(remainder / ends[1] ** 2) if abs(remainder) > 1e-9 * size[1] else 0.0
    r = np.logspace(-6, 6, 49)
    rebuilt = constant + quadratic * r**2 + (0.0 if vanishes else integral(r))
    worst = float(np.max(np.abs(rebuilt / kernel.inverse_weight(r) - 1)))
    if not worst < 1e-9 or (density < 0).any():
        raise NumericalError(
            f"1/b of {kernel!r} is not h0 + h1 r^2 + r^2 int sigma(t)/(r^2 + t) dt with sigma >= 0 (largest relative "
            f"difference {worst:.1e}), so its population preconditioner has no quadrature here; implement "
            "inverse_weight for complex r or override inverse_weight_density, or use Samples"
        )
    if vanishes:
        return RadialTerms(at_zero, constant, quadratic, None)
    return RadialTerms(at_zero, constant, quadratic, _convolve(kernel, _laplace_transform(t, density)))


def _laplace_transform(t: np.ndarray, density: np.ndarray):
    r"""Return $\log a \mapsto \log \int \sigma(t) e^{-at} dt$, power laws beyond the lattice."""
    from scipy.interpolate import make_interp_spline

    # The positive sum cannot cancel; the factor e^{a t_0} keeps large a from underflowing.
    a = np.exp(_LOG_A)
    first = int(np.argmax(density > 0))
    values = np.array([np.exp(-rate * (t[first:] - t[first])) @ density[first:] for rate in a])
    log_values = np.log(values) - a * t[first]
    spline = make_interp_spline(_LOG_A, log_values, k=7)
    step = _LOG_A[1] - _LOG_A[0]
    below, above = (log_values[1] - log_values[0]) / step, (log_values[-1] - log_values[-2]) / step

    def transform(log_a):
        inside = spline(np.clip(log_a, _LOG_A[0], _LOG_A[-1]))
        return inside + below * np.minimum(log_a - _LOG_A[0], 0) + above * np.maximum(log_a - _LOG_A[-1], 0)

    return transform


def _mode_and_width(log_g) -> tuple[float, float]:
    """Mode of the mixture density over log s and the standard deviation of its quadratic approximation."""
    v = np.linspace(-60.0, 60.0, 24_001)
    values = log_g(v)
    i = int(np.clip(np.argmax(values), 1, len(v) - 2))
    curvature = (2 * values[i] - values[i - 1] - values[i + 1]) / (v[1] - v[0]) ** 2
    return float(v[i]), float(min(1.0, 1.0 / np.sqrt(max(curvature, 1.0))))


def _convolve(kernel: AbstractKernel, log_transform) -> MixtureTable:
    """Tabulate G_h; for a single Gaussian at s_0 its variable is log(s - s_0) and the transform is the density."""
    from scipy.special import log_expit

    mixture = kernel.scale_mixture()
    log_g = mixture.log_density
    if len(mixture.atoms) + (log_g is not None) > 1:
        raise NumericalError(
            f"the scale mixture of {kernel!r} has several parts, of which population moments of distances are not "
            "tabulated; use Samples, or only the fields and posterior_vectors, which are exact"
        )
    center, width = (0.0, 1.0) if log_g is None else _mode_and_width(log_g)
    reach = np.arcsinh(95.0 / width)
    x = np.arange(-np.ceil(reach / _STEP), np.ceil(reach / _STEP) + 1) * _STEP
    lattice = center + width * np.sinh(x)
    if log_g is None:
        density = log_transform(lattice) + lattice
        return _require_smooth(kernel, MixtureTable(None, center, width, float(x[0]), density, density))
    density = np.empty_like(lattice)
    # A wide g may fall off as slowly as a small power of s - a.
    right = 600.0 if width == 1.0 else 90.0
    for i, v in enumerate(lattice):
        # a = s expit(y), da = s expit(y) expit(-y) dy: both ends, where S(a) and g(s - a) live, are resolved on the
        # logarithmic scale; g(s - a) is its density over the logarithm divided by s - a = s expit(-y). The nodes in y
        # crowd where s - a passes the mode of g, which is narrow for a large exponent.
        past = max(v - center, 0.0)
        peak = max(np.log(np.expm1(past)) if past > 0.0 else -np.inf, 2.0 * np.log(width))
        low, high = min(v, 0.0) - 90.0, max(v, 0.0) + right
        u = np.arange(np.arcsinh((low - peak) / width), np.arcsinh((high - peak) / width), _STEP)
        y = peak + width * np.sinh(u)
        left = log_expit(y)
        values = log_g(np.maximum(v + left - y, -690.0)) + log_transform(v + left) + v + left
        values += np.log(width * np.cosh(u))
        top = values.max()
        density[i] = top + np.log(np.exp(values - top).sum() * _STEP)
    with np.errstate(over="ignore", invalid="ignore"):
        ratio = density - log_g(lattice)
    return _require_smooth(kernel, MixtureTable(log_g, center, width, float(x[0]), ratio, density))


def _require_smooth(kernel, table: MixtureTable) -> MixtureTable:
    """Refuse a table that half of its own nodes do not predict: interpolation would be wrong without notice.

    Degree 7 errs 2^8 times more on every other node: 1e-5 there is 4e-8 here (kernels of this package: below 2e-6).
    """
    nodes = np.arange(len(table.log_density))
    v = table.center + table.width * np.sinh(table.start + _STEP * nodes)
    relevant = table.log_density > table.log_density.max() - 30.0
    for values, side in ((table.log_ratio, v < table.center), (table.log_density, v >= table.center)):
        if table.log_g is None:
            side = nodes >= 0
        odd = nodes[1::2][(relevant & side)[1::2]]
        gap = np.abs(_interpolate(np.ascontiguousarray(values[::2]), odd / 2) - values[odd])
        if not (gap < 1e-5).all():
            raise NumericalError(
                f"the scale mixture of {kernel!r} has a density that is not smooth over log s (it starts or breaks at "
                "some s > 0), so population moments of distances cannot be tabulated; use Samples, or only the fields "
                "and posterior_vectors, which integrate over every peak by itself"
            )
    return table
