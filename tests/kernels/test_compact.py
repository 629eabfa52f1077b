"""Kernels that vanish beyond a support conform, and what underflows is told from what vanishes."""

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from numba import njit

import unifiedscore as us
from unifiedscore.errors import NumericalError
from unifiedscore.kernels import AbstractKernel, ScaleMixture
from unifiedscore.testing import LawError, check_kernel, parametrize_with_checks
from unifiedscore.validate import positive


@njit(nogil=True)
def _epanechnikov_tile(squared, parameters, log_kernel, weight):
    scale = 1.0 / parameters[0] ** 2
    for i in range(squared.shape[0]):
        for j in range(squared.shape[1]):
            u = squared[i, j] * scale
            log_kernel[i, j] = np.log1p(-u) if u < 1.0 else -np.inf
    for i in range(weight.shape[0]):
        for j in range(squared.shape[1]):
            u = squared[i, j] * scale
            weight[i, j] = 2.0 * scale / (1.0 - u) if u < 1.0 else 0.0


@dataclass(frozen=True, slots=True)
class Epanechnikov(AbstractKernel):
    """k = 1 - (r/tau)^2 within r < tau: 1/b = (tau^2 - r^2)/2."""

    bandwidth: float
    name: ClassVar[str] = "epanechnikov"
    support: ClassVar[float] = 1.0

    def __post_init__(self):
        object.__setattr__(self, "bandwidth", positive(self.bandwidth, "bandwidth"))

    def log_profile(self, r):
        with np.errstate(divide="ignore"):
            return np.log1p(-np.minimum((np.asarray(r) / self.bandwidth) ** 2, 1.0))

    def inverse_weight(self, r):
        return 0.5 * (self.bandwidth**2 - np.asarray(r) ** 2)

    def compiled_tile(self):
        return _epanechnikov_tile, np.array([self.bandwidth])

    def scale_mixture(self):
        return None


@njit(nogil=True)
def _wendland_tile(squared, parameters, log_kernel, weight):
    for i in range(squared.shape[0]):
        for j in range(squared.shape[1]):
            z = np.sqrt(squared[i, j]) / parameters[0]
            log_kernel[i, j] = 4.0 * np.log1p(-z) + np.log1p(4.0 * z) if z < 1.0 else -np.inf
    for i in range(weight.shape[0]):
        for j in range(squared.shape[1]):
            z = np.sqrt(squared[i, j]) / parameters[0]
            weight[i, j] = 20.0 / (parameters[0] ** 2 * (1.0 - z) * (1.0 + 4.0 * z)) if z < 1.0 else 0.0


@dataclass(frozen=True, slots=True)
class Wendland(Epanechnikov):
    """k = (1 - z)^4 (1 + 4z), z = r/tau < 1: 1/b = tau^2 (1 - z)(1 + 4z)/20."""

    name: ClassVar[str] = "wendland"

    def log_profile(self, r):
        z = np.minimum(np.asarray(r) / self.bandwidth, 1.0)
        with np.errstate(divide="ignore"):
            return 4.0 * np.log1p(-z) + np.log1p(4.0 * z)

    def inverse_weight(self, r):
        z = np.asarray(r) / self.bandwidth
        return self.bandwidth**2 * (1.0 - z) * (1.0 + 4.0 * z) / 20.0

    def compiled_tile(self):
        return _wendland_tile, np.array([self.bandwidth])


KERNELS = [Epanechnikov(0.7), Epanechnikov(3e4), Wendland(0.7), Wendland(3e-4)]


@parametrize_with_checks(KERNELS)
def test_a_compact_kernel_obeys_the_laws(subject, check):
    check(subject)


def test_a_compact_kernel_is_said_to_have_no_population_fields():
    (sentence,) = check_kernel(Wendland(0.7))
    assert "No field of a population" in sentence and "support" in sentence
    with pytest.raises(NumericalError, match="Samples"):
        us.MeanShift(Wendland(0.7), us.GaussianMixture([[0.0]], 1.0))([[1.0]])


