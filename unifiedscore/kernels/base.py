"""What every radial kernel obeys, and how its Gaussian scale mixture is described."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.validate import array, real_array, shown

Tile = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], None]


@dataclass(frozen=True, slots=True)
class ScaleMixture:
    r"""A unit-bandwidth profile as a mixture of Gaussians, $k(r) = \int e^{-s r^2} g(s)\,ds + \sum_i w_i e^{-s_i r^2}$.

    Use when your own kernel is a mixture of Gaussians and should have exact population values.

    Parameters
    ----------
    log_density : callable or None
        `log_density(v)` returns $\log(s\,g(s))$ at $s = e^v$, the density in $v = \log s$, for an array of any shape.
        None for a mixture of nodes alone. It may have several peaks; a peak narrower than 0.01 in v is a node.
    atom : float, sequence of floats or None
        The node $s_0$ of a single Gaussian (1/2 for bandwidth 1), or the nodes $s_i$ of a sum of several.
    weights : sequence of floats or None
        Masses $w_i > 0$ of the nodes; with the integral of g they add up to k(0) = 1. A single node has mass 1 unless
        it is given.

    Raises
    ------
    InputError
        Nodes or masses that are not positive, or not as many of one as of the other.

    Examples
    --------
    The mean of two Gaussian kernels of bandwidths 1 and 3:

    >>> ScaleMixture(atom=(0.5, 0.5 / 9), weights=(0.5, 0.5)).atoms.round(3)
    array([0.5  , 0.056])
    """

    log_density: Callable[[np.ndarray], np.ndarray] | None = None
    atom: float | Sequence[float] | None = None
    weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        # Tuples: neither a change of the caller's array nor another kind of array changes the mixture.
        for name in ("atom", "weights"):
            if (given := getattr(self, name)) is not None:
                object.__setattr__(self, name, tuple(real_array(given, name).astype(float).ravel().tolist()))
        nodes, masses = self.atoms, self.masses
        if nodes.ndim != 1 or nodes.shape != masses.shape or not (nodes > 0).all() or not (masses > 0).all():
            raise InputError(
                "atom and weights must hold as many positive nodes as positive masses; "
                f"got {shown(self.atom)} and {self.weights!r}"
            )
        if self.log_density is None and len(nodes) == 0:
            raise InputError("a scale mixture needs a log_density, an atom or both")

    @property
    def atoms(self) -> np.ndarray:
        """The nodes, (k,): empty for a density alone."""
        return np.array(self.atom or (), dtype=np.float64)

    @property
    def masses(self) -> np.ndarray:
        """The masses of the nodes, (k,)."""
        return np.ones(len(self.atoms[:1])) if self.weights is None else np.array(self.weights, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class SharpKernel:
    r"""The sharp kernel $k^\#(r) = \int_r^\infty t\,k(t)\,dt$ as a kernel of this package times a constant.

    Use when your own kernel knows its sharp kernel in closed form and `AbstractKernel.sharp` should return it.

    Parameters
    ----------
    kernel : AbstractKernel
        $k^\#/k^\#(0)$.
    log_scale : float
        $\log k^\#(0)$, in log squared units of the data.
    """

    kernel: AbstractKernel
    log_scale: float


class AbstractKernel(ABC):
    r"""A radial kernel $k(x, y) = e^{-\varphi(\lVert x - y \rVert)}$ with $k(0) = 1$ and one length scale.

    Use when you add a radial kernel of your own: derive from it and let `check_kernel` test the laws.

    Laws
    ----
    * `bandwidth` is a length: $k_\tau(r) = k_1(r/\tau)$.
    * `log_profile` is finite for $r <$ `support` $\tau$ and $-\infty$ from there on (nowhere, unless declared).
    * `inverse_weight(r)` equals $1/b(r) = r/\varphi'(r)$, the derivative of the *same* profile as `log_profile`.
    * The compiled tile computes the same two functions from squared distances.
    * `scale_mixture()`, if not None, integrates to the unit-bandwidth profile.
    * `sharp()`, if not None, has the derivative $-r\,k(r)$ in r.

    `unifiedscore.testing.check_kernel` checks all of them. A new kernel is one frozen dataclass with these methods.
    """

    __slots__ = ()
    name: ClassVar[str]
    constant_weight: ClassVar[bool] = False
    """True if b is constant, which holds for the Gaussian alone: V is then a multiple of the score."""
    bandwidth: float

    @property
    def support(self) -> float:
        """Distance from which on k is zero, in units of the bandwidth; infinite by default.

        A compact kernel (Epanechnikov, Wendland: 1.0) declares it as `support: ClassVar[float] = 1.0`. Such a kernel is
        not a mixture of Gaussians, and a query without any sample within the support is refused.
        """
        return math.inf

    @property
    def rounding(self) -> float:
        """Error of the tile's log k and log b, in units of eps, beyond their own rounding: that of a table."""
        return 0.0

    @property
    def inverse_slope(self) -> float | None:
        """The c of an inverse weight c r, None for any other. Law: 1/b is c times the distance, exactly (Laplace)."""
        return None

    @abstractmethod
    def log_profile(self, r: np.ndarray) -> np.ndarray:
        r"""Return $\log k(r) = -\varphi(r)$ for distances `r` of any shape. Law: 0 at r = 0, never increasing."""

    @abstractmethod
    def inverse_weight(self, r: np.ndarray) -> np.ndarray:
        r"""Return $1/b(r) = r/\varphi'(r)$.

        Law: positive for r > 0 within the support; accepts complex r with $\mathrm{Re}\,r \ge 0$, of which it is an
        analytic function near the real axis (values at imaginary r carry the preconditioner of a population).
        """

    @abstractmethod
    def compiled_tile(self) -> tuple[Tile, np.ndarray]:
        """Return `(function, parameters)`, the compiled form used by the sample engine.

        Law: `function(squared, parameters, log_kernel, weight)` fills `log_kernel` with log k and, unless `weight` has
        no rows, `weight` with b, for an (a, b) array of squared distances; where b diverges (r = 0) it stores 0. The
        three arrays are all float32 or all float64, the parameters float64. Numbers of float32 tiles are rounded once
        or a few times, and no more: where a formula cancels it computes in float64, as it does by itself with these
        parameters; what is exact to a rounding takes them as `squared.dtype.type(...)`, which is faster.
        `function` is `@njit(cache=True, nogil=True, error_model="numpy")` and takes no other function.
        """

    @abstractmethod
    def scale_mixture(self) -> ScaleMixture | None:
        """Return the Gaussian scale mixture of the unit-bandwidth profile, or None where there is none.

        Law: with a mixture, population values against a `GaussianMixture` need no sampling.
        """

    def sharp(self) -> SharpKernel | None:
        r"""Return the sharp kernel $k^\#$, or None where it diverges or is not known.

        Law: $\partial_r k^\# = -r k$, so that $1/b$ of the sharp kernel is $k^\#/k$ and the mean shift of k is
        $(Z^\#/Z)\,\nabla \log Z^\#$ exactly.
        """
        return None

    def inverse_weight_density(self, t: np.ndarray) -> np.ndarray:
        r"""Return the Stieltjes density $\sigma(t) = \mathrm{Im}\,w(i\sqrt t)/(\pi t)$ of the unit-bandwidth $w = 1/b$.

        It writes 1/b as a mixture of the simple functions $r^2/(r^2 + t)$, as the scale mixture writes k as one of
        Gaussians. There is nothing to define: the default reads it off `inverse_weight` at complex distances.

        Law: $w(r) = w_0 + w_1 r^2 + r^2 \int_0^\infty \sigma(t)/(r^2 + t)\,dt$ for constants $w_0, w_1$. It turns the
        preconditioner of a population into a one-dimensional integral. Override it where cancellation hurts.
        """
        t = array(t, "t")
        w = np.asarray(self.with_bandwidth(1.0).inverse_weight(1j * np.sqrt(t)), dtype=complex)
        # A real w (rational quadratic) leaves only rounding in the imaginary part.
        imaginary = np.where(np.abs(w.imag) > 1e-13 * np.abs(w), w.imag, 0.0)
        return imaginary / (np.pi * t)

    def with_bandwidth(self, bandwidth: float) -> AbstractKernel:
        """Return the same profile at another bandwidth."""
        from dataclasses import replace

        return replace(self, bandwidth=bandwidth)
