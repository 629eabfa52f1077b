"""Work identities: exact at every step size, O(h) where they are said to be, and wrong when made wrong."""

from dataclasses import replace

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.inference import Inside
from unifiedscore.references import GaussianTilt, LinearStep, chain_of_fields, log_expectation
from unifiedscore.samplers import (
    EscortedLangevin,
    GaussianPath,
    bennett,
    cmcd_losses,
    crooks_histogram,
    effective_sample_size,
    escorted_jarzynski,
    jarzynski,
    log_mean_exp,
    nets_residual,
    tilted_crooks,
    tilted_jarzynski,
    weighted_mean,
)

PATH = GaussianPath([[0.0], [2.0]], (1.0, 0.5))
WRONG = lambda x, t: 0.9 + 0.4 * np.sin(x)
STEPS = (25, 50, 200, 800)


def gaussian(schedule="rectified_flow"):
    return us.TiltedProcess(us.GaussianMixture([[0.3]], 1.69), us.QuadraticReward([0.7], 0.5), schedule)


def mixture():
    return us.TiltedProcess(us.GaussianMixture([[-1.5], [1.5]], 0.36), us.QuadraticReward([0.8], 0.3), "rectified_flow")


def annealed_error(steps, share, diffusivity=1.0, divergence=True):
    """E exp(-W_h) - Z_1/Z_0 for a share of the exact escort, from the code's own fields."""
    path = PATH.path()
    drift = lambda x, t: share * PATH.escort(x, t) - diffusivity * path.gradient(x, t)
    rate = lambda x, t: (
        -path.time_derivative(x, t)
        - share * np.sum(PATH.escort(x, t) * path.gradient(x, t), axis=1)
        + divergence * share * PATH.escort_divergence(x, t)
    )
    chain = chain_of_fields(drift, rate, n_steps=steps, diffusivity=diffusivity)
    return np.exp(log_expectation(chain, mean=0.0, variance=1.0)) - 0.5


def tilted_error(steps, diffusivity, exact):
    """E exp(A_h) - Z for the Gaussian family, with c = 0 or the exact correction."""
    process = gaussian()
    tilt, marginal, reward = GaussianTilt(process), process.base_marginal(0.0), process.reward
    slope = lambda x, t: process.base_score(x, t) + t * reward.gradient(x)
    push = lambda x, t: exact * tilt.correction(x, t)
    drift = lambda x, t: process.velocity(x, t) + push(x, t) + diffusivity * slope(x, t)
    rate = lambda x, t: (
        reward.value(x)
        + t * np.sum(process.velocity(x, t) * reward.gradient(x), axis=1)
        + np.sum(push(x, t) * slope(x, t), axis=1)
        + exact * tilt.divergence(x, t)
    )
    chain = chain_of_fields(drift, rate, n_steps=steps, diffusivity=diffusivity)
    mean, variance = float(marginal.mean[0]), float(marginal.variances[0])
    return np.exp(log_expectation(chain, mean=mean, variance=variance)) - np.exp(process.log_normalizer)


@pytest.mark.parametrize(
    ("share", "golden"),
    [
        (0.0, (4.666e-3, 1.896e-3, 3.961e-4, 9.432e-5)),
        (1.0, (4.975e-3, 2.494e-3, 6.246e-4, 1.562e-4)),
    ],
)
def test_rate_form_error_has_the_tabulated_values(share, golden):
    assert [annealed_error(K, share) for K in STEPS] == pytest.approx(golden, rel=4e-4)


def test_half_escort_has_the_tabulated_ends():
    assert (annealed_error(25, 0.5), annealed_error(800, 0.5)) == pytest.approx((1.001e-3, 1.873e-5), rel=3e-4)


def test_forgotten_divergence_does_not_vanish_with_the_step():
    assert abs(annealed_error(800, 1.0, divergence=False)) > 0.1


@pytest.mark.parametrize("diffusivity", [0.1, 2.0])
def test_perfect_escort_error_is_the_left_riemann_sum_at_any_diffusivity(diffusivity):
    assert annealed_error(100, 1.0, diffusivity) == pytest.approx(1.248e-3, rel=5e-4)


@pytest.mark.parametrize(
    ("diffusivity", "exact", "golden"),
    [
        (0.5, False, (5.357e-3, 2.868e-3, 7.523e-4, 1.903e-4)),
        (0.5, True, (-4.481e-3, -2.160e-3, -5.247e-4, -1.302e-4)),
        (2.0, True, (-4.481e-3, -2.160e-3, -5.247e-4, -1.302e-4)),
    ],
)
def test_tilted_error_has_the_tabulated_values(diffusivity, exact, golden):
    assert [tilted_error(K, diffusivity, exact) for K in STEPS] == pytest.approx(golden, rel=4e-4)


