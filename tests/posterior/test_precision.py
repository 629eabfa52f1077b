"""Float32 tiles: the reported error covers the distance to float64, and decides which queries are computed again."""

import mpmath as mp
import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.posterior import cache, posterior_field, posterior_vectors, rounding, tiled
from unifiedscore.posterior.exponential import exp_negative_single
from unifiedscore.posterior.high_tiles import HighTiles

SINGLE, DOUBLE = np.float32, np.float64
EPS = float(np.finfo(SINGLE).eps)
KERNELS = {
    "gaussian": lambda h, d: us.Gaussian(h),
    "laplace": lambda h, d: us.Laplace(h),
    "matern 3/2": lambda h, d: us.Matern(h, 1.5),
    "matern 0.3": lambda h, d: us.Matern(h, 0.3),
    "matern 7.3": lambda h, d: us.Matern(h, 7.3),
    "rational quadratic": lambda h, d: us.RationalQuadratic(h, 0.5),
    "student": lambda h, d: us.StudentT(h, 3.0, d),
}


def plain(rng, d):
    return rng.normal(size=(700, d)), rng.normal(size=(12, d)), 0.4


def offset(rng, d):
    points, x, h = plain(rng, d)
    return points + 1e4, x + 1e4, h


def near(rng, d):
    """Pairs so close that a product of centred points knows nothing of their distance."""
    points, x, h = plain(rng, d)
    x[:4] = points[:4] + 1e-3 * rng.normal(size=(4, d))
    x[4:8] = points[4:8] + 1e-6 * rng.normal(size=(4, d))
    return points, x, h


def duplicates(rng, d):
    points, x, h = plain(rng, d)
    points[300:600] = points[:300]
    x[:6] = points[:6]
    return points, x, h


def narrow(rng, d):
    """Log-weights of thousands."""
    points, x, _ = plain(rng, d)
    return points, x, 0.01


def wide(rng, d):
    points, x, _ = plain(rng, d)
    return points, x, 1e3


def far_point(rng, d):
    points, x, h = plain(rng, d)
    points[0] = 1e10
    return points, x, h


def far_query(rng, d):
    points, x, h = plain(rng, d)
    x[:3] += 30.0
    x[3:6] *= 1e3
    return points, x, h


def opposite(rng, d):
    """Two tight clusters whose coordinates are equal: all roundings of an inner product go the same way."""
    points, x, h = 0.1 * rng.normal(size=(700, d)), 0.1 * rng.normal(size=(12, d)), 0.4
    points[::2] += 3.0
    points[1::2] -= 3.0
    x += 3.0
    return points, x, h


def few(rng, d):
    return rng.normal(size=(3, d)), rng.normal(size=(12, d)), 0.4


CASES = {
    case.__name__: case for case in (plain, offset, near, duplicates, narrow, wide, far_point, far_query, opposite, few)
}


def data(case, d):
    """Float32 points and queries, and the bandwidth in units of sqrt(d)."""
    points, x, h = CASES[case](np.random.default_rng([d, len(case)]), d)
    return points.astype(SINGLE), x.astype(SINGLE), h * np.sqrt(d)


def lengths(kernel, points, x, log_mass, exclude):
    """E b r of every query by direct sums in float64: what a score is an average of."""
    points, x = points.astype(DOUBLE), x.astype(DOUBLE)
    r = np.sqrt(((points[None] - x[:, None]) ** 2).sum(-1))
    log_weight = kernel.log_profile(r) + log_mass
    if exclude is not None:
        log_weight[np.arange(len(x)), exclude] = -np.inf
    weight = np.exp(log_weight - log_weight.max(1, keepdims=True))
    inverse = kernel.inverse_weight(r)
    slope = np.divide(r, inverse, out=np.zeros_like(r), where=inverse > 0)
    return (weight * slope).sum(1) / weight.sum(1)


