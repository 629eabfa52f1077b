"""How noisy the gradient of a fine-tuning loss is, target by target and parametrisation by parametrisation."""

from __future__ import annotations

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.processes import RegressionTarget, Schedule
from unifiedscore.processes.schedules import read_schedule, read_times

PARAMETRISATIONS = ("score", "noise", "denoiser", "velocity")

# In the log odds of t the nearest zeros of Gamma are pi/2 from the line: 16 nodes on a panel of length 2 err by 1e-17.
_NODES = 16


def output_factor(schedule: Schedule | str, parametrisation: str, t, *, variance: float = 1.0) -> np.ndarray:
    r"""Return :math:`|\partial s/\partial F|`: how much the score moves with the output F of the network.

    Use when you ask how a parametrisation weights the noise of a score target at each time.

    ===============  ================================================================
    score            1
    noise            :math:`1/\beta`
    denoiser         :math:`\alpha/(\beta\sqrt\Gamma)`, preconditioned
    velocity         :math:`1/\eta`
    ===============  ================================================================

    Parameters
    ----------
    schedule : Schedule or str
    parametrisation : {"score", "noise", "denoiser", "velocity"}
    t : float or array
        Times inside (0, 1), where all factors are finite.
    variance : float
        :math:`\nu^2` of the data, :math:`\Gamma = \alpha^2\nu^2 + \beta^2`.

    Examples
    --------
    >>> float(output_factor("rectified_flow", "velocity", 0.75))
    3.0
    """
    schedule = read_schedule(schedule)
    validate.choice(parametrisation, "parametrisation", PARAMETRISATIONS)
    t = read_times(t, after_zero="the factor of the output", before_one="the factor of the output")
    if parametrisation == "score":
        return np.ones_like(t)
    if parametrisation == "velocity":
        return 1 / np.asarray(schedule.eta(t))
    beta = np.sqrt(schedule.beta_squared(t))
    if parametrisation == "noise":
        return 1 / beta
    deviation = np.sqrt(schedule.variance(t, validate.positive(variance, "variance")))
    return np.asarray(schedule.alpha(t)) / (beta * deviation)


def gradient_variance(
    target: RegressionTarget, *, parametrisation: str = "score", cutoff: float, gap: float = 0.0
) -> float:
    r"""Return the variance of the gradient of :math:`\eta|m - T|^2` at t uniform on [cutoff, 1 - cutoff].

    Use when you choose a fine-tuning loss and ask whether its gradient has a finite variance.

    The model is a single parameter on the line, :math:`m = s^* + \theta\,j(t)\,x` with j the `output_factor`, over
    a centred Gaussian p*. With the conditional variance V of the target, :math:`\Gamma^*` the variance of the state,

    .. math:: \mathrm{Var}\,g = E_t[4\eta^2j^2\Gamma^*V + 8\eta^2j^4\theta^2\Gamma^{*2}]
              + \mathrm{Var}_t[2\eta j^2\theta\Gamma^*].

    Parameters
    ----------
    target : RegressionTarget
        Over a Gaussian base on the line with mean 0 and a quadratic reward without a linear part, so that p* is
        centred; conditional, target, novel or adjoint.
    parametrisation : {"score", "noise", "denoiser", "velocity"}
    cutoff : float
        In (0, 1/2). State it with every number: some variances grow without bound as it falls.
    gap : float
        :math:`\theta`: 0 at the optimum.

    Returns
    -------
    float

    Raises
    ------
    InputError
        A target over a law that is not a centred Gaussian on the line, or a cut-off outside (0, 1/2).

    Examples
    --------
    >>> import unifiedscore as us
    >>> from unifiedscore.processes import conditional_target
    >>> process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([0.0], 0.5), "rectified_flow")
    >>> round(gradient_variance(conditional_target(process), cutoff=0.01), 6)
    2.666667
    """
    validate.instance(target, "target", RegressionTarget)
    law, cutoff = target.law, validate.positive(cutoff, "cutoff")
    if law.dimension != 1 or law.n_components != 1 or np.abs(law.mean).max() > 1e-12 * np.sqrt(law.second_moment[0, 0]):
        raise InputError("the gradient variance is a closed form for one centred Gaussian on the line only")
    if cutoff >= 0.5:
        raise InputError(f"cutoff must be below 1/2; got {validate.shown(cutoff)}")
    gap = validate.number(gap, "gap")
    t, w = log_odds_rule(cutoff)
    spread = float(law.covariance_matrix[0, 0])
    gamma = np.asarray(target.schedule.variance(t, spread))
    eta = np.asarray(target.schedule.eta(t))
    factor = output_factor(target.schedule, parametrisation, t, variance=spread)
    slope = np.array([target.coefficients(time)[1] for time in t]) * target.affine[0][0, 0]
    # The data given the state have the variance nu*^2 beta^2 / Gamma*, whatever the state.
    variance = slope**2 * spread * np.asarray(target.schedule.beta_squared(t)) / gamma
    mean = 2 * eta * factor**2 * gap * gamma
    noise = 4 * (eta * factor) ** 2 * gamma * variance + 2 * mean**2
    centre = w @ mean
    return float(w @ noise + w @ (mean - centre) ** 2)


def log_odds_rule(cutoff: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the mean over t uniform on [cutoff, 1 - cutoff], dense where powers of t and 1 - t live."""
    reach = np.log((1 - cutoff) / cutoff)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    panels = max(2, int(np.ceil(reach / 2)))
    edges = np.linspace(-reach, reach, 2 * panels + 1)
    half = np.diff(edges) / 2
    odds = (edges[:-1] + half)[:, None] + half[:, None] * nodes
    t = 1 / (1 + np.exp(-odds))
    w = half[:, None] * weights * t * (1 - t)
    return t.ravel(), w.ravel() / (1 - 2 * cutoff)
