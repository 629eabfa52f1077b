"""Sampling of a denoiser in the units of the data, with and without noise, and what the steps do to a Gaussian."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError

SCHEMES = ("ddim", "heun", "ancestral", "stochastic_heun")
"""Schemes of `sample_denoiser`; those of `NOISY` draw noise in every step but the last."""
NOISY = ("ancestral", "stochastic_heun")


def noise_levels(n_steps: int, *, high: float, low: float) -> np.ndarray:
    """Return `n_steps` levels falling geometrically from `high` to `low`, and 0 behind them.

    Use when you choose the steps of `sample_denoiser`.

    Parameters
    ----------
    n_steps : int
        At least 2: n_steps - 1 geometric steps and the last one, to 0.
    high, low : float
        Noise levels in the units of the data; `low` must lie inside the range of the training, where a network is
        defined.

    Returns
    -------
    (n_steps + 1,) array

    Examples
    --------
    >>> noise_levels(3, high=4.0, low=1.0)
    array([4., 2., 1., 0.])
    """
    n_steps = validate.integer(n_steps, "n_steps", low=2)
    high, low = validate.positive(high, "high"), validate.positive(low, "low")
    if not low < high:
        raise InputError(f"low must be below high; got low = {low:g} and high = {high:g}")
    return np.append(np.geomspace(high, low, n_steps), 0.0)


def sample_denoiser(
    denoiser: Callable, start, *, levels, scheme: str = "heun", rng: np.random.Generator | None = None
) -> np.ndarray:
    r"""Follow a denoiser from the first level to 0, along its probability flow or its reverse-time diffusion.

    Use when you draw samples from a denoiser, learned or not.

    From the level h to h', with :math:`D = D(x, h)`, :math:`D' = D(\hat x, h')` and :math:`\rho = h'/h`:

    ===================  =============================================================================================
    ddim                 :math:`x' = D + \rho(x - D)`: Euler for the flow :math:`dx/dh = (x - D)/h`
    heun                 the slopes of the flow at both ends of the step, averaged
    ancestral            :math:`x' = D + \rho^2(x - D) + h'\sqrt{1 - \rho^2}\,\xi`: the reverse-time diffusion
                         :math:`dx = 2\frac{x - D}h dh + \sqrt{2h}\,dB`, exact where D is constant
    stochastic_heun      ancestral to :math:`\hat x`, then again with (D + D')/2 in the place of D and the same noise
    ===================  =============================================================================================

    The last step, to level 0, returns the denoiser. The bias of ddim and ancestral is of order one in the steps, that
    of the others of order two; `gaussian_sampling_gain` states it: forty steps from 8 to 0.02 shrink a standard
    Gaussian by 3.7 % with ddim, 7.2 % with ancestral and 1.0 % with stochastic_heun, and widen it by 0.3 % with heun.

    The levels of a schedule are :math:`h = \beta/\alpha` at its times: with them, ancestral draws the same law as the
    memoryless diffusion of that schedule, but for the error of the steps. `simulate` has that diffusion by
    Euler-Maruyama, with any other noise, and with a control.

    Parameters
    ----------
    denoiser : callable ((n, d), float) -> (n, d)
        D(x, h) at points x = y + h z in the units of the data.
    start : (n, d) array
        Points at the first level: centred data of variance s^2 start from :math:`N(0, (h^2 + s^2) I)`.
    levels : (K + 1,) array
        Falling noise levels, the last 0; see `noise_levels`.
    scheme : {"ddim", "heun", "ancestral", "stochastic_heun"}
        Both kinds of Heun ask the denoiser twice in every step but the last.
    rng : numpy.random.Generator, optional
        Needed by ancestral and stochastic_heun alone.

    Returns
    -------
    (n, d) array

    Raises
    ------
    InputError
        Levels that do not fall to 0, a scheme with noise without rng, or a denoiser that returns something else than
        finite values of the same shape.

    References
    ----------
    Karras et al. 2022, arXiv 2206.00364, algorithm 1; Song et al. 2021, arXiv 2010.02502, which has ancestral as eta=1;
    Gonzalez et al. 2023, arXiv 2305.14267, for exponential schemes with noise.

    Examples
    --------
    >>> levels = noise_levels(40, high=8.0, low=0.02)
    >>> sample_denoiser(lambda x, h: x / (1 + h**2), [[65**0.5]], levels=levels, scheme="ddim").round(6)
    array([[0.962711]])
    """
    validate.function(denoiser, "denoiser", "(x, h) of the points (n, d) and the noise level", arguments=2)
    x, levels = validate.points(start, "start"), _levels(levels)
    validate.choice(scheme, "scheme", SCHEMES)
    if scheme in NOISY:
        rng = validate.generator(rng)

    def denoised(x, h):
        return validate.answer(denoiser(x, float(h)), "denoiser", x.shape)

    for h, after in pairwise(levels):
        ratio = after / h
        first = denoised(x, h)
        # What is kept of the distance from the denoised point, and the noise that takes the place of the rest.
        kept = ratio**2 if scheme in NOISY else ratio
        noise = after * np.sqrt(1 - ratio**2) * rng.standard_normal(x.shape) if scheme in NOISY and after > 0 else 0.0
        ahead = first + kept * (x - first) + noise
        if after > 0 and scheme == "heun":
            ahead = x + (after - h) * ((x - first) / h + (ahead - denoised(ahead, after)) / after) / 2
        elif after > 0 and scheme == "stochastic_heun":
            mean = (first + denoised(ahead, after)) / 2
            ahead = mean + kept * (x - mean) + noise
        x = ahead.astype(x.dtype, copy=False)
    return x


def gaussian_sampling_gain(levels, *, scale: float = 1.0, scheme: str = "heun") -> float:
    r"""Return the standard deviation, in units of the true one, of a Gaussian sampled with its exact denoiser.

    Use when you want to know the bias of a sampler before you blame a network for it.

    For data :math:`N(0, s^2)` every step is a factor: :math:`1 + (h' - h)a(h)` of ddim and
    :math:`1 + \frac{h' - h}2(a(h) + a(h')(1 + (h' - h)a(h)))` of heun, :math:`a(h) = h/(h^2 + s^2)`. The exact factor
    is :math:`\sqrt{(h'^2 + s^2)/(h^2 + s^2)}`. Those with noise map a variance v to :math:`A^2v + C^2h'^2(1 - \rho^2)`,
    :math:`\rho = h'/h`, :math:`g = s^2/(h^2 + s^2)`: ancestral with :math:`A = \rho^2 + (1 - \rho^2)g` and C = 1,
    stochastic_heun with :math:`\rho^2 + \frac{1 - \rho^2}2(g + g'A)` and :math:`C = 1 + \frac{1 - \rho^2}2g'`.

    Parameters
    ----------
    levels, scheme
        As for `sample_denoiser`.
    scale : float
        Standard deviation s of the data.

    Examples
    --------
    >>> [round(gaussian_sampling_gain(noise_levels(40, high=8.0, low=0.02), scheme=s), 4) for s in SCHEMES]
    [0.9627, 1.0028, 0.9277, 0.9897]
    """
    levels, scale = _levels(levels), validate.positive(scale, "scale")
    validate.choice(scheme, "scheme", SCHEMES)
    if scheme in NOISY:
        return _noisy_gain(levels, scale, scheme)
    rate = levels / (levels**2 + scale**2)
    step = np.diff(levels)
    factor = 1 + step * rate[:-1]
    if scheme == "heun":
        # The last step, to level 0, is DDIM.
        factor[:-1] = 1 + step[:-1] / 2 * (rate[:-2] + rate[1:-1] * factor[:-1])
    return float(np.prod(factor) * np.hypot(levels[0], scale) / scale)


def _noisy_gain(levels: np.ndarray, scale: float, scheme: str) -> float:
    slope = scale**2 / (levels**2 + scale**2)
    variance = levels[0] ** 2 + scale**2
    for (h, after), (g, ahead) in zip(pairwise(levels), pairwise(slope), strict=True):
        kept = (after / h) ** 2
        factor, spread = kept + (1 - kept) * g, 1.0
        if scheme == "stochastic_heun" and after > 0:
            factor = kept + (1 - kept) / 2 * (g + ahead * factor)
            spread += (1 - kept) / 2 * ahead
        variance = factor**2 * variance + spread**2 * after**2 * (1 - kept)
    return float(np.sqrt(variance) / scale)


def _levels(value) -> np.ndarray:
    levels = validate.real_array(value, "levels").astype(np.float64)
    if levels.ndim != 1 or len(levels) < 2 or levels[-1] != 0 or (np.diff(levels) >= 0).any():
        raise InputError("levels must be an array of at least two that falls to 0; see noise_levels")
    return levels