def ratios(kernel, points, x, weights=None, exclude=None):
    """Distance of every moment to its float64 value, relative to the reported error, (n,) by name."""
    got = us.posterior_moments(kernel, us.Samples(points, weights), x, exclude=exclude)
    wide = us.Samples(points.astype(DOUBLE), weights)
    want = us.posterior_moments(kernel, wide, x.astype(DOUBLE), exclude=exclude)
    with np.errstate(divide="ignore"):
        log_mass = 0.0 if weights is None else np.log(wide.weights)
    scale = {
        "log_normalizer": np.ones(len(x)),
        "mean_shift": want.mean_distance,
        "score": lengths(kernel, points, x, log_mass, exclude),
        "preconditioner": want.preconditioner,
        "mean_distance": want.mean_distance,
    }
    bound, found = got.relative_error.astype(DOUBLE) + want.relative_error, {}
    for name, size in scale.items():
        gap = np.abs(getattr(got, name).astype(DOUBLE) - getattr(want, name))
        gap = np.linalg.norm(gap, axis=1) if gap.ndim == 2 else gap
        # The result itself is rounded to float32: relative to its own size, and to the smallest number.
        own = np.abs(getattr(want, name))
        own = np.linalg.norm(own, axis=1) if own.ndim == 2 else own
        found[name] = gap / (bound * size + EPS * own + 1e-37)
    return found


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", [1, 2, 7, 9, 16, 128])
@pytest.mark.parametrize("case", CASES)
def test_the_error_covers_the_distance_to_float64(case, d, kernel):
    points, x, h = data(case, d)
    kernel = KERNELS[kernel](h, d)
    rng = np.random.default_rng(d)
    weights = rng.random(len(points)).astype(SINGLE)
    weights[1:3] = 1e-6
    settings = [(None, None), (weights, None), (weights, rng.integers(len(points), size=len(x)))]
    for mass, exclude in settings:
        for name, ratio in ratios(kernel, points, x, mass, exclude).items():
            assert (ratio <= 1.0).all(), (name, ratio.max())


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_error_covers_the_distance_in_many_dimensions(kernel):
    for case in ("plain", "offset", "near", "duplicates", "narrow", "opposite"):
        points, x, h = data(case, 1024)
        for name, ratio in ratios(KERNELS[kernel](h, 1024), points, x).items():
            assert (ratio <= 1.0).all(), (case, name, ratio.max())


def test_the_error_is_not_a_hundred_times_what_it_must_be():
    """Where roundings are few and known the bound is near them: less of it would be refuted above."""
    points, x, h = data("few", 2)
    assert max(ratio.max() for ratio in ratios(us.Gaussian(h), points, x).values()) > 0.03
    points, x, h = data("far_query", 1)
    assert ratios(us.Laplace(h), points, x)["log_normalizer"].max() > 0.03


@pytest.fixture
def passes(monkeypatch):
    """Which dtype was computed for how many queries."""
    seen, actual = {}, tiled._query_tile

    def counted(task, queries, exclude):
        # A loop is compiled with one query.
        seen[task.dtype.name] = seen.get(task.dtype.name, 0) + (len(queries) if len(queries) > 1 else 0)
        return actual(task, queries, exclude)

    monkeypatch.setattr(tiled, "_query_tile", counted)
    return seen


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", [2, 16, 1024])
@pytest.mark.parametrize("case", ["plain", "offset"])
def test_ordinary_data_stay_in_float32_wherever_they_lie(case, d, kernel, passes):
    if kernel == "student" and d == 1024:
        pytest.skip("log-weights of 800: its exponent grows with the dimension")
    points, x, h = data(case, d)
    got = us.posterior_moments(KERNELS[kernel](h, d), points, x)
    assert passes == {"float32": 12}
    assert (got.relative_error < rounding.ENOUGH).all() and (got.relative_error > 5 * EPS).all()


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE])
def test_products_are_taken_of_centred_points(dtype):
    """Otherwise every pair of data far from the origin would be a near one, recomputed without a matrix product."""
    points, x, _ = data("plain", 16)
    moved, queries = (array.astype(DOUBLE) + 1e4 for array in (points, x))
    here, there = (HighTiles.cut(p.astype(dtype), 256, np.dtype(dtype)) for p in (points, moved))
    for one, two in zip(here.norms, there.norms, strict=True):
        np.testing.assert_allclose(one, two, rtol=0.02)  # the moved points are rounded to a thousandth
    sums, squared = there.sums_at(queries.astype(dtype)), np.empty((len(x), 256), dtype)
    sums.fill_squared(0, squared)
    assert sums.norms.max() < 200 and not sums.near.any()


