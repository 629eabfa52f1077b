"""The manifold of particle systems with mean zero and covariance one."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError

RETRACTIONS = ("polar", "qr")

# Steps of the fourth-order rule along a geodesic: at lengths of 0.3 radians the error is below 1e-9.
_SUBSTEPS = 4


@final
@dataclass(frozen=True, slots=True)
class CenteredStiefel:
    r"""$\mathcal M = \{Y \in R^{P\times d} : \mathbf 1^T Y = 0,\ Y^T Y = P I\}$.

    Use when particles must keep mean zero and covariance one exactly while they move.

    $\sqrt P$ times the Stiefel manifold of d orthonormal vectors in the (P - 1)-dimensional space of zero sums. Every
    method takes leading axes: (..., P, d) arrays are independent systems.

    Parameters
    ----------
    n_particles : int
        P > d. With P = d + 1 the particles are the corners of a rigid simplex, which warns.
    dimension : int
        d.

    Raises
    ------
    InputError
        For P <= d: centred particles then span fewer than d directions, and no covariance but a singular one exists.

    References
    ----------
    Edelman, Arias and Smith 1998, arXiv physics/9806030.

    Examples
    --------
    >>> import numpy as np
    >>> manifold = CenteredStiefel(4, 1)
    >>> y = manifold.sample(np.random.default_rng(0))
    >>> float(manifold.distance(y)) < 1e-15
    True
    """

    n_particles: int
    dimension: int

    def __post_init__(self):
        d = validate.integer(self.dimension, "dimension")
        p = validate.integer(self.n_particles, "n_particles")
        if p <= d:
            raise InputError(
                f"n_particles must exceed the dimension {d}: {p} centred particles span at most {p - 1} directions, so "
                f"that no system has a covariance of rank {d}; use at least {d + 2} particles"
            )
        if p == d + 1:
            warnings.warn(
                f"n_particles = dimension + 1 = {p}: all pairs of particles keep one distance (a rigid simplex), and "
                f"only its orientation is sampled; use at least {d + 2} particles, better {10 * d} or more",
                stacklevel=3,
            )
        object.__setattr__(self, "n_particles", p)
        object.__setattr__(self, "dimension", d)

    def project(self, y: np.ndarray, g: np.ndarray) -> np.ndarray:
        r"""Orthogonal projection on the tangent space, $C[G - Y\,\mathrm{sym}(Y^TG/P)]$, C the centring of rows."""
        y, g = self._read(y, "y"), _centred(self._read(g, "g"))
        inner = _transpose(y) @ g / self.n_particles
        return g - y @ (0.5 * (inner + _transpose(inner)))

    def retract(self, y: np.ndarray, *, method: str = "polar") -> np.ndarray:
        r"""Map a matrix near the manifold onto it.

        "polar": $Y (Y^TY/P)^{-1/2}$ after centring, the nearest point, equivariant under rotations of both sides. "qr":
        $\sqrt P$ times the orthonormal factor with positive diagonal. Twice: the first pass of an ill-conditioned
        matrix (P = d + 1) leaves errors that the second removes. Computed in float64, returned in the dtype of `y`.
        """
        validate.known(method, "retraction method", RETRACTIONS)
        y = self._read(y, "y")
        wide = y.astype(np.float64, copy=False)
        twice = _refined(_polar(wide)) if method == "polar" else _orthonormal(_orthonormal(wide))
        return twice.astype(y.dtype, copy=False)

    def sample(self, rng: np.random.Generator, *, systems: tuple[int, ...] = ()) -> np.ndarray:
        """Uniform systems, (*systems, P, d): a Gaussian matrix, retracted."""
        if not isinstance(systems, tuple | list):
            raise InputError(f"systems must be a tuple of counts such as (4,); got {validate.shown(systems)}")
        systems = tuple(validate.count(n, "systems", entries=self.n_particles * self.dimension) for n in systems)
        return self.retract(validate.generator(rng).standard_normal((*systems, self.n_particles, self.dimension)))

    def distance(self, y: np.ndarray) -> np.ndarray:
        """Largest error of a mean or of an entry of the covariance, for each system."""
        mean, covariance = self.moment_errors(y)
        return np.maximum(mean, covariance)

    def moment_errors(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Largest absolute entry of the mean, and of the covariance minus the identity, for each system."""
        wide = self._read(y, "y").astype(np.float64, copy=False)
        mean = _row_mean(wide)[..., 0, :]
        second = _transpose(wide) @ wide / self.n_particles
        covariance = second - mean[..., :, None] * mean[..., None, :] - np.eye(self.dimension)
        return np.abs(mean).max(-1), np.abs(covariance).max((-2, -1))

    def geodesic(self, y: np.ndarray, velocity: np.ndarray, *carried: np.ndarray) -> tuple[np.ndarray, ...]:
        r"""Follow the geodesic from `y` with tangent `velocity` for unit time; transport tangent vectors along it.

        $\ddot Y = -Y\dot Y^T\dot Y/P$ and $\dot W = -Y\,\mathrm{sym}(\dot Y^TW)/P$ in the metric of the space of
        matrices, by a fourth-order rule; the end point is retracted and the vectors are projected.

        Returns
        -------
        tuple
            End point, then the transported vectors.
        """
        y, velocity = self._read(y, "y"), self._read(velocity, "velocity")
        carried = [self._read(vector, "carried") for vector in carried]
        p, step = self.n_particles, 1.0 / _SUBSTEPS

        def slope(state):
            at, speed, *vectors = state
            turn = _transpose(speed)
            moved = [-at @ _symmetric(turn @ w) / p for w in vectors]
            return [speed, -at @ (turn @ speed) / p, *moved]

        state = [y, velocity, *carried]
        shift = lambda k, scale: [s + scale * v for s, v in zip(state, k, strict=True)]  # noqa: E731
        for _ in range(_SUBSTEPS):
            k1 = slope(state)
            k2 = slope(shift(k1, step / 2))
            k3 = slope(shift(k2, step / 2))
            k4 = slope(shift(k3, step))
            state = [s + step / 6 * (a + 2 * b + 2 * c + e)
                     for s, a, b, c, e in zip(state, k1, k2, k3, k4, strict=True)]  # fmt: skip
        end = self.retract(state[0])
        return end, *(self.project(end, w) for w in state[2:])

    def _read(self, value, name: str) -> np.ndarray:
        """Systems (..., P, d) as a finite real array."""
        fit = (self.n_particles, self.dimension)
        if (
            type(value) is np.ndarray
            and value.shape[-2:] == fit
            and value.dtype in (np.float32, np.float64)
            and value.flags.c_contiguous
            and np.isfinite(value).all()
        ):
            return value  # every step of a chain comes by here
        array = validate.real_array(value, name)
        if array.shape[-2:] != (self.n_particles, self.dimension):
            shape = f"(..., {self.n_particles}, {self.dimension})"
            raise InputError(f"{name} must have shape {shape}; got shape {array.shape}")
        return array


