"""Regression targets: conditional means and variances against tables, closed forms and Monte Carlo."""

from dataclasses import replace

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.processes import (
    adjoint_target,
    best_sampling_moment,
    conditional_target,
    gaussian_factor,
    integrate_time,
    loss_floor,
    novel_target,
    sampling_target,
    target_target,
)
from unifiedscore.processes.conditional import mixture_rule

VARIANCE, QUADRATIC = 1.69, 0.5
TABLE = {
    0.10: (0.0138050071, 107.9508347390, 0.0094583223, 0.2043777966),
    0.50: (1.9123055163, 2.2791694216, 0.1886974954, 1.2565055762),
    0.95: (398.7939895577, 0.0036471492, 0.0007625208, 1.0509090314),
}
MIXTURE = {
    0.1: (0.015073, 280.4805, 0.027039, 0.204990),
    0.5: (1.699971, 8.967969, 1.516971, 3.842342),
    0.9: (96.674523, 0.152300, 0.082866, 0.121301),
}
FLOORS = {
    "rectified_flow": ((4.55125, 6.86288, 9.16636), (5345.3, 5.4476e5, 5.4575e7)),
    "vp_cosine": ((4.10965, 6.41230, 8.71488), (2207.7, 2.2122e5, 2.2123e7)),
    "foellmer": ((2.25456, 3.40959, 4.56125), (51.694, 541.81, 5453.4)),
}
NOVEL = {"variance": VARIANCE}


def four(process):
    return conditional_target(process), target_target(process), novel_target(process, **NOVEL), adjoint_target(process)


@pytest.mark.parametrize("t", TABLE)
def test_gaussian_variances_have_the_tabulated_values(t, gaussian):
    conditional, target, novel, adjoint = (v.expected_variance(t) for v in four(gaussian()))
    assert (conditional, target, novel) == pytest.approx(TABLE[t][:3], rel=1e-9, abs=6e-11)
    assert adjoint == pytest.approx(novel, rel=1e-13)
    assert gaussian_factor("rectified_flow", t, VARIANCE) == pytest.approx(TABLE[t][3], abs=1e-10)


@pytest.mark.parametrize("t", [0.03, 0.5, 0.97])
def test_gaussian_variances_are_the_closed_forms(schedule, t, gaussian):
    process = gaussian(schedule)
    star = 1 / (1 / VARIANCE + QUADRATIC)
    a, b = schedule.alpha(t) ** 2, schedule.beta_squared(t)
    gamma, gamma_star = a * VARIANCE + b, a * star + b
    spread = star * b / gamma_star
    expected = (
        a * star / (b * gamma_star),
        b / (a * star * gamma_star),
        a * (QUADRATIC * VARIANCE / gamma) ** 2 * spread,
    )
    assert [v.expected_variance(t) for v in four(process)[:3]] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("t", MIXTURE)
def test_mixture_variances_have_the_tabulated_values(t, mixture):
    process = mixture()
    targets = (
        conditional_target(process),
        target_target(process),
        novel_target(process),
        novel_target(process, variance=2.56),
    )
    assert [v.expected_variance(t) for v in targets] == pytest.approx(MIXTURE[t], rel=3e-5, abs=6e-7)


@pytest.mark.parametrize("t", [0.05, 0.5, 0.95])
def test_score_targets_are_unbiased_under_the_tilted_law_only(build, schedule, x, t):
    process = build(schedule)
    for target in (conditional_target(process), target_target(process), novel_target(process, variance=2.0)):
        scale = max(1 / schedule.alpha(t), 1 / schedule.beta_squared(t))
        np.testing.assert_allclose(target.conditional_mean(x, t), process.tilted_score(x, t), atol=1e-11 * scale)
        wrong = replace(target, law=process.base).conditional_mean(x, t)
        assert np.abs(wrong - process.tilted_score(x, t)).max() > 1e-3


def test_adjoint_targets_have_the_score_difference_as_mean(x, gaussian):
    process = gaussian("vp_cosine")
    np.testing.assert_allclose(
        adjoint_target(process).conditional_mean(x, 0.4), process.score_difference(x, 0.4), atol=1e-13
    )
    sampling = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([0.3], 2.0), "foellmer")
    np.testing.assert_allclose(
        sampling_target(sampling).conditional_mean(x, 0.4), sampling.score_difference(x, 0.4), atol=1e-13
    )


def test_novel_target_is_the_control_variate_combination_path_by_path(schedule, mixture):
    process, rng = mixture(schedule), np.random.default_rng(0)
    variance = 2.0
    for t in (0.05, 0.5, 0.95):
        data = process.target.sample(100, rng)
        x, _ = process.noise(data, t, rng)
        gamma = schedule.beta_squared(t) / schedule.variance(t, variance)
        novel = novel_target(process, variance=variance)(x, data, t)
        both = gamma * conditional_target(process)(x, data, t) + (1 - gamma) * target_target(process)(x, data, t)
        scale = max(1 / schedule.alpha(t), 1 / schedule.beta_squared(t))
        np.testing.assert_allclose(novel, both, atol=50 * 2.3e-16 * 10 * scale)
        swapped = (1 - gamma) * conditional_target(process)(x, data, t) + gamma * target_target(process)(x, data, t)
        assert np.abs(novel - swapped).max() > 1e-3


def test_adjoint_is_the_novel_target_over_a_gaussian_base(schedule, gaussian):
    process, rng = gaussian(schedule), np.random.default_rng(0)
    data = process.target.sample(50, rng)
    for t in (0.05, 0.5, 0.95):
        x, _ = process.noise(data, t, rng)
        novel = novel_target(process, **NOVEL)(x, data, t)
        np.testing.assert_allclose(process.base_score(x, t) + adjoint_target(process)(x, data, t), novel, atol=1e-12)


