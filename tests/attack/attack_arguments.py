"""What can be wrong with an argument, by what it should be: each factory gives a good value and a table of bad ones."""

import fractions
import types
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import unifiedscore as us


@dataclass(frozen=True)
class Argument:
    """A valid value, and malformed ones by what is wrong with them."""

    good: Any
    bad: dict[str, Any] = field(default_factory=dict)

    def without(self, *labels):
        return Argument(self.good, {label: value for label, value in self.bad.items() if label not in labels})

    def also(self, **more):
        return Argument(self.good, self.bad | more)


FOREIGN = {
    "text": "abc",
    "bytes": b"abc",
    "mapping": {"a": 1},
    "object": object(),
    "function": len,
    "module": types,
    "class": int,
    "generator": (i for i in range(3)),
    "complex": 1j,
}


def with_none(bad, none):
    return bad if none else {"None": None} | bad


def points(good, *, none=False, dimension=True):
    """(n, d) arrays; `dimension`: d is fixed by another argument; `none`: None has a meaning."""
    good = np.asarray(good, dtype=float)
    n, d = good.shape

    def spoilt(value):
        array = good.copy()
        array[n // 2, -1] = value
        return array

    bad = FOREIGN | {
        "number": 3.0,
        "ragged": [[1.0] * d, [2.0] * (d + 1)],
        "flat": good[:, 0].copy(),
        "cube": np.stack([good, good]),
        "no points": np.empty((0, d)),
        "no coordinates": np.empty((n, 0)),
        "nan": spoilt(np.nan),
        "infinite": spoilt(np.inf),
        "minus infinite": spoilt(-np.inf),
        "complex array": good + 1j,
        "object array": good.astype(object),
        "text array": good.astype(str),
        "dates": np.zeros((n, d), dtype="datetime64[s]"),
        "huge integers": [[10**400] * d] * n,
        "records": np.zeros((n, d), dtype=[("a", float)]),
        "list of text": [["1.0"] * d] * n,
        "set": {1.0, 2.0},
        "None inside": [[None] * d] * n,
        "nan in single precision": spoilt(np.nan).astype(np.float32),
    }
    if dimension:
        bad |= {"one coordinate more": np.ones((n, d + 1)), "transposed": np.ones((d, n + d))}
    return Argument(good, with_none(bad, none))


def number(good, *, low=0.0, high=np.inf, none=False):
    """A single number in the open interval (low, high); infinite ends are never allowed."""
    bad = FOREIGN | {
        "nan": np.nan,
        "infinite": np.inf,
        "minus infinite": -np.inf,
        "list": [good],
        "array": np.array([good, good]),
        "true": True,
        "beyond floats": 10**400,
        "numeric text": str(good),
        "nan scalar": np.float64(np.nan),
        "empty": [],
        "dates": np.datetime64("2020-01-01"),
        "complex array": np.array(1j),
        "object array": np.array(None, dtype=object),
    }
    if low == 0.0:
        bad |= {"zero": 0, "zero in single precision": np.float32(0)}
    if np.isfinite(low):
        bad |= {"below": low - 1.0, "far below": -1e300, "negative fraction": fractions.Fraction(-7, 2) + int(low)}
    if np.isfinite(high):
        bad |= {"above": high + 1.0, "far above": 1e300}
    return Argument(good, with_none(bad, none))


def integer(good, *, low=1, high=False, none=False):
    """An integer from `low` on; `high`: huge ones must be refused rather than allocated."""
    bad = FOREIGN | {
        "half": good + 0.5,
        "float": float(good),
        "nan": np.nan,
        "infinite": np.inf,
        "true": True,
        "below": low - 1,
        "far below": -(10**30),
        "list": [good],
        "array": np.array([good]),
        "numeric text": str(good),
        "numpy float": np.float64(good),
        "empty": (),
    }
    if high:
        bad |= {"huge": 10**15, "beyond 64 bits": 10**30}
    return Argument(good, with_none(bad, none))


def name(good, *, none=False):
    bad = {
        "number": 3,
        "unknown": "nonsense",
        "empty": "",
        "bytes": b"abc",
        "list": [good],
        "mapping": {"a": 1},
        "object": object(),
        "nan": np.nan,
        "upper case": good.upper() + "!",
        "NUL": "a\0b",
        "function": len,
        "array": np.array([1.0, 2.0]),
        "long": "x" * 10_000,
    }
    return Argument(good, with_none(bad, none))


def rng(*, none=False):
    bad = {
        "seed": 0,
        "legacy": np.random.RandomState(0),
        "module": np.random,
        "text": "0",
        "list": [1],
        "sequence": np.random.SeedSequence(1),
        "bits": np.random.PCG64(1),
        "class": np.random.Generator,
        "float": 0.5,
        "mapping": {},
        "bit array": np.zeros(3),
    }
    return Argument(np.random.default_rng(0), with_none(bad, none))


def kernel(good=None):
    bad = FOREIGN | {
        "None": None,
        "name": "laplace",
        "kernel class": us.Laplace,
        "bandwidth": 0.5,
        "list": [us.Laplace(0.5)],
        "measure": us.Samples(np.zeros((2, 2))),
        "array": np.zeros((2, 2)),
        "nan": np.nan,
    }
    return Argument(us.Laplace(0.7) if good is None else good, bad)


def kernels(good):
    """A list of kernels."""
    bad = FOREIGN | {
        "None": None,
        "empty": [],
        "name": "laplace",
        "names": ["laplace", "gaussian"],
        "one kernel": us.Laplace(0.5),
        "class": [us.Laplace],
        "mixed": [us.Laplace(0.5), 1.0],
        "number": 0.5,
        "array": np.ones(2),
        "mapping": {"laplace": us.Laplace(0.5)},
    }
    return Argument(good, bad)


def measure(good, *, none=False, dimension=True, mixtures=True):
    """Samples, an array, or (with `mixtures`) a Gaussian mixture."""
    rows = np.asarray(good.sample(6, np.random.default_rng(1)) if hasattr(good, "sample") else good, dtype=float)
    bad = points(rows, none=none, dimension=dimension).bad | {
        "kernel": us.Laplace(0.5),
        "name": "two_moons",
        "mixture class": us.GaussianMixture,
        "nested": [[[1.0]]],
    }
    if not mixtures:
        bad["mixture"] = us.GaussianMixture(np.zeros((1, rows.shape[1])), 1.0)
    return Argument(good, bad)


def weights(good):
    good = np.asarray(good, dtype=float)
    n = len(good)
    bad = FOREIGN | {
        "short": np.ones(n - 1),
        "long": np.ones(n + 1),
        "matrix": np.ones((n, 1)),
        "zero": np.zeros(n),
        "negative": np.where(np.arange(n) == 1, -0.1, 1.0),
        "nan": np.full(n, np.nan),
        "number": 1.0,
        "infinite": np.where(np.arange(n) == 1, np.inf, 1.0),
        "complex array": np.ones(n) + 0j,
        "empty": [],
        "text array": np.ones(n).astype(str),
        "object array": np.ones(n).astype(object),
        "ragged": [[1.0], [1.0, 2.0]],
        "huge integers": [10**400] * n,
        "set": {1.0},
    }
    return Argument(good, bad)


def covariance(good, *, components, dimension, none=False):
    """A float, (m,), (d, d) or (m, d, d)."""
    m, d = components, dimension
    skew = np.eye(d)
    skew[0, -1] = 0.5
    bad = FOREIGN | {
        "negative": -1.0,
        "nan": np.nan,
        "infinite": np.inf,
        "indefinite": np.diag([1.0] * (d - 1) + [-1.0]),
        "not symmetric": skew,
        "wrong size": np.eye(d + 1),
        "not square": np.ones((d, d + 1)),
        "cube": np.ones((m, d)),
        "four axes": np.ones((1, m, d, d)),
        "too many": np.stack([np.eye(d)] * (m + 1)),
        "nan inside": np.eye(d) * np.nan,
        "complex array": np.eye(d) + 0j,
        "text array": np.eye(d).astype(str),
        "object array": np.eye(d).astype(object),
        "empty": [],
        "ragged": [[1.0], [1.0, 2.0]],
        "negative component": -np.ones(m),
        "too many numbers": np.ones(m + 7),
        "beyond floats": 10**400,
    }
    return Argument(good, with_none(bad, none))


def vector(good, *, none=False, finite=True):
    good = np.asarray(good, dtype=float)
    bad = FOREIGN | {
        "long": np.ones(len(good) + 1),
        "matrix": np.ones((len(good), 2)),
        "complex array": good + 1j,
        "empty": [],
        "text array": good.astype(str),
        "object array": good.astype(object),
        "ragged": [[1.0], [1.0, 2.0]],
        "nan": np.full(len(good), np.nan),
        "infinite": np.full(len(good), np.inf),
        "set": {1.0},
        "huge integers": [10**400] * len(good),
    }
    return Argument(good, with_none(bad, none))


def function(good, *, outputs=None):
    """A function of arrays; `outputs` are functions whose results are malformed."""
    bad = {
        "None": None,
        "text": "abc",
        "number": 3.0,
        "list": [1],
        "array": np.zeros((2, 2)),
        "mapping": {},
        "no arguments": lambda: 1.0,
    } | (outputs or {})
    return Argument(good, bad)


def time(good, *, zero=True, one=True):
    """A number in [0, 1]; the ends are refused where `zero` or `one` is False."""
    bad = number(good, low=0.0, high=1.0).without("zero", "zero in single precision", "true").bad
    bad |= {} if zero else {"zero": 0.0}
    bad |= {} if one else {"one": 1.0}
    return Argument(good, bad)
