r"""Rates of the linearised drift flow: what the Fourier transform of a kernel says.

Around a homogeneous background the mode $\xi$ of $q/p - 1$ decays at $\lambda(\xi) = -|\xi|\,\hat K'(|\xi|)$ with
$\hat K = \hat k/\hat k(0)$. For a Gaussian scale mixture both are one-dimensional integrals over s.
"""

from __future__ import annotations

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.kernels.base import AbstractKernel
from unifiedscore.validate import integer, positive, real_array, shown

_NODES = 4000


def normalised_transform(kernel: AbstractKernel, frequency, *, dimension: int) -> np.ndarray:
    r"""Return $\hat K(\xi) = \hat k(\xi)/\hat k(0)$ in `dimension` dimensions, in the shape of `frequency`.

    Use when a statement needs the Fourier transform of a kernel rather than the kernel itself.

    Raises
    ------
    InputError
        The kernel is no Gaussian scale mixture, or not integrable in that dimension.

    Examples
    --------
    >>> import unifiedscore as us
    >>> float(normalised_transform(us.Laplace(bandwidth=1.0), 1.0, dimension=1).round(12))
    0.5
    """
    return _average(kernel, frequency, dimension, lambda u: np.exp(-u))


def mode_rate(kernel: AbstractKernel, frequency, *, dimension: int) -> np.ndarray:
    r"""Return the decay rate $\lambda(\xi) = -|\xi|\,\hat K'(|\xi|)$ of a mode, in the shape of `frequency`.

    Use when you ask how fast a drift at a fixed bandwidth removes an error of a given frequency.

    Gaussian: $\tau^2\xi^2 e^{-\tau^2\xi^2/2}$; Laplace: $(d + 1)\tau^2\xi^2(1 + \tau^2\xi^2)^{-(d+3)/2}$.

    Parameters
    ----------
    kernel : AbstractKernel
        An integrable Gaussian scale mixture.
    frequency : float or array
        $|\xi| \ge 0$, in inverse units of the data.
    dimension : int

    Raises
    ------
    InputError

    References
    ----------
    Turan, Ovsjanikov 2026, arXiv 2603.09936 (Gaussian and Laplace); the general formula is derived here.

    Examples
    --------
    >>> import unifiedscore as us
    >>> float(mode_rate(us.Laplace(bandwidth=1.0), 1.0, dimension=1).round(12))
    0.5
    """
    return _average(kernel, frequency, dimension, lambda u: 2.0 * u * np.exp(-u))


def annealed_attenuation(
    kernel: AbstractKernel, frequency, *, dimension: int, start: float, end: float, rate: float
) -> np.ndarray:
    r"""Return $\int_0^T \lambda\,dt = \frac1r[\hat K(\sigma_T\xi) - \hat K(\sigma_0\xi)]$ while the bandwidth falls.

    Use when you ask how much of a mode is gone after the bandwidth has fallen from one value to another.

    The bandwidth is $\sigma(t) = \sigma_0 e^{-rt}$, from `start` to `end`; the kernel's own one is replaced.

    Examples
    --------
    >>> import unifiedscore as us
    >>> float(annealed_attenuation(us.Gaussian(1.0), 20.0, dimension=1, start=2.0, end=1e-4, rate=0.2).round(6))
    4.99999
    """
    start, end, rate = positive(start, "start"), positive(end, "end"), positive(rate, "rate")
    last, first = (
        normalised_transform(kernel.with_bandwidth(width), frequency, dimension=dimension) for width in (end, start)
    )
    return (last - first) / rate


def _average(kernel, frequency, dimension, function) -> np.ndarray:
    r"""Average of function(xi^2/4s) over the density g(s) s^{-d/2}, normalised."""
    integer(dimension, "dimension")
    xi = real_array(frequency, "frequency").astype(float)
    if (xi < 0).any():
        raise InputError("frequency must be finite and not negative")
    mixture = kernel.scale_mixture() if isinstance(kernel, AbstractKernel) else None
    if mixture is None:
        raise InputError(
            f"kernel must be a Gaussian scale mixture such as unifiedscore.Laplace(1.0); got {shown(kernel)}"
        )
    squared = (xi.reshape(-1, 1) * kernel.bandwidth) ** 2 / 4.0
    parts = [(np.log(mixture.atoms), np.log(mixture.masses) - 0.5 * dimension * np.log(mixture.atoms))]
    if mixture.log_density is not None:
        parts.append(_nodes(kernel, mixture.log_density, dimension))
    v, log_weight = (np.concatenate(part) for part in zip(*parts, strict=True))
    weight = np.exp(log_weight - log_weight.max())
    with np.errstate(over="ignore", invalid="ignore"):
        u = squared * np.exp(-v)
        value = np.where(u < 700.0, function(np.minimum(u, 700.0)), 0.0)
    return (value @ weight / weight.sum()).reshape(xi.shape)


def _nodes(kernel, log_density, dimension) -> tuple[np.ndarray, np.ndarray]:
    """Nodes in v = log s and log-weights of the density g(s) s^{-d/2}, where it is within e^-60 of its peak."""
    v = np.linspace(-300.0, 300.0, 24_001)
    for _ in range(3):
        with np.errstate(over="ignore"):
            log_weight = log_density(v) - 0.5 * dimension * v
        active = np.flatnonzero(log_weight > log_weight.max() - 60.0)
        if active[0] == 0:
            raise InputError(f"{kernel!r} is not integrable in {dimension} dimensions, so its transform is not defined")
        v = np.linspace(v[active[0] - 1], v[min(active[-1] + 1, len(v) - 1)], _NODES + 1)
    with np.errstate(over="ignore"):
        return v, log_density(v) - 0.5 * dimension * v + np.log(v[1] - v[0])
