"""Laws that several studies of tilting share; most have modes of unequal distance, width and mass."""

import numpy as np

import unifiedscore as us

GAUSSIAN = us.GaussianMixture([[0.3]], 1.69)
GAUSSIAN_REWARD = us.QuadraticReward([0.7], 0.5)
SYMMETRIC = us.GaussianMixture([[-1.5], [1.5]], 0.36)
UNEQUAL = us.GaussianMixture([[-0.9], [1.3]], [0.36, 0.5], weights=[0.35, 0.65])
REWARD = us.QuadraticReward([0.8], 0.3)
PLANE = us.GaussianMixture(
    [[-1.0, 0.4], [1.2, -0.3], [0.1, 1.5]],
    np.array([[[0.5, 0.2], [0.2, 0.4]], [[0.3, 0.0], [0.0, 0.7]], [[0.6, -0.1], [-0.1, 0.2]]]),
    weights=[0.5, 0.2, 0.3],
)
PLANE_REWARD = us.QuadraticReward([0.6, -0.4], np.array([[0.5, 0.2], [0.2, -0.3]]))

# Strongly log-concave laws on the line. Two equal widths v are log-concave iff half their distance R has R^2 < v.
LOGCONCAVE = {
    "gaussian": us.GaussianMixture([[0.3]], 1.3),
    "two_modes": us.GaussianMixture([[-0.5], [0.5]], 0.5, weights=[0.3, 0.7]),
    "five_modes": us.GaussianMixture([[-0.9], [-0.4], [0.1], [0.5], [0.8]], 0.8, weights=[0.4, 0.1, 0.15, 0.05, 0.3]),
    "two_widths": us.GaussianMixture([[0.0], [0.2]], [0.5, 1.0], weights=[0.6, 0.4]),
}


def reward_average(process):
    """E r under the tilted law, a closed form for quadratic rewards."""
    second, mean, reward = process.target.second_moment, process.target.mean, process.reward
    return float(reward.linear @ mean - 0.5 * np.sum(reward.quadratic * second))


def divergence(process):
    """KL(p* | p_1) = E_{p*} r - log Z."""
    return reward_average(process) - process.log_normalizer


def score_slopes(law, x):
    """Derivative of the score of a law on the line, by central differences."""
    step = 1e-4
    return (law.score(x + step) - law.score(x - step))[:, 0] / (2 * step)


def convexity(law):
    """The largest mu with -(log p)'' >= mu: what makes a law on the line strongly log-concave."""
    return -float(score_slopes(law, np.linspace(-6, 6, 24001)[:, None]).max())
