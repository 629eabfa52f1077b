"""Fits, splits, blends, copies and filters: known answers, second routes and what is refused."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.learned import (
    DensitySmoothedDenoiser,
    GaussianDenoiser,
    ScoreSmoothedDenoiser,
    chance_copy_rate,
    copy_rate,
    describe_denoiser,
    description_noise,
    fit_family,
    fit_filter,
    gradient_flow_gains,
    hybrid_weight,
    memorisation_step,
    noisy_queries,
    split_error,
)

RNG = np.random.default_rng(0)
DATA = RNG.normal(size=(8, 2))
QUERIES = noisy_queries(DATA, 80, RNG, level=0.3)
NOISE = description_noise(2, RNG, draws=32)
SETTINGS = {"level": 0.3, "queries": QUERIES, "noise": NOISE}


def test_every_description_finds_itself_and_names_it():
    made = {
        "score": ScoreSmoothedDenoiser(DATA, 0.3, 0.25, noise=NOISE),
        "kernel": us.Barycenter(us.Gaussian(0.54), DATA),
        "density": DensitySmoothedDenoiser(DATA, 0.3, 0.4),
    }
    parameters = {"score": 0.25, "kernel": 1.8, "density": 0.4}
    for name, denoiser in made.items():
        found = describe_denoiser(denoiser, DATA, **SETTINGS)
        fit = getattr(found, name)
        assert found.best == name and fit.share == pytest.approx(1, abs=1e-6)
        assert fit.parameter == pytest.approx(parameters[name], rel=2e-3)
        assert (found.lead > 0) == (name == "score")
    found = describe_denoiser(GaussianDenoiser(DATA, 0.3), DATA, **SETTINGS)
    assert found.best == "gaussian" and found.gaussian == pytest.approx(1, abs=1e-12)


def test_shares_and_smoothing_do_not_depend_on_the_unit_of_length():
    denoiser, c = GaussianDenoiser(DATA, 0.3), 1000.0
    one = describe_denoiser(denoiser, DATA, **SETTINGS)
    other = describe_denoiser(lambda x: c * denoiser(x / c), c * DATA, level=c * 0.3, queries=c * QUERIES, noise=NOISE)
    assert other.lead == pytest.approx(one.lead, abs=1e-9)
    assert other.score.parameter == pytest.approx(c * one.score.parameter, rel=1e-6)
    assert other.deviation == pytest.approx(c**2 * one.deviation)


def test_the_fit_is_a_brute_force_minimum_whichever_way_the_score_is_smoothed():
    values = GaussianDenoiser(DATA, 0.3)(QUERIES)

    def error(p):
        gap = values - ScoreSmoothedDenoiser(DATA, 0.3, p, noise=NOISE)(QUERIES)
        return np.mean(np.sum(gap**2, axis=1))

    best = minimize_scalar(error, bounds=(0.2, 1.2), method="bounded", options={"xatol": 1e-8})
    fit = fit_family(values, DATA, family="score", **SETTINGS)
    share = 1 - best.fun / error(0.0)
    assert fit.parameter == pytest.approx(best.x, rel=1e-3) and fit.share == pytest.approx(share, abs=1e-7)
    # Points with weights are smoothed by another route.
    halves = us.Samples(np.concatenate([DATA, DATA[:1]]), [0.5, *[1.0] * 7, 0.5])
    assert fit_family(values, halves, family="score", **SETTINGS).share == pytest.approx(share, abs=1e-6)


def test_no_family_is_worse_than_the_empirical_denoiser():
    values = us.Barycenter(us.Gaussian(0.15), DATA)(QUERIES)
    for family in ("score", "kernel", "density"):
        assert -1e-12 <= fit_family(values, DATA, family=family, **SETTINGS).share < 0.05


def test_what_cannot_be_described_is_refused():
    values = us.Barycenter(us.Gaussian(0.3), DATA)(QUERIES)
    with pytest.raises(InputError, match="no deviation to describe"):
        fit_family(values, DATA, family="kernel", level=0.3, queries=QUERIES)
    with pytest.raises(InputError, match="needs noise"):
        fit_family(values + 1, DATA, family="score", level=0.3, queries=QUERIES)
    with pytest.raises(InputError, match="two different points"):
        fit_family(values, DATA[:1], family="kernel", level=0.3, queries=QUERIES)
    with pytest.raises(InputError, match="draws must be even"):
        description_noise(2, RNG, draws=7)
    with pytest.raises(InputError, match="one row for each"):
        fit_family(values[1:], DATA, family="kernel", level=0.3, queries=QUERIES)


def test_queries_have_the_law_they_are_named_for():
    rng = np.random.default_rng(1)
    near = noisy_queries(DATA, 20000, rng, level=0.5)
    expected = us.Samples(DATA).covariance_matrix + 0.25 * np.eye(2)
    np.testing.assert_allclose(np.cov(near.T), expected, atol=0.06)
    box = noisy_queries(DATA, 2000, rng, level=0.5, law="box")
    assert (box >= DATA.min(0) - 0.5).all() and (box <= DATA.max(0) + 0.5).all()
    assert box.max() > DATA.max()


def test_split_of_the_truth_of_the_memory_and_of_the_middle():
    truth, empirical = RNG.normal(size=(2, 9, 3))
    assert split_error(truth, truth=truth, empirical=empirical).generalises
    assert split_error(empirical, truth=truth, empirical=empirical).memorised == 1
    half = split_error((truth + 3 * empirical) / 4, truth=truth, empirical=empirical)
    assert (half.to_truth, half.to_memory) == pytest.approx((9 / 16, 1 / 16)) and not half.generalises
    with pytest.raises(InputError, match="must differ somewhere"):
        split_error(truth, truth=truth, empirical=truth)


def test_memorisation_is_found_between_checkpoints():
    assert memorisation_step([10, 100, 1000], [0.0, 0.4, 0.6]) == pytest.approx(100 * 10**0.5)
    assert memorisation_step([10, 100], [0.7, 0.9]) == 10
    assert memorisation_step([10, 100], [0.1, 0.2]) == np.inf
    with pytest.raises(InputError, match="positive and increasing"):
        memorisation_step([100, 10], [0.1, 0.9])


def test_golden_blend_and_its_gains():
    x = np.array([[-1.0], [1.0]])
    found = hybrid_weight(0.7 * x, 0.4 * x + 0.1, 0.5 * x)
    assert found.weight == pytest.approx(0.4)
    # The blend errs by .004, the ends by .04 and .02.
    assert (found.gain_first, found.gain_second) == pytest.approx((0.036, 0.016))
    with pytest.raises(InputError, match="agree at every point"):
        hybrid_weight(x, x, 0 * x)


def test_copies_by_hand_and_by_chance():
    training = np.array([[0.0], [1.0], [3.0]])
    assert copy_rate([[0.2], [0.3], [1.4], [1.9]], training) == 0.5
    assert copy_rate([[0.2], [0.3], [1.4], [1.9]], training, threshold=0.5) == 0.75
    assert copy_rate(training, np.concatenate([training, training])) == 0
    assert [chance_copy_rate(d) for d in (1, 2)] == pytest.approx([1 / 3, 1 / 9])
    rng = np.random.default_rng(2)
    for d, golden in ((1, 0.326), (2, 0.106), (3, 0.040)):
        rate = copy_rate(rng.random((4000, d)), rng.random((4000, d)))
        assert rate == pytest.approx(golden, abs=0.03)
    with pytest.raises(InputError, match="at least two points"):
        copy_rate(training, training[:1])
    with pytest.raises(InputError, match="at most 1"):
        chance_copy_rate(2, threshold=1.5)


def test_golden_filters_of_a_square_wave():
    k = np.arange(1.0, 4001.0, 2.0)
    table = {
        -2.0: ((0.27764, 0.08683, 0.02746, 0.00868), 0.982),
        -3.0: ((0.41393, 0.19356, 0.09033, 0.04193), 0.965),
    }
    for power, (golden, share) in table.items():
        fits = [fit_filter(gradient_flow_gains(k**power, u), 1 / k, k) for u in (10, 100, 1e3, 1e4)]
        np.testing.assert_allclose([fit.smoothing for fit in fits], golden, atol=1e-5)
        assert fits[-1].share == pytest.approx(share, abs=1e-3)
    rbf = fit_filter(gradient_flow_gains(np.exp(-0.045 * k**2), 1e3), 1 / k, k)
    assert rbf.smoothing == pytest.approx(0.08221, abs=1e-5)
    with pytest.raises(InputError, match="frequencies must be positive"):
        fit_filter(k, k, k - 1)
    with pytest.raises(InputError, match="not negative"):
        gradient_flow_gains(-k, 1.0)