def test_tilted_error_without_noise_or_correction():
    assert (tilted_error(25, 0.0, False), tilted_error(800, 0.0, False)) == pytest.approx(
        (1.630e-2, 5.537e-4), rel=4e-4
    )


def test_recursion_agrees_with_simulation():
    exact = np.log(0.5 + annealed_error(25, 0.5))
    half = lambda x, t: 0.5 * PATH.escort(x, t)
    works = escorted_jarzynski(
        PATH.path(),
        200_000,
        np.random.default_rng(0),
        n_steps=25,
        diffusivity=1.0,
        escort=half,
        divergence=lambda x, t: 0.5 * PATH.escort_divergence(x, t),
    ).work
    assert log_mean_exp(-works) == pytest.approx(exact, abs=0.01)


def test_recursion_of_two_steps_by_hand():
    """E exp(x_1 - x_1^2/4) with x_1 = 0.5 x_0 + 1 + xi, x_0 ~ N(2, 3): N(2, 1.75)."""
    mean, variance = 2.0, 1.75
    tilted = us.GaussianMixture([[mean]], variance).tilted([1.0], 0.5).log_normalizer
    value = log_expectation([LinearStep(0.5, 1.0, 1.0)], mean=2.0, variance=3.0, terminal=(0.0, 1.0, -0.25))
    assert value == pytest.approx(tilted, abs=1e-14)
    with pytest.raises(NumericalError, match="infinite"):
        log_expectation([], mean=0.0, variance=1.0, terminal=(0.0, 0.0, 0.5))
    with pytest.raises(NumericalError, match="affine"):
        chain_of_fields(lambda x, t: x**3, lambda x, t: x[:, 0], n_steps=1, diffusivity=1.0)


def batches(function, count=16):
    return [function(np.random.default_rng(seed)) for seed in range(count)]


def covers(values, truth, width):
    estimate = Inside(truth - 1, truth + 1).estimate(values, level=0.9999)
    return estimate.low < truth < estimate.high and estimate.high - estimate.low < width


def test_kernel_work_is_exact_at_five_steps_with_a_wrong_escort():
    sampler = EscortedLangevin(PATH.path(), n_steps=5, diffusivity=0.8, escort=WRONG)
    runs = batches(lambda rng: sampler.run_forward(60_000, rng))
    assert covers([np.exp(-r.work).mean() for r in runs], 0.5, 0.01)
    assert covers([np.mean(np.exp(-r.work) * r.points[:, 0]) / 0.5 for r in runs], 2.0, 0.04)
    backward = batches(lambda rng: sampler.run_backward(60_000, rng))
    ratios = [bennett(f.work, b.work) for f, b in zip(runs, backward, strict=True)]
    assert covers(ratios, PATH.free_energy, 0.02)
    dissipated = np.mean([cmcd_losses(r.work, free_energy=PATH.free_energy)[0] for r in runs])
    assert dissipated == pytest.approx(1.980, abs=0.01)
    assert PATH.free_energy - np.mean([b.work.mean() for b in backward]) == pytest.approx(0.599, abs=0.01)


def test_any_other_drifts_keep_the_identity_and_a_mismatch_breaks_it():
    path = PATH.path()
    clipped = lambda x, t: WRONG(x, t) - 0.8 * np.clip(path.gradient(x, t), -1, 1)
    sampler = EscortedLangevin(path, n_steps=5, diffusivity=0.8, escort=WRONG)
    consistent = replace(sampler, forward=clipped)
    assert covers(batches(lambda rng: np.exp(-consistent.run_forward(60_000, rng).work).mean()), 0.5, 0.03)
    backward_only = replace(sampler, backward=lambda x, t: WRONG(x, t) + 0.8 * np.clip(path.gradient(x, t), -1, 1))
    assert covers(batches(lambda rng: np.exp(-backward_only.run_forward(60_000, rng).work).mean()), 0.5, 0.03)
    mismatched = lambda rng: np.exp(-sampler.work_of(consistent.run_forward(60_000, rng, keep=True).trajectory)).mean()
    assert np.mean(batches(mismatched, 4)) == pytest.approx(0.4292, abs=0.003)


def test_work_is_one_functional_of_the_path():
    sampler = EscortedLangevin(PATH.path(), n_steps=7, diffusivity=0.8, escort=WRONG)
    for run in (sampler.run_forward, sampler.run_backward):
        sample = run(40, np.random.default_rng(0), keep=True)
        np.testing.assert_allclose(sampler.work_of(sample.trajectory), sample.work, atol=1e-13)
    one = sampler.run_backward(4, np.random.default_rng(0), keep=True)
    np.testing.assert_array_equal(one.trajectory[0], one.points)


