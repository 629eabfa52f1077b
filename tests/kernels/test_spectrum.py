"""Transforms and mode rates: closed forms, golden values, annealing by quadrature."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.kernels import annealed_attenuation, mode_rate, normalised_transform

XI = np.linspace(0.0, 8.0, 33)


@pytest.mark.parametrize("d", [1, 2, 3, 10, 64])
def test_closed_forms(d):
    u = (0.4 * XI) ** 2
    cases = [
        (us.Gaussian(0.4), np.exp(-u / 2), u * np.exp(-u / 2)),
        (us.Laplace(0.4), (1 + u) ** (-(d + 1) / 2), (d + 1) * u * (1 + u) ** (-(d + 3) / 2)),
        (us.Matern(0.4, 1.5), (1 + u) ** (-1.5 - d / 2), (d + 3) * u * (1 + u) ** (-2.5 - d / 2)),
        (us.Matern(0.4, 0.8), (1 + u) ** (-0.8 - d / 2), (d + 1.6) * u * (1 + u) ** (-1.8 - d / 2)),
    ]
    for kernel, transform, rate in cases:
        np.testing.assert_allclose(normalised_transform(kernel, XI, dimension=d), transform, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(mode_rate(kernel, XI, dimension=d), rate, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("kernel", "modes", "d", "expected", "digits"),
    [
        (us.Gaussian(0.3), [1, 2, 4, 8, 16], 1, [8.604e-2, 0.3007, 0.7009, 0.3233, 2.288e-4], 2e-4),
        (us.Laplace(0.3), [1, 2, 4, 8, 16], 1, [0.1515, 0.3893, 0.4837, 0.2521, 7.973e-2], 2e-4),
        (us.Laplace(0.4), np.sqrt([1, 5, 25]), 2, [0.33120, 0.55211, 0.21466], 2e-5),
        (us.Matern(0.3, 1.5), [1, 4, 16], 1, [0.2779861, 0.3965090, 0.00663344], 1e-6),
    ],
)
def test_golden_rates(kernel, modes, d, expected, digits):
    np.testing.assert_allclose(mode_rate(kernel, np.array(modes, float), dimension=d), expected, rtol=digits)


def test_the_largest_rates():
    xi = np.linspace(0.01, 4, 20_001)
    assert mode_rate(us.Gaussian(1.0), xi, dimension=1).max() == pytest.approx(2 / np.e, rel=1e-7)
    for d in (1, 5, 50):
        expected = 2 * ((d + 1) / (d + 3)) ** ((d + 3) / 2)
        assert mode_rate(us.Laplace(1.0), xi, dimension=d).max() == pytest.approx(expected, rel=1e-6)


def test_annealing_is_the_integral_of_the_rates():
    golden = [4.998323, 4.999990, 4.999000]
    args = {"dimension": 1, "start": 2.0, "end": 1e-4, "rate": 0.2}
    got = annealed_attenuation(us.Gaussian(1.0), np.array([2.0, 20.0, 200.0]), **args)
    np.testing.assert_allclose(got, golden, atol=1e-6)
    t = np.linspace(0.0, np.log(2e4) / 0.2, 20_001)
    for kernel, d in ((us.Gaussian(1.0), 1), (us.Laplace(1.0), 2)):
        rates = [mode_rate(kernel.with_bandwidth(s), 20.0, dimension=d) for s in 2.0 * np.exp(-0.2 * t[::40])]
        total = np.trapezoid(np.array(rates), t[::40])
        expected = annealed_attenuation(kernel, 20.0, **args | {"dimension": d})
        assert total == pytest.approx(float(expected), rel=1e-4)


def test_kernels_without_a_transform_are_refused():
    with pytest.raises(InputError, match="not integrable"):
        mode_rate(us.RationalQuadratic(1.0, 0.5), 1.0, dimension=2)
    with pytest.raises(InputError, match="frequency"):
        mode_rate(us.Laplace(1.0), -1.0, dimension=2)
    with pytest.raises(InputError, match="scale mixture"):
        mode_rate("laplace", 1.0, dimension=2)