@pytest.mark.parametrize("kernel", [Epanechnikov, Wendland])
@pytest.mark.parametrize(("dimension", "size"), [(1, 50), (2, 3000), (7, 400)])
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_moments_of_samples_are_the_plain_sums(kernel, dimension, size, shift):
    rng = np.random.default_rng(0)
    y, x = rng.normal(size=(size, dimension)), 0.3 * rng.normal(size=(5, dimension))
    y, x = (np.round(part * 2**20) / 2**20 for part in (y, x))  # so that the shift is exact
    kernel = kernel(1.5 * np.sqrt(dimension))
    step = y - x[:, None]
    r = np.linalg.norm(step, axis=2)
    inside = r < kernel.bandwidth
    assert 0.0 < inside.mean() < 1.0
    mass = np.where(inside, np.exp(kernel.log_profile(r)), 0.0)
    pi = mass / mass.sum(1, keepdims=True)
    b = np.where(inside, 1.0 / np.where(inside, kernel.inverse_weight(r), 1.0), 0.0)
    moments = us.posterior_moments(kernel, us.Samples(y + shift), x + shift)
    for name, expected in (
        ("log_normalizer", np.log(mass.mean(1))),
        ("mean_shift", np.einsum("nm,nmd->nd", pi, step)),
        ("score", np.einsum("nm,nmd->nd", pi * b, step)),
        ("preconditioner", (pi * kernel.inverse_weight(r)).sum(1)),
        ("mean_distance", (pi * r).sum(1)),
        ("effective_samples", 1.0 / (pi**2).sum(1)),
    ):
        np.testing.assert_allclose(getattr(moments, name), expected, rtol=1e-9, atol=1e-10)


def test_queries_without_a_sample_in_the_support_are_counted_and_named():
    y = np.random.default_rng(0).normal(size=(200, 2))
    x = np.array([[0.0, 0.0], [9.0, 9.0], [0.1, 0.0], [-9.0, 0.0]])
    for call in (
        lambda: us.posterior_moments(Wendland(0.8), us.Samples(y), x),
        lambda: us.MeanShift(Wendland(0.8), y)(x),
        lambda: us.diagnose(y[:100], y[100:], Wendland(0.8), queries=x),
    ):
        with pytest.raises(NumericalError, match=r"2 of 4 queries, the first query 1, have no sample within the supp"):
            call()


def test_a_diagnosis_needs_a_sample_near_each_query_alone():
    rng = np.random.default_rng(0)
    found = us.diagnose(rng.normal(size=(400, 2)), rng.normal(size=(400, 2)) + 0.5, Wendland(12.0))
    assert np.isfinite(found["whole_sample_cosine"].values).all()


def laplace(**methods):
    return dataclass(frozen=True)(type("Broken", (us.Laplace,), methods))(0.5)


def sum_of_kernels(self, r):
    """The mean of two Laplace kernels, in plain floating point."""
    with np.errstate(divide="ignore"):
        r = np.asarray(r)
        return np.log(0.5 * np.exp(-r / self.bandwidth) + 0.5 * np.exp(-2 * r / self.bandwidth))


def test_an_underflow_is_told_with_its_distance_and_its_remedy():
    with pytest.raises(LawError) as caught:
        check_kernel(laplace(log_profile=sum_of_kernels))
    text = str(caught.value)
    start = float(re.search(r"-inf from r = ([\d.]+) on", text)[1])
    # exp(-r/tau)/2 leaves the subnormal numbers: its logarithm is below -745.13 - log(1/2).
    assert start == pytest.approx(0.5 * 745.13, rel=2e-3)
    assert "np.logaddexp" in text and "increas" not in text and "np.float64" not in text