def test_linear_rewards_have_no_variance(schedule, gaussian):
    process = gaussian(schedule, quadratic=0.0)
    assert adjoint_target(process).expected_variance(0.4) == 0
    assert novel_target(process, **NOVEL).expected_variance(0.4) == pytest.approx(0.0, abs=1e-28)
    assert conditional_target(process).expected_variance(0.4) > 0.1


def test_targets_vary_as_stated(schedule, mixture):
    """Sampled loss at the true score against the floor: 4e5 draws, about 1 % each."""
    process, rng, t = mixture(schedule), np.random.default_rng(0), 0.5
    data = process.target.sample(400_000, rng)
    x, _ = process.noise(data, t, rng)
    for target in (conditional_target(process), target_target(process), novel_target(process)):
        loss = np.mean((target(x, data, t) - process.tilted_score(x, t)) ** 2)
        assert loss == pytest.approx(target.expected_variance(t), rel=0.04)


def test_conditional_variance_in_the_plane_matches_sampling():
    base = us.GaussianMixture([[0.5, -1.0], [-1.0, 0.4]], [[[1.0, 0.3], [0.3, 0.6]], [[0.5, 0.0], [0.0, 0.8]]])
    process = us.TiltedProcess(base, us.QuadraticReward([0.3, -0.2], 0.1), "vp_cosine")
    x = np.array([[0.2, -0.3]])
    target = target_target(process)
    np.testing.assert_allclose(target.conditional_mean(x, 0.5), process.tilted_score(x, 0.5), atol=1e-8)
    affine = conditional_target(process)
    quadrature = replace(affine, affine=None)
    np.testing.assert_allclose(affine.conditional_variance(x, 0.5), quadrature.conditional_variance(x, 0.5), rtol=1e-9)


def test_truncated_floors_have_the_tabulated_values(schedule, gaussian):
    targets = four(gaussian(schedule))
    for target, values in zip(targets, FLOORS[schedule.name], strict=False):
        for cut, value in zip((1e-2, 1e-3, 1e-4), values, strict=True):
            assert loss_floor(target, low=cut, high=1 - cut) == pytest.approx(value, rel=1.2e-5)


def test_finite_floors_do_not_depend_on_the_schedule(schedule, gaussian):
    process = gaussian(schedule)
    floor = loss_floor(novel_target(process, **NOVEL), low=1e-12, high=1 - 1e-7)
    assert floor == pytest.approx(0.1162603612537547, abs=1e-11)
    area = integrate_time(lambda t: schedule.eta(t) * gaussian_factor(schedule, t, VARIANCE) ** 2, 1e-12, 1 - 1e-12)
    assert area == pytest.approx(0.845, abs=1e-10)


def test_gradient_moments_at_uniform_times(gaussian):
    golden = {"rectified_flow": (1.503367108, 0.324092, 1.486663), "vp_cosine": (2.361483531, 0.509082, 2.360915)}
    for name, (conditional, novel, best) in golden.items():
        process = gaussian(name)
        low, high = 1e-9, 1 - 1e-9
        assert loss_floor(conditional_target(process), low=low, high=high, power=2) == pytest.approx(
            conditional, abs=1e-7
        )
        assert loss_floor(novel_target(process, **NOVEL), low=low, high=high, power=2) == pytest.approx(novel, abs=1e-6)
        assert best_sampling_moment(conditional_target(process), low=low, high=high) == pytest.approx(best, abs=1e-6)
    star = np.sqrt(gaussian().target.variances[0])
    assert golden["rectified_flow"][0] == pytest.approx(np.pi / 2 * star, abs=1e-8)
    assert golden["vp_cosine"][0] == pytest.approx((np.pi / 2) ** 2 * star, abs=1e-8)
    foellmer = conditional_target(gaussian("foellmer"))
    assert best_sampling_moment(foellmer, low=1e-9, high=1 - 1e-13) == pytest.approx(0.970841, abs=2e-6)


def test_mixture_floors_and_their_bound(mixture):
    process = mixture()
    for variance, floor, bound in ((1.0, 0.66394, 1.80062), (2.56, 2.39120, 3.14956)):
        target = novel_target(process, variance=variance)
        assert loss_floor(target, low=1e-3, high=1 - 1e-3, order=6) == pytest.approx(floor, abs=2e-5)
        x, w = mixture_rule(process.target)
        energy = w @ (process.target.score(x)[:, 0] + x[:, 0] / variance) ** 2
        assert variance / 2 * energy == pytest.approx(bound, abs=6e-6)
        assert floor < bound


@pytest.mark.parametrize(
    ("make", "t", "message"),
    [(conditional_target, 1.0, "time 1"), (target_target, 0.0, "time 0"), (novel_target, 1.2, r"\[0, 1\]")],
)
def test_singular_times_are_refused(make, t, message, mixture):
    with pytest.raises(InputError, match=message):
        make(mixture()).expected_variance(t)


def test_targets_that_do_not_exist_are_refused(gaussian, mixture):
    with pytest.raises(InputError, match="single isotropic Gaussian"):
        adjoint_target(mixture())
    with pytest.raises(InputError, match="vanishes"):
        sampling_target(gaussian())
    reward = us.CallableReward(lambda y: np.cos(y[:, 0]), lambda y: -np.sin(y), 1)
    with pytest.raises(InputError, match="QuadraticReward"):
        conditional_target(us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), reward, "foellmer"))
    with pytest.raises(InputError, match="low < high"):
        integrate_time(np.sin, 0.0, 0.5)