@pytest.mark.parametrize("quantity", ["moments", "vectors", "mean_shift", "score"])
@pytest.mark.parametrize("kernel", ["gaussian", "laplace"])
@pytest.mark.parametrize("d", [2, 16])
def test_what_float32_does_not_resolve_is_computed_in_float64(d, kernel, quantity, passes):
    """Log-weights of 1e6 are wrong by some hundredths in float32, and with them every mean."""
    rng = np.random.default_rng(d)
    points, x = rng.normal(size=(700, d)).astype(SINGLE), rng.normal(size=(12, d)).astype(SINGLE)
    x[5:] += SINGLE(3.0 if kernel == "gaussian" else 3e3)
    kernel = us.Gaussian(0.002 * np.sqrt(d)) if kernel == "gaussian" else us.Laplace(3e-3)
    calls = {
        "moments": lambda *a: us.posterior_moments(kernel, *a),
        "vectors": lambda *a: posterior_vectors(kernel, *a),
        "mean_shift": lambda *a: posterior_field(kernel, *a, "mean_shift"),
        "score": lambda *a: posterior_field(kernel, *a, "score"),
    }
    got = calls[quantity](points, x)
    assert passes["float32"] == 12 and 7 <= passes["float64"] <= 12
    want = calls[quantity](points.astype(DOUBLE), x.astype(DOUBLE))
    for name in ("mean_shift", "score"):
        if quantity in ("moments", "vectors", name):
            one, two = (value if quantity == name else getattr(value, name) for value in (got, want))
            size = np.linalg.norm(two, axis=1)[5:, None]
            assert (np.abs(one - two)[5:] <= 2 * EPS * size).all()


def test_many_queries_that_float32_does_not_resolve_are_not_computed_twice(passes):
    rng = np.random.default_rng(0)
    points, x = rng.normal(size=(300, 9)).astype(SINGLE), rng.normal(size=(2000, 9)).astype(SINGLE) + SINGLE(3e3)
    us.posterior_moments(us.Gaussian(0.5), points, x)
    assert passes == {"float32": 256, "float64": 2000}


@pytest.mark.parametrize("d", [2, 9])
def test_the_queries_that_are_asked_first_are_not_computed_twice(d, passes):
    rng = np.random.default_rng(0)
    points, x = rng.normal(size=(300, d)).astype(SINGLE), rng.normal(size=(2000, d)).astype(SINGLE)
    kernel = us.Gaussian(3.0)
    whole = us.posterior_moments(kernel, points, x, tolerance=0.0)
    assert passes == {"float32": 2000}
    parts = [us.posterior_moments(kernel, points, x[i : i + 250], tolerance=0.0) for i in range(0, 2000, 250)]
    gap = np.linalg.norm(whole.mean_shift - np.concatenate([part.mean_shift for part in parts]), axis=1)
    assert (gap <= 2 * whole.relative_error * whole.mean_distance).all() and (whole.mean_distance > 0).all()


def test_weights_below_the_smallest_float32_are_not_lost():
    """At a sample whose neighbours weigh e^-120 the mean distance is e^-120, which float32 would call zero."""
    points = np.array([[0.0, 0.0], [1.0, 0.0]], SINGLE)
    h = np.sqrt(1.0 / 160.0)
    got = us.posterior_moments(us.Gaussian(h), points, points[:1].copy())
    np.testing.assert_allclose(got.mean_distance, np.exp(-80.0), rtol=1e-5)
    got = us.posterior_moments(us.Laplace(1.0 / 95.0), points, points[:1].copy())
    np.testing.assert_allclose(got.mean_shift[0, 0], np.exp(-95.0), rtol=1e-4)


@pytest.mark.parametrize("d", [2, 9])
def test_precision_is_that_of_the_input_or_as_asked_for(d):
    rng = np.random.default_rng(d)
    points, x, kernel = rng.normal(size=(500, d)), rng.normal(size=(20, d)), us.Laplace(0.7)
    narrow_points, narrow_x = points.astype(SINGLE), x.astype(SINGLE)
    exact = us.posterior_moments(kernel, narrow_points.astype(DOUBLE), narrow_x.astype(DOUBLE))

    def shift(points, x, **options):
        values = us.posterior_moments(kernel, points, x, **options).mean_shift
        assert values.dtype == x.dtype
        np.testing.assert_array_equal(values, posterior_vectors(kernel, points, x, **options).mean_shift)
        return values

    assert not np.array_equal(shift(narrow_points, narrow_x), exact.mean_shift.astype(SINGLE))
    np.testing.assert_array_equal(shift(narrow_points, narrow_x, precision="float64"), exact.mean_shift.astype(SINGLE))
    # Digits that only one of them has are kept.
    mixed = shift(narrow_points.astype(DOUBLE), narrow_x)
    np.testing.assert_array_equal(mixed, exact.mean_shift.astype(SINGLE))
    np.testing.assert_array_equal(shift(points, x), shift(points, x, precision="float64"))
    single = shift(points, x, precision="float32")
    error = us.posterior_moments(kernel, points, x, precision="float32").relative_error
    gap = np.linalg.norm(single - shift(points, x), axis=1)
    assert (gap > 0).all() and (gap <= error * us.posterior_moments(kernel, points, x).mean_distance).all()
    with pytest.raises(InputError, match="precision must be one of 'auto'"):
        us.posterior_moments(kernel, points, x, precision="half")


