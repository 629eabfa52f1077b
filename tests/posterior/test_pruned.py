"""Pruned sums: what is left out stays below the stated share of every sum, and what is summed equals the dense sum."""

from __future__ import annotations

import gc
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unifiedscore as us
from unifiedscore.posterior import pruned, sample_tree
from unifiedscore.posterior.active import active_part
from unifiedscore.posterior.moments import posterior_field
from unifiedscore.posterior.pruned import Pruning, _least_at_the_ends

EPS = np.finfo(float).eps
NAMES = (
    "log_normalizer", "mean_shift", "score", "preconditioner", "mean_distance", "effective_samples", "residual",
    "curl_norm",
)  # fmt: skip


def kernels(h, d):
    """Kernels of about the same reach: each has fallen to 1e-12 at some 7 h to 10 h."""
    return [
        us.Gaussian(h),
        us.Laplace(h / 4),
        us.Matern(h / 4, 0.3),
        us.Matern(h / 4, 1.5),
        us.Matern(h / 5, 2.2),
        us.RationalQuadratic(2 * h, 10.0),
        us.StudentT(h / 2, 20.0, d),
    ]


EVERYTHING = frozenset({"mean_shift", "score", "sums", "spread"})
SHAPES = ("uniform", "clusters", "coincident", "line", "lattice", "one", "scales")


