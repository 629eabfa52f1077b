"""How far a sequence still has to go: the tail of its changes, under a power or a logarithmic correction."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

SLOWEST_ORDER = 0.1
"""A correction slower than x^-0.1 is not told from one that never vanishes."""

HORIZON = 10.0
"""A sequence that does not settle may go anywhere, so it supports nothing. It refutes only what a straight
continuation would not reach over ten more ranges of log x."""

_LARGEST_STRETCH = 0.9  # of the tail, see `stretched`: 1/2 is a correction 1/log x, 1 is 1/log log x
_FASTEST_ORDER = 8.0


@dataclass(frozen=True, slots=True)
class Tail:
    """What is still to be added to the last value: between `low` and `high`, why in words (empty: nothing to say)."""

    low: float
    high: float
    settled: bool
    words: str = ""
    nearest: float = 0.0
    """What a power correction of the order seen would add."""


def remaining(
    values: np.ndarray, noise: np.ndarray, u: np.ndarray, known: tuple[np.ndarray, float] | None = None
) -> Tail:
    """The tail of a sequence (k,) at positions `u` (k,), |log x| towards the asymptotic end, with errors `noise` (k,).

    A correction x^-p changes the sequence at the rate e^(-p u). The changes give the local order p; its own trend,
    s = d(1/p)/du, tells corrections apart: s = 0 is a power, s = 1/2 is 1/log x, s = 1 is 1/log log x. The tail is
    that of a geometric series, change q / (1 - q) with q = e^(-p step), stretched by 1 / (1 - s): exact for all powers
    of x and of log x, and infinite where p or 1 - s is as good as zero. `known` holds the orders of the last
    triples (NaN: the changes do not shrink) and the geometric tail, if the caller knows them better.
    """
    changes, steps = np.diff(values), np.diff(u)
    if changes.size == 0 or abs(changes[-1]) <= noise[-1] + noise[-2]:
        size = abs(float(changes[-1])) if changes.size else 0.0
        return Tail(-size, size, True)
    last = float(changes[-1])
    if changes.size == 1:
        return Tail(-abs(last), abs(last), True)
    if np.sign(last) * np.sign(changes[-2]) < 0:  # the product of two small changes is no float
        size = float(np.abs(changes[-3:]).max())
        shrinks = abs(last) < 0.95 * abs(changes[-2])
        return Tail(-size, size, shrinks, "" if shrinks else "go up and down without settling")
    middle = (u[1:] + u[:-1]) / 2
    orders = _orders(changes / steps, middle) if known is None else known[0]
    order = orders[-1]
    trend = f"still {'rise' if last > 0 else 'fall'} by {abs(last):.2g} in the last step"
    if not order >= SLOWEST_ORDER:
        return _along(last, math.inf, f"{trend}, which is not less than before")
    order = min(order, _FASTEST_ORDER)
    q = math.exp(-order * steps[-1])
    geometric = abs(last) * q / (1 - q) if known is None else abs(known[1])
    nearest = math.copysign(geometric, last)
    # d(c^2 / (b - c)) for the last changes b, c, each known to the noise of its ends.
    slack = float(2 * (noise[-1] + noise[-2]) * (1 + geometric / abs(last)) ** 2)
    if orders.size < 2 or not orders[-2] > 0:
        words = f"{trend}, with too few steps to see how the changes shrink"
        return _along(last, stretched(geometric, 0.5), words, nearest, slack=slack)
    places = (middle[1:] + middle[:-1]) / 2
    s = max(0.0, (1 / order - 1 / min(orders[-2], _FASTEST_ORDER)) / (places[-1] - places[-2]))
    if s >= _LARGEST_STRETCH:
        return _along(last, math.inf, f"{trend}, and the changes all but stop shrinking")
    words = f"{trend}, and the changes shrink ever more slowly, as under a logarithmic correction" if s > 0.2 else trend
    # The stretch is an estimate: the limit is taken to lie up to twice as far beyond the geometric one.
    return _along(last, 2 * stretched(geometric, s) - geometric, words, nearest, s <= 0.2, slack)


def stretched(geometric: float, s: float) -> float:
    """The tail of a correction whose local order p falls like 1 / p' = s, from its geometric tail."""
    return geometric / (1 - s)


def unbounded(end: float, sign: float, rate: float, length: float, *, hull, region) -> float:
    """Where a sequence that does not settle may end: infinity, or its horizon if even that misses the region."""
    horizon = end + sign * HORIZON * rate * length
    low, high = min(hull[0], horizon), max(hull[1], horizon)
    return horizon if high < region[0] or low > region[1] else sign * math.inf


def _along(
    change: float, size: float, words: str, nearest: float = 0.0, settled: bool | None = None, slack: float = 0.0
) -> Tail:
    settled = math.isfinite(size) if settled is None else settled
    ends = nearest if settled else 0.0, math.copysign(size, change)
    return Tail(min(ends) - slack, max(ends) + slack, settled, words, nearest)


def order_of(values: np.ndarray, u: np.ndarray) -> float:
    """The p for which three values are L + c e^(-p u); NaN if the changes do not shrink like any p >= 0.1."""
    (first, last), (one, two) = np.diff(values), np.diff(u)
    if not np.sign(first) * np.sign(last) > 0:
        return math.nan
    # (e^(-p u1) - e^(-p u2)) / (e^(-p u0) - e^(-p u1)), which falls in p.
    seen = math.log(last / first)
    ratio = lambda p: math.log(-math.expm1(-p * two) / math.expm1(p * one)) - seen  # noqa: E731
    if ratio(SLOWEST_ORDER) < 0:
        return math.nan
    if ratio(_FASTEST_ORDER) > 0:
        return _FASTEST_ORDER
    from scipy.optimize import brentq

    return float(brentq(ratio, SLOWEST_ORDER, _FASTEST_ORDER))


def _orders(rates: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """-d log |rate| / du between neighbours; NaN where the rate changes sign or vanishes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = rates[1:] / rates[:-1]
        return np.where(shrink > 0, -np.log(np.where(shrink > 0, shrink, 1.0)), np.nan) / np.diff(middle)