BROKEN = {
    "a support that is not declared": (dict(support=np.inf), r"declare support: ClassVar\[float\] = 1, in bandwidths"),
    "a support that is too large": (dict(support=1.5), "-inf from r"),
    "a support that is too small": (dict(support=0.9), "vanishes from its support on: expected log_profile = -inf"),
    "a support of zero": (dict(support=0.0), "a positive number of bandwidths"),
    "a tile that goes on": (dict(compiled_tile=lambda self: us.Laplace(0.5).compiled_tile()), "log_kernel"),
    "a mixture of Gaussians": (dict(scale_mixture=lambda self: ScaleMixture(atom=0.5)), "vanishes nowhere"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_support_is_caught(name):
    methods, message = BROKEN[name]
    kernel = dataclass(frozen=True)(type("Broken", (Epanechnikov,), methods))(0.5)
    with pytest.raises(LawError, match=message):
        check_kernel(kernel)


@pytest.mark.parametrize(
    "inverse_weight",
    [
        lambda self, r: self.bandwidth * np.abs(r),
        lambda self, r: self.bandwidth * np.conj(r),
        lambda self, r: self.bandwidth * np.asarray(r).real,
        lambda self, r: np.interp(r, [0.0, 1e9], [0.0, 1e9 * self.bandwidth]),
        lambda self, r: self.bandwidth * np.array([float(part) for part in np.ravel(r)]).reshape(np.shape(r)),
    ],
    ids=["modulus", "conjugate", "real part", "a table", "float"],
)
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_the_law_of_complex_distances_is_tested_with_and_without_a_mixture(inverse_weight):
    for methods in ({}, {"scale_mixture": lambda self: None}):
        with pytest.raises(LawError, match="accepts complex r"):
            check_kernel(laplace(inverse_weight=inverse_weight, **methods))


def test_what_a_kernel_does_without_is_said():
    assert check_kernel(us.Matern(0.7, 1.5)) == ()
    (sentence,) = check_kernel(laplace(scale_mixture=lambda self: None))
    assert "No field of a population" in sentence and "scale_mixture returns None" in sentence


@njit(nogil=True)
def _sum_tile(squared, parameters, log_kernel, weight):
    for i in range(squared.shape[0]):
        for j in range(squared.shape[1]):
            u = squared[i, j] / parameters[0] ** 2
            log_kernel[i, j] = np.logaddexp(-0.5 * u, -0.5 * u / 9.0) - np.log(2.0)
    for i in range(weight.shape[0]):
        for j in range(squared.shape[1]):
            u = squared[i, j] / parameters[0] ** 2
            share = 1.0 / (1.0 + np.exp(-0.5 * u * (8.0 / 9.0)))
            weight[i, j] = (share / 9.0 + 1.0 - share) / parameters[0] ** 2


@dataclass(frozen=True, slots=True)
class TwoGaussians(Epanechnikov):
    """The mean of two Gaussian kernels of bandwidths tau and 3 tau: two atoms, and no moments of populations."""

    name: ClassVar[str] = "two_gaussians"
    support: ClassVar[float] = np.inf

    def log_profile(self, r):
        u = (np.asarray(r) / self.bandwidth) ** 2
        return np.logaddexp(-0.5 * u, -0.5 * u / 9.0) - np.log(2.0)

    def inverse_weight(self, r):
        u = (np.asarray(r) / self.bandwidth) ** 2
        share = 1.0 / (1.0 + np.exp(-0.5 * u * (8.0 / 9.0)))
        return self.bandwidth**2 / (share / 9.0 + 1.0 - share)

    def compiled_tile(self):
        return _sum_tile, np.array([self.bandwidth])

    def scale_mixture(self):
        return ScaleMixture(atom=(0.5, 0.5 / 9.0), weights=(0.5, 0.5))


def test_population_moments_that_are_refused_are_said_beside_fields_that_are_not():
    kernel, law = TwoGaussians(0.7), us.GaussianMixture([[0.0]], 0.49)
    with pytest.raises(NumericalError, match=r"TwoGaussians\(bandwidth=0\.7\)"):
        us.posterior_moments(kernel, law, [[0.49]])
    assert np.isfinite(us.MeanShift(kernel, law)([[0.49]])).all()
    (sentence,) = check_kernel(kernel)
    assert "No posterior_moments of a population" in sentence and "only its fields" in sentence


@dataclass(frozen=True, slots=True)
class WrongMixture(TwoGaussians):
    """Two Gaussians that say they were one."""

    def scale_mixture(self):
        return ScaleMixture(atom=0.5)


@pytest.mark.parametrize("bandwidth", [0.7, 1.0, 3.0])
def test_a_refusal_names_the_kernel_that_was_given_and_distances_in_its_units(bandwidth):
    kernel, law = WrongMixture(bandwidth), us.GaussianMixture([[0.0]], 1.0)
    with pytest.raises(NumericalError) as told:
        us.MeanShift(kernel, law)([[0.5]])
    found = re.search(r"of (.*?) gives log k = (\S+) at r = (\S+), its profile (\S+):", str(told.value))
    assert found[1] == repr(kernel)
    r = float(found[3])
    assert float(found[4]) == pytest.approx(float(kernel.log_profile(r)), rel=0.01)
    assert float(found[2]) == pytest.approx(-0.5 * (r / bandwidth) ** 2, rel=0.01)


def test_the_support_is_documented_where_it_is_looked_up():
    assert "in units of the bandwidth" in AbstractKernel.support.__doc__
    assert us.Laplace(2.0).support == np.inf and Wendland(2.0).support == 1.0
