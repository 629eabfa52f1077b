"""Bandwidths at which two kernels drift alike: equal mean preconditioners of target and model."""

from __future__ import annotations

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.kernels import AbstractKernel
from unifiedscore.measures import as_samples
from unifiedscore.posterior import posterior_moments


def mean_preconditioner(kernel: AbstractKernel, *, target, model) -> float:
    r"""Return $E_q \bar\alpha$, $\bar\alpha = (\alpha_p + \alpha_q)/2$: the squared bandwidth of the matched Gaussian.

    Use when you ask which Gaussian bandwidth a kernel acts like on given samples.

    A Laplace drift with the posterior distance $\alpha = \tau E_\pi r$ acts like a Gaussian drift of
    $h^2 = E_q \bar\alpha$, with a relative error of order 1/d; where all distances are nearly $\rho$ this is
    $\rho\tau$.

    Parameters
    ----------
    kernel : AbstractKernel
    target : Samples or (m, d) array
    model : Samples or (n, d) array
        Also the queries; a point is left out of its own posterior.

    Examples
    --------
    >>> import numpy as np, unifiedscore as us
    >>> x = np.random.default_rng(0).standard_normal((40, 3))
    >>> round(mean_preconditioner(us.Gaussian(bandwidth=0.5), target=x, model=x), 12)
    0.25
    """
    target, model = as_samples(target, "target"), as_samples(model, "model")
    if model.size < 2:
        raise InputError(f"model must hold two points or more, or none is left beside a query; got {model.size}")
    x = model.points.astype(np.float64)
    # The same array as target and model is a law met by itself: there too the query is left out.
    own = np.arange(model.size)
    positive = posterior_moments(kernel, target, x, exclude=own if np.array_equal(target.points, x) else None)
    negative = posterior_moments(kernel, model, x, exclude=own)
    return float(model.weights @ (0.5 * (positive.preconditioner + negative.preconditioner)))


def matched_kernel(kernel: AbstractKernel, profile: AbstractKernel, *, target, model) -> AbstractKernel:
    r"""Return `profile` at the bandwidth where its mean preconditioner is that of `kernel` on these samples.

    Use when you compare two kernels in a training and want them to reach equally far.

    Solves $E_q \bar\alpha_{profile}(h) = E_q \bar\alpha_{kernel}$ for h: at once for a Gaussian, $h^2 =
    E_q\bar\alpha$; otherwise by bisection in log h to a relative 1e-10, since $\alpha$ grows with the bandwidth.

    Parameters
    ----------
    kernel : AbstractKernel
        At its own bandwidth.
    profile : AbstractKernel
        Of any bandwidth; only its shape counts.
    target, model : Samples or (n, d) array
        As for `mean_preconditioner`.

    Raises
    ------
    InputError
        No bandwidth between 1e-6 and 1e6 times that of `kernel` solves the equation.

    References
    ----------
    Lai et al. 2026, arXiv 2603.07514, eq. 12, for $\rho\tau$; the form with the preconditioner is derived here.

    Examples
    --------
    >>> import numpy as np, unifiedscore as us
    >>> x = np.random.default_rng(0).standard_normal((60, 4))
    >>> laplace = us.Laplace(bandwidth=0.5)
    >>> gaussian = matched_kernel(laplace, us.Gaussian(bandwidth=1.0), target=x, model=x[:30] + 0.1)
    >>> back = matched_kernel(gaussian, laplace, target=x, model=x[:30] + 0.1)
    >>> bool(abs(back.bandwidth - 0.5) < 1e-8)
    True
    """
    goal = mean_preconditioner(kernel, target=target, model=model)
    if profile.constant_weight:
        unit = float(profile.with_bandwidth(1.0).inverse_weight(np.zeros(())))
        return profile.with_bandwidth(float(np.sqrt(goal / unit)))
    from scipy.optimize import brentq

    def gap(log_h):
        return np.log(mean_preconditioner(profile.with_bandwidth(np.exp(log_h)), target=target, model=model) / goal)

    centre = np.log(kernel.bandwidth)
    for reach in np.log([4.0, 64.0, 1e6]):
        low, high = centre - reach, centre + reach
        if gap(low) < 0 < gap(high):
            return profile.with_bandwidth(float(np.exp(brentq(gap, low, high, xtol=1e-11, rtol=1e-12))))
    raise InputError(
        f"no bandwidth of {type(profile).__name__} within a factor 1e6 of {kernel.bandwidth:g} gives the mean "
        f"preconditioner {goal:.4g}; use another bandwidth"
    )
