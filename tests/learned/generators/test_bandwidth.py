"""Matched bandwidths: their equation, against sums written out; they need no PyTorch."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.learned import matched_kernel, mean_preconditioner
from unifiedscore.samplers import DriftingFlow

RNG = np.random.default_rng(3)
DATA, MODEL = RNG.normal(size=(60, 3)), 0.8 * RNG.normal(size=(40, 3)) + 0.1


def brute_force(kernel, target, model):
    """E over the model of the mean of both posterior averages of 1/b, one query at a time."""
    total = 0.0
    for i, x in enumerate(model):
        for points in (target, np.delete(model, i, axis=0)):
            r = np.linalg.norm(points - x, axis=1)
            weights = np.exp(kernel.log_profile(r))
            total += 0.5 * np.sum(weights * kernel.inverse_weight(r)) / weights.sum()
    return total / len(model)


@pytest.mark.parametrize("kernel", [us.Laplace(0.4), us.Gaussian(0.7), us.Matern(0.5, smoothness=1.5)])
def test_the_mean_preconditioner_is_its_sum(kernel):
    got = mean_preconditioner(kernel, target=DATA, model=MODEL)
    assert got == pytest.approx(brute_force(kernel, DATA, MODEL), rel=1e-10)


@pytest.mark.parametrize("profile", [us.Gaussian(9.0), us.Matern(9.0, smoothness=1.5), us.Laplace(9.0)])
def test_matched_kernels_have_equal_mean_preconditioners(profile):
    kernel = us.Laplace(0.4)
    matched = matched_kernel(kernel, profile, target=DATA, model=MODEL)
    assert brute_force(matched, DATA, MODEL) == pytest.approx(brute_force(kernel, DATA, MODEL), rel=1e-8)
    if isinstance(profile, us.Gaussian):
        assert matched.bandwidth**2 == pytest.approx(brute_force(kernel, DATA, MODEL), rel=1e-10)
    if isinstance(profile, us.Laplace):
        assert matched.bandwidth == pytest.approx(0.4, rel=1e-8)


def test_in_high_dimension_the_match_is_rho_tau_and_the_drifts_agree():
    d = 400
    data, model = RNG.normal(size=(80, d)), RNG.normal(size=(80, d)) + 0.1
    rho, laplace = np.sqrt(2 * d), us.Laplace(0.1 * np.sqrt(d))
    gaussian = matched_kernel(laplace, us.Gaussian(1.0), target=data, model=model)
    assert gaussian.bandwidth**2 == pytest.approx(rho * laplace.bandwidth, rel=0.02)
    first, matched, equal = (
        DriftingFlow(kernel, data).velocity(model) for kernel in (laplace, gaussian, us.Gaussian(laplace.bandwidth))
    )
    error = [np.sum((other - first) ** 2) / np.sum(first**2) for other in (matched, equal)]
    assert error[0] < 0.02 < 0.2 < error[1]


def test_a_model_equal_to_its_target_leaves_every_query_out_of_both():
    kernel = us.Laplace(0.1)
    got = mean_preconditioner(kernel, target=MODEL, model=MODEL)
    r = np.linalg.norm(MODEL[:, None] - MODEL, axis=2)
    weights = np.exp(kernel.log_profile(r))
    np.fill_diagonal(weights, 0)
    assert got == pytest.approx(np.mean((weights * 0.1 * r).sum(1) / weights.sum(1)), rel=1e-10)


def test_impossible_matches_are_refused():
    with pytest.raises(InputError, match="two points or more"):
        mean_preconditioner(us.Laplace(1.0), target=DATA, model=MODEL[:1])
    # The inverse weight of this kernel is bounded below: no bandwidth of it is as cold.
    with pytest.raises(InputError, match="no bandwidth"):
        matched_kernel(us.Gaussian(1e-9), us.Laplace(1.0), target=DATA, model=MODEL)
