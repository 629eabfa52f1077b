"""Kernels: the laws of the interface, values by arithmetic of forty digits, and limits."""

import mpmath
import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.testing import parametrize_with_checks

KERNELS = [
    us.Gaussian(0.7),
    us.Laplace(0.4),
    us.Matern(0.5, 0.1),
    us.Matern(0.5, 0.5),
    us.Matern(0.5, 0.8),
    us.Matern(0.5, 1.0),
    us.Matern(2.0, 1.5),
    us.Matern(0.4, 2.5),
    us.Matern(0.2, 7.3),
    us.Matern(0.2, 40.2),
    us.RationalQuadratic(1.0, 0.5),
    us.RationalQuadratic(0.5, 2.0),
    us.StudentT(0.8, 3.0, 2),
    us.StudentT(0.8, 3.0, 1000),
    us.Laplace(1e-8),
    us.Laplace(1e8),
]


@parametrize_with_checks(KERNELS)
def test_laws(subject, check):
    check(subject)


def tile(kernel, r):
    function, parameters = kernel.compiled_tile()
    log_kernel, weight = np.empty((1, len(r))), np.empty((1, len(r)))
    function(r[None] ** 2, parameters, log_kernel, weight)
    return log_kernel[0], weight[0]


@pytest.mark.parametrize("smoothness", [0.1, 0.5, 0.8, 1.0, 1.5, 2.5, 7.3, 50.2, 150.3])
def test_matern_against_forty_digits(smoothness):
    """Far and near: 1e-12 to 1e11 bandwidths, and orders whose Bessel functions overflow double precision."""
    z = np.array([1e-12, 1e-6, 1e-3, 0.1, 1.0, 5.0, 40.0, 3e4, 1e6])
    kernel = us.Matern(1.0, smoothness)
    log_k, b = tile(kernel, z)
    with mpmath.workdps(60):
        nu = mpmath.mpf(smoothness)
        for i, point in enumerate(z):
            upper, lower = (mpmath.re(mpmath.besselk(order, mpmath.mpf(point))) for order in (nu, nu - 1))
            profile = float(mpmath.log(2 ** (1 - nu) / mpmath.gamma(nu) * mpmath.mpf(point) ** nu * upper))
            inverse = float(mpmath.mpf(point) * upper / lower)
            slack = 4e-13 * max(1.0, abs(profile))
            assert abs(kernel.log_profile(z)[i] - profile) <= slack
            assert abs(log_k[i] - profile) <= slack
            np.testing.assert_allclose(kernel.inverse_weight(z)[i], inverse, rtol=5e-13)
            np.testing.assert_allclose(1 / b[i], inverse, rtol=2e-12)


def test_table_of_kernels():
    r = np.array([0.0, 0.3, 2.0, 11.0])
    z = r / 0.7
    np.testing.assert_allclose(us.Gaussian(0.7).log_profile(r), -(z**2) / 2)
    np.testing.assert_allclose(us.Laplace(0.7).inverse_weight(r), 0.7 * r)
    np.testing.assert_allclose(np.exp(us.Matern(0.7, 1.5).log_profile(r)), (1 + z) * np.exp(-z), rtol=1e-13)
    np.testing.assert_allclose(us.Matern(0.7, 1.5).inverse_weight(r), 0.49 * (1 + z), rtol=1e-13)
    np.testing.assert_allclose(np.exp(us.Matern(0.7, 2.5).log_profile(r)), (1 + z + z**2 / 3) * np.exp(-z), rtol=1e-13)
    np.testing.assert_allclose(us.Matern(0.7, 2.5).inverse_weight(r), 0.49 * (3 + 3 * z + z**2) / (1 + z), rtol=1e-13)
    np.testing.assert_allclose(np.exp(us.RationalQuadratic(0.7, 0.5).log_profile(r)), 1 / np.sqrt(1 + z**2))
    np.testing.assert_allclose(np.exp(us.StudentT(0.7, 3.0, 4).log_profile(r)), (1 + z**2 / 3) ** -3.5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (us.Matern(0.6, 0.5), us.Laplace(0.6)),
        (us.StudentT(0.6, 3.0, 4), us.RationalQuadratic(0.6 * np.sqrt(3.0), 3.5)),
    ],
    ids=["Matern-1/2 is Laplace", "Student-t is rational quadratic"],
)
def test_the_same_kernel_twice(one, other):
    r = np.logspace(-3, 3, 30)
    np.testing.assert_allclose(one.log_profile(r), other.log_profile(r), rtol=1e-12)
    np.testing.assert_allclose(one.inverse_weight(r), other.inverse_weight(r), rtol=1e-12)
    for first, second in zip(tile(one, r), tile(other, r), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-12)


