r"""Exponential averages over linear Gaussian chains without sampling.

:math:`E\exp(\sum_kw_k(x_k))` for quadratic w_k and :math:`x_{k+1} = A_kx_k + B_k + \sqrt{S_k}\xi`: keep
:math:`\exp(-px^2/2 + \varrho x + \chi)` and push it backward. What discretised work identities give at a finite step
size is then a number, free of sampling noise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.deprecation import renamed
from unifiedscore.errors import NumericalError


@final
@dataclass(frozen=True, slots=True)
class LinearStep:
    """One step x -> slope x + shift + sqrt(variance) xi, after a factor exp(w(x)).

    `weight` holds (w_0, w_1, w_2) of w(x) = w_0 + w_1 x + w_2 x^2.
    """

    slope: float
    shift: float
    variance: float
    weight: tuple[float, float, float] = (0.0, 0.0, 0.0)


def log_expectation(
    steps: Iterable[LinearStep],
    *,
    mean: float,
    variance: float,
    terminal: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> float:
    r"""log E exp(sum of weights + terminal(x_K)) with x_0 ~ N(mean, variance).

    Raises
    ------
    NumericalError
        The expectation is infinite.

    Examples
    --------
    >>> log_expectation([LinearStep(1.0, 0.0, 1.0)], mean=0.0, variance=0.0, terminal=(0.0, 1.0, 0.0))
    0.5
    """
    p, rho, chi = -2 * terminal[2], terminal[1], terminal[0]
    for step in reversed(list(steps)):
        p, rho, chi = _push(p, rho, chi, step.slope, step.shift, step.variance)
        w_0, w_1, w_2 = step.weight
        p, rho, chi = p - 2 * w_2, rho + w_1, chi + w_0
    variance = validate.positive(variance, "variance", allow_zero=True)
    return float(_push(p, rho, chi, 0.0, mean, variance)[2])


def _push(p, rho, chi, slope, shift, variance):
    """exp(-p x'^2/2 + rho x' + chi) averaged over x' = slope x + shift + sqrt(variance) xi, as a function of x."""
    growth = 1 + p * variance
    if growth <= 0:
        raise NumericalError("the exponential average is infinite: the weight outgrows the Gaussian tails of a step")
    constant = (-0.5 * p * shift**2 + rho * shift + 0.5 * rho**2 * variance) / growth
    return (
        p * slope**2 / growth,
        (rho * slope - p * slope * shift) / growth,
        chi - 0.5 * np.log(growth) + constant,
    )


@renamed(steps="n_steps")
def chain_of_fields(drift, rate, *, n_steps: int, diffusivity: float) -> list[LinearStep]:
    r"""Steps of :math:`x \leftarrow x + h\,\mathrm{drift} + \sqrt{2\varepsilon h}\xi` with factors exp(h rate).

    Parameters
    ----------
    drift : callable (x (n, 1), t) -> (n, 1), affine in x
    rate : callable (x (n, 1), t) -> (n,), quadratic in x

    Raises
    ------
    NumericalError
        The fields are not affine and quadratic.
    """
    n_steps = validate.integer(n_steps, "n_steps")
    h, x, chain = 1 / n_steps, np.array([[-1.0], [0.0], [1.0], [2.0]]), []
    for k in range(n_steps):
        move, weight = np.ravel(drift(x, k * h)), np.ravel(rate(x, k * h))
        linear = (move[1], (move[2] - move[0]) / 2)
        square = (weight[1], (weight[2] - weight[0]) / 2, (weight[2] + weight[0]) / 2 - weight[1])
        gaps = move[3] - linear[0] - 2 * linear[1], weight[3] - square[0] - 2 * square[1] - 4 * square[2]
        if max(map(abs, gaps)) > 1e-9 * (1 + np.abs(move).max() + np.abs(weight).max()):
            raise NumericalError("the recursion needs a drift that is affine in x and a rate that is quadratic")
        factors = (h * square[0], h * square[1], h * square[2])
        chain.append(LinearStep(1 + h * linear[1], h * linear[0], 2 * diffusivity * h, factors))
    return chain
