"""The diagnosis finds what is known to be there, says what cannot be known, and refuses what makes no sense."""

import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import unifiedscore as us
from tests.kernels.test_compact import Wendland
from unifiedscore.diagnosis import diagnose, diagnose_command
from unifiedscore.diagnosis.command import as_json, print_diagnosis, save_diagnosis
from unifiedscore.diagnosis.data import prepare
from unifiedscore.diagnosis.measurement import _chance_cosine, _curl_energy, jacobian_shape, linear_curl_share
from unifiedscore.diagnosis.scales import Distances, make_kernels, measure_spread
from unifiedscore.errors import FileError, InputError, UnifiedScoreError, UnknownNameError
from unifiedscore.metrics import global_cosine
from unifiedscore.posterior import posterior_jacobian
from unifiedscore.study.dataset import read_dataset


def normal(shape, *, seed, shift=0.0, scale=1.0):
    return shift + scale * np.random.default_rng(seed).standard_normal(shape)


def advice(dataset):
    return dataset.attrs["advice"].splitlines()


def notes(dataset):
    return " | ".join(dataset.attrs["notes"].splitlines())


def ring(dimension, *, per_fold, folds, pair="ring_mog", seed=0, **options):
    p, q = us.load_pair(pair, dimension=dimension)
    rng = np.random.default_rng(seed)
    target, model = p.sample(per_fold * folds, rng), q.sample(per_fold * folds + 400, rng)
    return diagnose(
        target, model, bandwidths=0.3 * dimension**0.5, folds=folds, max_samples=10**6, seed=seed, **options
    )


def population_cosine(dimension):
    kernel = us.Laplace(bandwidth=0.3 * dimension**0.5)
    p, q = (law.reduced() for law in us.load_pair("ring_mog", dimension=dimension))
    x, weights = q.quadrature(order=6, components=[0])
    return global_cosine(
        us.Drift(kernel, target=p, model=q)(x), us.ScoreDifference(kernel, target=p, model=q)(x), weights
    )


def test_a_moderate_dimension_gives_the_population_cosine_inside_the_cross_fitted_interval():
    found = ring(32, per_fold=2000, folds=8)
    truth = population_cosine(32)
    assert truth == pytest.approx(0.9848, abs=2e-4)
    assert found.cross_fitted_cosine_low[0] < truth < found.cross_fitted_cosine_high[0]
    assert float(found.cross_fitted_cosine_high[0] - found.cross_fitted_cosine_low[0]) < 0.03
    assert found.split_sample_cosine_high[0] < truth
    assert found.status[0] == 0 and found.cross_fitted_reason[0] == ""


def test_a_high_dimension_splits_the_three_cosines_and_the_shared_noise_is_called_out():
    found = ring(256, per_fold=1000, folds=8)
    # The population value is .844: same samples exceed it because they share their noise, a split is all noise.
    assert found.same_sample_cosine_low[0] > 0.93 and found.split_sample_cosine_high[0] < 0.3
    assert found.noise_share[0] > 0.5
    assert "cannot be trusted, because both fields share that noise" in " ".join(advice(found))


def test_a_gaussian_kernel_aligns_exactly_with_no_residual_and_no_curl():
    found = diagnose(normal((2000, 5), seed=0, shift=0.5), normal((2000, 5), seed=1), "gaussian", [0.5, 2.0])
    for name in ("cross_fitted_cosine", "same_sample_cosine", "whole_sample_cosine", "scale_ratio"):
        np.testing.assert_allclose(found[name], 1.0, rtol=1e-12)
    for name in ("residual_share", "preconditioner_share", "curl_share", "relative_error", "best_relative_error"):
        np.testing.assert_allclose(found[name], 0.0, atol=1e-12)
    np.testing.assert_allclose(found.effective_bandwidth, found.bandwidth, rtol=1e-12)
    np.testing.assert_allclose(found.matched_gaussian_error, 0.0, atol=1e-20)
    assert (found.split_sample_cosine < 0.99).all()
    assert "an identity here" in " ".join(advice(found))


def test_the_noise_of_equal_laws_is_the_predicted_floor_and_no_cosine_is_claimed():
    folds, n, d = 20, 1000, 64
    target, model = normal((folds * n, d), seed=2), normal((folds * n + 400, d), seed=3)
    found = diagnose(target, model, bandwidths=2.4, folds=folds, max_samples=10**6)
    # 2 tr Cov_pi / ESS = .1401 for one fold of 1000, and less like 1/n for all samples. The noise is nearly one vector
    # for all queries: 19 x 64 degrees of freedom, a relative error of 4 %; two and a half of them.
    assert float(found.noise_energy[0]) * folds == pytest.approx(0.1401, rel=0.1)
    assert float(found.noise_share[0]) > 0.8
    assert np.isnan(found.cross_fitted_cosine[0]) and found.status[0] == 1
    assert "noise hides the drift" in str(found.cross_fitted_reason.values[0])
    assert found.same_sample_cosine[0] > 0.9


def test_a_flat_kernel_sees_the_mean_difference_alone():
    found = diagnose(normal((2000, 8), seed=4, shift=0.5), normal((2000, 8), seed=5), bandwidths=[0.2, 50.0])
    assert found.mean_difference_share[1] > 0.999 > 0.9 > found.mean_difference_share[0]
    assert found.bandwidth_over_std[1] > 5 and found.smoothed_share[1] == 1.0
    assert "At bandwidth 50 a multiple of the difference of the two means" in " ".join(advice(found))
    assert "the kernel is flat there" in found.attrs["advice"] and "shift" not in found.attrs["advice"]
    assert float(found.mean_distance_of_means) == pytest.approx(0.5 * 8**0.5, abs=0.1)