def _row_mean(y):
    """Mean of the rows, (..., 1, d), as a matrix product: numpy sums over a long axis before a short one slowly."""
    return np.full((1, y.shape[-2]), 1.0 / y.shape[-2], dtype=y.dtype) @ y


def _centred(y):
    return y - _row_mean(y)


def _transpose(matrix):
    return np.swapaxes(matrix, -1, -2)


def _symmetric(matrix):
    return 0.5 * (matrix + _transpose(matrix))


def _polar(y):
    y = _centred(y)
    p, d = y.shape[-2:]
    if d == 1:
        return y * (np.sqrt(p) / np.sqrt((y * y).sum(-2, keepdims=True)))
    values, vectors = np.linalg.eigh(_transpose(y) @ y / p)
    # A direction lost to rounding keeps its sign and gets a finite length; the second pass repairs it.
    floor = 1e-150
    root = (vectors / np.sqrt(np.maximum(values, floor))[..., None, :]) @ _transpose(vectors)
    return y @ root


def _refined(y):
    """Second pass: (Y^T Y/P)^(-1/2) to first order, whose error is the square of what the first pass left."""
    y = _centred(y)
    p, d = y.shape[-2:]
    return y @ (1.5 * np.eye(d) - (0.5 / p) * (_transpose(y) @ y))


def _orthonormal(y):
    y = _centred(y)
    q, r = np.linalg.qr(y)
    sign = np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
    return q * (sign * np.sqrt(y.shape[-2]))[..., None, :]