def test_crooks_histogram_agrees_bin_by_bin():
    sampler = EscortedLangevin(PATH.path(), n_steps=5, diffusivity=0.8, escort=WRONG)
    forward, backward = (
        run(400_000, np.random.default_rng(0)).work for run in (sampler.run_forward, sampler.run_backward)
    )
    table = crooks_histogram(forward, backward, np.linspace(-1, 4, 11), free_energy=PATH.free_energy)
    np.testing.assert_allclose(table.reweighted, table.backward, atol=4e-3)
    assert table.backward[:3] == pytest.approx((0.0701, 0.5069, 0.2392), abs=4e-3)
    shifted = crooks_histogram(forward, backward, np.linspace(-1, 4, 11), free_energy=PATH.free_energy + 0.1)
    assert np.abs(shifted.reweighted - shifted.backward).max() > 0.03


def trap(steps, k, speed):
    """U = k (x - m)^2 / 2 dragged at constant speed."""
    from unifiedscore.samplers import AnnealingPath

    return AnnealingPath(
        potential=lambda x, t: 0.5 * k * (x[:, 0] - speed * t) ** 2,
        gradient=lambda x, t: k * (x - speed * t),
        time_derivative=lambda x, t: -k * speed * (x[:, 0] - speed * t),
        sample_start=lambda n, rng: rng.standard_normal((n, 1)) / np.sqrt(k),
    )


def test_moving_trap_work_path_by_path():
    k, epsilon, steps, speed = 1.7, 0.6, 8, 2.2
    sampler = EscortedLangevin(trap(steps, k, speed), n_steps=steps, diffusivity=epsilon)
    run = sampler.run_forward(50, np.random.default_rng(0), keep=True)
    m = speed * np.arange(steps + 1) / steps
    y, h = run.trajectory[:, :, 0] - m[:, None], 1 / steps
    boundary = h * epsilon * k**2 / 4 * (y[-1] ** 2 - y[0] ** 2)
    moving = k / 2 * np.sum(np.diff(m)[:, None] * (y[:-1] + y[1:]), axis=0)
    np.testing.assert_allclose(run.work, boundary - moving, atol=1e-13)


def test_perfect_escort_work_keeps_a_variance_of_order_one_over_steps():
    golden = {10: 0.1138, 20: 0.0533, 40: 0.0257, 80: 0.0127}
    for steps, value in golden.items():
        sampler = EscortedLangevin(PATH.path(), n_steps=steps, diffusivity=0.5, escort=PATH.escort)
        work = sampler.run_forward(60_000, np.random.default_rng(0)).work
        assert work.var() == pytest.approx(value, rel=0.03)
        assert (work.mean() - PATH.free_energy) / work.var() == pytest.approx(0.5, abs=0.06)


def test_perfect_rate_form_is_deterministic():
    work = escorted_jarzynski(
        PATH.path(),
        50,
        np.random.default_rng(0),
        n_steps=10,
        diffusivity=0.7,
        escort=PATH.escort,
        divergence=PATH.escort_divergence,
    ).work
    assert np.ptp(work) < 1e-13


@pytest.mark.parametrize("schedule", ["rectified_flow", "vp_cosine"])
def test_nets_residual_vanishes_for_the_exact_correction_only(schedule):
    process = gaussian(schedule)
    tilt, x = GaussianTilt(process), np.linspace(-3, 3, 9)[:, None]
    for t in (0.0, 0.3, 0.8, 1.0):
        rate = tilt.log_normalizer_rate(t)
        parts = {"log_normalizer_rate": rate}
        exact = nets_residual(process, x, t, correction=tilt.correction, divergence=tilt.divergence, **parts)
        assert np.abs(exact).max() < 1e-12
        none = nets_residual(process, x, t, correction=lambda y, s: 0 * y, divergence=lambda y, s: 0.0, **parts)
        assert np.abs(none).max() > 0.1
        if 0 < t < 1:
            numerical = (tilt.log_normalizer(t + 1e-5) - tilt.log_normalizer(t - 1e-5)) / 2e-5
            assert rate == pytest.approx(numerical, abs=1e-8)


