"""The moments of the kernel posterior, and the one place where the measure chooses the engine that computes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np

from unifiedscore.errors import InputError, NumericalError
from unifiedscore.kernels import AbstractKernel
from unifiedscore.measures import GaussianMixture, ReducedMixture, Samples, as_samples
from unifiedscore.posterior.engine import AbstractEngine
from unifiedscore.posterior.mixture_engine import MixtureEngine
from unifiedscore.posterior.pruned import TOLERANCE
from unifiedscore.posterior.records import PosteriorMoments, PosteriorVectors
from unifiedscore.posterior.sample_engine import SampleEngine
from unifiedscore.validate import choice, points, positive, shown

Precision = Literal["auto", "float32", "float64"]

_ENGINES = {Samples: SampleEngine, GaussianMixture: MixtureEngine, ReducedMixture: MixtureEngine}


def engine_of(kernel: AbstractKernel, measure, *, precision: Precision = "auto") -> AbstractEngine:
    """Return the engine for the posterior of a kernel and a measure; an (m, d) array stands for equal samples.

    Raises
    ------
    InputError
        `kernel` is not a kernel, `measure` is neither a measure nor an array, or `precision` is not one.
    """
    measure = as_posterior_measure(kernel, measure)
    choice(precision, "precision", ("auto", "float32", "float64"))
    if isinstance(measure, Samples):
        return SampleEngine(kernel, measure, precision)
    return next(engine for kind, engine in _ENGINES.items() if isinstance(measure, kind))(kernel, measure)


def posterior_moments(
    kernel: AbstractKernel,
    measure,
    x,
    *,
    exclude=None,
    precision: Precision = "auto",
    tolerance: float = TOLERANCE,
) -> PosteriorMoments:
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
    precision : {"auto", "float32", "float64"}
        What tiles of pairs are computed in; sums over tiles are float64. "auto" is float32 where both samples and `x`
        are. Queries for which a bound says that float32 is not good enough are computed in float64 in any case
        (`relative_error` holds whatever was done), and so are populations.
    tolerance : float
        What may be neglected of a sample in at most seven dimensions, in [0, 1): a bound on the part of
        `relative_error` that comes from pairs left out, for every moment and query. Samples are left out where that
        is faster, and the others are then summed in float64; `visited` says how many pairs remained. 0 visits all
        pairs.

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
    engine, x = _at_the_door(kernel, measure, x, precision, tolerance)
    with _range_of_floats():
        return _in_range(engine.moments(x, exclude=exclude), kernel)


def posterior_field(
    kernel: AbstractKernel,
    measure,
    x,
    quantity: str,
    *,
    exclude=None,
    precision: Precision = "auto",
    tolerance: float = TOLERANCE,
) -> np.ndarray:
    """Compute only `quantity`, "mean_shift" or "score", (n, d): the cheap form of `posterior_moments`."""
    engine, x = _at_the_door(kernel, measure, x, precision, tolerance)
    with _range_of_floats():
        return _in_range(engine.field(x, quantity, exclude=exclude), kernel)


def posterior_vectors(
    kernel: AbstractKernel,
    measure,
    x,
    *,
    exclude=None,
    precision: Precision = "auto",
    tolerance: float = TOLERANCE,
) -> PosteriorVectors:
    """Mean shift, score and log Z in one pass: about a third of the cost of all moments of a mixture.

    Use when you need these alone, or all moments are refused because 1/b of the kernel has no decomposition.

    Parameters
    ----------
    kernel, measure, x, exclude, precision, tolerance
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
    engine, x = _at_the_door(kernel, measure, x, precision, tolerance)
    with _range_of_floats():
        return _in_range(engine.vectors(x, exclude=exclude), kernel)


def posterior_jacobian(kernel: AbstractKernel, measure, x) -> np.ndarray:
    r"""Jacobian of the mean shift without differentiation, $J_{ij} = \partial_j V_i$, (n, d, d).

    $J = E_\pi[b\,(y - x)(y - x)^\top] - V s^\top - I = \mathrm{Cov}_\pi(y, b\,(y - x)) - I$: the first term is
    symmetric, so the whole curl is that of $-V s^\top$. For a Gaussian kernel it is the second-order Tweedie identity
    $I + J = \mathrm{Cov}_\pi(y)/\tau^2$.
    """
    engine, x = _at_the_door(kernel, measure, x, "float64")
    if not engine.has_jacobian:
        raise InputError("the Jacobian of a reduced mixture is not a matrix in its coordinates; use the mixture itself")
    with _range_of_floats():
        fields = (_in_range(engine.field(x, name), kernel) for name in ("mean_shift", "score"))
        shift, score = (field.astype(np.float64) for field in fields)
        spread = _in_range(engine.spread(x.astype(np.float64)), kernel)
    jacobian = spread - shift[:, :, None] * score[:, None, :] - np.eye(x.shape[1])
    return jacobian.astype(x.dtype)


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
        names = [
            field.name for field in dataclasses.fields(result) if field.name not in ("effective_samples", "visited")
        ]
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
    if not isinstance(kernel, AbstractKernel):
        raise InputError(f"kernel must be a kernel such as unifiedscore.Laplace(bandwidth=0.5); got {shown(kernel)}")
    return measure if isinstance(measure, tuple(_ENGINES)) else as_samples(measure, name)


def _at_the_door(kernel, measure, x, precision, tolerance: float = TOLERANCE):
    engine = engine_of(kernel, measure, precision=precision)
    if (tolerance := positive(tolerance, "tolerance", allow_zero=True)) >= 1.0:
        raise InputError(f"tolerance must lie in [0, 1); got {shown(tolerance)}")
    if isinstance(engine, SampleEngine):
        engine = dataclasses.replace(engine, tolerance=tolerance)
    return engine, points(x, "x", dimension=engine.measure.dimension)
