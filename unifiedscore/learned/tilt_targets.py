r"""What the control of a tilted process is regressed on, for batches of states with a time each.

A score target T, whose mean given the state is the score of the tilted law, becomes the target T - s of the control: s
is the score of the base. The formulas are those of `RegressionTarget`, which takes one time and knows conditional
moments.
"""

from __future__ import annotations

import numpy as np

from unifiedscore import validate
from unifiedscore.measures import GaussianMixture, Samples
from unifiedscore.measures.isotropic import log_sum_exp
from unifiedscore.processes import TiltedProcess
from unifiedscore.processes.schedules import Schedule

REGRESSIONS = ("conditional", "target", "novel", "exact")
"""Targets that are functions of the state and the data."""
ADJOINTS = ("lean_adjoint", "full_adjoint", "martingale_adjoint")
"""Targets along paths under the control itself."""
TILT_LOSSES = REGRESSIONS + ADJOINTS


def noisy_score(mixture: GaussianMixture, schedule: Schedule, x: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Score of the law of alpha X_1 + beta X_0 at points (n, d), each at its own time (n,)."""
    alpha, beta = np.asarray(schedule.alpha(t)), np.asarray(schedule.beta_squared(t))
    values, vectors = mixture.spectrum
    with np.errstate(divide="ignore"):
        logs = np.log(mixture.weights)
    terms, slopes = np.empty((len(x), len(logs))), np.empty((len(x), len(logs), x.shape[1]))
    round_ones = mixture.variances is not None
    for m, (c, lam, u) in enumerate(zip(mixture.means, values, vectors, strict=True)):
        gamma = alpha[:, None] ** 2 * lam + beta[:, None]
        z = x - alpha[:, None] * c
        z = z if round_ones else z @ u
        terms[:, m] = logs[m] - 0.5 * np.sum(np.log(gamma) + z**2 / gamma, axis=1)
        slopes[:, m] = -(z / gamma) if round_ones else -(z / gamma) @ u.T
    share = np.exp(terms - log_sum_exp(terms)[:, None])
    return np.einsum("nm,nmd->nd", share, slopes)


def control_target(loss: str, process: TiltedProcess, x, data, t, *, variance: float) -> np.ndarray:
    r"""Target of :math:`c = s^* - s` at states x, from data :math:`X_1`, both (n, d), at times (n,).

    `variance` is that of the reference of the loss "novel".
    """
    schedule, base = process.schedule, process.base
    if loss == "exact":
        return exact_difference(process, x, t)
    alpha, beta = (np.asarray(part)[:, None] for part in (schedule.alpha(t), schedule.beta_squared(t)))
    if loss == "conditional":
        score = -(x - alpha * data) / beta
    else:
        slope = base.score(data) + process.reward.gradient(data)  # of log p*
        if loss == "target":
            score = slope / alpha
        else:
            gamma = alpha**2 * variance + beta
            score = -x / gamma + alpha * variance / gamma * (slope + data / variance)
    return score - noisy_score(base, schedule, x, t)


def exact_difference(process: TiltedProcess, x: np.ndarray, t: np.ndarray) -> np.ndarray:
    """s* - s at states (n, d), each at its own time (n,)."""
    if process.target is not None:
        first, second = (noisy_score(law, process.schedule, x, t) for law in (process.target, process.base))
        return first - second
    found = np.empty_like(x)
    for time in np.unique(t):
        rows = t == time
        found[rows] = process.score_difference(x[rows], float(time))
    return found


def reweighted_base(process: TiltedProcess, n: int, rng: np.random.Generator) -> Samples:
    r"""Return n points of the base, weighted in proportion to exp(reward): samples of the tilted law for any reward.

    Use when you train on the tilted law of a reward that is not quadratic, or as a practitioner would have to.

    Few points carry the weight where the reward is strong: see `effective_sample_size` of the rewards. What is trained
    on them for long learns them by heart.

    Parameters
    ----------
    process : TiltedProcess
    n : int
    rng : numpy.random.Generator

    Examples
    --------
    >>> import unifiedscore as us
    >>> process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([1.0]), "rectified_flow")
    >>> bool(abs(reweighted_base(process, 10_000, np.random.default_rng(0)).mean[0] - 1) < 0.1)
    True
    """
    validate.instance(process, "process", TiltedProcess)
    n, rng = validate.count(n, "n", entries=process.dimension), validate.generator(rng)
    points = process.base.sample(n, rng)
    reward = process.reward.value(points)
    return Samples(points, np.exp(reward - reward.max()))


def base_moments(process: TiltedProcess) -> tuple[np.ndarray, float]:
    """Mean and variance per coordinate of the base."""
    base = process.base
    return base.mean, float(np.trace(base.covariance_matrix)) / base.dimension


def path_times(cutoff: float, n_steps: int) -> np.ndarray:
    """Times of paths from the cut-off to 1, dense near the noise, where the drift is stiff."""
    return cutoff + (1 - cutoff) * np.linspace(0.0, 1.0, n_steps + 1) ** 2
