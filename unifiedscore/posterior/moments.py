"""The kernel posterior: one record of all its moments, one dispatch on the measure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import singledispatch

import numpy as np

from unifiedscore.errors import InputError, NumericalError
from unifiedscore.kernels import AbstractKernel
from unifiedscore.validate import shown


@dataclass(frozen=True, slots=True)
class PosteriorMoments:
    r"""Moments of the kernel posterior $\pi_x(y) = k(x, y)\mu(y)/Z(x)$ at n queries.

    Use when you read what `posterior_moments` returned.

    Attributes
    ----------
    log_normalizer : (n,) array
        $\log Z(x) = \log E_\mu k(x, y)$.
    mean_shift : (n, d) array
        $V = E_\pi[y - x]$, in the units of the data.
    score : (n, d) array
        $s = \nabla \log Z = E_\pi[b(r)(y - x)]$, in inverse units.
    preconditioner : (n,) array
        $\alpha = E_\pi[1/b(r)]$, in squared units.
    mean_distance : (n,) array
        $E_\pi r$, in the units of the data.
    effective_samples : (n,) array
        $1/\sum_i \pi_i^2$; infinite for a population.
    relative_error : (n,) array
        Estimated relative numerical error: of Z itself, of the preconditioner and of the mean distance; of a vector
        relative to the mean length of what it averages ($E_\pi r$ for V, $E_\pi b r$ for the score), since its own
        length may vanish. From two quadrature rules for a population; for a sample a bound on the rounding of the
        log-weights and products. What is below the smallest normal number of float64, such as weights of e^-708,
        counts as zero.
    residual : (n, d) array
        $\delta = V - \alpha s = \mathrm{Cov}_\pi(1/b, b\,(y - x))$, in the units of the data; made when it is read.
    curl_norm : (n,) array
        Frobenius norm of the antisymmetric part of the Jacobian of V; made when it is read.

    References
    ----------
    Lai et al. 2026, arXiv 2603.07514 (preconditioned score plus covariance residual).
    """

    log_normalizer: np.ndarray
    mean_shift: np.ndarray
    score: np.ndarray
    preconditioner: np.ndarray
    mean_distance: np.ndarray
    effective_samples: np.ndarray
    relative_error: np.ndarray

    def __post_init__(self) -> None:
        n = getattr(self.log_normalizer, "shape", ())
        for name in self.__slots__:
            value = getattr(self, name)
            wanted = "(n, d)" if name in ("mean_shift", "score") else "(n,)"
            if not isinstance(value, np.ndarray) or value.ndim != wanted.count(",") + wanted.count("d"):
                raise InputError(f"{name} must be an {wanted} array; got {shown(value)}")
            if value.shape[:1] != n or (value.ndim == 2 and value.shape != self.mean_shift.shape):
                raise InputError(
                    f"{name} must agree with the other moments; got shape {value.shape} for {n[0]} queries"
                )

    @property
    def residual(self) -> np.ndarray:
        r"""Covariance residual $\delta = V - \alpha s = \mathrm{Cov}_\pi(1/b, b\,(y - x))$, (n, d)."""
        return self.mean_shift - self.preconditioner[:, None] * self.score

    @property
    def curl_norm(self) -> np.ndarray:
        r"""Frobenius norm of $\mathrm{antisym}(\nabla V) = -\frac12 (V s^\top - s V^\top)$, (n,).

        Equal to $\lVert V \rVert \lVert s \rVert |\sin\angle(V, s)| / \sqrt 2$; 0 in one dimension.
        """
        return curl_norm(self.mean_shift, self.score)


def curl_norm(mean_shift: np.ndarray, score: np.ndarray) -> np.ndarray:
    r"""Return $\lVert V \rVert\,\lVert s_\perp \rVert/\sqrt 2$ with $s_\perp$ the part of s orthogonal to V.

    The projection is subtracted vector by vector, so that nearly parallel fields keep their digits.
    """
    size = np.linalg.norm(mean_shift, axis=1)
    unit = mean_shift / np.where(size > 0, size, 1.0)[:, None]
    across = score - np.einsum("nd,nd->n", score, unit)[:, None] * unit
    if mean_shift.shape[1] == 1:
        return np.zeros_like(size)
    return size * np.linalg.norm(across, axis=1) / np.sqrt(2.0)


@singledispatch
def _moments(measure, kernel, x, exclude) -> PosteriorMoments:
    raise InputError(f"measure must be Samples, a GaussianMixture or an (n, d) array; got {type(measure).__name__}")


@singledispatch
def _field(measure, kernel, x, quantity, exclude) -> np.ndarray:
    raise InputError(f"measure must be Samples, a GaussianMixture or an (n, d) array; got {type(measure).__name__}")


def posterior_moments(kernel: AbstractKernel, measure, x, *, exclude=None) -> PosteriorMoments:
    r"""Compute all moments of the kernel posterior in one pass.

    Use when you need mean shift, score and preconditioner of the same points, with their numerical errors.

    Parameters
    ----------
    kernel : AbstractKernel
        Radial kernel k.
    measure : Samples, GaussianMixture, ReducedMixture or (m, d) array
        The law $\mu$. Samples are summed in tiles; a mixture is integrated by quadrature, without sampling.
    x : (n, d) array
        Queries.
    exclude : (n,) int array, optional
        For each query the index of one sample to leave out (leave-one-out), -1 for none. Samples only.

    Returns
    -------
    PosteriorMoments
        In the dtype of `x`.

    Raises
    ------
    InputError
        Wrong shapes or types, non-finite values, or an exclusion that leaves a query without samples.
    NumericalError
        The kernel has no Gaussian scale mixture and the measure is a population, or a result leaves float64.

    Examples
    --------
    >>> import numpy as np, unifiedscore as us
    >>> data = np.array([[0.0, 0.0], [2.0, 0.0]])
    >>> us.posterior_moments(us.Gaussian(bandwidth=1.0), data, np.array([[1.0, 0.0]])).mean_shift
    array([[0., 0.]])
    """
    measure, x = _at_the_door(kernel, measure, x)
    with _range_of_floats():
        return _in_range(_moments(measure, kernel, x, exclude), kernel)


def posterior_field(kernel: AbstractKernel, measure, x, quantity: str, *, exclude=None) -> np.ndarray:
    """Compute only `quantity`, "mean_shift" or "score", (n, d): the cheap form of `posterior_moments`."""
    measure, x = _at_the_door(kernel, measure, x)
    with _range_of_floats():
        return _in_range(_field(measure, kernel, x, quantity, exclude), kernel)


@dataclass(frozen=True, slots=True)
class PosteriorVectors:
    """Mean shift and score at n queries, both (n, d), and log Z (n,): the moments without radial averages."""

    mean_shift: np.ndarray
    score: np.ndarray
    log_normalizer: np.ndarray


def posterior_vectors(kernel: AbstractKernel, measure, x, *, exclude=None) -> PosteriorVectors:
    """Mean shift, score and log Z in one pass: about a third of the cost of all moments of a mixture.

    Use when you need these alone, or all moments are refused because 1/b of the kernel has no decomposition.

    Parameters
    ----------
    kernel, measure, x, exclude
        As for `posterior_moments`.

    Returns
    -------
    PosteriorVectors
        `mean_shift` (n, d), `score` (n, d) and `log_normalizer` (n,), in the dtype of `x`.

    Raises
    ------
    InputError, NumericalError
        As `posterior_moments` does.

    Examples
    --------
    >>> import unifiedscore as us
    >>> law = us.GaussianMixture([[0.0, 0.0]], 3.0)
    >>> us.posterior_vectors(us.Gaussian(bandwidth=1.0), law, [[2.0, 0.0]]).mean_shift.round(6)
    array([[-0.5,  0. ]])
    """
    measure, x = _at_the_door(kernel, measure, x)
    with _range_of_floats():
        return _in_range(_vectors(measure, kernel, x, exclude), kernel)


@singledispatch
def _vectors(measure, kernel, x, exclude) -> PosteriorVectors:
    moments = _moments(measure, kernel, x, exclude)
    return PosteriorVectors(moments.mean_shift, moments.score, moments.log_normalizer)


def posterior_jacobian(kernel: AbstractKernel, measure, x) -> np.ndarray:
    r"""Jacobian of the mean shift without differentiation, $J_{ij} = \partial_j V_i$, (n, d, d).

    $J = E_\pi[b\,(y - x)(y - x)^\top] - V s^\top - I = \mathrm{Cov}_\pi(y, b\,(y - x)) - I$: the first term is
    symmetric, so the whole curl is that of $-V s^\top$. For a Gaussian kernel it is the second-order Tweedie identity
    $I + J = \mathrm{Cov}_\pi(y)/\tau^2$.
    """
    from unifiedscore.measures import ReducedMixture

    measure, x = _at_the_door(kernel, measure, x)
    if isinstance(measure, ReducedMixture):
        raise InputError("the Jacobian of a reduced mixture is not a matrix in its coordinates; use the mixture itself")
    shift, score = (posterior_field(kernel, measure, x, name).astype(np.float64) for name in ("mean_shift", "score"))
    with _range_of_floats():
        spread = _in_range(_spread(measure, kernel, x.astype(np.float64)), kernel)
    jacobian = spread - shift[:, :, None] * score[:, None, :] - np.eye(x.shape[1])
    return jacobian.astype(x.dtype)


@singledispatch
def _spread(measure, kernel, x) -> np.ndarray:
    """E_pi[b (y - x)(y - x)^T], (n, d, d)."""
    raise InputError(f"measure must be Samples, a GaussianMixture or an (n, d) array; got {type(measure).__name__}")


@contextmanager
def _range_of_floats() -> Iterator[None]:
    """What leaves the range of float64 on the way shows in the result, which is checked; no warning is needed."""
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            yield
    except (OverflowError, ZeroDivisionError):
        raise NumericalError(
            "the bandwidth leaves the range of float64 when squared; rescale the points and the bandwidth"
        ) from None


def _in_range(result, kernel):
    """The result, or an error where a number left the range of its type. A population has infinitely many samples."""
    values = {"the field": result}
    if not isinstance(result, np.ndarray):
        names = [field.name for field in fields(result) if field.name != "effective_samples"]
        values = {name: getattr(result, name) for name in names}
    for name, value in values.items():
        if not (finite := np.isfinite(value)).all():
            query = int(np.argwhere(~finite)[0, 0])
            raise NumericalError(
                f"{name} at query {query} overflows {value.dtype}: distances or standard deviations, or their ratios "
                f"to the bandwidth {kernel.bandwidth:.3g}, are out of its range; rescale the points or the bandwidth"
            )
    return result


def as_posterior_measure(kernel, measure, name: str = "measure"):
    """Return `measure` as one that the posterior knows, after checking both arguments."""
    from unifiedscore.measures import GaussianMixture, ReducedMixture, as_samples

    if not isinstance(kernel, AbstractKernel):
        raise InputError(f"kernel must be a kernel such as unifiedscore.Laplace(bandwidth=0.5); got {kernel!r}")
    return measure if isinstance(measure, GaussianMixture | ReducedMixture) else as_samples(measure, name)


def _at_the_door(kernel, measure, x):
    from unifiedscore.validate import points

    measure = as_posterior_measure(kernel, measure)
    return measure, points(x, "x", dimension=measure.dimension)