def test_a_sharp_kernel_is_called_trivially_aligned():
    found = diagnose(normal((300, 16), seed=6), normal((300, 16), seed=7), bandwidths=1e-3)
    assert (found.effective_samples < 1.5).all() and found.whole_sample_cosine[0] > 0.98
    assert "trivially near 1" in advice(found)[0]


def test_different_norms_move_the_preconditioners_apart_as_predicted():
    found = ring(32, per_fold=500, folds=6, pair="ring_mog_norms")
    # Population under q: .944 at this dimension.
    assert float(found.preconditioner_ratio[0]) == pytest.approx(0.944, abs=0.005)
    assert float(found.norm_ratio) == pytest.approx((9 + 32 * 0.25) / (9 + 32 * 0.36), rel=0.02)
    assert "two Gaussian bandwidths" in " ".join(advice(found))


def test_the_effective_bandwidth_squared_is_the_bandwidth_times_the_posterior_distance():
    x, p, q = normal((50, 6), seed=8), normal((300, 6), seed=9), normal((300, 6), seed=10)
    found = diagnose(p, q, bandwidths=0.7, queries=x)
    distance = [us.posterior_moments(us.Laplace(0.7), law, x).mean_distance.mean() for law in (p, q)]
    assert float(found.effective_bandwidth[0]) ** 2 == pytest.approx(0.7 * np.mean(distance), rel=1e-12)


def test_concentration_numbers_are_those_of_known_laws():
    rng = np.random.default_rng(11)
    measure = lambda points: measure_spread(points, np.ones(len(points)), np.zeros(points.shape[1]), rng)  # noqa: E731
    isotropic = measure(2 * rng.standard_normal((20_000, 40)))
    assert isotropic.squared_norm == pytest.approx(160, rel=0.03)
    assert isotropic.kappa == pytest.approx(1, rel=0.03) and isotropic.norm_spread == pytest.approx(2, rel=0.2)
    line = measure(rng.standard_normal((5000, 1)) * np.ones(30) / 30**0.5)
    assert line.kappa == pytest.approx(30, rel=0.15)
    raw, _ = us.load_pair("raw_mog", dimension=16)
    assert measure(raw.sample(5000, rng)).kappa == pytest.approx(1.41667, rel=0.03)


def test_the_sizes_of_the_two_gaps_are_those_of_the_channel_identity():
    p, q, x = normal((150, 3), seed=41, scale=2.0), normal((150, 3), seed=42, shift=0.5), normal((60, 3), seed=43)
    found = diagnose(p, q, bandwidths=0.9, queries=x)
    a, b = (us.posterior_moments(us.Laplace(0.9), law, x) for law in (p, q))
    drift, score = a.mean_shift - b.mean_shift, a.score - b.score
    # delta = V - alpha s of each law; the preconditioner gap is then what the score difference leaves of the rest.
    residual = drift - a.preconditioner[:, None] * a.score + b.preconditioner[:, None] * b.score
    gap = drift - residual - (a.preconditioner + b.preconditioner)[:, None] / 2 * score
    size = lambda part: np.sqrt((part**2).sum() / (drift**2).sum())  # noqa: E731
    assert float(found.residual_share[0]) == pytest.approx(size(residual), rel=1e-10)
    assert float(found.preconditioner_share[0]) == pytest.approx(size(gap), rel=1e-10)


def test_curl_energy_and_share_agree_with_the_exact_jacobian():
    rng = np.random.default_rng(12)
    kernel, p, q = us.Laplace(0.6), normal((80, 3), seed=13), normal((90, 3), seed=14, shift=0.7)
    x = rng.standard_normal((100, 3))
    jacobian = posterior_jacobian(kernel, p, x) - posterior_jacobian(kernel, q, x)
    exact = (((jacobian - jacobian.swapaxes(1, 2)) / 2) ** 2).sum((1, 2))
    moments = [us.posterior_moments(kernel, law, x) for law in (p, q)]
    np.testing.assert_allclose(_curl_energy(*moments), exact, rtol=1e-9, atol=1e-15)
    options = {"field": None, "max_samples": 500, "max_queries": 100, "folds": 3, "rng": rng}
    shapes = [jacobian_shape(kernel, prepare(p, q, queries=x, **options), *moments, rng) for _ in range(8)]
    share, size = np.mean(shapes, axis=0)
    assert share == pytest.approx(exact.sum() / (jacobian**2).sum(), rel=0.05)
    # The change over h = sqrt(E alpha) in a random direction, relative to the drift.
    h = np.sqrt(np.mean([m.preconditioner for m in moments]))
    drift = moments[0].mean_shift - moments[1].mean_shift
    assert size == pytest.approx(h * np.sqrt((jacobian**2).sum() / 3 / (drift**2).sum()), rel=0.03)


# A field of the user's own.


@pytest.fixture(scope="module")
def own():
    p, q, x = normal((400, 3), seed=15, shift=0.5, scale=1.3), normal((400, 3), seed=16), normal((120, 3), seed=17)
    kernel = us.Laplace(bandwidth=0.8)
    moments = [us.posterior_moments(kernel, law, x) for law in (p, q)]
    return p, q, x, kernel, moments


def decompose(own, field, bandwidths=0.8):
    p, q, x, _, _ = own
    found = diagnose(p, q, bandwidths=bandwidths, queries=x, field=field)
    shares = [found[f"field_{n}_share"].values for n in ("score", "preconditioner", "residual", "unexplained")]
    np.testing.assert_allclose(np.sum(shares, axis=0), 1.0, rtol=1e-12)
    return found, np.array(shares)


def test_the_drift_itself_is_explained_by_its_three_channels(own):
    (p, q) = own[4]
    found, shares = decompose(own, -2.5 * (p.mean_shift - q.mean_shift), [0.2, 0.8, 3.0])
    assert shares[3, 1] < 1e-20 < 1e-6 < shares[3, 0] and shares[3, 2] > 1e-6
    assert shares[0, 1] > 0.5 and shares[2, 1] > 1e-4
    assert float(found.field_drift_scale[1]) == pytest.approx(-2.5, rel=1e-10)
    assert float(found.field_drift_cosine[1]) == pytest.approx(-1, rel=1e-10)
    assert "closest to the drift of this kernel at bandwidth 0.8" in advice(found)[0]


