"""The exponential tilt that gives a law the wanted mean and covariance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.deprecation import renamed
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.fields.base import AbstractField
from unifiedscore.fields.moment_matched.family import MixtureFamily, NodeFamily, minimise_dual, statistic, unpack
from unifiedscore.fields.moment_matched.population_score import PopulationScore
from unifiedscore.fields.score import KernelScore
from unifiedscore.fields.smoothed import Smoothed
from unifiedscore.measures import GaussianMixture, Samples
from unifiedscore.measures.nodes import with_weight

METHODS = ("auto", "closed_form", "quadrature", "samples")

# Beyond nine standard deviations of the wanted covariance a tilted law has less than e^-40 of its mass.
_REACH = 9.0
# Trapezoid nodes per noise level: a Gaussian of that width is integrated to 2 exp(-2 pi^2 16).
_PER_NOISE = 4.0
_MOST_NODES = 4_000_000
# Fewer effective samples than this many per statistic leave the Newton matrix undetermined.
_EFFECTIVE = 3.0


@final
@dataclass(frozen=True, slots=True)
class Tilt:
    r"""The factor $\exp(-\lambda\cdot(z - \mu) - \frac12(z - \mu)^T\Lambda(z - \mu))$, found by `solve_tilt`.

    Use when you read what `solve_tilt` found: the multipliers and how well they fit.

    Attributes
    ----------
    linear : (d,) array
        $\lambda$, for the centred form.
    quadratic : (d, d) symmetric array
        $\Lambda$.
    mean, covariance : (d,), (d, d) arrays
        The moments that the tilted law has.
    log_normalizer : float
        log of the integral of exp(potential) times the factor.
    method : str
        "closed_form", "quadrature" or "samples".
    iterations : int
        Newton steps taken.
    residuals : tuple of floats
        Largest error of mean and second moments, in standard deviations, before each step and at the end.
    error : float
        Largest change of the tilt, in standardised coordinates, on every second node (quadrature), or its largest
        standard error (samples); 0 in closed form.
    effective_samples : float
        1/sum of the squared weights of the samples under the tilted law; inf otherwise.
    """

    linear: np.ndarray
    quadratic: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    log_normalizer: float
    method: str
    iterations: int
    residuals: tuple[float, ...]
    error: float
    effective_samples: float

    @property
    def linear_uncentred(self) -> np.ndarray:
        r"""$\lambda - \Lambda\mu$: the same tilt as $\exp(-\lambda_0\cdot z - \frac12 z^T\Lambda z)$."""
        return self.linear - self.quadratic @ self.mean


@renamed(n_samples="n")
def solve_tilt(
    score: AbstractField,
    *,
    mean=None,
    covariance=None,
    method: str = "auto",
    tolerance: float = 1e-11,
    max_iterations: int = 50,
    mesh: float | None = None,
    n: int = 20_000,
    rng: np.random.Generator | None = None,
) -> Tilt:
    r"""Return the tilt after which the law $\propto e^{\mathrm{potential}}$ has the wanted mean and covariance.

    Use when you need the multipliers for `MomentMatchedTilt`, or want to see how well they fit.

    The minimiser of the strictly convex dual
    $\Phi(\lambda, \Lambda) = \log\int e^{-V - \lambda\cdot z - \frac12 z^T\Lambda z}\,dz + \lambda\cdot\mu +
    \frac12\mathrm{tr}\,\Lambda(\Sigma + \mu\mu^T)$ by damped Newton steps. It exists and is unique for every
    positive definite $\Sigma$. Expectations are under the tilted law itself, never at the data.

    Parameters
    ----------
    score : AbstractField
        $-\nabla V$ with a potential $-V$, such as `SmoothedScore(...)`.
    mean, covariance : (d,), (d, d) arrays, optional
        The wanted moments. By default those of the data plus the noise level, $\bar x$ and $\Sigma_x + \delta^2 I$,
        for a score that is made of data.
    method : str
        "closed_form": an unsmoothed score of data, whose law is a mixture. "quadrature": one or two dimensions.
        "samples": self-normalised importance sampling. "auto": the first of them that applies.
    tolerance : float
        On the largest moment error, in standard deviations. Rounding of the dual allows about 1e-12.
    max_iterations : int
    mesh : float, optional
        Spacing of the quadrature, by default a quarter of the noise level (needed for other scores).
    n : int
        For "samples".
    rng : numpy.random.Generator, optional
        For "samples".

    Returns
    -------
    Tilt

    Raises
    ------
    InputError
        No potential, a covariance that is not positive definite, a method that does not apply.
    NumericalError
        No convergence, or too few effective samples; the message says what to change.

    References
    ----------
    Yao and Paulin 2026, arXiv 2605.14276 (the tilted law; the dual solved here is derived from it).

    Examples
    --------
    >>> import unifiedscore as us
    >>> score = us.SmoothedScore([[-1.2], [0.1], [1.7], [2.0]], 0.3, 1.0, noise="population")
    >>> tilt = us.solve_tilt(score)
    >>> tilt.linear.round(5), tilt.quadratic.round(5)
    (array([-0.64604]), array([[-2.16811]]))
    """
    if not isinstance(score, AbstractField):
        raise InputError(
            f"score must be a field with a potential, such as SmoothedScore(...); got {validate.shown(score)}"
        )
    validate.choice(method, "method", METHODS)
    tolerance = validate.positive(tolerance, "tolerance")
    max_iterations = validate.integer(max_iterations, "max_iterations", low=0)
    n = validate.count(n, "n", entries=score.dimension)
    mesh = None if mesh is None else validate.positive(mesh, "mesh")
    law = _source(score)
    mean, covariance, root = wanted_moments(law, mean, covariance, score.dimension)
    if method == "auto":
        mixture = isinstance(score, KernelScore) and law is not None and isinstance(law[0], Samples)
        method = "closed_form" if mixture else "quadrature" if score.dimension <= 2 else "samples"
    if method == "closed_form":
        families, shift = _mixture(score, law, mean, root)
    elif method == "quadrature":
        families, shift = _grid(score, law, mean, covariance, root, mesh)
    else:
        families, shift = _draws(score, law, mean, root, n, rng)
    d, effective, error = score.dimension, np.inf, 0.0
    family = families[0]
    solution = minimise_dual(family, d, tolerance=tolerance, max_iterations=max_iterations)
    if len(families) > 1:
        coarse = minimise_dual(families[1], d, tolerance=tolerance, max_iterations=max_iterations)
        error = float(np.abs(coarse.theta - solution.theta).max())
    if method == "samples":
        effective, error = _sampling_error(family, solution.theta)
    if isinstance(family, NodeFamily):
        family.refuse_edge(solution.theta)
    linear, matrix = unpack(solution.theta, d)
    inverse = np.linalg.inv(root)
    quadratic = inverse.T @ matrix @ inverse
    return Tilt(
        linear=inverse.T @ linear,
        quadratic=0.5 * (quadratic + quadratic.T),
        mean=mean,
        covariance=covariance,
        log_normalizer=family.log_partition(solution.theta) + shift,
        method=method,
        iterations=solution.iterations,
        residuals=solution.residuals,
        error=error,
        effective_samples=effective,
    )


def _source(score):
    """The law of the data and the noise level behind a score that is made of them, else None."""
    if isinstance(score, PopulationScore):
        return with_weight(score.data), score.noise_level
    if isinstance(score, Smoothed):
        score = score.field
    known = isinstance(score, KernelScore) and score.kernel.constant_weight
    if not known or not isinstance(score.measure, Samples | GaussianMixture):
        return None
    law = score.measure
    return with_weight(law) if isinstance(law, Samples) else law, score.kernel.bandwidth


def wanted_moments(law, mean, covariance, dimension):
    """The mean, the covariance and its Cholesky factor, given or taken from (measure, noise level)."""
    if (mean is None or covariance is None) and law is None:
        raise InputError("mean and covariance are needed for a score that is not made of data by SmoothedScore")
    mean = law[0].mean if mean is None else validate.real_array(mean, "mean").astype(np.float64)
    if covariance is None:
        covariance = law[0].covariance_matrix + law[1] ** 2 * np.eye(dimension)
    given, covariance = covariance, validate.real_array(covariance, "covariance")
    if mean.shape != (dimension,) or covariance.shape != (dimension, dimension):
        raise InputError(
            f"mean and covariance must have shapes ({dimension},) and ({dimension}, {dimension}); "
            f"got {mean.shape} and {covariance.shape}"
        )
    covariance = validate.symmetric(covariance, "covariance", validate.resolution(given, covariance))
    return mean, covariance, cholesky(covariance, "covariance")


def cholesky(matrix, name: str) -> np.ndarray:
    """The lower Cholesky factor of a matrix that must be symmetric and numerically positive definite."""
    if not np.allclose(matrix, matrix.T, rtol=1e-12, atol=1e-12 * np.abs(matrix).max()):
        raise InputError(f"{name} must be symmetric; its asymmetry is {np.abs(matrix - matrix.T).max():.3g}")
    values = np.linalg.eigvalsh(matrix)
    if values[0] <= 1e-13 * max(values[-1], 0.0) or values[-1] <= 0:
        raise InputError(
            f"{name} must be positive definite; its eigenvalues reach from {values[0]:.3g} to {values[-1]:.3g}; "
            "drop the constant directions (whiten(data, floor=...) does) or add noise_level**2 to the diagonal"
        )
    return np.linalg.cholesky(matrix)


def _mixture(score, law, mean, root):
    if law is None or not isinstance(score, KernelScore) or not isinstance(law[0], Samples):
        raise InputError('method="closed_form" needs an unsmoothed score of data; use "quadrature" or "samples"')
    data, delta = law
    inverse = np.linalg.inv(root)
    family = MixtureFamily((data.points - mean) @ inverse.T, np.log(data.weights), root.T @ root / delta**2)
    # The potential is log sum w_i exp(-r^2/2 delta^2): a density times (2 pi delta^2)^(d/2).
    return [family], 0.5 * data.dimension * np.log(2 * np.pi * delta**2)


def _grid(score, law, mean, covariance, root, mesh):
    """Trapezoid rules on a box, and on every second of its nodes."""
    d = score.dimension
    if d > 2:
        raise InputError(f'method="quadrature" needs one or two dimensions; got {d}; use method="samples"')
    if mesh is None and law is None:
        raise InputError("mesh, the spacing of the quadrature, is needed for a score that is not made of data")
    mesh = law[1] / _PER_NOISE if mesh is None else validate.positive(mesh, "mesh")
    spread = np.sqrt(np.diagonal(covariance))
    low, high = mean - _REACH * spread, mean + _REACH * spread
    if law is not None and isinstance(law[0], Samples):
        edge = min(8 * law[1], _REACH * float(spread.min()))
        low, high = np.minimum(low, law[0].points.min(0) - edge), np.maximum(high, law[0].points.max(0) + edge)
    counts = 2 * np.ceil((high - low) / (2 * mesh)).astype(np.int64) + 1
    if np.prod(counts.astype(float)) > _MOST_NODES:
        raise NumericalError(
            f"a quadrature of spacing {mesh:.3g} needs {np.prod(counts.astype(float)):.2g} nodes; give a larger mesh "
            'or use method="samples"'
        )
    axes = [a + mesh * np.arange(n) for a, n in zip(low, counts, strict=True)]
    nodes = np.stack([part.ravel() for part in np.meshgrid(*axes, indexing="ij")], axis=1)
    if isinstance(score, PopulationScore):
        logs = score.potential_on(*axes).ravel()
    else:
        logs = score.potential(nodes)
        if logs is None:
            raise InputError(f"score must have a potential; {type(score).__name__} has none here")
    position = np.stack(np.unravel_index(np.arange(len(nodes)), counts), axis=1)
    edge = ((position == 0) | (position == counts - 1)).any(1)
    features = statistic((nodes - mean) @ np.linalg.inv(root).T)
    logs = logs + d * np.log(mesh)
    half = (position % 2 == 0).all(1)
    fine = NodeFamily(features, logs, edge)
    return [fine, NodeFamily(features[half], logs[half] + d * np.log(2.0), edge[half])], 0.0


def _draws(score, law, mean, root, n, rng):
    """Half of the samples from the Gaussian of the wanted moments, half from the smoothed data."""
    if rng is None:
        raise InputError('method="samples" needs rng, a numpy.random.Generator')
    n = validate.integer(n, "n", low=100)
    rng = validate.generator(rng)
    parts = [GaussianMixture(mean[None], root @ root.T)]
    if law is not None and isinstance(law[0], Samples):
        parts.append(GaussianMixture(law[0].points, law[1] ** 2, law[0].weights))
    x = np.concatenate([part.sample(-(-n // len(parts)), rng) for part in parts])
    proposal = np.stack([part.log_density(x) for part in parts]).astype(np.float64)
    top = proposal.max(0)
    log_q = top + np.log(np.exp(proposal - top).mean(0))
    potential = score.potential(x)
    if potential is None:
        raise InputError(f"score must have a potential; {type(score).__name__} has none here")
    logs = potential - log_q - np.log(len(x))
    family = NodeFamily(statistic((x - mean) @ np.linalg.inv(root).T), logs)
    return [family], 0.0


def _sampling_error(family, theta):
    """Effective samples and the largest standard error of theta: the sandwich of a self-normalised estimate."""
    share = family.probabilities(theta)
    effective = float(1 / (share @ share))
    if effective < _EFFECTIVE * len(theta):
        raise NumericalError(
            f"the tilted law has {effective:.3g} effective samples for {len(theta)} unknowns; use more samples, fewer "
            "dimensions or a larger noise_level; sample_moment_matched needs no tilt"
        )
    mean, hessian = family.moments(theta)
    centred = (family.features - mean) * share[:, None]
    inverse = np.linalg.inv(hessian)
    return effective, float(np.sqrt(np.diagonal(inverse @ (centred.T @ centred) @ inverse).max()))
