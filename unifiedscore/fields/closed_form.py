"""Closed-form diffusion: the exact score of a data set at time t, its smoothed version, and the velocity."""

from __future__ import annotations

from unifiedscore.errors import InputError
from unifiedscore.fields.attraction import Attraction
from unifiedscore.fields.barycenter import Barycenter
from unifiedscore.fields.score import KernelScore
from unifiedscore.fields.smoothed import Smoothed
from unifiedscore.kernels import Gaussian
from unifiedscore.keywords import keyword_only
from unifiedscore.measures import GaussianMixture, as_samples
from unifiedscore.validate import positive, shown


def ClosedFormScore(data, time: float) -> KernelScore:
    r"""Return the exact score $s_t = \nabla \log \rho_t = (t\hat x - z)/(1 - t)^2$ of $z = t x + (1 - t)\epsilon$.

    Use when you need the exact score that a diffusion model of a data set would learn at a given time.

    The kernel score of `time * data` with a Gaussian of bandwidth `1 - time`.

    Parameters
    ----------
    data : Samples, GaussianMixture or (m, d) array
        Law of x.
    time : float
        $t \in [0, 1)$; noise at 0, data at 1.

    Raises
    ------
    InputError
        For a time outside [0, 1) or data of the wrong kind.

    References
    ----------
    Scarvelis et al. 2025, arXiv 2310.12395.

    Examples
    --------
    >>> import unifiedscore as us
    >>> us.ClosedFormScore([[-1.0], [0.5], [2.0]], 0.5)([[0.3]]).round(6)
    array([[-0.022963]])
    """
    time = checked_time(time)
    data = _law(data)
    scaled = data.scaled(time) if isinstance(data, GaussianMixture) else type(data)(data.points * time, data.weights)
    return KernelScore(Gaussian(1.0 - time), scaled)


@keyword_only("noise")
def SmoothedClosedFormScore(data, time: float, smoothing: float, *, noise) -> Attraction:
    r"""Return the smoothed score $s_{\sigma,t}(z) = (t\hat x_\sigma(z) - z)/(1 - t)^2$.

    Use when samples should generalise beyond the data: only the barycenter is smoothed, not the centre.

    It smooths the barycenter and keeps the centre z. The mean of M scores differs from it by
    $\sigma\bar\epsilon/(1 - t)^2$, so `Smoothed(ClosedFormScore(data, t), ...)` is equal only for $\bar\epsilon = 0$.

    Parameters
    ----------
    data, time
        As for `ClosedFormScore`.
    smoothing : float
        $\sigma \ge 0$, in the units of the data.
    noise : (M, d) array, "population" or Noise
        As for `Smoothed`.

    References
    ----------
    Scarvelis et al. 2025, arXiv 2310.12395, section 4.

    Examples
    --------
    >>> import unifiedscore as us
    >>> us.SmoothedClosedFormScore([[-1.0], [0.5], [2.0]], 0.5, 0.4, noise=[[-1.0], [0.5]])([[0.3]]).round(6)
    array([[-0.363112]])
    """
    time = checked_time(time)
    return Attraction(smoothed_barycenter(data, time, smoothing, noise=noise), scale=time, rate=(1.0 - time) ** -2)


@keyword_only("noise")
def ClosedFormVelocity(data, time: float, smoothing: float = 0.0, *, noise=None) -> Attraction:
    r"""Return the velocity $v_t(z) = (\hat x_\sigma(z) - z)/(1 - t)$, which has no singularity at $t = 0$.

    Use when you integrate the flow from noise to data and need a field that is finite at time 0.

    Equal to $(z + (1 - t) s_{\sigma,t}(z))/t$ for $t > 0$; at $t = 0$ it is $\bar x - z$ exactly.

    Parameters
    ----------
    data, time, smoothing, noise
        As for `SmoothedClosedFormScore`; `noise` is needed where `smoothing` is not 0.

    References
    ----------
    Scarvelis et al. 2025, arXiv 2310.12395.

    Examples
    --------
    >>> import unifiedscore as us
    >>> us.ClosedFormVelocity([[-1.0], [0.5], [2.0]], 0.5)([[0.3]]).round(6)
    array([[0.577037]])
    """
    time = checked_time(time)
    return Attraction(smoothed_barycenter(data, time, smoothing, noise=noise), scale=1.0, rate=1.0 / (1.0 - time))


def smoothed_barycenter(data, time: float, smoothing: float, *, noise) -> Barycenter | Smoothed:
    r"""Return $\hat x_\sigma(\cdot, t)$: the barycenter itself where nothing is smoothed."""
    center = Barycenter(Gaussian(1.0 - time), _law(data), scale=time)
    if positive(smoothing, "smoothing", allow_zero=True) == 0.0:
        return center
    if noise is None:
        raise InputError('noise must be an (M, d) array or "population" where smoothing is not 0')
    return Smoothed(center, smoothing, noise=noise)


def checked_time(time, name: str = "time") -> float:
    """Return `time` as a float in [0, 1)."""
    value = positive(time, name, allow_zero=True)
    if value >= 1.0:
        raise InputError(f"{name} must lie in [0, 1): the kernel bandwidth is 1 - {name}; got {shown(value)}")
    return value


def _law(data):
    return data if isinstance(data, GaussianMixture) else as_samples(data)