def test_a_score_difference_is_all_score(own):
    p, q = own[4]
    found, shares = decompose(own, 3 * (p.score - q.score))
    assert shares[0, 0] == pytest.approx(1, abs=1e-12)
    assert float(found.field_score_scale[0]) == pytest.approx(3, rel=1e-10)


def test_each_channel_is_attributed_to_its_own_name(own):
    p, q = own[4]
    gap = (p.preconditioner - q.preconditioner)[:, None] * (p.score + q.score) / 2
    _, with_gap = decompose(own, p.score - q.score + gap)
    _, with_residual = decompose(own, p.score - q.score + 20 * (p.residual - q.residual))
    assert with_gap[1, 0] > 0.05 and max(with_gap[2:, 0]) < 1e-12
    assert with_residual[2, 0] > 0.05 and with_residual[3, 0] < 1e-12


def test_noise_is_unexplained_and_a_rotation_is_curl(own):
    _, shares = decompose(own, normal((120, 3), seed=18))
    assert shares[3, 0] > 0.95
    x, equal = own[2], np.ones(120)
    turn, stretch = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 0]]), np.diag([1.0, 2.0, -1.0])
    assert linear_curl_share(x, x @ turn, equal) == pytest.approx(1, abs=1e-12)
    assert linear_curl_share(x, 4 + x @ stretch, equal) == pytest.approx(0, abs=1e-12)
    assert linear_curl_share(x, x @ (turn + stretch), equal) == pytest.approx(2 / 8, abs=1e-12)
    assert np.isnan(linear_curl_share(x[:11], x[:11], np.ones(11)))


def test_members_of_a_sample_are_left_out_at_their_own_query():
    p, q = normal((60, 2), seed=19, shift=1.0), normal((80, 2), seed=20)
    found = diagnose(p, q, bandwidths=0.3, queries=q[5:45])
    assert "model: 40 queries are members" in notes(found) and "target:" not in notes(found)
    kernel, index = us.Laplace(0.3), np.arange(5, 45)
    left_out = us.posterior_moments(kernel, q, q[5:45], exclude=index)
    assert float(found.effective_samples[0, 1]) == pytest.approx(np.median(left_out.effective_samples), rel=1e-12)
    drift = us.posterior_moments(kernel, p, q[5:45]).mean_shift - left_out.mean_shift
    assert float(found.drift_energy[0]) == pytest.approx((drift**2).sum(1).mean(), rel=1e-12)


def test_folds_are_disjoint_cover_the_sample_and_leave_members_out():
    points = normal((50, 2), seed=44)
    options = {"field": None, "max_samples": 100, "max_queries": 20, "folds": 5, "rng": np.random.default_rng(0)}
    law = prepare(normal((60, 2), seed=45), points, queries=points[10:20], **options).model
    assert sorted(np.concatenate(law.folds)) == list(range(50))
    hits = np.zeros(10, dtype=int)
    for number in range(5):
        samples, exclude = law.fold(number)
        for query, index in enumerate(exclude):
            present = (samples.points == points[10 + query]).all(1)
            assert (index == -1 and not present.any()) or present[index]
            hits[query] += index >= 0
    assert (hits == 1).all()


# What comes in and how it is treated.


def test_the_seed_decides_everything_and_only_the_seed():
    p, q = normal((500, 3), seed=21), normal((500, 3), seed=22, shift=0.5)
    first, again, other = (diagnose(p, q, bandwidths=0.5, seed=s) for s in (0, 0, 1))
    assert first.identical(again) and first.drift_energy[0] != other.drift_energy[0]


def test_laws_that_share_samples_are_noticed():
    points = normal((100, 2), seed=39)
    found = diagnose(points, np.concatenate([points[:30], normal((70, 2), seed=40)]), bandwidths=0.5)
    assert "share 30 samples" in notes(found) and "share" not in notes(diagnose(points, points + 1, bandwidths=0.5))


def test_one_shared_sample_of_many_does_not_condemn_every_interval():
    points = normal((300, 2), seed=39)
    found = diagnose(points, np.concatenate([points[:1], normal((299, 2), seed=40)]), bandwidths=0.5)
    assert "share 1 sample of 300: their noise depends on each other to that extent" in notes(found)
    assert "can be relied on" not in notes(found)


def test_equal_samples_have_a_drift_of_exactly_zero_and_it_is_said(capsys):
    points, x = normal((200, 3), seed=41), normal((60, 3), seed=42)
    for options in ({"field": -x}, {}):
        found = diagnose(points, points[::-1], bandwidths=[0.5, 2.0], queries=x, **options)
        assert (found.drift_energy == 0).all() and (found.status == 2).all()
        assert set(found.cross_fitted_reason.values) == {"the drift is exactly zero"}
        (sentence,) = advice(found)
        assert "exactly zero at every query, because target and model are the same samples" in sentence
        assert ("no part of your field is explained" in sentence) == bool(options)
        print_diagnosis(found)
        text = capsys.readouterr().out
        assert "exactly zero" in text
        assert not any(word in text.lower().split() for word in ("nan", "unknown", "-", "inconclusive"))


def test_a_drift_that_is_not_zero_is_never_called_so():
    points, x = normal((200, 3), seed=41), normal((60, 3), seed=42)
    moved = points.copy()
    moved[7] += 1e-3
    found = diagnose(points, moved, bandwidths=0.5, queries=x)
    assert (found.drift_energy > 0).all() and "exactly zero" not in " ".join(advice(found))


