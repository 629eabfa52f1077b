r"""What a network predicts, and how a denoiser and the noise follow from it.

All parametrisations in use are linear in the output F of the network. At :math:`x = \alpha y + \beta z`

.. math:: D = a x + b F(x / n, c), \qquad \hat z = p x - q F(x / n, c), \qquad x = \alpha D + \beta\hat z.

Everything else follows: the score :math:`-\hat z/\beta` and the velocity :math:`\alpha' D + \beta'\hat z`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log
from typing import final

from unifiedscore.errors import InputError

PARAMETRISATIONS = ("preconditioned", "plain", "denoiser", "noise", "score", "velocity")
CONVENTIONS = ("ve", "vp", "rectified_flow")


@final
@dataclass(frozen=True, slots=True)
class Linear:
    """The coefficients at one noise level: x/n and the label go in, D = a x + b F and the noise p x - q F come out."""

    input: float
    label: float
    skip: float
    output: float
    noise_skip: float
    noise_output: float


def linear(
    parametrisation: str,
    alpha: float,
    beta: float,
    *,
    convention: str,
    label: Callable | None,
    levels: tuple[float, float],
) -> Linear:
    """Coefficients at alpha and beta, for data of variance 1 per coordinate where the parametrisation asks for one.

    What a network is told about the noise is clipped to the levels in which it was trained; the coefficients are not.
    """
    level = min(max(beta / alpha if alpha > 0 else inf, levels[0]), levels[1])
    if parametrisation in ("preconditioned", "plain"):
        n = (alpha**2 + beta**2) ** 0.5
        seen = _finite(0.25 * log(level) if 0 < level < inf else inf, level)
        if parametrisation == "preconditioned":
            return Linear(n, seen, alpha / n**2, beta / n, beta / n**2, alpha / n)
        return Linear(n, seen, 0.0, 1.0, _inverse(beta, parametrisation), alpha * _inverse(beta, parametrisation))
    n = {"ve": alpha, "vp": (alpha**2 + beta**2) ** 0.5, "rectified_flow": alpha + beta}[convention]
    if n == 0:
        raise InputError("a network of the convention 've' is not defined at infinite noise; take a later time")
    # The state of the network's own convention is x/n, with these weights of data and noise.
    data, noise = alpha / n, beta / n
    seen = _finite(label(level) if label else _time(level) if convention == "rectified_flow" else level, level)
    if parametrisation == "denoiser":
        return Linear(n, seen, 0.0, 1.0, _inverse(beta, parametrisation), alpha * _inverse(beta, parametrisation))
    if parametrisation == "velocity":
        if convention == "vp":  # alpha noise - beta data
            return Linear(n, seen, data / n, -noise, noise / n, -data)
        return Linear(n, seen, 1 / n, noise, 1 / n, data)  # data - noise
    gain = noise if parametrisation == "score" else -1.0  # F is the score or the noise: the noise is -gain F
    inverse = _inverse(alpha, parametrisation)
    return Linear(n, seen, inverse, beta * gain * inverse, 0.0, gain)


def _time(level: float) -> float:
    return 1 / (1 + level)


def _finite(value: float, level: float) -> float:
    if not -inf < value < inf:
        raise InputError(
            f"the network is told {value} of the noise level {level:g}; give the levels between which it was trained, "
            "as in levels=(0.02, 20), or evaluate it inside them"
        )
    return value


def _inverse(weight: float, parametrisation: str) -> float:
    if weight == 0:
        raise InputError(
            f"the parametrisation '{parametrisation}' leaves this quantity open at one end of time, where it would "
            "divide by zero; evaluate it inside"
        )
    return 1 / weight
