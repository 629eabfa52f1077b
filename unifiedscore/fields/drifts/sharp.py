"""The sharp-kernel score, of which every mean shift is a positive multiple."""

from __future__ import annotations

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.fields.difference import Difference, ScoreDifference
from unifiedscore.fields.score import KernelScore
from unifiedscore.kernels import AbstractKernel, SharpKernel
from unifiedscore.posterior import posterior_vectors
from unifiedscore.validate import shown


def sharp_kernel(kernel) -> SharpKernel:
    """Return the sharp kernel, or the error that says why there is none."""
    if not isinstance(kernel, AbstractKernel):
        raise InputError(f"kernel must be a kernel such as unifiedscore.Laplace(bandwidth=0.5); got {shown(kernel)}")
    sharp = kernel.sharp()
    if sharp is None:
        raise InputError(
            f"{kernel!r} has no sharp kernel: the integral of t k(t) diverges (rational quadratic with exponent <= 1) "
            "or is not known; use a larger exponent or another kernel"
        )
    return sharp


def SharpScore(kernel: AbstractKernel, measure) -> KernelScore:
    r"""Return $\nabla \log Z^\#$ with $Z^\#(x) = E_\mu k^\#(x, y)$ and $k^\#(r) = \int_r^\infty t\,k(t)\,dt$.

    Use when you need the gradient to which the mean shift of a kernel is parallel.

    The mean shift of k is $V = \lambda\,\nabla \log Z^\#$ with $\lambda = Z^\#/Z$ (`sharp_scale`): the direction of a
    gradient, times a positive scalar that in general depends on the point.

    Parameters
    ----------
    kernel : AbstractKernel
        With a finite sharp kernel.
    measure : Samples, GaussianMixture, ReducedMixture or (m, d) array

    Returns
    -------
    KernelScore
        Of the sharp kernel; conservative.

    Raises
    ------
    InputError
        The sharp kernel diverges.

    References
    ----------
    Franz et al. 2026, arXiv 2604.06333; Balasubramanian 2026, arXiv 2605.22795.

    Examples
    --------
    >>> import unifiedscore as us
    >>> us.SharpScore(us.Laplace(bandwidth=2.0), us.GaussianMixture([[0.0]], 1.0)).kernel
    Matern(bandwidth=2.0, smoothness=1.5)
    """
    return KernelScore(sharp_kernel(kernel).kernel, measure)


def SharpDrift(kernel: AbstractKernel, *, target, model) -> Difference:
    r"""Return $\nabla \log (Z^\#_p/Z^\#_q)$, the conservative drift of the sharp kernel.

    Use when a drift should give way to a gradient field that is made of the directions of its mean shifts.

    The drift is $\Delta = \lambda_q \nabla\log(Z^\#_p/Z^\#_q) + (\lambda_p - \lambda_q)\nabla\log Z^\#_p$.

    Parameters, errors and references as for `SharpScore`.

    Examples
    --------
    >>> import unifiedscore as us
    >>> p, q = us.GaussianMixture([[0.0]], 1.0), us.GaussianMixture([[0.0]], 4.0)
    >>> us.SharpDrift(us.Gaussian(bandwidth=1.0), target=p, model=q)([[1.0]]).round(12)
    array([[-0.3]])
    """
    sharp = sharp_kernel(kernel).kernel
    return ScoreDifference(sharp, target=target, model=model)


def sharp_scale(kernel: AbstractKernel, measure, x) -> np.ndarray:
    r"""Return $\lambda(x) = Z^\#(x)/Z(x)$, (n,), in squared units of the data.

    Use when you need the scalar between a mean shift and the gradient that it is parallel to.

    Examples
    --------
    >>> import unifiedscore as us
    >>> sharp_scale(us.Gaussian(bandwidth=2.0), us.GaussianMixture([[0.0]], 1.0), [[1.0]]).round(12)
    array([4.])
    """
    sharp = sharp_kernel(kernel)
    top = posterior_vectors(sharp.kernel, measure, x).log_normalizer
    return np.exp(sharp.log_scale + top - posterior_vectors(kernel, measure, x).log_normalizer)
