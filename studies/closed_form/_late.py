"""The smoothed flow on the line up to a late start, and Gronwall's bounds on what smoothing has moved by then.

In y = z/(1-t) and r = t/(1-t) the flow is dy/dr = E m(y + s e), s = sigma (1+r), with the barycenter m(y) of weights
proportional to exp(r x y - r^2 x^2/2): nothing is singular, and the unsmoothed law is a mixture of N(r x, 1).
"""

import math

import numpy as np
from scipy.special import ndtr, ndtri

ABSOLUTE = math.sqrt(2 / math.pi)
"""E|e| of a standard normal e."""


def posterior(places, y, r):
    """Weights of the places at each y, along the first axis: sums over few entries are slow along the last one."""
    column = places.reshape(-1, *(1,) * y.ndim)
    logs = r * column * (y - r / 2 * column)
    logs -= logs.max(0)
    pi = np.exp(logs, out=logs)
    pi /= pi.sum(0)
    return pi


def barycenter(places, y, r):
    return np.tensordot(places, posterior(places, y, r), 1)


def variance(places, y, r):
    pi = posterior(places, y, r)
    return (pi * (places[:, None] - places @ pi) ** 2).sum(0)


def smoothed(places, r, s):
    """The function y -> E m(y + s e) at one time, by a trapezoidal rule whose step the poles of m decide.

    The poles lie at a distance of pi/(r R) from the real line. A wide Gaussian is integrated by parts: m' is a few
    bumps, and what it is multiplied by is a normal distribution function.
    """
    sharp = r * float(np.ptp(places))
    if sharp * s < 4:
        count = 2 * math.ceil(5.5 / min(0.7, 1.4 / max(sharp * s, 1e-9))) + 1
        e = np.linspace(-5.5, 5.5, count)
        weights = np.exp(-(e**2) / 2)
        weights /= weights.sum()
        return lambda y: barycenter(places, y[:, None] + s * e, r) @ weights
    ordered = np.sort(places)
    ends = [r * (ordered[k] + ordered[k + 1]) / 2 + sign * 14 / (r * (ordered[k + 1] - ordered[k]))
            for k, sign in ((0, -1), (-2, 1))]  # fmt: skip
    u = np.linspace(*ends, math.ceil((ends[1] - ends[0]) * sharp / 1.2) + 1)
    slopes = r * variance(places, u, r) * (u[1] - u[0])
    return lambda y: ordered[0] + ndtr((y[:, None] - u) / s) @ slopes


def given(places, r, s, noise):
    """The same for noise that all paths share."""
    return lambda y: barycenter(places, y[:, None] + s * noise, r).mean(-1)


def fields(places, sigma, time, steps, noise=None):
    """The fields of a Runge-Kutta scheme with steps of equal size in r, half a step apart, and the step."""
    h = time / (1 - time) / steps
    times = 0.5 * h * np.arange(2 * steps + 1)
    if noise is None:
        return [smoothed(places, r, sigma * (1 + r)) for r in times], h
    return [given(places, r, sigma * (1 + r), noise) for r in times], h


def flow(fields, h, y):
    """States y = z/(1-t) after all steps; with the fields reversed and -h, where the states y came from."""
    for first, middle, last in zip(fields[:-1:2], fields[1::2], fields[2::2], strict=True):
        k1 = first(y)
        k2 = middle(y + h / 2 * k1)
        k3 = middle(y + h / 2 * k2)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + last(y + h * k3))
    return y


def ranks(places, r, y):
    """The starts that the unsmoothed flow, which keeps the order, takes to y: those of the mixture of N(r x, 1)."""
    below, above = (ndtr(sign * (y[:, None] - r * places)).mean(1) for sign in (1, -1))
    # Of the nearer tail, so that nothing cancels.
    return np.where(below < above, ndtri(below), -ndtri(above))


def quantiles(places, r, starts):
    """The inverse of `ranks`, by halving."""
    low, high = starts + r * places.min(), starts + r * places.max()
    for _ in range(50):
        middle = (low + high) / 2
        beyond = ranks(places, r, middle) > starts
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return (low + high) / 2


def pairs(places, time, scheme, h, y):
    """Starts, and how far apart both flows take them.

    Either flow pulls starts near a border far apart. So half of the starts are those that the unsmoothed flow spreads
    over `y`, and half are those that the smoothed one does.
    """
    r = time / (1 - time)
    first, second = flow(scheme[::-1], -h, y), ranks(places, r, y)
    gaps = y - quantiles(places, r, first), flow(scheme, h, second) - y
    return np.array([first, second]), (1 - time) * np.array(gaps)


def root_mean_square(starts, gaps):
    """Over the law of the starts; the gap is taken to be linear between two of them."""
    order = np.argsort(starts, axis=None, kind="stable")
    starts, gaps = starts.ravel()[order], gaps.ravel()[order]
    squares = (gaps[1:] ** 2 + gaps[1:] * gaps[:-1] + gaps[:-1] ** 2) / 3
    return math.sqrt(float(np.diff(ndtr(starts)) @ squares))


def distance(places, sigma, time, noise=None, steps=16, count=63):
    """W2 at T, and its error by half as many starts, and by half as many steps as well.

    On the line both flows keep the order of their starts, so that equal starts are coupled.
    """
    r, reach = time / (1 - time), 5.5
    y = np.linspace(r * places.min() - reach, r * places.max() + reach, count)
    scheme, h = fields(places, sigma, time, steps, noise)
    starts, gaps = pairs(places, time, scheme, h, y)
    fine, fewer = root_mean_square(starts, gaps), root_mean_square(starts[:, ::2], gaps[:, ::2])
    coarse = root_mean_square(*pairs(places, time, scheme[::2], 2 * h, y[::2]))
    return fine, abs(fine - fewer) + abs(fewer - coarse)


def bounds(diameter, size, time):
    """Gronwall's bound on W2 at T as a logarithm, and the same integral without exp(P(T) - P(s)); size is sigma E|e|.

    The fields differ by min(R, size s R^2 / 4 (1-s)^2)/(1-s) at most and grow by P' = s R^2 / 4 (1-s)^3 - 1/(1-s).
    """
    s = np.linspace(0.0, time, 4001)
    source = np.minimum(diameter, size * s * diameter**2 / (4 * (1 - s) ** 2)) / (1 - s)
    primitive = diameter**2 * (2 * s - 1) / (8 * (1 - s) ** 2) + np.log(1 - s)
    top = float(primitive.min())
    grown = float(np.trapezoid(source * np.exp(top - primitive), s))
    return math.log(grown) + float(primitive[-1]) - top, float(np.trapezoid(source, s))