def test_odd_columns_and_rows_are_mentioned_once_and_ordinary_ones_never():
    p, q = normal((100, 4), seed=43), normal((120, 4), seed=44, shift=0.3)
    ordinary = diagnose(p, q, bandwidths=1.0).attrs["notes"].splitlines()
    assert [note.partition(":")[0] for note in ordinary] == ["queries", "intervals"]

    def changed(change_p, change_q):
        first, second = p.copy(), q.copy()
        change_p(first), change_q(second)
        found = diagnose(first, second, bandwidths=1.0)
        return notes(found), advice(found)

    def put(column, value):
        return lambda array: array.__setitem__((slice(None), column), value)

    same = lambda array: None  # noqa: E731
    assert "column 2 is one and the same number in all samples" in changed(put(2, 5.0), put(2, 5.0))[0]
    assert "column 2 is one number in the target and another in the model" in changed(put(2, 5.0), put(2, 6.0))[0]
    assert "column 1 is constant in the target alone" in changed(put(1, 0.0), same)[0]
    assert "each of the columns 1, 3 is constant in the model alone" in changed(same, put([1, 3], 0.0))[0]
    assert "target: column 0 counts the rows" in changed(lambda a: put(0, np.arange(len(a)))(a), same)[0]
    assert (
        "model: 20 of its 120 samples repeat others" in changed(same, lambda a: a.__setitem__(slice(20), a[20:40]))[0]
    )
    assert "target: 1 coordinates equal 1e+20" in changed(lambda a: a.__setitem__((3, 1), 1e20), same)[0]
    whiten = changed(lambda a: a.__imul__([1, 1, 30, 1]), lambda a: a.__imul__([1, 1, 30, 1]))[1]
    assert "Column 2 holds 100% of the variance" in whiten[0] and "whiten" in whiten[0]
    twice = changed(lambda a: a.__imul__([1, 1, 2, 1]), lambda a: a.__imul__([1, 1, 2, 1]))[1]
    assert not any("whiten" in sentence for sentence in twice)


def test_large_samples_are_cut_and_it_is_said():
    found = diagnose(normal((3000, 2), seed=23), normal((200, 2), seed=24), bandwidths=1.0, max_samples=1000)
    assert "target: a random 1000 of its 3000 samples" in notes(found) and found.samples.values.tolist() == [1000, 160]


def test_weights_count_like_repeated_samples_and_zero_weights_like_none():
    p, x = normal((40, 2), seed=25), normal((30, 2), seed=26)
    q, counts = normal((50, 2), seed=27, shift=0.5), np.repeat([1, 3, 0], [20, 20, 10])
    weighted = diagnose(p, us.Samples(q, counts), bandwidths=0.7, queries=x)
    repeated = diagnose(p, np.repeat(q, counts, axis=0), bandwidths=0.7, queries=x)
    for name in ("whole_sample_cosine", "preconditioner_ratio", "mean_difference_share", "drift_energy"):
        np.testing.assert_allclose(weighted[name], repeated[name], rtol=1e-9)
    assert weighted.samples.values.tolist() == [40, 40]


def test_default_bandwidths_hold_their_contrast_and_relative_ones_their_fraction():
    distances = Distances(mean=10.0, near=8.0, median=10.0)
    laplace = make_kernels("laplace", None, distances, 64, relative=False)
    np.testing.assert_allclose([k.bandwidth for k in laplace], [0.5, 2.0, 8.0], rtol=2e-3)
    for kernel, contrast in zip(
        make_kernels("gaussian", None, distances, 64, relative=False), (4, 1, 0.25), strict=True
    ):
        assert -np.diff(kernel.log_profile(np.array([8.0, 10.0])))[0] == pytest.approx(contrast, rel=1e-2)
    relative = make_kernels("laplace", None, distances, 64, relative=True)
    np.testing.assert_allclose([k.bandwidth for k in relative], [0.2, 0.5, 2.0])
    assert [k.bandwidth for k in make_kernels("laplace", [0.3, 0.1], distances, 2, relative=True)] == [1.0, 3.0]
    assert make_kernels(us.Matern(0.4, 1.5), None, distances, 2, relative=False) == [us.Matern(0.4, 1.5)]
    # Polynomial tails never reach the contrast asked for.
    assert len(make_kernels("rational_quadratic:0.5", None, distances, 64, relative=False)) == 3


@pytest.mark.parametrize("kernel", ["matern:1.5", "rational_quadratic:2", "student_t:3"])
def test_every_kernel_can_be_diagnosed(kernel):
    found = diagnose(normal((150, 3), seed=28, shift=1.0), normal((150, 3), seed=29), kernel)
    assert np.isfinite(found.whole_sample_cosine).all() and (found.whole_sample_cosine[1:] > 0.9).all()


@pytest.mark.parametrize("bandwidth", [1e-8, 1e8])
@pytest.mark.parametrize("offset", [0.0, 1e8])
def test_extreme_but_legal_input_gives_finite_limits(bandwidth, offset):
    p, q = normal((60, 3), seed=30, shift=offset + 1), normal((60, 3), seed=31, shift=offset)
    found = diagnose(np.repeat(p, 2, axis=0), q, bandwidths=bandwidth)
    for name in ("whole_sample_cosine", "drift_energy", "effective_samples", "preconditioner_ratio", "residual_share"):
        assert np.isfinite(found[name]).all(), name
    if bandwidth == 1e8:
        assert found.mean_difference_share[0] > 0.99
    else:
        assert (found.effective_samples <= 2.001).all()


