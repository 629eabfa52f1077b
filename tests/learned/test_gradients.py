"""Gradient variances: the golden table, the sum over its parts by the targets themselves, and sampled gradients."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.learned import PARAMETRISATIONS, gradient_variance, output_factor
from unifiedscore.learned.gradients import log_odds_rule
from unifiedscore.processes import SCHEDULES, adjoint_target, conditional_target, novel_target, target_target

TARGETS = {"csm": conditional_target, "tsm": target_target, "nsm": novel_target, "am": adjoint_target}
CUTOFFS = (1e-1, 1e-2, 1e-3, 1e-4)
GOLDEN = {
    ("rectified_flow", "score", "csm"): (2.66667, 2.66667, 2.66667, 2.66667),
    ("rectified_flow", "score", "tsm"): (1355.17, 1.92191e6, 1.99202e9, 1.99920e12),
    ("rectified_flow", "score", "nsm"): (0.244557, 0.260340, 0.261656, 0.261785),
    ("rectified_flow", "noise", "csm"): (29.6296, 269.360, 2669.34, 26669.3),
    ("rectified_flow", "noise", "nsm"): (0.562284, 0.527413, 0.523979, 0.523637),
    ("rectified_flow", "denoiser", "csm"): (36.2076, 396.291, 3996.30, 39996.3),
    ("rectified_flow", "denoiser", "tsm"): (58.4298, 598.311, 5998.31, 59998.3),
    ("rectified_flow", "denoiser", "am"): (0.197423, 0.161920, 0.159001, 0.158714),
    ("rectified_flow", "velocity", "csm"): (17.6481, 247.019, 2635.09, 26622.9),
    ("rectified_flow", "velocity", "tsm"): (39.7083, 555.794, 5928.96, 59901.5),
    ("vp_cosine", "score", "csm"): (6.579736, 6.579736, 6.579736, 6.579736),
    ("vp_cosine", "score", "tsm"): (930.649, 826310, 8.12186e8, 8.10732e11),
    ("vp_cosine", "denoiser", "nsm"): (0.307437, 0.254342, 0.249758, 0.249308),
    ("foellmer", "score", "csm"): (1.16435, 2.45927, 3.94706, 5.47472),
    ("foellmer", "score", "tsm"): (2.61980, 5.53335, 8.88089, 12.3181),
    ("foellmer", "score", "am"): (0.0327778, 0.0283278, 0.0278333, 0.0277833),
    ("foellmer", "denoiser", "csm"): (7.59652, 94.5846, 991.228, 9987.79),
    ("foellmer", "denoiser", "tsm"): (4.72500, 7.64121, 10.9891, 14.4263),
}


def target(schedule, name, q=0.5, nu2=1.0):
    process = us.TiltedProcess(us.GaussianMixture([[0.0]], nu2), us.QuadraticReward([0.0], q), schedule)
    return TARGETS[name](process)


@pytest.mark.parametrize("row", GOLDEN, ids=" ".join)
def test_golden_table(row):
    schedule, parametrisation, name = row
    made = target(schedule, name)
    got = [gradient_variance(made, parametrisation=parametrisation, cutoff=c) for c in CUTOFFS]
    np.testing.assert_allclose(got, GOLDEN[row], rtol=1e-5)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", TARGETS)
def test_the_sum_over_time_is_that_of_the_floors_of_the_target(schedule, name):
    """Var g = 4 eta^2 j^2 Gamma E Var(T | x), the floor taken from the target, at p_1 = N(0, 1.7) and q = .9."""
    made, cutoff = target(schedule, name, q=0.9, nu2=1.7), 0.03
    spread = float(made.law.covariance_matrix[0, 0])
    t, w = log_odds_rule(cutoff)
    for parametrisation in PARAMETRISATIONS:
        parts = [
            4
            * (made.schedule.eta(s) * output_factor(schedule, parametrisation, s, variance=spread)) ** 2
            * made.schedule.variance(s, spread)
            * made.expected_variance(s)
            for s in t
        ]
        got = gradient_variance(made, parametrisation=parametrisation, cutoff=cutoff)
        assert got == pytest.approx(w @ np.ravel(parts), rel=1e-12)


def test_off_the_optimum_at_one_time():
    """Two terms at t = 1/2 for a score network, NSM and theta = .3: .29166667; the rule narrows onto that time."""
    got = gradient_variance(target("rectified_flow", "nsm"), cutoff=0.5 - 1e-6, gap=0.3)
    assert got == pytest.approx(0.29166667, abs=1e-7)


@pytest.mark.parametrize(("name", "gap"), [("csm", 0.0), ("nsm", 0.4)])
def test_sampled_gradients_have_the_stated_variance(name, gap):
    """Two hundred thousand draws; five standard errors of a variance with the fourth moment of the sample itself."""
    made, rng, n = target("rectified_flow", name), np.random.default_rng(3), 200_000
    t = rng.uniform(0.1, 0.9, n)
    data = made.law.sample(n, rng)[:, 0]
    x = t * data + (1 - t) * rng.standard_normal(n)
    a, b = np.transpose([made.coefficients(s) for s in t])
    goal = a * x + b * made.function(data[:, None])[:, 0]
    spread = float(made.law.covariance_matrix[0, 0])
    model = -x / (t**2 * spread + (1 - t) ** 2) + gap * x / (1 - t)
    g = 2 * (1 - t) / t * x / (1 - t) * (model - goal)
    square = (g - g.mean()) ** 2
    exact = gradient_variance(made, parametrisation="noise", cutoff=0.1, gap=gap)
    assert abs(square.mean() - exact) < 5 * square.std() / np.sqrt(n)


def test_weights_of_the_rule_integrate_powers_of_both_ends():
    for cutoff in (0.2, 1e-3, 1e-6):
        t, w = log_odds_rule(cutoff)
        assert w.sum() == pytest.approx(1, rel=1e-13)
        assert w @ (1 / t) == pytest.approx(np.log((1 - cutoff) / cutoff) / (1 - 2 * cutoff), rel=1e-12)
        # 1 - t has lost the digits of its cancellation.
        assert w @ (1 - t) ** -2.0 == pytest.approx(1 / (cutoff * (1 - cutoff)), rel=1e-14 / cutoff)


def test_laws_without_a_closed_form_and_bad_cutoffs_are_refused():
    mixture = us.TiltedProcess(us.GaussianMixture([[0.0], [1.0]], 1.0), us.QuadraticReward([0.0]), "rectified_flow")
    with pytest.raises(InputError, match="one centred Gaussian on the line"):
        gradient_variance(conditional_target(mixture), cutoff=0.1)
    with pytest.raises(InputError, match="cutoff must be below 1/2"):
        gradient_variance(target("rectified_flow", "csm"), cutoff=0.5)
    with pytest.raises(InputError, match="parametrisation must be one of"):
        gradient_variance(target("rectified_flow", "csm"), cutoff=0.1, parametrisation="epsilon")