def test_exact_correction_makes_the_weight_deterministic_at_every_step_size():
    process = gaussian()
    tilt = GaussianTilt(process)
    for steps in (5, 40):
        weight = tilted_jarzynski(
            process,
            20,
            np.random.default_rng(0),
            n_steps=steps,
            diffusivity=0.5,
            correction=tilt.correction,
            divergence=tilt.divergence,
        ).log_weight
        assert np.ptp(weight) < 1e-13
        rates = [tilt.log_normalizer_rate(k / steps) for k in range(steps)]
        assert weight[0] == pytest.approx(np.mean(rates), abs=1e-13)


def test_exact_correction_of_a_linear_reward_is_constant():
    process = us.TiltedProcess(us.GaussianMixture([[0.3]], 1.69), us.QuadraticReward([0.7]), "vp_cosine")
    tilt, x, t = GaussianTilt(process), np.linspace(-2, 2, 5)[:, None], 0.4
    schedule = process.schedule
    expected = (schedule.variance(t, 1.69) + 0.5 * t * schedule.variance_rate(t, 1.69)) * 0.7
    np.testing.assert_allclose(tilt.correction(x, t), expected, atol=1e-14)


def test_tilted_weights_recover_the_tilted_mixture_for_any_correction():
    process, exact = mixture(), 1.27953
    push, divergence = lambda x, t: 0.5 + 0.3 * np.tanh(x), lambda x, t: 0.3 * (1 - np.tanh(x[:, 0]) ** 2)
    for diffusivity, extra in ((0.0, {}), (0.5, {}), (0.5, {"correction": push, "divergence": divergence})):
        sample = tilted_jarzynski(
            process, 30_000, np.random.default_rng(0), n_steps=100, diffusivity=diffusivity, **extra
        )
        assert np.exp(log_mean_exp(sample.log_weight)) == pytest.approx(exact, abs=0.03)
        assert weighted_mean(sample.points, sample.log_weight)[0] == pytest.approx(1.33527, abs=0.03)
    plain = tilted_jarzynski(process, 100, np.random.default_rng(0), n_steps=400)
    np.testing.assert_allclose(plain.log_weight, process.reward.value(plain.points), atol=0.06)


def test_base_subtracted_crooks_is_of_order_h():
    process, rng = mixture(), np.random.default_rng(0)
    values = {
        K: np.exp(log_mean_exp(tilted_crooks(process, 60_000, rng, n_steps=K, diffusivity=0.5).log_weight))
        for K in (5, 80)
    }
    assert abs(values[5] - 1.27953) > 0.02
    assert values[80] == pytest.approx(1.2790, abs=0.02)


def test_the_free_energy_of_a_path_counts_every_dimension():
    path, rng = GaussianPath(np.zeros((2, 3)), (1.0, 0.5)), np.random.default_rng(0)
    perfect = {"escort": path.escort, "divergence": path.escort_divergence}
    work = escorted_jarzynski(path.path(), 5, rng, n_steps=4000, diffusivity=0.0, **perfect).work
    assert path.free_energy == pytest.approx(3 * np.log(2), rel=1e-14)
    np.testing.assert_allclose(work, path.free_energy, rtol=1e-3)


def test_estimators_on_known_samples():
    rng = np.random.default_rng(0)
    work = 1.0 + 0.5 + rng.standard_normal(200_000)  # Gaussian work of variance 1: dF = mean - 1/2
    assert jarzynski(work) == pytest.approx(1.0, abs=0.02)
    assert effective_sample_size(-work) / len(work) == pytest.approx(np.exp(-1), rel=0.1)
    backward = 0.5 + rng.standard_normal(100_000)
    assert bennett(work, backward) == pytest.approx(1.0, abs=0.02)
    assert log_mean_exp([1e4, 1e4]) == 1e4
    assert effective_sample_size(np.full(5, -1e5)) == pytest.approx(5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EscortedLangevin(PATH.path(), n_steps=5, diffusivity=0.0), "diffusivity"),
        (lambda: EscortedLangevin(PATH, n_steps=5, diffusivity=1.0), "AnnealingPath"),
        (
            lambda: EscortedLangevin(trap(5, 1.0, 1.0), n_steps=5, diffusivity=1.0).run_backward(
                2, np.random.default_rng(0)
            ),
            "end",
        ),
        (lambda: tilted_jarzynski(gaussian("foellmer"), 2, np.random.default_rng(0), n_steps=2), "foellmer"),
        (lambda: tilted_jarzynski(gaussian(), 2, np.random.default_rng(0), n_steps=2, correction=WRONG), "divergence"),
        (lambda: GaussianTilt(mixture()), "single isotropic"),
        (lambda: GaussianPath([[0.0]], (1.0, 1.0)), "two entries"),
        (lambda: crooks_histogram([1.0], [1.0], [1.0], free_energy=0.0), "edges"),
        (lambda: effective_sample_size([]), "log_weights"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
