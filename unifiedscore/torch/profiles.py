"""Kernels on tensors: log k, b and its derivative from squared distances, one function per kind of kernel.

The tiles of the sample engine are compiled for the processor; these are the same two functions in torch operations.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property, singledispatch

import numpy as np
import torch

from unifiedscore.kernels import AbstractKernel, Gaussian, Laplace, Matern, RationalQuadratic, StudentT
from unifiedscore.kernels.matern_tiles import LEFT, SIZE, STEP


class AbstractProfile(ABC):
    r"""A radial kernel as functions of $q = r^2$, a tensor of any shape, dtype and device.

    Use when a kernel of your own should run on a device: write its profile and register it with `profile_of`.

    Laws
    ----
    * `log_kernel(q)` is $\log k$, that of `kernel.log_profile(r)`.
    * `weight(q)` is b, that of `1 / kernel.inverse_weight(r)`; 0 where b diverges (r = 0) or the kernel is zero.
    * `slope(q)` is $\partial b/\partial q$, with 0 where `weight` is.
    """

    @abstractmethod
    def log_kernel(self, q: torch.Tensor) -> torch.Tensor:
        r"""Return $\log k$, a new tensor of the shape of `q`."""

    @abstractmethod
    def weight(self, q: torch.Tensor) -> torch.Tensor | float:
        """Return b, a new tensor of the shape of `q`, or a number where it is constant."""

    @abstractmethod
    def slope(self, q: torch.Tensor) -> torch.Tensor | float:
        r"""Return $\partial b/\partial q$, a new tensor of the shape of `q`, or the number 0."""


@dataclass(frozen=True)
class _Gaussian(AbstractProfile):
    bandwidth: float

    def log_kernel(self, q):
        return q * (-0.5 / self.bandwidth**2)

    def weight(self, q):
        return 1.0 / self.bandwidth**2

    def slope(self, q):
        return 0.0


@dataclass(frozen=True)
class _Laplace(AbstractProfile):
    bandwidth: float

    def log_kernel(self, q):
        return q.sqrt().mul_(-1.0 / self.bandwidth)

    def weight(self, q):
        return _where_apart(q, q.rsqrt().mul_(1.0 / self.bandwidth))

    def slope(self, q):
        return _where_resolved(q, self.bandwidth, self.weight(q).div_(q).mul_(-0.5))


@dataclass(frozen=True)
class _Rational(AbstractProfile):
    """(1 + q/c^2)^(-beta)."""

    scale: float
    exponent: float

    def log_kernel(self, q):
        return (q / self.scale**2).log1p_().mul_(-self.exponent)

    def weight(self, q):
        return 2.0 * self.exponent / (q + self.scale**2)

    def slope(self, q):
        return -2.0 * self.exponent / (q + self.scale**2).square_()


@dataclass(frozen=True)
class _AbstractMatern(AbstractProfile):
    """What all smoothnesses share: the derivative of w = 1/b follows from that of the Bessel functions."""

    bandwidth: float
    smoothness: float

    def slope(self, q):
        # z w' = w^2 - 2 (nu - 1) w - z^2 for unit bandwidth, so that d log b/dq = -(w - 2 (nu - 1) - z^2/w) / 2 z^2.
        z2, b = q / self.bandwidth**2, self.weight(q) * self.bandwidth**2
        w = torch.where(b > 0, 1.0 / b, 0.0)
        relative = (w - 2.0 * (self.smoothness - 1.0) - z2 * b).div_(z2).mul_(-0.5)
        return _where_resolved(q, self.bandwidth, relative.mul_(b).div_(self.bandwidth**4))


@dataclass(frozen=True)
class _HalfMatern(_AbstractMatern):
    r"""Smoothness n + 1/2, upwards from the Laplace kernel: $w_{\nu+1} = 2\nu + z^2/w_\nu$, $w_{3/2} = 1 + z$."""

    def _inverse(self, q):
        """The inverse weights of unit bandwidth w at 3/2, 5/2, ... up to the smoothness, and z."""
        z2 = q / self.bandwidth**2
        z = z2.sqrt()
        steps, w = [], 1.0 + z
        for k in range(1, int(self.smoothness + 0.5)):
            steps.append(w)
            w = (2.0 * k + 1.0) + z2 / w
        return z, steps

    def log_kernel(self, q):
        z, steps = self._inverse(q)
        # k_{nu + 1} = k_nu w_{nu + 1} / 2 nu
        log_k = -z
        if steps:
            log_k += z.log1p()
        for k, before in enumerate(steps[:-1], start=2):
            log_k += (q / self.bandwidth**2 / before).div_(2.0 * k - 1.0).log1p_()
        return log_k

    def weight(self, q):
        _, steps = self._inverse(q)
        return 1.0 / (steps[-1] * self.bandwidth**2)


@dataclass(frozen=True)
class _TableMatern(_AbstractMatern):
    """Any smoothness, from the table of the compiled tile: slope, offset, then log k + z and log(1/b) in log z."""

    table: tuple

    @cached_property
    def _columns(self):
        return {}

    def _interpolated(self, q, which: int):
        """Both tables are powers of z beyond their ends; returns z, the value and where q is left of the table."""
        numbers = self.table[0]
        key = (q.dtype, q.device, which)
        if key not in self._columns:
            column = numbers[2 + which * SIZE : 2 + (which + 1) * SIZE]
            self._columns[key] = torch.as_tensor(column, dtype=q.dtype, device=q.device)
        column = self._columns[key]
        z = q.sqrt() / self.bandwidth
        # In single precision the place in the table keeps its digits only as a step from log z = 0.
        place = z.clamp_min(torch.finfo(q.dtype).tiny).log_().div_(STEP)
        first = round(-LEFT / STEP)
        whole = place.floor().clamp_(3 - first, SIZE - 5 - first)
        at, base = place - whole + 3.0, whole.long() + (first - 3)
        beyond = (at - 7.0).clamp_min(0.0)
        at = at - beyond
        value = torch.zeros_like(q)
        for a in range(8):
            basis = torch.ones_like(q)
            for c in range(8):
                if c != a:
                    basis *= (at - c) / (a - c)
            value += basis * column[base + a]
        return z, value + beyond * (column[-1] - column[-2]), place < 3 - first

    def log_kernel(self, q):
        z, value, left = self._interpolated(q, 0)
        return torch.where(left, torch.zeros_like(z), value - z)

    def weight(self, q):
        z, value, left = self._interpolated(q, 1)
        slope, offset = self.table[0][:2]
        # b follows a power of z there, which may be that of a constant.
        near = torch.exp(offset - slope * z.log()) if slope else torch.full_like(z, float(np.exp(offset)))
        b = torch.where(left, near, torch.exp(-value)).div_(self.bandwidth**2)
        return _where_apart(q, b) if slope else b


@dataclass(frozen=True)
class _Foreign(AbstractProfile):
    """A kernel of a user, by its own NumPy functions: right on every device, and slow beyond the processor."""

    kernel: AbstractKernel

    def _call(self, function, q):
        r = q.detach().to("cpu", torch.float64).sqrt().numpy()
        with np.errstate(all="ignore"):
            value = function(r)
        return torch.as_tensor(np.asarray(value, dtype=np.float64)).to(q.device, q.dtype)

    def log_kernel(self, q):
        return self._call(self.kernel.log_profile, q)

    def weight(self, q):
        return self._call(lambda r: self._held(r, 1.0 / np.real(self.kernel.inverse_weight(r))), q)

    def slope(self, q):
        # The inverse weight is analytic, so that a step along the imaginary axis differentiates it without rounding.
        def derivative(r):
            step = 1e-20 * self.kernel.bandwidth
            inverse = self.kernel.inverse_weight(r.astype(complex) + 1j * step)
            return self._held(r, -np.imag(inverse) / step / np.real(inverse) ** 2 / (2.0 * r))

        return self._call(derivative, q)

    def _held(self, r, value):
        return np.where((r > 0) & (r < self.kernel.support * self.kernel.bandwidth), value, 0.0)


def _where_apart(q, value):
    """The value where q > 0, and 0 at coincident points, which have no direction."""
    return torch.where(q > 0, value, torch.zeros_like(value))


def _where_resolved(q, bandwidth, value):
    """The value where the inverse of q is a number: what it is multiplied by is smaller than q."""
    return torch.where(q > 1e8 * torch.finfo(q.dtype).tiny * bandwidth**2, value, torch.zeros_like(value))


@singledispatch
def profile_of(kernel: AbstractKernel) -> AbstractProfile:
    """Return the profile of a kernel on tensors.

    Use when you write sums over a kernel on tensors yourself; register a kernel of your own with
    `profile_of.register(MyKernel)` if its NumPy functions are too slow for your device.

    Examples
    --------
    >>> import torch, unifiedscore as us
    >>> profile_of(us.Laplace(bandwidth=2.0)).log_kernel(torch.tensor([4.0]))
    tensor([-1.])
    """
    return _Foreign(kernel)


profile_of.register(Gaussian, lambda kernel: _Gaussian(kernel.bandwidth))
profile_of.register(Laplace, lambda kernel: _Laplace(kernel.bandwidth))
profile_of.register(RationalQuadratic, lambda kernel: _Rational(kernel.bandwidth, kernel.exponent))
profile_of.register(
    StudentT, lambda kernel: _Rational(float(kernel.bandwidth * np.sqrt(kernel.degrees)), kernel.exponent)
)


@profile_of.register
def _(kernel: Matern) -> AbstractProfile:
    twice = 2.0 * kernel.smoothness
    if kernel.smoothness == 0.5:
        return _Laplace(kernel.bandwidth)
    if twice == int(twice) and twice % 2 == 1 and kernel.smoothness <= 10.5:
        return _HalfMatern(kernel.bandwidth, kernel.smoothness)
    return _TableMatern(kernel.bandwidth, kernel.smoothness, (kernel.compiled_tile()[1][1:],))
