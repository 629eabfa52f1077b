"""Synthetic data of 16 seeds with known truth, given to a test as a study would give them."""

import math

import numpy as np

from unifiedscore.study import Inside, Limit, Rate

SEEDS = 16
POINTS = {"long": 4.0 ** np.arange(2, 11), "short": 2.0 ** np.arange(3, 9)}
NOISE_SIZE = {"inside": 1.0, "inside_log": 1.0, "rate": 0.3, "limit": 1.0}
WIDTH = {"inside": 2.6, "inside_log": 2.6, "rate": 0.15, "limit": 1.4, "rate_numbers": 0.1, "limit_numbers": 0.1}
SIZES = ("1_to_3", "3_to_10", "10_to_30")
"""Of a correction, in standard deviations of one seed at the first x: half a decade each, every third trial."""
STRETCH = {("rate", "short"): 3.7, ("limit", "short"): 1.6}  # of the width: the statistic is so much noisier there
TRUTH = {"inside": 0.0, "inside_log": 0.0, "rate": -1.0, "limit": 2.0}
SHAPES = {
    "half_order": lambda x: x**-0.5,
    "declared_order": lambda x: 1 / x,
    "double_order": lambda x: x**-2.0,
    "logarithmic": lambda x: 1 / np.log(x),
}


def build(test, low, high):
    """The test itself, with this region."""
    kind = test.removesuffix("_numbers")
    if kind in ("inside", "inside_log"):
        return Inside(low, high) if kind == "inside" else Inside(math.exp(low), math.exp(high), of="geometric_mean")
    # The noise has mean zero in the logarithm: the exponent is that of the geometric mean.
    return Rate(low, high, along="x", of="geometric_mean") if kind == "rate" else Limit(low, high, along="x", order=1)


def draw_noise(noise, shape, x, rng):
    """Centred noise of unit size (trial, x, seed); x is one point where a test has none."""
    if noise == "t5":
        return rng.standard_t(5, size=shape) / math.sqrt(5 / 3)
    if noise == "lognormal":
        return (rng.lognormal(size=shape) - math.exp(0.5)) / math.sqrt((math.e - 1) * math.e)
    if noise == "paired":  # two estimators on the same draws: what they share is ten times larger than what they do not
        common = 10 * rng.lognormal(size=shape)
        first, second = (common + rng.lognormal(size=shape) for _ in range(2))
        return first - second
    normal = rng.normal(size=shape)
    if noise == "heteroscedastic":  # over the seeds, or along x
        return normal * (np.linspace(0.1, 1.9, SEEDS) if x is None else np.linspace(0.2, 2.0, x.size)[:, None])
    if noise == "shared":  # the points of one seed move together: a common level and slope
        level, slope = rng.normal(size=(2, shape[0], 1, SEEDS))
        return level + slope * np.log(x)[:, None] / 6 + 0.17 * normal
    return normal


def draw(test, noise, correction, x, trials, rng):
    """Data with the statistic's true value TRUTH[test] (trial, x, seed), in logarithms where the test takes them."""
    shape = (trials, 1 if test.startswith("inside") else x.size, SEEDS)
    if test == "inside_log":
        return np.log(rng.lognormal(size=shape))
    y = NOISE_SIZE[test] * draw_noise(noise, shape, None if shape[1] == 1 else x, rng)
    if test == "rate":
        y += -np.log(x)[:, None]
    if test == "limit":
        y += TRUTH[test] + (5 / x[:, None] if correction == "none" else 0)
    if correction != "none":  # at the first x between 1 and 30 standard deviations of one seed, of either sign
        decades = (np.arange(trials) % len(SIZES) + rng.uniform(size=trials)) / 2
        size = rng.choice([-1, 1], size=trials) * 10**decades * NOISE_SIZE[test]
        y += size[:, None, None] * shape_of(correction, x)[:, None]
    return y


def shape_of(correction, x):
    return SHAPES[correction](x) / SHAPES[correction](x[0])


def fit_weights(test, x):
    """The statistic of one seed is these weights (x,) times its values."""
    if test.startswith("inside"):
        return np.ones(1)
    if test == "rate":
        u = np.log(x) - np.log(x).mean()
        return u / (u @ u)
    w = x[0] / x - (x[0] / x).mean()
    return 1 / x.size - (x[0] / x).mean() * w / (w @ w)


def regions(test, sign, x):
    """Region with the truth on its lower (sign +1) or upper (-1) end, and one that the truth is just outside of."""
    width = WIDTH[test] * STRETCH.get((test, "short" if x is POINTS["short"] else "long"), 1.0)
    ends = sorted((TRUTH[test], TRUTH[test] + sign * width))
    shift = sign * 1e-9 * width
    return tuple(ends), (ends[0] + shift, ends[1] + shift)
