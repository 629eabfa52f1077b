r"""Exponential families $p_\theta \propto p_0 e^{-\theta\cdot T}$, $T = (y_a, y_a^2/2, y_a y_b)$, and their dual.

All in standardised coordinates $y = L^{-1}(z - \mu)$, in which the wanted mean is 0 and the wanted covariance I.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.errors import NumericalError

# A share of mass on the edge of a grid above this says that the law reaches beyond it.
_EDGE_MASS = 1e-13
_ARMIJO = 1e-4
_HALVINGS = 60


def statistic(y: np.ndarray) -> np.ndarray:
    """T(y) of (n, d) points, (n, d + d(d+1)/2): coordinates, half squares, products of pairs a < b."""
    a, b = np.triu_indices(y.shape[1], 1)
    return np.concatenate([y, 0.5 * y**2, y[:, a] * y[:, b]], axis=1)


def unpack(theta: np.ndarray, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """The linear part (d,) and the symmetric matrix (d, d) of theta."""
    matrix = np.diag(theta[dimension : 2 * dimension])
    a, b = np.triu_indices(dimension, 1)
    matrix[a, b] = matrix[b, a] = theta[2 * dimension :]
    return theta[:dimension], matrix


def pack(linear: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The inverse of `unpack`."""
    return np.concatenate([linear, np.diagonal(matrix), matrix[np.triu_indices(len(linear), 1)]])


def wanted(dimension: int) -> np.ndarray:
    """T of a law with mean 0 and covariance I."""
    return pack(np.zeros(dimension), 0.5 * np.eye(dimension))


