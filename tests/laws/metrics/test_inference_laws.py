"""Laws of the tests of `inference`: scale over the range of floats, translation, order of seeds, where they hold.

Rate under a power law, `Identity` and `Proportion` are free of scale; `Inside`, `Limit` and the logarithmic `Rate`
carry the scale of their values, with their region. A translation carries `Inside` without a transform and `Limit`,
and leaves the logarithmic `Rate` as it is; a power law, a logarithm and an atanh know no translation.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from unifiedscore import inference
from unifiedscore.inference import AbstractTest, Identity, Inside, Limit, Proportion, Rate, decide
from unifiedscore.inference.estimates import student

X = 4.0 ** np.arange(2, 8)
RNG = np.random.default_rng(0)
SEEDS = np.round((1 + 0.1 * RNG.normal(size=16)) * 2**20) / 2**20
POWERS = [-960, -660, -565, -500, 500, 565, 660, 900]  # 2^-565 is about 1e-170


@dataclass(frozen=True)
class Subject:
    make: Callable  # c -> the test with its region at scale c
    y: np.ndarray
    error: np.ndarray | float | None = None
    along: bool = False
    degree: int = 1  # of the estimate in the scale of y
    moves: bool | None = None  # adding a number to y adds it to the estimate; None: no law of translation


series = lambda noise: 0.3 - 2 / X + noise * np.abs(1 / X) ** 0.5  # noqa: E731
seeded = np.stack([series(0.01 * RNG.normal(size=X.size)) for _ in range(16)], axis=1)
powers = np.exp(-np.log(X))[:, None] * np.exp(0.05 * RNG.normal(size=(X.size, 16)))
bent = powers * (1 + 1 / np.log(X))[:, None]
logs = (2 + 0.7 * np.log(X))[:, None] + 0.02 * RNG.normal(size=(X.size, 16))
slow = 1 / np.log(X)
region = lambda kind, **options: lambda c: kind(0.2 * c, 1.2 * c, **options)  # noqa: E731
fixed = lambda kind, *ends, **options: lambda c: kind(*ends, **options)  # noqa: E731

SUBJECTS = {
    "Inside": Subject(region(Inside), SEEDS, moves=True),
    "Inside skewed": Subject(region(Inside), np.exp(RNG.normal(size=20)) - 1, moves=None),
    "Inside skewed, of one sign": Subject(region(Inside), np.exp(RNG.normal(size=20))),
    "Inside, log": Subject(region(Inside, of="geometric_mean"), SEEDS),
    "Inside, median": Subject(region(Inside, of="median"), SEEDS, moves=True),
    "Inside, numerical": Subject(region(Inside), SEEDS[:3], error=0.1 * SEEDS[:3], moves=True),
    "Limit": Subject(region(Limit, along="d", order=1), seeded, along=True, moves=True),
    "Limit toward zero": Subject(region(Limit, along="d", order=-1), seeded[::-1], along=True, moves=True),
    "Limit, wrong order": Subject(region(Limit, along="d", order=2), seeded, along=True, moves=True),
    "Limit, numerical": Subject(region(Limit, along="d", order=1), series(0), error=1e-9, along=True, moves=True),
    "Limit, numerical and slow": Subject(region(Limit, along="d", order=1), slow, error=1e-12, along=True),
    "Limit, numerical and swinging": Subject(
        region(Limit, along="d", order=1), 0.3 + np.array([1, -1] * 3) / X, error=1e-12, along=True
    ),
    "Rate": Subject(fixed(Rate, -1.1, -0.9, along="d"), powers, along=True, degree=0),
    "Rate of geometric means": Subject(
        fixed(Rate, -1.1, -0.9, along="d", of="geometric_mean"), powers, along=True, degree=0
    ),
    "Limit of geometric means": Subject(region(Limit, along="d", order=1, of="geometric_mean"), seeded, along=True),
    "Rate, bent": Subject(fixed(Rate, -1.1, -0.9, along="d"), bent, along=True, degree=0),
    "Rate, numerical": Subject(fixed(Rate, -1.1, -0.9, along="d"), 3 / X + 1 / X**2, 1e-9 / X, True, degree=0),
    "Rate, log": Subject(region(Rate, along="d", law="log"), logs, along=True, moves=False),
    "Rate, log, numerical": Subject(region(Rate, along="d", law="log"), logs[:, 0], 1e-3, True, moves=False),
    "Identity": Subject(fixed(Identity, 100.0, "scale"), 1e-15 * SEEDS, error=SEEDS, degree=0),
}
NO_SCALE = {
    "Inside, atanh": Inside(-0.5, 0.5, transform="atanh", of="median"),
    "Proportion": Proportion(0.0, 0.5, trials=10),
}
"""Cosines and shares: their values lie in [-1, 1] and [0, 1], and no other scale exists."""


def estimate(subject, *, scale=1.0, shift=0.0, test=None):
    error = None if subject.error is None else scale * np.asarray(subject.error)
    options = {"x": X if subject.along else None, "level": 0.99, "error": error}
    return (test or subject.make(scale)).estimate(scale * subject.y + shift, **options)


def same(found, expected, *, factor=1.0, shift=0.0, rounding=1e-10):
    assert (found.kind, bool(found.reason)) == (expected.kind, bool(expected.reason))
    for name in ("value", "low", "high"):
        wanted = factor * getattr(expected, name) + shift
        assert getattr(found, name) == pytest.approx(wanted, rel=rounding, abs=rounding * abs(factor)), name


def test_every_test_is_a_subject():
    kinds = {name for name in inference.__all__ if isinstance(kind := getattr(inference, name), type)
             and issubclass(kind, AbstractTest) and kind is not AbstractTest}  # fmt: skip
    assert kinds == {name.split(",")[0].split(" ")[0] for name in [*SUBJECTS, *NO_SCALE]}


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("name", SUBJECTS)
def test_scale(name, power):
    subject, c = SUBJECTS[name], 2.0**power
    found, plain = estimate(subject, scale=c), estimate(subject)
    factor = c if subject.degree else 1.0
    assert found.kind == plain.kind and bool(found.reason) == bool(plain.reason)
    for end in ("value", "low", "high"):
        np.testing.assert_allclose(getattr(found, end), factor * getattr(plain, end), rtol=1e-12)
    tests = subject.make(c), subject.make(1.0)
    assert decide(found, tests[0].low, tests[0].high) == decide(plain, tests[1].low, tests[1].high)


@pytest.mark.parametrize("size", [1e-170, 1e170])
def test_seeds_of_any_size_are_replicates(size):
    noise = np.random.default_rng(1).normal(size=16)
    test = Inside(0.5 * size, 1.5 * size)
    found = test.estimate(size * (1 + 0.1 * noise), level=0.99)
    assert found.kind == "t" and decide(found, test.low, test.high) == "supported"
    assert (found.high - found.low) / size == pytest.approx(0.2 * 0.74 * noise.std(ddof=1), rel=0.01)
    assert "rounding" in test.estimate(np.full(16, size), level=0.99).reason


@pytest.mark.parametrize("offset", [1.0, 1e4, 1e8])
@pytest.mark.parametrize("name", [name for name in SUBJECTS if SUBJECTS[name].moves is not None])
def test_translation(name, offset):
    subject = SUBJECTS[name]
    subject = replace(subject, y=np.round(subject.y * 2**20) / 2**20)
    test = subject.make(1.0)
    carried = offset if subject.moves else 0.0
    there = replace(test, low=test.low + carried, high=test.high + carried)
    found, plain = estimate(subject, shift=offset, test=there), estimate(subject, test=test)
    assert found.kind == plain.kind
    # Statistics of values near the offset carry its rounding; extrapolations at most some hundred times.
    for end in ("value", "low", "high"):
        wanted = getattr(plain, end) + carried
        assert abs(getattr(found, end) - wanted) <= 4e-13 * offset + 1e-12, end


@pytest.mark.parametrize("name", [name for name in SUBJECTS if SUBJECTS[name].error is None])
def test_order_of_seeds_and_of_labels(name):
    subject = SUBJECTS[name]
    order = np.random.default_rng(2).permutation(subject.y.shape[-1])
    same(estimate(replace(subject, y=subject.y[..., order])), estimate(subject))
    if subject.along:
        turned = subject.make(1.0).estimate(subject.y[::-1], x=X[::-1], level=0.99)
        same(turned, estimate(subject))


@pytest.mark.parametrize("power", [-600, 600])
@pytest.mark.parametrize("name", [name for name in SUBJECTS if SUBJECTS[name].along])
def test_scale_of_the_labels(name, power):
    subject = SUBJECTS[name]
    if name.startswith("Limit") and "order" in name:
        pytest.skip("this order takes x^-2 out of range")
    found = subject.make(1.0).estimate(subject.y, x=X * 2.0**power, error=subject.error, level=0.99)
    same(found, estimate(subject), rounding=1e-8)


@pytest.mark.parametrize("count", [3, 16, 200])
@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1.0, 1e170, 1e300])
def test_the_t_interval_against_exact_sums(count, scale):
    from fractions import Fraction

    values = scale * (1 + 0.1 * np.random.default_rng(count).normal(size=count))
    exact = [Fraction(float(v)) for v in values]
    mean = sum(exact) / count
    variance = sum((v - mean) ** 2 for v in exact) / (count - 1) / count
    found, unit = student(values, 0.99), Fraction(scale)
    assert float((Fraction(found.value) - mean) / unit) == pytest.approx(0.0, abs=1e-15)
    from unifiedscore.inference.estimates import t_quantile

    half = t_quantile(0.99, count - 1) * float(variance / unit**2) ** 0.5
    assert float((Fraction(found.high) - mean) / unit) == pytest.approx(half, rel=1e-12)