def test_one_dimension_and_float32_and_few_samples_work():
    found = diagnose(normal((12, 1), seed=32).astype(np.float32), normal((12, 1), seed=33, shift=2.0))
    assert (found.curl_share == 0).all() and np.isfinite(found.drift_energy).all()


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((np.ones((5, 2)), normal((50, 2), seed=0)), {}, "target must hold at least 12 samples"),
        ((normal((50, 2), seed=0), normal((50, 3), seed=0)), {}, "one dimension; got 2 and 3"),
        ((np.full((50, 2), np.nan), normal((50, 2), seed=0)), {}, "must be finite"),
        ((np.ones((50, 2)), np.ones((50, 2))), {}, "target holds 50 copies of one point"),
        ((np.zeros((50, 2)), np.ones((50, 2))), {}, "target holds 50 copies of one point"),
        ((np.zeros((50, 2)), np.ones((50, 2)), "gaussian"), {}, "target holds 50 copies of one point"),
        ((normal((50, 2), seed=0), np.ones((50, 2)), "laplace", 0.5), {}, "model holds 50 copies of one point"),
        ((normal((50, 2), seed=0), us.GaussianMixture([[0.0, 0.0]], 1.0)), {}, r"draw from it with .sample"),
        ((normal((50, 2), seed=0), normal((50, 2), seed=1), "laplase"), {}, "nearest known names are: laplace"),
        ((normal((50, 2), seed=0), normal((50, 2), seed=1), us.Laplace), {}, "class Laplace: pass an instance"),
        ((normal((50, 2), seed=0), normal((50, 2), seed=1), us.Matern, 0.5), {}, "class Matern: pass an instance"),
        ((normal((50, 2), seed=0), normal((50, 2), seed=1), 0.5), {}, "kernel must be a name .* got 0.5"),
        ((normal((50, 2), seed=0), normal((50, 2), seed=1), "laplace", -1.0), {}, "bandwidth"),
        ((normal((50, 2), seed=0), normal((50, 2), seed=1), "laplace", []), {}, "one or several positive numbers"),
        ((normal((50, 2), seed=0), normal((50, 2), seed=1)), {"field": np.ones((4, 2))}, "field needs queries"),
        (
            (normal((50, 2), seed=0), normal((50, 2), seed=1)),
            {"queries": np.ones((3, 2)), "field": np.ones((4, 2))},
            r"one vector a query, shape \(3, 2\); got shape \(4, 2\)",
        ),
        ((normal((50, 2), seed=0), normal((50, 2), seed=1)), {"seed": -1}, "seed must be at least 0"),
        ((normal((50, 2), seed=0), normal((50, 2), seed=1)), {"folds": 2}, "folds must be at least 3"),
    ],
)
def test_bad_input_is_one_clear_paragraph(arguments, options, message):
    with pytest.raises(InputError, match=message) as caught:
        diagnose(*arguments, **options)
    assert "\n" not in str(caught.value)


# The command.


def test_the_command_prints_and_saves_what_it_found(tmp_path, capsys):
    np.save(tmp_path / "p.npy", normal((300, 2, 2), seed=34, shift=1.0))
    np.savez(tmp_path / "q.npz", a=normal((300, 4), seed=35), b=np.zeros(3))
    out = tmp_path / "new" / "folder"
    options = {"bandwidths": [0.5, 2.0], "out": out, "seed": 3}
    assert diagnose_command(str(tmp_path / "p.npy"), f"{tmp_path / 'q.npz'}:a", **options) == 0
    text = capsys.readouterr().out
    for part in ("cosine, cross-fitted", "-> ", "flattened to (300, 4)", "seed 3", str(out / "diagnose.nc")):
        assert part in " ".join(text.split())
    stored = read_dataset(out / "diagnose.nc")
    for name, variable in stored.data_vars.items():
        assert variable.attrs["long_name"], name
    plain = json.loads((out / "diagnose.json").read_text())
    assert plain["coordinates"]["bandwidth"] == [0.5, 2.0] and plain["attributes"]["advice"]
    assert plain["variables"]["cross_fitted_cosine"]["values"] == stored.cross_fitted_cosine.values.tolist()
    assert sorted(path.name for path in out.iterdir()) == ["diagnose.json", "diagnose.nc"]


def test_the_command_knows_named_real_data(capsys):
    assert diagnose_command("digits", "digits", bandwidths=[1.0]) == 0
    assert "those of the pair digits" in capsys.readouterr().out
    assert diagnose_command("digits:label=3", "digits:label=8", relative=True, bandwidths=[0.2]) == 0
    assert "digits:label=3 (183 samples)" in capsys.readouterr().out
    options = {"bandwidths": [1.0], "max_samples": 300}
    assert diagnose_command("ring_mog:dimension=8", "ring_mog:dimension=8", **options) == 0


def test_the_command_decomposes_a_field_from_files(tmp_path, capsys):
    p, q, x = normal((200, 2), seed=36, shift=1.0), normal((200, 2), seed=37), normal((50, 2), seed=38)
    drift = us.Drift(us.Laplace(0.5), target=p, model=q)(x)
    for name, value in {"p": p, "q": q, "x": x, "drift": drift}.items():
        np.save(tmp_path / f"{name}.npy", value)
    path = lambda name: str(tmp_path / f"{name}.npy")  # noqa: E731
    diagnose_command(path("p"), path("q"), bandwidths=[0.5], queries=path("x"), field=path("drift"))
    text = capsys.readouterr().out
    assert "Your field is closest to the drift" in " ".join(text.split()) and "your field: score share" in text


def test_a_terminal_gets_a_table():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    diagnose_command("digits:label=1", "digits:label=7", bandwidths=[1.0], file=stream)
    assert "\x1b[" in stream.getvalue() and "effective samples" in stream.getvalue()


