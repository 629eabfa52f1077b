"""Laws of everything that is computed from samples: what must not change a value, and what changes it in a known way.

Data lie on a dyadic grid, so that shifts and scalings by powers of two are exact: the input has no rounding of its own,
and a tolerance need only cover that of sums of a dozen terms (`Subject.tolerance`). Every law is tried in float32 too,
where the tolerance is what the engine reports of its moments at these data (`tolerance`).
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import unifiedscore as us

# Under a name of its own: other folders of laws have their subjects too.
_spec = importlib.util.spec_from_file_location("engine_subjects", Path(__file__).with_name("subjects.py"))
subjects = sys.modules.setdefault(_spec.name, importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(subjects)
under = subjects.under

EPS = np.finfo(float).eps
SINGLE = np.float32
# Fields that form positions on the way: perturbed queries, barycenters.
INNER = ("Attraction", "Smoothed", "SmoothedScore", "SmoothedKLGradient", "PopulationScore", "MomentMatchedTilt")


def grid(n, d, rng, dtype=np.float64):
    """Points on multiples of 1/64 within 2 of the origin, in d dimensions, at typical distance 2 of each other."""
    scale = 128.0 / np.sqrt(d)
    return (np.rint(scale * rng.normal(size=(n, d))) / 64.0).astype(dtype)


@pytest.fixture(params=[np.float64, SINGLE], ids=["float64", "float32"])
def dtype(request):
    return request.param


def of_size(values, dtype):
    """Those of the shifts, distances or powers of two that the dtype holds: the larger ones are for float64."""
    return values[0] if dtype == np.float64 else values[1]


@pytest.fixture
def case(d, dtype):
    rng = np.random.default_rng(d)
    target, model, x = (grid(12, d, rng, dtype) for _ in range(3))
    return target, model, x, (rng.integers(1, 8, 12) / 8.0, rng.integers(1, 8, 12) / 8.0)


def samples(subject, points, weights):
    return us.Samples(points, weights if subject.weighted else None)


def value_of(subject, case, shift=0.0, scale=1.0, **changes):
    target, model, x, weights = case
    target, model = changes.get("target", target), changes.get("model", model)
    weights = changes.get("weights", weights)
    here = x.dtype.type
    laws = [samples(subject, here(scale) * (p + here(shift)), w) for p, w in zip((target, model), weights, strict=True)]
    value = subject(*laws, here(scale) * (changes.get("x", x) + here(subject.follows * shift)), scale)
    return value.astype(np.float64)


def tolerance(subject, case):
    """How far values may be apart, relative to the largest.

    In float32 the engine says what its moments are good to. All lengths here are a few bandwidths, and so is what a
    value is an average of; it is made of two moments at most, and there are two values.
    """
    target, _model, x, weights = case
    if x.dtype == np.float64:
        return subject.tolerance
    law = us.Samples(target, weights[0])
    errors = [us.posterior_moments(kernel(1.0), law, x).relative_error.max() for kernel in subjects.KERNELS.values()]
    return max(subject.tolerance, 4.0 * float(max(errors)))


def close(subject, case, got, expected, *, moved=0.0, extra=0.0):
    scale = np.abs(expected).max()
    gap = np.abs(got - moved - expected).max()
    allowed = tolerance(subject, case) * scale + extra
    assert gap <= allowed, f"{gap:.2e} is more than {allowed:.2e}"


@under("translation")
@pytest.mark.parametrize("offset", [(1.0, 1.0), (2.0**13, 2.0**5), (2.0**27, 2.0**10)])
def test_translation(subject, d, case, dtype, offset):
    offset = of_size(offset, dtype)
    expected = value_of(subject, case)
    got = value_of(subject, case, shift=offset)
    # A position that has moved is rounded to its own last digit, as are queries that are scaled or moved inside.
    moved = subject.moves * offset
    rounding = 0.0
    if subject.moves or subject.name in INNER or subject.follows != 1.0:
        rounding = 512 * np.finfo(dtype).eps * offset * max(1.0, np.abs(expected).max())
    close(subject, case, got, expected, moved=moved, extra=rounding)


@under("clusters")
def test_clusters_far_apart(subject, d, case, dtype):
    """A second cluster 2^27 away changes nothing at the first, wherever the median of all points lies."""
    distance = of_size((2.0**27, 2.0**20), dtype)
    target, model, _x, weights = case
    far = np.zeros(d, dtype)
    far[0] = distance
    for more in (12, 24):
        others = [np.concatenate([p + far] * (more // 12)) for p in (target, model)]
        both = [np.concatenate(pair) for pair in zip((target, model), others, strict=True)]
        mass = [np.concatenate([w, np.ones(more)]) for w in weights]
        got = value_of(subject, case, target=both[0], model=both[1], weights=mass)
        close(subject, case, got, value_of(subject, case), extra=_far_rounding(subject, distance * np.finfo(dtype).eps))


def _far_rounding(subject, size):
    # Pruned and unpruned near fields keep points relative to one centre, whose coordinates round at the distance.
    return 512 * size if subject.name.startswith(("NearField", "sample_closed_form", "most_likely")) else 0.0


@under("far")
@pytest.mark.parametrize("distance", [(1e12, 1e6), (1e16, 1e12), (1e200, 1e20)])
def test_one_far_point(subject, d, case, dtype, distance):
    target, model, _x, weights = case
    far = np.full((1, d), of_size(distance, dtype), dtype)
    got = value_of(
        subject,
        case,
        target=np.concatenate([target[:5], far, target[5:]]),
        model=np.concatenate([far, model]),
        weights=(np.insert(weights[0], 5, 1.0), np.insert(weights[1], 0, 1.0)),
    )
    close(subject, case, got, value_of(subject, case))


@under("zero weight")
@pytest.mark.parametrize("place", ["far", "coincident", "huge"])
def test_points_without_weight(subject, d, case, dtype, place):
    if not subject.weighted:
        pytest.skip("takes no weights")
    target, model, x, weights = case
    huge = of_size((-1e200, -1e30), dtype)
    idle = {"far": np.full((13, d), 1e20), "coincident": np.resize(x, (13, d)), "huge": np.full((13, d), huge)}[place]
    idle = idle.astype(dtype)
    both = [np.concatenate([p[:4], idle, p[4:]]) for p in (target, model)]
    mass = [np.concatenate([w[:4], np.zeros(13), w[4:]]) for w in weights]
    got = value_of(subject, case, target=both[0], model=both[1], weights=mass)
    close(subject, case, got, value_of(subject, case))


@under("splitting")
def test_a_weight_in_two_parts(subject, d, case):
    if not subject.weighted:
        pytest.skip("takes no weights")
    target, model, _x, weights = case
    both = [np.concatenate([p, p[2:5]]) for p in (target, model)]
    mass = []
    for w in weights:
        part = w.copy()
        part[2:5] *= 0.25
        mass.append(np.concatenate([part, 3.0 * part[2:5]]))
    close(subject, case, value_of(subject, case, target=both[0], model=both[1], weights=mass), value_of(subject, case))


@under("permutation")
def test_the_order_of_the_points(subject, d, case):
    target, model, _x, weights = case
    order = np.random.default_rng(1).permutation(12)
    got = value_of(
        subject, case, target=target[order], model=model[order], weights=(weights[0][order], weights[1][order])
    )
    close(subject, case, got, value_of(subject, case))


@under("rotation")
def test_rotation(subject, d, case, dtype):
    target, model, x, _weights = case
    q = np.linalg.qr(np.random.default_rng(2).normal(size=(d, d)))[0]
    if dtype == SINGLE:
        # An exact one, of axes and signs: the rounding of turned points would be that of the law.
        order, signs = np.random.default_rng(2).permutation(d), np.random.default_rng(3).choice([-1.0, 1.0], d)
        q = (np.eye(d)[order] * signs).astype(dtype)
    got, expected = value_of(subject, case, target=target @ q, model=model @ q, x=x @ q), value_of(subject, case)
    if subject.shape == "vector":
        expected = expected @ q
    elif subject.shape == "matrix":
        expected = q.T @ expected @ q
    # The rotated points themselves are rounded, and 1/r magnifies that where a query is near a point.
    close(subject, case, got, expected, extra=1e-10 * np.abs(expected).max())


@under("scaling")
@pytest.mark.parametrize("exponent", [(-498, -40), (-60, -18), (7, 7), (60, 18), (498, 40)])
def test_scaling(subject, d, case, dtype, exponent):
    exponent = of_size(exponent, dtype)
    expected, got = value_of(subject, case), value_of(subject, case, scale=2.0**exponent)
    if subject.name.startswith("MomentMatchedTilt") and abs(exponent) > 60:
        pytest.skip("the product of covariance and precision leaves float64; a power of the scale is refused elsewhere")
    close(subject, case, np.ldexp(got, -subject.degree * exponent), expected)


@under("batch")
def test_rows_do_not_know_each_other(subject, d, case):
    _target, _model, x, _weights = case
    whole = value_of(subject, case)
    for rows in ([0], [7, 3], range(11, -1, -1)):
        rows = list(rows)
        # Of all rows: a value near zero is a difference of others.
        of_all = tolerance(subject, case) * np.abs(whole).max()
        close(subject, case, value_of(subject, case, x=x[rows]), whole[rows], extra=of_all)


@under("dtype")
@pytest.mark.parametrize("dtype", [SINGLE], ids=["float32"])
def test_dtype_in_is_dtype_out(subject, d, case):
    target, model, x, weights = case
    wide = tuple(part.astype(np.float64) for part in (target, model, x))
    if "sample_moment_matched" not in subject.name:  # whose noise has other digits
        # The grid is exact in float32 too: results differ by their own rounding and that of inner coordinates.
        close(subject, case, value_of(subject, case), value_of(subject, (*wide, weights)))
    if subject.name not in ("feature_scale", "nearest neighbours", "most_likely") and not subject.name.startswith(
        ("DriftingFlow",)
    ):
        laws = (samples(subject, p, w) for p, w in zip((target, model), weights, strict=True))
        assert subject(*laws, x).dtype == SINGLE


@under("threads")
def test_the_number_of_threads_changes_no_bit(subject, d, case, monkeypatch):
    values = []
    for count in ("1", "2", "3"):
        monkeypatch.setenv("UNIFIEDSCORE_NUM_THREADS", count)
        values.append(value_of(subject, case))
    np.testing.assert_array_equal(values[0], values[1])
    np.testing.assert_array_equal(values[0], values[2])


@pytest.mark.parametrize("kernel", subjects.KERNELS)
@pytest.mark.parametrize("d", [2, 9])
def test_many_tiles_on_many_threads_change_no_bit(kernel, d, monkeypatch):
    rng = np.random.default_rng(0)
    points, x, values = rng.normal(size=(1500, d)), rng.normal(size=(400, d)), []
    for count in ("1", "2", "5"):
        monkeypatch.setenv("UNIFIEDSCORE_NUM_THREADS", count)
        values.append(us.posterior_moments(subjects.KERNELS[kernel](1.0), points, x).mean_shift)
    assert os.cpu_count() and np.array_equal(values[0], values[1]) and np.array_equal(values[0], values[2])
