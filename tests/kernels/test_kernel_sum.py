"""A sum of kernels is one kernel: its posterior mixes those of its members by their share of the normaliser."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.testing import check_kernel

FAMILIES = {
    "laplace": us.Laplace,
    "gaussian": us.Gaussian,
    "matern 3/2": lambda h: us.Matern(h, 1.5),
    "matern 0.8": lambda h: us.Matern(h, 0.8),
    "rational quadratic": lambda h: us.RationalQuadratic(h, 1.5),
    "student": lambda h: us.StudentT(h, 3.0, 2),
}
BANDWIDTHS, WEIGHTS = (0.2, 0.5, 2.0), (0.5, 0.2, 0.3)
RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(300, 3))
X = RNG.normal(size=(20, 3))
LAWS = {
    "samples": us.Samples(POINTS, RNG.uniform(0.5, 1.5, 300)),
    "population": us.GaussianMixture([[1.0, 0.0, 0.0], [-1.0, 0.5, 0.0]], [0.3, 0.8], weights=[0.4, 0.6]),
}


@pytest.fixture(params=FAMILIES)
def members(request):
    return [FAMILIES[request.param](h) for h in BANDWIDTHS]


@pytest.mark.parametrize("law", LAWS)
def test_fields_are_means_of_those_of_the_members_by_their_shares_of_the_normaliser(members, law):
    law = LAWS[law]
    found = us.posterior_vectors(us.KernelSum(members, WEIGHTS), law, X)
    parts = [us.posterior_vectors(kernel, law, X) for kernel in members]
    logs = np.array([np.log(w) + part.log_normalizer for w, part in zip(WEIGHTS, parts, strict=True)])
    total = np.logaddexp.reduce(logs, axis=0)
    share = np.exp(logs - total)[:, :, None]
    np.testing.assert_allclose(found.log_normalizer, total, rtol=0, atol=1e-11)
    for name in ("mean_shift", "score"):
        wanted = (share * [getattr(part, name) for part in parts]).sum(axis=0)
        size = np.abs(share * [getattr(part, name) for part in parts]).sum(axis=0)
        assert (np.abs(getattr(found, name) - wanted) <= 1e-10 * (size + 1e-3)).all(), name


def test_moments_of_samples_are_plain_sums(members):
    kernel, law = us.KernelSum(members, WEIGHTS), LAWS["samples"]
    found = us.posterior_moments(kernel, law, X)
    gap = law.points[None] - X[:, None]
    r = np.linalg.norm(gap, axis=2)
    k = sum(w * np.exp(member.log_profile(r)) for w, member in zip(WEIGHTS, members, strict=True))
    slope = sum(
        w * np.exp(m.log_profile(r)) / m.inverse_weight(r) for w, m in zip(WEIGHTS, members, strict=True)
    )  # b k
    mass = k * law.weights
    pi = mass / mass.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.preconditioner, (pi * k / slope).sum(axis=1), rtol=1e-11)
    np.testing.assert_allclose(found.effective_samples, 1 / (pi**2).sum(axis=1), rtol=1e-11)
    assert found.relative_error.max() < 1e-9


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_every_law_of_a_kernel_holds(members, weights):
    us.testing.check_kernel(us.KernelSum(members, weights))


def test_kernels_of_several_families_and_far_apart_bandwidths_add_up():
    us.testing.check_kernel(us.KernelSum([us.Gaussian(1.0), us.Laplace(4.0)], [1, 3]))
    us.testing.check_kernel(us.KernelSum([us.Gaussian(0.1), us.Gaussian(30.0)]))
    nested = us.KernelSum([us.KernelSum([us.Laplace(0.5), us.Laplace(1.0)]), us.Laplace(2.0)], [2, 1])
    flat = us.KernelSum([us.Laplace(h) for h in (0.5, 1.0, 2.0)])
    r = np.linspace(0, 9, 10)
    np.testing.assert_allclose(nested.log_profile(r), flat.log_profile(r), atol=1e-15)


def test_one_member_is_that_member():
    found = us.posterior_moments(us.KernelSum([us.Laplace(0.7)]), POINTS, X)
    alone = us.posterior_moments(us.Laplace(0.7), POINTS, X)
    for name in ("mean_shift", "score", "preconditioner", "log_normalizer"):
        np.testing.assert_allclose(getattr(found, name), getattr(alone, name), rtol=1e-12, atol=1e-13)


def test_float32_is_as_good_as_it_says(members):
    single = us.posterior_moments(us.KernelSum(members), POINTS.astype(np.float32), X.astype(np.float32))
    exact = us.posterior_moments(us.KernelSum(members), POINTS.astype(np.float32).astype(float), X.astype(np.float32))
    error = np.abs(single.preconditioner - exact.preconditioner) / exact.preconditioner
    assert (error <= single.relative_error).all() and single.relative_error.max() < 1e-2


def test_scaling_moves_all_bandwidths_and_keeps_the_weights():
    kernel = us.KernelSum([us.Laplace(1.0), us.Laplace(4.0)], [1, 3])
    wide = kernel.with_bandwidth(4.0)
    assert wide.kernels == (us.Laplace(2.0), us.Laplace(8.0)) and wide.weights == kernel.weights == (0.25, 0.75)
    assert kernel.bandwidth == 2.0 and hash(kernel) == hash(us.KernelSum((us.Laplace(1.0), us.Laplace(4.0)), (2, 6)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "kernels must be a list of kernels"),
        ((us.Laplace(1.0),), "kernels must be a list of kernels"),
        (([us.Laplace(1.0), "gaussian"],), "kernels must be a list of kernels"),
        (([us.Laplace(1.0)], [1.0, 2.0]), "weights must hold a positive number for each of the 1 kernels"),
        (([us.Laplace(1.0), us.Laplace(2.0)], [1.0, 0.0]), "weights must hold a positive number"),
        (([us.Laplace(1.0), us.Laplace(2.0)], [1.0, -1.0]), "weights must hold a positive number"),
    ],
)
def test_malformed_sums_are_refused_by_name(arguments, message):
    with pytest.raises(us.UnifiedScoreError, match=message):
        us.KernelSum(*arguments)


@pytest.mark.parametrize("size", [1, 511, 513, 600, 1000, 2049])
def test_fields_that_need_no_weights_take_every_number_of_samples(size):
    rng = np.random.default_rng(0)
    samples, x = rng.normal(size=(size, 2)), rng.normal(size=(5, 2))
    kernel = us.KernelSum([us.Laplace(bandwidth=0.5), us.Laplace(bandwidth=2.0)])
    distance = np.linalg.norm(x[:, None] - samples, axis=2)
    weights = np.exp(-distance / 0.5) + np.exp(-distance / 2.0)
    expected = (weights @ samples) / weights.sum(1, keepdims=True) - x
    np.testing.assert_allclose(us.MeanShift(kernel, samples)(x), expected, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(us.Drift(kernel, target=samples, model=samples[:1])(x), expected - (samples[0] - x),
                               rtol=1e-11, atol=1e-12)  # fmt: skip


def test_a_sum_of_sums_is_one_sum():
    inner = us.KernelSum([us.Laplace(bandwidth=0.5), us.Gaussian(bandwidth=2.0)], [1.0, 3.0])
    kernel = us.KernelSum([inner, us.Matern(1.0, 1.5)], [2.0, 1.0])
    assert kernel.kernels == (us.Laplace(bandwidth=0.5), us.Gaussian(bandwidth=2.0), us.Matern(1.0, 1.5))
    np.testing.assert_allclose(kernel.weights, [1 / 6, 1 / 2, 1 / 3], rtol=1e-15)
    check_kernel(kernel)


def test_the_conformance_check_takes_a_profile_that_bends_within_its_step():
    check_kernel(us.KernelSum([us.Laplace(bandwidth=0.5), us.Gaussian(bandwidth=2.0)]))