@pytest.mark.parametrize(
    ("target", "model", "error", "message"),
    [
        ("missing.npy", "digits", FileError, "no such file"),
        ("digitz", "digits", UnknownNameError, "nearest known names are: digits"),
        ("digitz", "digitz", UnknownNameError, "nearest known names are: digits"),
        ("digits:label", "digits", InputError, "digits:label=3"),
        ("digits:label=30", "digits", InputError, "label must be between 0 and 9"),
        ("digits", "two_moons", InputError, "one dimension; got 64 and 2"),
        ("ring_mog", "ring_mog", InputError, "needs the parameter dimension; write it as in ring_mog:dimension=64"),
    ],
)
def test_bad_names_and_files_leave_nothing_behind(tmp_path, monkeypatch, target, model, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        diagnose_command(target, model, out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_a_file_is_refused_before_anything_is_computed(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnifiedScoreError, match="must be a folder"):
        diagnose_command("digits", "digits", out=tmp_path / "file")


@pytest.mark.parametrize("first", ["unifiedscore.diagnosis", "from unifiedscore.diagnosis import diagnose_command", ""])
def test_the_public_name_is_callable_whatever_was_imported_first(first):
    start = f"import {first}" if first.startswith("unifiedscore") else first
    code = f"import unifiedscore as us\n{start}\nassert callable(us.diagnose)\n"
    code += "from unifiedscore.diagnosis import diagnose\nassert callable(diagnose) and callable(us.diagnose)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_arrays_in_one_file_are_named_as_the_message_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    x = normal((40, 2), seed=40)
    np.savez("two.npz", p=normal((60, 2), seed=41, shift=1.0), q=normal((60, 2), seed=42), x=x, f=x[:, ::-1])
    with pytest.raises(FileError, match=r"or two\.npz:p on the command line"):
        diagnose_command("two.npz", "two.npz:q")
    options = {"bandwidths": [1.0], "queries": "two.npz:x", "field": "two.npz:f"}
    assert diagnose_command("two.npz:p", "two.npz:q", **options) == 0
    assert "your field: score share" in capsys.readouterr().out


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_printed(capsys):
    with pytest.raises(FileError, match="cannot write into /proc/x"):
        diagnose_command("digits:label=1", "digits:label=7", bandwidths=[1.0], out="/proc/x")
    assert capsys.readouterr().out == ""


def test_a_diagnosis_that_fails_leaves_no_folder_behind(tmp_path):
    with pytest.raises(InputError, match="bandwidth"):
        diagnose_command("digits:label=1", "digits:label=7", bandwidths=[-1.0], out=tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_an_unrelated_field_is_called_so_and_a_weakly_related_one_is_not(own):
    (p, q), x = own[4], own[2]
    drift = p.mean_shift - q.mean_shift
    noise = normal(drift.shape, seed=43) * np.sqrt((drift**2).mean())
    found, _ = decompose(own, noise, [0.2, 0.8])
    assert "cannot be told from one that is unrelated" in advice(found)[0]
    assert (np.abs(found.field_drift_cosine) < 4 * found.field_chance_cosine).all()
    found, _ = decompose(own, noise + drift, [0.2, 0.8])
    assert "closest to the drift of this kernel" in advice(found)[0] and len(x) > 10


def test_unrelated_fields_are_rarely_called_related():
    """The chance cosine is the standard deviation over the signs that it stands for."""
    rng = np.random.default_rng(44)
    field, drift, weights = rng.normal(size=(80, 3)), rng.normal(size=(80, 3)) + 1, np.full(80, 1 / 80)
    signs = rng.choice([-1.0, 1.0], size=(4000, 80, 1))
    cosines = [global_cosine(sign * field, drift, weights) for sign in signs]
    assert _chance_cosine(field, drift, weights) == pytest.approx(np.std(cosines), rel=0.05)


def test_advice_and_notes_are_text_of_one_sentence_a_line():
    p, q = np.random.default_rng(0).normal(size=(2, 60, 2))
    found = diagnose(p, q, bandwidths=1.0)
    for text in (found.attrs["advice"], found.attrs["notes"]):
        assert isinstance(text, str) and not text.startswith("[") and all(len(line) > 20 for line in text.splitlines())
    plain = as_json(found)["attributes"]
    assert plain["advice"] == found.attrs["advice"].splitlines() and isinstance(plain["notes"], list)


def test_a_field_is_evaluated_at_the_queries():
    rng = np.random.default_rng(0)
    p, q, x = rng.normal(size=(60, 2)), rng.normal(size=(60, 2)) + 0.5, rng.normal(size=(20, 2))
    field = us.Drift(us.Laplace(0.7), target=p, model=q)
    given = diagnose(p, q, bandwidths=[0.7], queries=x, field=field(x))
    for source in (field, lambda x: field(x)):
        xr.testing.assert_identical(given, diagnose(p, q, bandwidths=[0.7], queries=x, field=source))
        held_out = diagnose(p, q, bandwidths=[0.7], field=source)
        assert held_out["field_drift_cosine"].values[0] > 0.5  # its own points are left out of the drift
    with pytest.raises(InputError, match="one vector a query"):
        diagnose(p, q, bandwidths=[0.7], field=lambda x: x[:, :1])


@pytest.mark.parametrize("field", [None, "field"])
def test_every_term_of_the_table_is_defined_beneath_it(field):
    rng = np.random.default_rng(0)
    p, q, x = rng.normal(size=(60, 2)), rng.normal(size=(60, 2)) + 0.5, rng.normal(size=(20, 2))
    found = diagnose(p, q, bandwidths=[0.7], queries=x, field=None if field is None else -x)
    text = io.StringIO()
    print_diagnosis(found, file=text)
    table, terms = text.getvalue().split("term: ", 1)
    terms = " ".join(terms.split())
    for word in (
        "drift",
        "score difference",
        "cross-fitted",
        "effective samples",
        "preconditioner",
        "residual",
        "kappa",
    ):
        assert re.search(rf"\b{word}:|\b{word} \w_p", terms) or f"{word}: " in terms, word
    assert ("curl indication" in table) == ("curl indication:" in terms) == (field is not None)
    assert "same, from all samples" not in table


def test_the_concentration_of_a_small_sample_leaves_out_products_of_a_point_with_itself():
    from unifiedscore.diagnosis.scales import measure_spread

    rng = np.random.default_rng(0)
    points, origin = rng.normal(size=(12, 30)), rng.normal(size=30)
    centred = points - origin
    products = [(centred[i] @ centred[j]) ** 2 for i in range(12) for j in range(12) if i != j]
    found = measure_spread(points, np.full(12, 1 / 12), origin, rng)
    assert found.squared_norm == pytest.approx((centred**2).sum() / 12, rel=1e-12)
    assert found.kappa == pytest.approx(30 * np.mean(products) / found.squared_norm**2, rel=1e-12)


def test_several_bandwidths_are_one_kernel_where_they_are_combined():
    p, q = (np.random.default_rng(seed).normal(seed, 1.0, (300, 3)) for seed in (1, 0))
    kernels = [us.Laplace(h) for h in (0.2, 0.5, 2.0)]
    together = us.diagnose(p, q, kernel="laplace", bandwidths=[0.2, 0.5, 2.0], combine=True)
    given = us.diagnose(p, q, kernel=us.KernelSum(kernels))
    assert together.sizes["bandwidth"] == 1 and float(together.bandwidth[0]) == pytest.approx(0.2 ** (1 / 3))
    for name in ("drift_energy", "whole_sample_cosine", "cross_fitted_cosine"):
        np.testing.assert_array_equal(together[name], given[name])


def test_a_sum_of_drifts_is_explained_by_the_drifts_of_its_bandwidths_together():
    rng = np.random.default_rng(0)
    p, q, x = rng.normal(1.0, 1.0, (400, 4)), rng.normal(0.0, 1.0, (400, 4)), rng.normal(size=(60, 4))
    wanted = {0.2: 3.0, 0.5: 1.0, 2.0: 0.5}
    field = sum(c * us.Drift(us.Laplace(h), target=p, model=q)(x) for h, c in wanted.items())
    found = us.diagnose(p, q, kernel="laplace", bandwidths=list(wanted), queries=x, field=field)
    assert float(found.field_joint_unexplained_share) < 1e-9
    np.testing.assert_allclose(found.field_joint_scale, list(wanted.values()), rtol=1e-3)
    assert found.field_unexplained_share.min() > 1e-3
    assert "all 3 bandwidths fitted together leave 0.0% unexplained (scales 3, 1 and 0.5)" in found.attrs["advice"]


def test_a_multi_temperature_drift_is_taken_apart_like_any_other_field():
    rng = np.random.default_rng(0)
    p, q = rng.normal(1.0, 1.0, (400, 3)), rng.normal(0.0, 1.0, (400, 3))
    kernels = [us.Laplace(h) for h in (0.2, 2.0)]
    x = rng.normal(size=(50, 3))
    drift = us.MultiTemperatureDrift(kernels, target=p, model=q)
    found = us.diagnose(p, q, kernel="laplace", bandwidths=[0.2, 2.0], queries=x, field=drift)
    np.testing.assert_allclose(found.field_joint_scale, drift.coefficients, rtol=1e-6)


def clusters(shifts, *, seed=0, dimension=64, count=10, size=1500):
    """Two samples of tight clusters on a sphere, those of the second moved by one of the shifts each."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(count, dimension))
    centres /= np.linalg.norm(centres, axis=1)[:, None]
    moves = rng.normal(size=(shifts, dimension))
    moves *= 0.3 / np.linalg.norm(moves, axis=1)[:, None]
    members = rng.integers(count, size=(2, size))
    p, q = centres[members] + 0.04 * rng.normal(size=(2, size, dimension))
    return p, q + moves[members[1] % shifts]


def test_a_local_kernel_that_finds_the_mean_difference_everywhere_is_not_called_flat():
    options = {"kernel": "laplace", "bandwidths": [0.02, 0.05, 0.2], "relative": True, "max_queries": 100}
    shifted = diagnose(*clusters(1), **options)
    assert (shifted.mean_difference_share > 0.9).all() and (shifted.effective_samples / 1500 < 0.5).all()
    said = shifted.attrs["advice"]
    assert "differ mainly by a shift" in said and "the kernel is flat there" not in said
    assert "the drift follows the score difference" in said
    own_way = diagnose(*clusters(10), **options)
    assert (own_way.mean_difference_share < 0.5).all()
    assert "shift" not in own_way.attrs["advice"] and "flat" not in own_way.attrs["advice"]


def test_the_curl_of_a_nearly_constant_drift_is_not_printed_as_if_it_mattered():
    options = {"kernel": "laplace", "bandwidths": [0.2], "relative": True, "max_queries": 100}
    printed = {}
    for shifts in (1, 10):
        found = diagnose(*clusters(shifts), **options)
        text = io.StringIO()
        print_diagnosis(found, file=text)
        printed[shifts] = found, text.getvalue()
    found, text = printed[1]
    assert found.varying_share[0] < 0.1 and found.jacobian_size[0] < 0.1 and np.isfinite(found.curl_share[0])
    assert "negligible Jacobian" in text
    found, text = printed[10]
    assert found.varying_share[0] > 0.5 and "negligible Jacobian" not in text


@pytest.mark.parametrize(
    ("arguments", "text", "bandwidths"),
    [
        (("laplace", [0.2, 0.5, 2.0]), "sum of laplace at 0.2, 0.5, 2", [0.2, 0.5, 2.0]),
        (("matern:1.5", [0.3, 2.0]), "sum of matern:1.5 at 0.3, 2", [0.3, 2.0]),
        (("gaussian", [0.3, 2.0]), "sum of gaussian at 0.3, 2", [0.3, 2.0]),
        ((us.Laplace(1.0), [0.5, 2.0]), "sum of laplace at 0.5, 2", [0.5, 2.0]),
    ],
)
def test_a_combined_kernel_says_what_it_is_made_of_wherever_it_is_kept(arguments, text, bandwidths, tmp_path):
    p, q, x = normal((300, 3), seed=0, shift=1.0), normal((300, 3), seed=1), normal((40, 3), seed=2)
    kernel, values = arguments
    found = diagnose(p, q, kernel, values, queries=x, combine=True)
    assert found.attrs["kernel"] == text and found.attrs["combine"] == 1
    np.testing.assert_allclose(found.attrs["member_bandwidths"], bandwidths)
    assert "identity" not in found.attrs["advice"]
    shares = found.member_share.values[0]
    np.testing.assert_allclose(shares.sum(0), 1.0, rtol=1e-12)
    build = (lambda h: us.kernel_by_name(kernel, h)) if isinstance(kernel, str) else kernel.with_bandwidth
    for column, law in enumerate((p, q)):
        profiles = np.array(
            [np.exp(build(h).log_profile(np.linalg.norm(x[:, None] - law, axis=2))) for h in bandwidths]
        )
        parts = profiles.sum(2)
        np.testing.assert_allclose(shares[:, column], (parts / parts.sum(0)).mean(1), rtol=1e-9)
    out = io.StringIO()
    print_diagnosis(found, file=out)
    said = " ".join(out.getvalue().split())
    for part in (text + ";", "bandwidth, geometric mean", "share of each member in the normaliser", "widest member"):
        assert part in said
    stored = read_dataset(save_diagnosis(found, tmp_path)[0])
    plain = json.loads((tmp_path / "diagnose.json").read_text())["attributes"]
    assert stored.attrs["kernel"] == plain["kernel"] == text and plain["combine"] == stored.attrs["combine"] == 1
    np.testing.assert_allclose(stored.attrs["member_bandwidths"], bandwidths)
    np.testing.assert_allclose(plain["member_bandwidths"], bandwidths)


def test_a_sum_that_was_given_names_its_members_and_one_kernel_has_none():
    p, q = normal((100, 2), seed=0, shift=1.0), normal((100, 2), seed=1)
    mixed = diagnose(p, q, us.KernelSum([us.Laplace(0.5), us.Gaussian(2.0)], weights=[3, 1]))
    assert mixed.attrs["kernel"] == "sum of laplace at 0.5, gaussian at 2" and mixed.attrs["combine"] == 0
    np.testing.assert_allclose(mixed.member_weight, [0.75, 0.25])
    scaled = diagnose(p, q, us.KernelSum([us.Laplace(0.5), us.Laplace(2.0)]), [0.5, 2.0])
    np.testing.assert_allclose(scaled.member_bandwidth, [[0.25, 1.0], [1.0, 4.0]])
    assert "scaled together" in scaled.attrs["kernel"]
    print_diagnosis(scaled, file=io.StringIO())
    assert "member" not in diagnose(p, q, us.Laplace(0.5)).dims


def test_samples_that_are_held_out_as_queries_are_accounted_for():
    p, q = normal((500, 2), seed=0, shift=1.0), normal((600, 2), seed=1)
    text = io.StringIO()
    print_diagnosis(diagnose(p, q, "laplace", 0.5, max_queries=100), file=text)
    assert "(500 samples) against model (600 samples: 500 + 100 queries)" in text.getvalue()
    text = io.StringIO()
    print_diagnosis(diagnose(p, q, "laplace", 0.5, queries=normal((20, 2), seed=2)), file=text)
    assert "(500 samples) against model (600 samples), " in text.getvalue()


def test_a_bandwidth_of_the_kernel_that_is_replaced_is_noted():
    p, q = normal((100, 2), seed=0, shift=1.0), normal((100, 2), seed=1)
    for options in (
        {"bandwidths": 0.9},
        {"bandwidths": [0.5, 1.0]},
        {"relative": True},
        {"bandwidths": 1, "relative": 1},
    ):
        assert "replace the kernel's own, 1" in notes(diagnose(p, q, us.Laplace(1.0), **options))
    for options in ({}, {"bandwidths": 1.0}):
        assert "replace" not in notes(diagnose(p, q, us.Laplace(1.0), **options))
    assert "replace" not in notes(diagnose(p, q, "laplace", 0.9))


def test_held_out_queries_beyond_a_compact_kernel_are_dropped_and_those_of_the_user_refused():
    p, q = normal((600, 2), seed=0, shift=0.3), normal((600, 2), seed=1)
    q[:3] += 50.0  # far from everything: of 120 queries that are drawn from 600, some are there for some seed
    seeds = [s for s in range(8) if "left out" in notes(diagnose(p, q, Wendland(1.0), 0.9, seed=s))]
    assert seeds
    found = diagnose(p, q, Wendland(1.0), 0.9, seed=seeds[0], field=lambda x: -x)
    lost = int(re.search(r"(\d+) of 120 queries have no sample within the support", notes(found))[1])
    assert found.attrs["queries"] == 120 - lost and found.attrs["held_out"] == 120
    assert "r < 0.9" in notes(found) and np.isfinite(found.drift_energy).all()
    with pytest.raises(UnifiedScoreError, match=r"1 of 2 queries, the first query 1, .*; leave these queries out"):
        diagnose(p, q, Wendland(0.9), queries=[[0.0, 0.0], [50.0, 50.0]])
    with pytest.raises(UnifiedScoreError, match=r"of 120 queries have no sample .* larger bandwidth, fewer folds"):
        diagnose(p, q, Wendland(0.01))
    # A query that is a member is not its own neighbour.
    with pytest.raises(UnifiedScoreError, match=r"1 of 1 queries, the first query 0, .* in one of the \d+ folds"):
        diagnose(p, np.vstack([q[3:], [[0.0, 90.0]]]), Wendland(0.9), queries=[[0.0, 90.0]])
    # A kernel without an end loses nothing.
    assert "left out" not in notes(diagnose(p, q, us.Gaussian(0.9), seed=seeds[0]))
