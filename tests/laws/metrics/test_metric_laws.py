"""Laws of every public metric: translation, scale, rotation, order, repetition, far points, dtype and threads."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from tests.laws.metrics.subjects import OF_FIELDS, OF_POINTS, RESULTS, test_fields, test_points
from unifiedscore import metrics

ROUNDING = 1e-12  # of sums of a thousand terms
POINTS = sorted(OF_POINTS)
FIELDS = sorted(OF_FIELDS)
which = lambda subjects, **wanted: [  # noqa: E731
    name for name in sorted(subjects) if all(getattr(subjects[name], k) == v for k, v in wanted.items())
]


def test_every_public_metric_is_a_subject():
    elsewhere = {"drift_scale", "feature_scale"}  # tests/laws/engine and tests/fields/test_corrected.py
    assert set(OF_POINTS) | set(OF_FIELDS) | RESULTS | elsewhere == set(metrics.__all__)


def close(found, expected, rounding=ROUNDING):
    np.testing.assert_allclose(found, expected, rtol=rounding, atol=0)


@pytest.mark.parametrize("dimension", [1, 3, 20])
@pytest.mark.parametrize("offset", [1.0, 1e4, 1e8, -(2.0**31)])
@pytest.mark.parametrize("name", POINTS)
def test_translation(name, offset, dimension):
    x, y = test_points(d=dimension)
    call = OF_POINTS[name].call
    # A projection rounds at the spread of the points, where the offset can be taken off exactly.
    close(call(x + offset, y + offset, 1.0), call(x, y, 1.0), 2**-20 if name.startswith("sliced") else ROUNDING)


@pytest.mark.parametrize("dimension", [1, 3, 20])
@pytest.mark.parametrize("name", [name for name in POINTS if OF_POINTS[name].oracle])
def test_clusters_far_apart_against_differences_in_extended_precision(name, dimension):
    x, y = test_points(d=dimension)
    far = 1e8 * (np.arange(36)[:, None] % 3 % 2)
    x, y = x + far, y + far

    def distance(a, b):
        return np.sqrt(((a[:, None].astype(np.longdouble) - b[None]) ** 2).sum(-1))

    expected = OF_POINTS[name].oracle(distance(x, y), distance(x, x), distance(y, y))
    np.testing.assert_allclose(OF_POINTS[name].call(x, y, 1.0), np.asarray(expected, float), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("name", "power"), [(name, power) for name in POINTS for power in OF_POINTS[name].powers])
def test_scale_of_points(name, power):
    (x, y), subject, c = test_points(), OF_POINTS[name], 2.0**power
    close(subject.call(c * x, c * y, c), c**subject.degree * np.asarray(subject.call(x, y, 1.0)))


@pytest.mark.parametrize("sizes", [(-660, -660), (660, 660), (-500, 500), (500, -500), (0, 660), (-660, 0)])
@pytest.mark.parametrize("name", FIELDS)
def test_scale_of_fields(name, sizes):
    subject = OF_FIELDS[name]
    f, g, w = test_fields(subject.replicates)
    a, b = (2.0**size for size in sizes)
    found, plain = subject.call(a * f, b * g, w), np.asarray(subject.call(f, g, w))
    exponent = sizes[0] * subject.degrees[0] + sizes[1] * subject.degrees[1]
    with np.errstate(over="ignore", under="ignore"):
        expected = np.ldexp(plain, exponent)
    close(found, expected)


@pytest.mark.parametrize("dimension", [2, 20])
@pytest.mark.parametrize("name", which(OF_POINTS, rotates=True))
def test_rotation_of_points(name, dimension):
    x, y = test_points(d=dimension)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(dimension, dimension)))[0]
    # The rotated coordinates are rounded; the smallest distance is about a tenth.
    close(OF_POINTS[name].call(x @ turn, y @ turn, 1.0), OF_POINTS[name].call(x, y, 1.0), 1e-11)


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "replicated"])
def test_rotation_of_fields(name):
    subject = OF_FIELDS[name]
    f, g, w = test_fields(subject.replicates)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(5, 5)))[0]
    close(subject.call(f @ turn, g @ turn, w), subject.call(f, g, w))


@pytest.mark.parametrize("name", [name for name in POINTS if name != "mode_coverage"])
def test_order_of_points(name):
    (x, y), subject, rng = test_points(), OF_POINTS[name], np.random.default_rng(4)
    order = rng.permutation(len(x))
    plain = np.asarray(subject.call(x, y, 1.0))
    close(subject.call(x[order], y[rng.permutation(len(y))], 1.0), plain[order] if subject.per_sample else plain)


@pytest.mark.parametrize("name", which(OF_FIELDS, weighted=True))
def test_order_of_queries_split_weights_and_queries_without_weight(name):
    """Values only: the interval of a cross-fitted cosine depends on the groups that the queries form."""
    subject = OF_FIELDS[name]
    f, g, w = test_fields(subject.replicates)
    plain, order = subject.call(f, g, w), np.random.default_rng(4).permutation(len(w))
    close(subject.call(f[..., order, :], g[..., order, :], w[order]), plain)
    twice = np.repeat(np.arange(len(w)), 2)
    halves = np.where(np.arange(2 * len(w)) % 2, 0.25, 0.75) * w[twice]
    close(subject.call(f[..., twice, :], g[..., twice, :], halves), plain)
    for size in (1.0, 1e300):
        end = np.full((*f.shape[:-2], 1, f.shape[-1]), size)
        more = np.concatenate([end, f], -2), np.concatenate([-end, g], -2)
        close(subject.call(*more, np.concatenate([[0.0], w])), plain)


@pytest.mark.parametrize("name", which(OF_POINTS, repeats=True))
def test_repetition_of_all_points(name):
    (x, y), subject = test_points(), OF_POINTS[name]
    close(subject.call(np.repeat(x, 2, 0), np.repeat(y, 3, 0), 1.0), subject.call(x, y, 1.0))


@pytest.mark.parametrize("far", [1e8, 1e12, 1e16, 1e150])
@pytest.mark.parametrize("name", ["nearest_training_distance", "duplicate_rate", "mode_coverage", "recall"])
@pytest.mark.parametrize("dimension", [1, 20])
def test_one_far_point_changes_no_other(name, far, dimension):
    x, y = test_points(d=dimension)
    outlier = np.full((1, dimension), far)
    if name == "mode_coverage":  # its modes go by number; the far point is a new one, which no sample has
        modes = np.arange(len(y)) % 3
        found = metrics.mode_coverage(x, np.concatenate([y, outlier]), np.append(modes, 2))
        nearest = modes[((x[:, None] - y[None]) ** 2).sum(-1).argmin(1)]
        expected = np.minimum(np.bincount(nearest) / len(x), np.bincount(np.append(modes, 2)) / (len(y) + 1)).sum()
    elif name == "recall":
        found = metrics.recall(x, np.concatenate([y, outlier])) * (len(y) + 1) / len(y)
        expected = metrics.recall(x, y)
    else:
        found, expected = (OF_POINTS[name].call(x, z, 1.0) for z in (np.concatenate([y, outlier]), y))
    close(found, expected)


def test_one_point_of_both_sets_far_away():
    x, y = test_points()
    outlier = np.full((1, 20), 1e9)
    found = metrics.wasserstein2(np.concatenate([x, outlier]), np.concatenate([y, outlier]))
    close(found**2 * 37 / 36, metrics.wasserstein2(x, y) ** 2)


@pytest.mark.parametrize("name", which(OF_POINTS, symmetric=True))
def test_symmetry_of_points(name):
    x, y = test_points()
    close(OF_POINTS[name].call(x, y, 1.0), OF_POINTS[name].call(y, x, 1.0))


@pytest.mark.parametrize("name", which(OF_FIELDS, symmetric=True))
def test_symmetry_of_fields(name):
    f, g, w = test_fields(OF_FIELDS[name].replicates)
    close(OF_FIELDS[name].call(f, g, w), OF_FIELDS[name].call(g, f, w))


def test_one_sample_or_query_at_a_time():
    x, y = test_points()
    one = [metrics.nearest_training_distance(row[None], y)[0] for row in x]
    np.testing.assert_array_equal(metrics.nearest_training_distance(x, y), one)
    f, g, _ = test_fields(False)
    np.testing.assert_array_equal(
        metrics.cosine(f, g), [metrics.cosine(f[i : i + 1], g[i : i + 1])[0] for i in range(24)]
    )


@pytest.mark.parametrize("name", POINTS)
def test_single_precision_points_are_computed_in_double(name):
    x, y = (z.astype(np.float32) for z in test_points())
    found = OF_POINTS[name].call(x, y, 1.0)
    close(found, OF_POINTS[name].call(x.astype(float), y.astype(float), 1.0))
    assert np.asarray(found).dtype == np.float64


@pytest.mark.parametrize("name", FIELDS)
def test_single_precision_fields_are_computed_in_double(name):
    f, g, w = test_fields(OF_FIELDS[name].replicates)
    f, g = f.astype(np.float32), g.astype(np.float32)
    found = OF_FIELDS[name].call(f, g, w)
    close(found, OF_FIELDS[name].call(f.astype(float), g.astype(float), w))
    assert np.asarray(found).dtype == np.float64


@pytest.mark.parametrize("name", POINTS)
def test_number_of_threads(name):
    x, y = test_points(n=180, m=180, d=40)
    with threadpool_limits(1):
        alone = OF_POINTS[name].call(x, y, 1.0)
    close(OF_POINTS[name].call(x, y, 1.0), alone)


def test_copies_are_copies_wherever_they_lie():
    """300 normal points in 20 dimensions plus 1e8, and the same near 1e-200."""
    x = np.random.default_rng(0).normal(size=(300, 20))
    for training in (x + 1e8, 1e-200 * x, 1e200 * x, x + 1e8 * (np.arange(300)[:, None] % 2)):
        assert metrics.duplicate_rate(training, training, tolerance=0.0) == 1.0
        assert metrics.recall(training, training, k=1) == 1.0
        assert metrics.mode_coverage(training, training, np.arange(300) % 4) == pytest.approx(1.0, abs=1e-12)
        assert metrics.wasserstein2(training, training) == 0.0


@pytest.mark.parametrize(("width", "expected"), [(1e-200, 0.0), (1e200, 0.0)])
def test_extreme_bandwidths_have_their_limits(width, expected):
    x, y = test_points()
    assert metrics.unbiased_mmd2(x, y, bandwidths=[width])[0] == expected


def test_a_wide_kernel_keeps_the_digits_of_a_small_value():
    """For h -> infinity h^2 MMD^2 -> the U-statistic of |E x - E y|^2."""
    x, y = test_points()
    sums = [(z.sum(0) @ z.sum(0) - (z * z).sum()) / (len(z) * (len(z) - 1)) for z in (x, y)]
    expected = sum(sums) - 2 * x.mean(0) @ y.mean(0)
    # The next term is smaller by |x - y|^2 / h^2.
    np.testing.assert_allclose(metrics.unbiased_mmd2(x, y, bandwidths=[1e7])[0] * 1e14, expected, rtol=1e-10)


def test_fields_of_mixed_size_keep_every_product():
    assert metrics.mean_product([[1e200, 1e-200]], [[1e-200, 1e200]]) == pytest.approx(2.0, rel=1e-15)
    assert metrics.cosine([[3e200, 4e200]], [[3e200, 4e200]]) == pytest.approx(1.0, rel=1e-15)
    assert metrics.mean_cosine([[1e-170, 1e-170]], [[1.0, 1.0]]) == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize("offset", [1.0, 1e4, 1e8])
def test_a_mean_field_adds_no_noise(offset):
    rng = np.random.default_rng(2)
    f, g = np.round(rng.normal(size=(2, 6, 24, 5)) * 2**20) / 2**20
    plain, moved = (metrics.replicated_cosines(f + shift, g) for shift in (0.0, offset))
    close(moved.noise_energy, plain.noise_energy, 1e-11 + 1e-15 * offset)
    values = f[:, 0, 0]
    spread = [metrics.replicated(lambda v: v, [(v + s,) for v in values]).standard_error for s in (0.0, offset)]
    close(spread[1], spread[0], 1e-11)