@pytest.mark.parametrize(
    "kernel", [us.Matern(0.7 / np.sqrt(2 * 300.5), 300.5), us.RationalQuadratic(0.7 * np.sqrt(600.0), 300.0)], ids=repr
)
def test_gaussian_limits(kernel):
    """l = sigma/sqrt(2 nu), c^2 = 2 beta sigma^2; the first correction is of relative order 1/nu."""
    r = np.array([0.1, 0.7, 1.4])
    np.testing.assert_allclose(kernel.log_profile(r), us.Gaussian(0.7).log_profile(r), rtol=0.01)
    np.testing.assert_allclose(kernel.inverse_weight(r), 0.49, rtol=0.02)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf, True, "1", None, [1.0], 1j])
@pytest.mark.parametrize(
    "make",
    [
        us.Gaussian,
        us.Laplace,
        lambda v: us.Matern(v, 1.5),
        lambda v: us.Matern(1.0, v),
        lambda v: us.RationalQuadratic(v, 1.0),
        lambda v: us.RationalQuadratic(1.0, v),
        lambda v: us.StudentT(v, 3.0, 2),
        lambda v: us.StudentT(1.0, v, 2),
    ],
)
def test_parameters_are_positive_numbers(make, bad):
    with pytest.raises(InputError, match="must be"):
        make(bad)


@pytest.mark.parametrize("bad", [0, -1, 2.0, True, None])
def test_the_dimension_of_student_t_is_a_positive_integer(bad):
    with pytest.raises(InputError, match="dimension"):
        us.StudentT(1.0, 3.0, bad)


@pytest.mark.parametrize(
    ("name", "kernel"),
    [
        ("gaussian", us.Gaussian(2.0)),
        ("laplace", us.Laplace(2.0)),
        ("matern:1.5", us.Matern(2.0, 1.5)),
        ("rational_quadratic:0.5", us.RationalQuadratic(2.0, 0.5)),
        ("student_t:3", us.StudentT(2.0, 3.0, 4)),
    ],
)
def test_kernels_by_name(name, kernel):
    assert us.kernel_by_name(name, 2.0, dimension=4) == kernel


@pytest.mark.parametrize("name", ["matern", "matern:", "matern:x", "laplace:1", "student_t:3", "rational_quadratic:-1"])
def test_incomplete_names(name):
    with pytest.raises(InputError):
        us.kernel_by_name(name, 1.0)


def test_an_unknown_name_lists_its_neighbours():
    with pytest.raises(UnknownNameError, match="laplace"):
        us.kernel_by_name("laplac", 1.0)


def test_keywords_of_the_public_names():
    assert us.Gaussian(bandwidth=1.0) == us.Gaussian(1.0)
    assert us.Laplace(bandwidth=1.0) == us.Laplace(1.0)
    assert us.Matern(bandwidth=1.0, smoothness=1.5) == us.Matern(1.0, 1.5)
    assert us.RationalQuadratic(bandwidth=1.0, exponent=0.5) == us.RationalQuadratic(1.0, 0.5)
    assert us.StudentT(bandwidth=1.0, degrees=3.0, dimension=2) == us.StudentT(1.0, 3.0, 2)