class AbstractFamily(ABC):
    r"""Laws
    ----
    * `log_partition(theta)` is $\log\int p_0 e^{-\theta\cdot T}$, convex, +inf where it diverges.
    * `moments(theta)` is its first two derivatives up to sign: $E_\theta T$ and $\mathrm{Cov}_\theta T$.
    """

    __slots__ = ()

    @abstractmethod
    def log_partition(self, theta: np.ndarray) -> float: ...

    @abstractmethod
    def moments(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


@final
@dataclass(frozen=True, slots=True)
class NodeFamily(AbstractFamily):
    """Nodes with log-weights: a quadrature rule, or samples.

    Attributes
    ----------
    features : (n, k) array
        T at the nodes.
    log_weights : (n,) array
    edge : (n,) bool array or None
        Nodes on the edge of a grid, which must hold no mass.
    """

    features: np.ndarray
    log_weights: np.ndarray
    edge: np.ndarray | None = None

    def log_partition(self, theta):
        terms = self.log_weights - self.features @ theta
        largest = terms.max()
        mass = np.exp(terms - largest)
        return float(largest + np.log(mass.sum()))

    def refuse_edge(self, theta):
        """Refuse a tilt whose law reaches the edge of the grid: its dual was that of a truncated law."""
        if self.edge is None:
            return
        share = float(self.probabilities(theta)[self.edge].sum())
        if share > _EDGE_MASS:
            raise NumericalError(
                f"the tilted law has a share {share:.2g} of its mass on the edge of the quadrature box; "
                "the wanted mean or covariance is too far from the data"
            )

    def probabilities(self, theta):
        """Weights of the nodes under the tilted law, (n,)."""
        terms = self.log_weights - self.features @ theta
        mass = np.exp(terms - terms.max())
        return mass / mass.sum()

    def moments(self, theta):
        share = self.probabilities(theta)
        mean = share @ self.features
        centred = self.features - mean
        return mean, centred.T @ (share[:, None] * centred)


@final
@dataclass(frozen=True, slots=True)
class MixtureFamily(AbstractFamily):
    r"""A mixture of $N(y_i, S_0)$: the tilt moves every centre by completing the square, without quadrature."""

    centers: np.ndarray
    log_weights: np.ndarray
    precision: np.ndarray

    def _tilted(self, theta):
        linear, matrix = unpack(theta, self.centers.shape[1])
        precision = self.precision + matrix
        try:
            root = np.linalg.cholesky(precision)
        except np.linalg.LinAlgError:
            return None
        target = self.centers @ self.precision - linear
        solved = np.linalg.solve(root, target.T)
        energy = 0.5 * (solved**2).sum(0) - 0.5 * np.einsum(
            "ma,ab,mb->m", self.centers, self.precision, self.centers, optimize=True
        )
        log_det = np.linalg.slogdet(self.precision)[1]
        logs = self.log_weights + energy + 0.5 * log_det - np.log(np.diagonal(root)).sum()
        covariance = np.linalg.inv(precision)
        return logs, target @ covariance, 0.5 * (covariance + covariance.T)

    def log_partition(self, theta):
        found = self._tilted(theta)
        if found is None:
            return np.inf
        largest = found[0].max()
        return float(largest + np.log(np.exp(found[0] - largest).sum()))

    def moments(self, theta):
        logs, means, cov = self._tilted(theta)
        share = np.exp(logs - logs.max())
        share /= share.sum()
        d = means.shape[1]
        a, b = (np.concatenate([np.arange(d), part]) for part in np.triu_indices(d, 1))
        factor = np.where(a == b, 0.5, 1.0)
        # Within a component E[y_a y_b] = m_a m_b + S_ab; between them the conditional means of T vary.
        features = np.concatenate([means, factor * (means[:, a] * means[:, b] + cov[a, b])], axis=1)
        mean = share @ features
        centred = features - mean
        total = centred.T @ (share[:, None] * centred)
        average, second = share @ means, means.T @ (share[:, None] * means)
        total[:d, :d] += cov
        mixed = factor * (cov[:, a] * average[b] + cov[:, b] * average[a])
        total[:d, d:] += mixed
        total[d:, :d] += mixed.T
        pairs = sum(
            cov[np.ix_(p, q)] * (cov + second)[np.ix_(r, t)] for p, q, r, t in ((a, a, b, b), (a, b, b, a))
        ) + sum(second[np.ix_(p, q)] * cov[np.ix_(r, t)] for p, q, r, t in ((a, a, b, b), (a, b, b, a)))
        total[d:, d:] += np.outer(factor, factor) * pairs
        return mean, total


@dataclass(frozen=True, slots=True)
class DualSolution:
    """Minimiser of the dual, with the sup-norm of its gradient before every step and at the end."""

    theta: np.ndarray
    residuals: tuple[float, ...]

    @property
    def iterations(self) -> int:
        return len(self.residuals) - 1


def minimise_dual(family: AbstractFamily, dimension: int, *, tolerance: float, max_iterations: int) -> DualSolution:
    r"""Minimise $\Phi(\theta) = \log\int p_0 e^{-\theta\cdot T} + \theta\cdot T^*$ by damped Newton steps from 0.

    Gradient $T^* - E_\theta T$, Hessian $\mathrm{Cov}_\theta T$. $\Phi$ is strictly convex and its domain open, so that
    halving a step until it is feasible and Armijo's condition holds converges from anywhere.
    """
    goal = wanted(dimension)
    theta, residuals = np.zeros(len(goal)), []
    value = family.log_partition(theta) + theta @ goal
    while True:
        mean, hessian = family.moments(theta)
        gradient = goal - mean
        residuals.append(float(np.abs(gradient).max()))
        if residuals[-1] <= tolerance:
            return DualSolution(theta, tuple(residuals))
        if len(residuals) > max_iterations:
            raise NumericalError(_advice(residuals, f"{max_iterations} iterations"))
        try:
            direction = -np.linalg.solve(hessian, gradient)
        except np.linalg.LinAlgError:
            raise NumericalError(_advice(residuals, "a singular Hessian")) from None
        slope = gradient @ direction
        step = 1.0
        for _ in range(_HALVINGS):
            trial = theta + step * direction
            new = family.log_partition(trial) + trial @ goal
            # Near the minimum the decrease drowns in the rounding of Phi.
            if new <= value + _ARMIJO * step * slope + 4e-14 * (1 + abs(value)):
                break
            step *= 0.5
        else:
            raise NumericalError(_advice(residuals, "a line search without decrease"))
        theta, value = trial, new


def _advice(residuals, what):
    return (
        f"the tilt did not converge: {what}, moment error {residuals[-1]:.3g} (best {min(residuals):.3g}); ask for a "
        "covariance inside the convex hull of the nodes, use more samples or a finer mesh, or loosen tolerance"
    )