def test_float32_arithmetic_of_float64_data_keeps_their_differences():
    """Near pairs of float64 points are differences of float64 numbers, also where tiles are float32."""
    rng = np.random.default_rng(3)
    for d in (2, 16):
        points = rng.normal(size=(200, d)) + 1e4
        x = points[:20] + 1e-9 * rng.normal(size=(20, d))
        for kernel in (us.Laplace(0.5), us.Gaussian(0.1)):
            got = us.posterior_moments(kernel, points, x, precision="float32")
            want = us.posterior_moments(kernel, points, x)
            np.testing.assert_allclose(got.mean_distance, want.mean_distance, rtol=1e-3)
            gap = np.linalg.norm(got.mean_shift - want.mean_shift, axis=1)
            assert (gap <= (got.relative_error + want.relative_error) * want.mean_distance).all()


def test_a_query_alone_is_the_query_in_its_batch_up_to_the_error():
    for case in ("plain", "near", "narrow", "far_query"):
        for d in (2, 16):
            points, x, h = data(case, d)
            whole = us.posterior_moments(us.Laplace(h), points, x)
            for i in range(len(x)):
                one = us.posterior_moments(us.Laplace(h), points, x[i : i + 1])
                gap = np.linalg.norm(one.mean_shift[0] - whole.mean_shift[i])
                assert gap <= 2 * whole.relative_error[i] * whole.mean_distance[i]


def test_the_exponential_of_float32_is_good_to_a_unit_in_the_last_place():
    t = np.concatenate([np.linspace(-87.0, 0.0, 40_001), -np.logspace(-30, 0, 2001)]).astype(SINGLE)
    got = np.array([exp_negative_single(value) for value in t]).astype(DOUBLE)
    exact = np.exp(t.astype(DOUBLE))
    assert np.abs(got / exact - 1).max() <= EPS
    assert exp_negative_single(SINGLE(0.0)) == 1.0
    with mp.workdps(40):
        worst = t[np.argmax(np.abs(got / exact - 1))]
        assert abs(mp.mpf(float(exp_negative_single(worst))) / mp.exp(float(worst)) - 1) <= EPS


@pytest.mark.parametrize("size", [2**18, 2**20, 2**21, 2**24])
@pytest.mark.parametrize("itemsize", [4, 8])
@pytest.mark.parametrize("arrays", [2, 3])
def test_tiles_fit_the_cache(size, itemsize, arrays, monkeypatch):
    monkeypatch.setattr(cache, "second_level", lambda: size)
    for n in (10, 1000, 10**6):
        queries, samples = cache.tile_shape(n, 16, itemsize, arrays)
        smallest = (queries, samples) == cache.tile_shape(n, 16, itemsize, 10**6)
        assert queries * samples * itemsize * arrays <= size // 2 or smallest
        # The cache is used where it is large, and half as wide numbers leave room for as many again.
        assert queries * samples * itemsize * arrays >= size // 8 or samples == 1024
        assert np.prod(cache.tile_shape(n, 16, 4, arrays)) >= np.prod(cache.tile_shape(n, 16, 8, arrays))
    assert cache.tile_shape(1000, 1024, itemsize, arrays) == (256, 512)


def test_a_system_that_hides_its_cache_gets_a_usual_one(tmp_path, monkeypatch):
    cache.second_level.cache_clear()
    try:
        monkeypatch.setattr(cache, "_SYSTEM", tmp_path)
        assert cache.second_level() == 2**20
        cache.second_level.cache_clear()
        (tmp_path / "index2").mkdir()
        (tmp_path / "index2" / "level").write_text("2\n")
        (tmp_path / "index2" / "size").write_text("1280K\n")
        monkeypatch.setattr(cache.sys, "platform", "linux")
        assert cache.second_level() == 1280 * 1024
        cache.second_level.cache_clear()
        (tmp_path / "index2" / "size").write_text("unknown\n")
        assert cache.second_level() == 2**20
    finally:
        cache.second_level.cache_clear()


@pytest.mark.parametrize("d", [1, 2, 9])
def test_the_error_of_a_population_covers_the_rounding_of_its_moments(d):
    rng = np.random.default_rng(d)
    law, x = us.GaussianMixture(rng.normal(size=(5, d)), 0.1), rng.normal(size=(40, d)).astype(SINGLE)
    for kernel in (us.Gaussian(0.3), us.Laplace(0.3)):
        got, want = us.posterior_moments(kernel, law, x), us.posterior_moments(kernel, law, x.astype(DOUBLE))
        gap = np.abs(got.mean_distance - want.mean_distance)
        assert (gap > 0).any() and (gap <= got.relative_error * want.mean_distance).all()
