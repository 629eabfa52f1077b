r"""The losses in use, in one currency: weights of the squared error of the denoiser over the log of the noise level."""

from __future__ import annotations

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError

LOSSES = ("flow_matching", "kl", "edm", "noise_prediction", "log_uniform")

_EDM_WIDTH, _EDM_MEAN, _EDM_SCALE = 1.2, -1.2, 0.5


def loss_weight(loss: str, level, *, scale: float = 1.0) -> np.ndarray:
    r"""Weight :math:`\omega(h)` of a training loss written as :math:`\int\omega(h)\,E|D_\theta - y|^2\,d\log h`.

    Use when you compare what two training losses ask of a denoiser at each noise level.

    ====================  =====================================================================================
    loss                  weight
    ====================  =====================================================================================
    flow_matching         :math:`1/h`; the velocity, t uniform
    kl                    :math:`1/h^2`; the score weighted with the diffusivity
    edm                   :math:`\frac{h^2 + \varsigma^2}{h^2\varsigma^2} N(\log h; P, 1.2^2)`
    noise_prediction      :math:`\frac2\pi\frac1{h(1 + h^2)}`; cosine schedule, t uniform
    log_uniform           :math:`\frac{h^2 + \varsigma^2}{h^2\varsigma^2}`
    ====================  =====================================================================================

    The centre of `edm` follows the data, :math:`P = -1.2 + \log(\varsigma/0.5)`: the published -1.2 belongs to
    :math:`\varsigma = 0.5`.

    Parameters
    ----------
    loss : {"flow_matching", "kl", "edm", "noise_prediction", "log_uniform"}
    level : float or array
        Noise levels h > 0, in the units of the data.
    scale : float
        :math:`\varsigma`, as in `Preconditioning`; only `edm` and `log_uniform` depend on it.

    Returns
    -------
    array of the shape of `level`

    Raises
    ------
    InputError
        An unknown loss, or a level that is not positive.

    References
    ----------
    Karras et al. 2022, arXiv 2206.00364.

    Examples
    --------
    >>> [float(loss_weight(name, 0.5).round(6)) for name in LOSSES]
    [2.0, 4.0, 1.642349, 1.018592, 5.0]
    """
    validate.choice(loss, "loss", LOSSES)
    h, scale = validate.real_array(level, "level").astype(np.float64), validate.positive(scale, "scale")
    if (h <= 0).any():
        raise InputError(f"level must be positive; the smallest is {float(h.min())!r}")
    if loss == "flow_matching":
        return 1 / h
    if loss == "kl":
        return h**-2
    if loss == "noise_prediction":
        return 2 / np.pi / (h * (1 + h**2))
    weight = (h**2 + scale**2) / (h * scale) ** 2
    if loss == "log_uniform":
        return weight
    gap = (np.log(h) - _EDM_MEAN - np.log(scale / _EDM_SCALE)) / _EDM_WIDTH
    return weight * np.exp(-0.5 * gap**2) / (_EDM_WIDTH * np.sqrt(2 * np.pi))