def cloud(shape, m, d, rng):
    """Samples in about the unit cube."""
    if shape == "uniform":
        return rng.uniform(size=(m, d))
    if shape == "clusters":
        return rng.uniform(size=(5, d))[rng.integers(5, size=m)] + 1e-3 * rng.normal(size=(m, d))
    if shape == "coincident":
        return rng.uniform(size=(max(1, m // 50), d))[rng.integers(max(1, m // 50), size=m)]
    if shape == "line":
        return rng.uniform(size=(m, 1)) * np.ones(d) + 1e-9 * rng.normal(size=(m, d))
    if shape == "lattice":
        return rng.integers(8, size=(m, d)) / 8
    if shape == "one":
        return rng.uniform(size=(1, d))
    center = rng.uniform(size=(4, d))[rng.integers(4, size=m)]
    return center + 10.0 ** rng.integers(-7, 0, size=(m, 1)) * rng.normal(size=(m, d))


def questions(points, h, n, rng):
    """Queries at samples, a hair from them, among them, between cells, and ever farther away."""
    m, d = points.shape
    near = points[rng.integers(m, size=n)]
    far = 10.0 ** rng.uniform(-1, 5, size=(n, 1)) * rng.normal(size=(n, d))
    return np.concatenate([near, near + 1e-9 * h, near + h * rng.normal(size=(n, d)), rng.uniform(size=(n, d)), far])


@pytest.fixture
def always(monkeypatch):
    """Prune whatever it costs."""
    monkeypatch.setattr(pruned, "_may_pay", lambda part, tolerance: True)
    monkeypatch.setattr(Pruning, "pays", lambda self, dense: True)


def brute(kernel, samples, x, exclude=None):
    """Log-weights (n, m), and r, 1/b and b: nothing of the engine's."""
    points, x = samples.points.astype(float), x.astype(float)
    r = np.sqrt(((points[None] - x[:, None]) ** 2).sum(-1))
    with np.errstate(divide="ignore"):
        log_weight = kernel.log_profile(r) + np.log(samples.weights)
    if exclude is not None:
        rows = np.flatnonzero(exclude >= 0)
        log_weight[rows, exclude[rows]] = -np.inf
    inverse = kernel.inverse_weight(r)
    return log_weight, r, inverse, np.where(inverse > 0, 1.0 / np.where(inverse > 0, inverse, 1.0), 0.0)


def neglected_shares(kernel, samples, x, exclude, kept):
    """For each query and each of the five sums the share of the samples that are not kept, (n, 5)."""
    log_weight, r, inverse, b = brute(kernel, samples, x, exclude)
    # What is below e^-708 of the largest weight is none, in the dense sums as well.
    log_weight = np.where(log_weight < log_weight.max(1, keepdims=True) - 700.0, -np.inf, log_weight)
    shares = []
    for f in (np.ones_like(r), r, inverse, b * r, b * r**2):
        with np.errstate(divide="ignore"):
            term = log_weight + np.log(f)
        top = term.max(1, keepdims=True)
        weight = np.exp(term - np.where(top > -np.inf, top, 0.0))
        shares.append(np.where(kept, 0.0, weight).sum(1) / np.maximum(weight.sum(1), 1e-300))
    return np.stack(shares, axis=1)


def kept_by(pruning, n, m):
    """Which pairs are visited, (n, m) bool."""
    kept, cells = np.zeros((n, m), dtype=bool), pruning.cells
    chosen, offsets = pruning.lists(slice(None))
    assert sorted(cells.order.tolist()) == list(range(n))
    for cell in range(len(cells.boxes)):
        queries = cells.order[cells.edges[cell] : cells.edges[cell + 1]]
        places = chosen[offsets[cell] : offsets[cell + 1]]
        assert (np.diff(places) > 0).all()
        kept[np.ix_(queries, pruning.tree.order[places])] = True
    return kept


@given(
    seed=st.integers(0, 2**32 - 1), shape=st.sampled_from(SHAPES), d=st.integers(1, 7),
    h=st.sampled_from([1e-4, 0.02, 0.1, 0.4]),
    which=st.integers(0, 6), tolerance=st.sampled_from([0.5, 1e-2, 1e-5, 1e-12]), weighted=st.booleans(),
    excluding=st.booleans(), m=st.sampled_from([2, 17, 300, 900]),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_the_neglected_share_of_every_sum_is_never_above_what_is_stated(
    seed, shape, d, h, which, tolerance, weighted, excluding, m
):
    rng = np.random.default_rng(seed)
    points, kernel = cloud(shape, m, d, rng), kernels(h, d)[which]
    # Weights over forty orders of magnitude: the nearest sample need not have the largest part.
    samples = us.Samples(points, 10.0 ** rng.uniform(-40, 0, size=len(points)) if weighted else None)
    x = questions(points, h, 8, rng)
    exclude = None
    if excluding and len(points) > 1:
        gap = ((points[None] - x[:, None]) ** 2).sum(-1)
        exclude = np.where(rng.random(len(x)) < 0.7, gap.argmin(1), -1)
    part = active_part(samples, kernel, x, exclude)
    if part.extreme is not None or part.far is not None:
        return
    pruning = Pruning.prepare(part, samples, EVERYTHING, tolerance)
    kept = kept_by(pruning, len(x), len(points))
    found = neglected_shares(kernel, samples, x, exclude, kept)
    # A log-weight of this size is rounded, here and in the engine.
    log_weight = brute(kernel, samples, x, exclude)[0]
    rounding = np.expm1(np.minimum(64 * EPS * np.abs(log_weight.max(1)), 700))
    assert (found <= pruning.shares * (1 + 1e-6 + rounding[:, None]) + 1e-300).all(), found.max(0) / pruning.shares


def assert_within(got, dense, kernel, samples, x, exclude, tolerance, rounding):
    """Every moment within tolerance, in the sense of `relative_error`, and rounding, of the dense one."""
    log_weight, r, inverse, b = brute(kernel, samples, x, exclude)
    pi = np.exp(log_weight - log_weight.max(1, keepdims=True))
    pi /= pi.sum(1, keepdims=True)
    distance, slope, alpha = (pi * r).sum(1), (pi * b * r).sum(1), (pi * inverse).sum(1)
    residual = distance + 2 * alpha * slope
    scale = {
        "log_normalizer": np.ones(len(x)), "mean_shift": distance, "score": slope, "preconditioner": alpha,
        "mean_distance": distance, "effective_samples": 1 / (pi**2).sum(1), "residual": residual,
        "curl_norm": 2 * distance * slope,
    }  # fmt: skip
    for name in NAMES:
        gap = np.abs(getattr(got, name).astype(float) - getattr(dense, name).astype(float))
        # A far query's log-weights are large, and rounded in two ways.
        far = 8 * EPS * np.abs(log_weight).max(1, where=np.isfinite(log_weight), initial=0.0)
        allowed = (tolerance + rounding + far) * scale[name] + 1e-300
        if name == "log_normalizer":
            allowed = allowed + rounding * np.abs(dense.log_normalizer)
        gap = gap.reshape(len(x), -1).max(1)
        assert (gap <= allowed).all(), (name, (gap / allowed).max())


@pytest.mark.parametrize("d", range(1, 8))
@pytest.mark.parametrize("shape", SHAPES)
def test_pruned_sums_are_dense_sums(d, shape, always):
    rng = np.random.default_rng(d)
    points = cloud(shape, 700, d, rng)
    x = questions(points, 0.05, 12, rng)
    for kernel in kernels(0.05, d):
        for weights, excluding, dtype in (
            (False, False, np.float64),
            (True, True, np.float64),
            (True, True, np.float32),
        ):
            own, queries = points.astype(dtype), x.astype(dtype)
            mass = rng.random(len(own)) * (rng.random(len(own)) < 0.8) + 1e-3 * (len(own) == 1) if weights else None
            samples = us.Samples(own, mass)
            exclude = None
            if excluding and np.count_nonzero(samples.weights) > 1:
                exclude = rng.integers(-1, len(own), size=len(x))
            for tolerance in (1e-3, 1e-12):
                got = us.posterior_moments(kernel, samples, queries, exclude=exclude, tolerance=tolerance)
                dense = us.posterior_moments(
                    kernel, samples, queries, exclude=exclude, tolerance=0.0, precision="float64"
                )
                assert dense.visited == 1.0 and got.visited <= 1.0
                # The order of the terms differs: some roundings of sums of 700, amplified by the size of log-weights.
                rounding = 200 * EPS * (1 + kernel.rounding / 100) if dtype == np.float64 else 8 * np.finfo(dtype).eps
                assert_within(got, dense, kernel, samples, queries, exclude, tolerance, rounding)
                if tolerance == 1e-3:
                    assert (dense.relative_error < got.relative_error).all() or got.visited == 1.0


def test_it_leaves_out_most_pairs(always):
    rng = np.random.default_rng(0)
    points, x = rng.uniform(size=(20_000, 2)), rng.uniform(size=(300, 2))
    for kernel in kernels(0.01, 2):
        visited = [us.posterior_moments(kernel, points, x, tolerance=t).visited for t in (1e-12, 1e-6, 1e-2)]
        assert visited[0] < (0.1 if kernel.name != "rational_quadratic" and kernel.name != "student_t" else 0.9)
        assert visited[0] > visited[1] > visited[2] > 0, (kernel, visited)


def test_vectors_and_fields_are_those_of_all_moments(always):
    rng = np.random.default_rng(1)
    points, x = rng.uniform(size=(3000, 3)), rng.uniform(size=(200, 3))
    for kernel in kernels(0.01, 3)[:5]:
        moments = us.posterior_moments(kernel, points, x)
        vectors = us.posterior_vectors(kernel, points, x)
        assert vectors.visited <= moments.visited < 0.9
        for name in ("mean_shift", "score"):
            expected = getattr(moments, name)
            np.testing.assert_allclose(getattr(vectors, name), expected, rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(posterior_field(kernel, points, x, name), expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(us.MeanShift(kernel, points)(x), posterior_field(kernel, points, x, "mean_shift"))


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_jacobian_keeps_what_counts(d, always):
    rng = np.random.default_rng(d)
    points, x = rng.uniform(size=(3000, d)), rng.uniform(size=(40, d))
    samples = us.Samples(points, rng.random(3000))
    for kernel in kernels(0.01, d)[:6]:
        found = us.MeanShift(kernel, samples).jacobian(x)
        part = active_part(samples, kernel, x, None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pruned, "_may_pay", lambda part, tolerance: False)
            dense = us.MeanShift(kernel, samples).jacobian(x)
            assert len(list(pruned.near_samples(part, samples, EVERYTHING, 1e-12))) == 1
        assert len(list(pruned.near_samples(part, samples, EVERYTHING, 1e-12))) > 1
        np.testing.assert_allclose(found, dense, rtol=1e-10, atol=1e-10 * max(1.0, np.abs(dense).max()))


def test_an_offset_changes_nothing(always):
    rng = np.random.default_rng(2)
    points, x = rng.integers(0, 1024, size=(2000, 2)) / 1024, rng.integers(0, 1024, size=(100, 2)) / 1024
    for kernel in kernels(0.005, 2)[:5]:
        here = us.posterior_moments(kernel, points, x)
        there = us.posterior_moments(kernel, points + 2.0**20, x + 2.0**20)
        assert here.visited < 1.0
        # The same differences, another grid of cells.
        for name in NAMES:
            np.testing.assert_allclose(getattr(there, name), getattr(here, name), rtol=1e-11, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_neither_threads_nor_the_other_queries_change_a_bit(d, always, monkeypatch):
    rng = np.random.default_rng(d)
    points, x, kernel = rng.uniform(size=(2000, d)), 1.5 * rng.uniform(size=(3000, d)) - 0.2, us.Laplace(0.01)
    whole = us.posterior_moments(kernel, points, x)
    for count in (1, 2, 5):
        monkeypatch.setattr(pruned, "threads", lambda count=count: count)
        other = us.posterior_moments(kernel, points, x)
        assert all(np.array_equal(getattr(whole, name), getattr(other, name)) for name in NAMES)
    for rows in (slice(0, 1), slice(700, 1900), rng.permutation(3000)[:50]):
        part = us.posterior_moments(kernel, points, x[rows])
        assert all(np.array_equal(getattr(whole, name)[rows], getattr(part, name)) for name in NAMES)
    monkeypatch.setattr(pruned, "_PAIRS", 1)
    monkeypatch.setattr(pruned, "_CHUNK", 3)
    other = us.posterior_moments(kernel, points, x)
    assert all(np.array_equal(getattr(whole, name), getattr(other, name)) for name in NAMES)


def test_a_wide_kernel_few_pairs_and_many_dimensions_are_dense():
    rng = np.random.default_rng(3)
    points, x = rng.uniform(size=(3000, 2)), rng.uniform(size=(3000, 2))
    assert us.posterior_moments(us.Gaussian(0.004), points, x).visited < 0.3
    assert us.posterior_moments(us.Gaussian(0.5), points, x).visited == 1.0
    assert us.posterior_moments(us.RationalQuadratic(0.01, 0.5), points, x).visited == 1.0
    assert us.posterior_moments(us.Gaussian(0.004), points, x[:20]).visited == 1.0
    assert us.posterior_moments(us.Gaussian(0.004), points, x, tolerance=0.0).visited == 1.0
    wide = rng.uniform(size=(3000, 8))
    assert us.posterior_moments(us.Gaussian(0.004), wide, wide).visited == 1.0


def test_a_loop_with_a_logarithm_is_pruned_in_float32_too():
    """Such a loop is no faster in float32, and its pairs are worth more than those of an exponential."""
    points, x = np.random.default_rng(4).uniform(size=(2, 3000, 1)).astype(np.float32)
    for kernel in (us.Matern(0.0015, 1.5), us.Matern(0.0015, 0.8)):
        assert us.posterior_moments(kernel, points, x).visited < 0.3
    assert us.posterior_moments(us.Gaussian(0.02), points, x).visited == 1.0


def test_one_tree_serves_a_field_until_its_samples_change_or_go(always, monkeypatch):
    built = []
    build = sample_tree.SampleTree.build
    monkeypatch.setattr(sample_tree.SampleTree, "build", classmethod(lambda cls, *a: built.append(1) or build(*a)))
    rng = np.random.default_rng(4)
    samples = us.Samples(rng.uniform(size=(500, 2)))
    fields = us.MeanShift(us.Gaussian(0.02), samples), us.KernelScore(us.Laplace(0.02), samples)
    x = rng.uniform(size=(50, 2))
    for _ in range(3):
        for field in fields:
            field(x)
    assert len(built) == 1
    # Nothing of it travels with the field.
    assert len(pickle.dumps(fields[0])) < 2 * samples.points.nbytes
    before = fields[0](x)
    samples.points[:] += 0.25
    np.testing.assert_allclose(fields[0](x + 0.25), before, atol=1e-12)
    assert len(built) == 2
    key = (id(samples.points), id(samples.weights))
    assert key in sample_tree._KEPT
    del samples, fields, field
    gc.collect()
    assert key not in sample_tree._KEPT


def test_what_is_left_out_may_be_all_that_is_near(always):
    """A sample without itself: the nearest of the others is what counts, however far it is."""
    points = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1e-7], [50.0, 0.0], [51.0, 0.0]])
    for kernel in (us.Gaussian(0.05), us.Laplace(0.02), us.Matern(0.02, 2.5)):
        got = us.posterior_moments(kernel, points, points, exclude=np.arange(5))
        np.testing.assert_allclose(got.mean_shift[[0, 3, 4]], [[1.0, 5e-8], [1.0, 0.0], [-1.0, 0.0]], rtol=1e-6)
        np.testing.assert_allclose(got.mean_shift[1], [0.0, 1e-7], rtol=1e-6, atol=1e-16)


def test_functions_with_several_turns_are_bounded_by_what_follows():
    rng = np.random.default_rng(5)
    rises, turns = np.array([0.0, 1.0, 3.0, 2.0, 0.5]), rng.random(30)
    np.testing.assert_array_equal(_least_at_the_ends(rises[None]), rises[None])
    low = _least_at_the_ends(turns[None])[0]
    for i in range(30):
        for j in range(i, 30):
            assert min(low[i], low[j]) <= turns[i : j + 1].min()


def test_the_tolerance_is_checked():
    for bad in (-1e-3, 1.0, np.nan, "small"):
        with pytest.raises(us.UnifiedScoreError, match="tolerance"):
            us.posterior_moments(us.Gaussian(1.0), np.zeros((3, 2)), np.zeros((2, 2)), tolerance=bad)
