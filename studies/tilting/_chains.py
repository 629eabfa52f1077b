"""What discretised work identities and Girsanov weights give at a finite step, by recursion over Gaussian chains."""

import numpy as np
from _laws import GAUSSIAN, GAUSSIAN_REWARD

import unifiedscore as us
from unifiedscore.references import GaussianTilt, LinearStep, chain_of_fields, log_expectation
from unifiedscore.samplers import GaussianPath

PATH = GaussianPath([[0.0], [2.0]], (1.0, 0.5))
ANNEALED = PATH.path()


def gaussian_process(schedule):
    return us.TiltedProcess(GAUSSIAN, GAUSSIAN_REWARD, schedule)


def annealing_value(steps, share, *, divergence=1.0, heat=1.0):
    """E exp(-W_h) over Z_1/Z_0 for a share of the exact escort, epsilon = 1; `heat` multiplies the noise alone."""
    slope = ANNEALED.gradient

    def rate(x, t):
        flow = -ANNEALED.time_derivative(x, t)
        if share == 0:
            return flow
        push = np.sum(PATH.escort(x, t) * slope(x, t), axis=1)
        return flow + share * (divergence * PATH.escort_divergence(x, t) - push)

    drift = lambda x, t: (share * PATH.escort(x, t) if share else 0.0) - slope(x, t)
    chain = chain_of_fields(drift, rate, n_steps=steps, diffusivity=heat)
    return np.exp(log_expectation(chain, mean=0.0, variance=1.0)) / 0.5


def tilting_value(process, steps, share, *, divergence=1.0, heat=1.0):
    """E exp(A_h) over Z for a share of the exact correction, epsilon = 1/2; `heat` multiplies the noise alone."""
    tilt, reward, schedule = GaussianTilt(process), process.reward, process.schedule
    mean, variance = float(process.base.mean[0]), float(process.base.variances[0])

    def slope_of(x, t):
        return -(x - mean * schedule.alpha(t)) / schedule.variance(t, variance) + t * reward.gradient(x)

    def drift(x, t):
        push = share * tilt.correction(x, t) if share else 0.0
        return tilt.velocity(x, t) + push + 0.5 * slope_of(x, t)

    def rate(x, t):
        flow = reward.value(x) + t * np.sum(tilt.velocity(x, t) * reward.gradient(x), axis=1)
        if share == 0:
            return flow
        push = np.sum(tilt.correction(x, t) * slope_of(x, t), axis=1)
        return flow + share * (push + divergence * tilt.divergence(x, t))

    chain = chain_of_fields(drift, rate, n_steps=steps, diffusivity=0.5 * heat)
    law = process.base_marginal(0.0)
    log_value = log_expectation(chain, mean=float(law.mean[0]), variance=float(law.variances[0]))
    return np.exp(log_value - process.log_normalizer)


def euler_value(process, times):
    """E exp(r) at the end of the Euler base chain of a Gaussian process, written out from the schedule."""
    chain, v, m = [], float(process.base.variances[0]), float(process.base.mean[0])
    for t, h in zip(times[:-1], np.diff(times), strict=True):
        kappa, gain = process.drift_rates(t)
        variance, alpha = process.schedule.variance(t, v), process.schedule.alpha(t)
        drift = kappa - gain / variance
        chain.append(LinearStep(1 + h * drift, h * gain * alpha * m / variance, h * process.schedule.sigma(t) ** 2))
    law, reward = process.base_marginal(times[0]), process.reward
    terminal = (0.0, float(reward.linear[0]), -reward.quadratic / 2)
    return np.exp(log_expectation(chain, mean=law.mean[0], variance=law.variances[0], terminal=terminal))
