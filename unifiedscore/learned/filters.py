r"""Gradient flow in a kernel regime as a low-pass filter, and the Gaussian smoothing nearest to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.optimize import minimize_scalar

from unifiedscore import validate
from unifiedscore.errors import InputError


def gradient_flow_gains(spectrum, time: float) -> np.ndarray:
    r"""Return :math:`1 - e^{-u\hat K(k)}`: what gradient flow has learned of each frequency after time u.

    Use when you ask how much of a function a network in the kernel regime has learned by a given time.

    From a zero start, with uniform queries on a circle (or torus) and a translation-invariant tangent kernel, the
    network is :math:`\sum_k(1 - e^{-u\hat K(k)})\hat f_ke^{ikx}`.

    Parameters
    ----------
    spectrum : array
        Fourier coefficients of the kernel, not negative.
    time : float
        u >= 0: learning rate times steps.

    Examples
    --------
    >>> gradient_flow_gains([1.0, 0.25], 1.0).round(6)
    array([0.632121, 0.221199])
    """
    spectrum = validate.real_array(spectrum, "spectrum")
    if (spectrum < 0).any():
        raise InputError(f"the spectrum of a kernel is not negative; its smallest value is {float(spectrum.min())!r}")
    return -np.expm1(-validate.positive(time, "time", allow_zero=True) * spectrum)


@final
@dataclass(frozen=True, slots=True)
class FilterFit:
    """The Gaussian smoothing nearest to a filter.

    Use when you read what `fit_filter` returned.

    Attributes
    ----------
    smoothing : float
        Standard deviation sigma, in the units of the argument of the function.
    share : float
        1 - E|filtered - smoothed|^2 / E|filtered - function|^2.
    """

    smoothing: float
    share: float


def fit_filter(gains, coefficients, frequencies) -> FilterFit:
    r"""Return the :math:`\sigma` whose Gaussian smoothing :math:`e^{-\sigma^2k^2/2}` is nearest to a filter.

    Use when you ask which smoothing a linear filter, such as early-stopped gradient flow, is equivalent to.

    Nearest in mean square over uniform arguments, for the function with the given Fourier coefficients.

    Parameters
    ----------
    gains, coefficients, frequencies : (n,) arrays
        The filter, the coefficients of the function and the frequencies k > 0.

    Examples
    --------
    >>> k = np.arange(1.0, 400.0, 2.0)
    >>> round(fit_filter(np.exp(-0.02 * k**2), 1 / k, k).smoothing, 6)
    0.2
    """
    arrays = {"gains": gains, "coefficients": coefficients, "frequencies": frequencies}
    g, c, k = (validate.real_array(value, name) for name, value in arrays.items())
    if g.ndim != 1 or not g.shape == c.shape == k.shape or g.size == 0:
        raise InputError(
            f"gains, coefficients and frequencies must have one length; got {g.shape}, {c.shape} and {k.shape}"
        )
    if (k <= 0).any():
        raise InputError("frequencies must be positive")

    def error(log_sigma):
        return float(np.sum((c * (g - np.exp(-0.5 * np.exp(2 * log_sigma) * k**2))) ** 2))

    # Bracket on a grid first: the error may have several minima for a filter that is far from Gaussian.
    grid = np.linspace(np.log(1e-3 / k.max()), np.log(10 / k.min()), 200)
    best = int(np.argmin([error(v) for v in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = minimize_scalar(error, bounds=(low, high), method="bounded", options={"xatol": 1e-10})
    unit = float(np.sum((c * (1 - g)) ** 2))
    return FilterFit(float(np.exp(found.x)), 1 - error(found.x) / unit if unit > 0 else float("nan"))
