"""Averages over noise: tuples, and the population in one dimension against independent integrals."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erf

import unifiedscore as us
from unifiedscore.errors import InputError, NumericalError

POINTS, QUERY, NOISE = np.array([[-1.0], [0.5], [2.0]]), np.array([[0.3]]), np.array([[-1.0], [0.5]])


def center(time, points=POINTS):
    return us.Barycenter(us.Gaussian(1 - time), points, scale=time)


def test_golden_values_of_the_tuple_and_its_mean():
    field = center(0.5)
    each = field(QUERY + 0.4 * NOISE)[:, 0]
    assert each == pytest.approx([-0.0982325509519235, 0.9351201867595943], abs=1e-15)
    assert us.Smoothed(field, 0.4, noise=NOISE)(QUERY)[0, 0] == pytest.approx(0.4184438179038354, abs=1e-15)


def test_one_tuple_per_point_equals_one_point_at_a_time():
    rng = np.random.default_rng(0)
    field = us.Smoothed(center(0.5, rng.normal(size=(6, 2))), 0.3, noise=np.zeros((1, 2)))
    x, noise = rng.normal(size=(7, 2)), rng.normal(size=(7, 3, 2))
    one = [field.evaluate(x[i : i + 1], noise=noise[i])[0] for i in range(7)]
    np.testing.assert_array_equal(field.evaluate(x, noise=noise), one)


def test_blocks_do_not_change_the_result(monkeypatch):
    rng = np.random.default_rng(0)
    field = us.Smoothed(center(0.5, rng.normal(size=(6, 2))), 0.3, noise=rng.normal(size=(4, 2)))
    x = rng.normal(size=(9, 2))
    whole = field(x)
    monkeypatch.setattr("unifiedscore.fields.smoothed.rows_within", lambda numbers: 2)
    np.testing.assert_array_equal(field(x), whole)


@pytest.mark.parametrize(
    ("smoothing", "value"), [(0.1, -0.148809424531), (0.05, -0.146144684879), (0.025, -0.145362989100)]
)
def test_population_has_the_golden_heat_expansion(smoothing, value):
    """(x_sigma - x) / (sigma^2 / 2) approaches the Laplacian -.145091151964."""
    field = center(0.5)
    gap = us.Smoothed(field, smoothing, noise="population")(QUERY) - field(QUERY)
    # Rounding 2e-16 over sigma^2 / 2.
    assert gap[0, 0] / (smoothing**2 / 2) == pytest.approx(value, abs=2e-12)


@pytest.mark.parametrize("time", [0.5, 0.9, 0.99, 0.999, 0.9999])
def test_population_of_two_points_at_every_time(time):
    field, z, smoothing = center(time, np.array([[-1.0], [1.0]])), 0.7, 0.6
    c = time / (1 - time) ** 2

    def integrand(u):
        return np.tanh(c * u) * np.exp(-0.5 * ((u - z) / smoothing) ** 2) / (smoothing * np.sqrt(2 * np.pi))

    edges = sorted({-6.0, 8.0, *np.clip([-40 / c, 0.0, 40 / c], -6, 8)})
    parts = [quad(integrand, a, b, epsabs=1e-14, limit=400)[0] for a, b in pairwise(edges)]
    value = us.Smoothed(field, smoothing, noise="population")([[z]])[0, 0]
    assert value == pytest.approx(sum(parts), abs=1e-12)
    if time > 0.99:
        assert value == pytest.approx(erf(z / (smoothing * np.sqrt(2))), abs=1e-9)


def test_no_position_of_a_step_is_missed():
    """A step beyond the last node of a panel would change the average by 1e-8 to 1e-3."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        a, z = 0.5 + rng.random(), rng.normal(size=(1, 1))
        field = center(1 - 1e-4, np.array([[-a], [a]]))
        value = us.Smoothed(field, 0.6, noise="population")(z)[0, 0]
        assert value == pytest.approx(a * erf(z[0, 0] / (0.6 * np.sqrt(2))), abs=1e-12)


def test_population_does_not_depend_on_the_batch():
    field = us.Smoothed(center(0.9), 0.2, noise="population")
    x = np.concatenate([np.linspace(-3, 3, 150), [40.0, -1000.0]])[:, None]
    np.testing.assert_allclose(field(x), np.concatenate([field(row[None]) for row in x]), atol=2e-13, rtol=0)


def test_smoothing_has_no_effect_on_an_affine_field():
    field = us.as_field(lambda x: 3 * x - 1, dimension=1)
    x = np.linspace(-2, 2, 5)[:, None]
    np.testing.assert_allclose(us.Smoothed(field, 0.7, noise="population")(x), field(x), atol=1e-13)


def test_zero_smoothing_is_the_field_itself():
    field = center(0.5)
    for noise in (NOISE, "population"):
        np.testing.assert_array_equal(us.Smoothed(field, 0.0, noise=noise)(QUERY), field(QUERY))


def test_potential_and_jacobian_are_averaged_too():
    rng = np.random.default_rng(3)
    field = us.Smoothed(center(0.6, rng.normal(size=(5, 2))), 0.4, noise=rng.normal(size=(3, 2)))
    x, step = rng.normal(size=(4, 2)), 1e-5
    jacobian = field.jacobian(x)
    for axis in np.eye(2):
        up, down = x + step * axis, x - step * axis
        np.testing.assert_allclose(
            (field.potential(up) - field.potential(down)) / (2 * step), field(x) @ axis, atol=1e-8
        )
        np.testing.assert_allclose((field(up) - field(down)) / (2 * step), jacobian @ axis, atol=1e-8)


def test_bad_input_is_refused():
    field = center(0.5)
    with pytest.raises(InputError, match="smoothing must be finite and zero or positive"):
        us.Smoothed(field, -0.1, noise=NOISE)
    with pytest.raises(InputError, match="exact in dimension 1 only"):
        us.Smoothed(center(0.5, np.zeros((2, 2))), 0.1, noise="population")
    with pytest.raises(InputError, match=r"noise must have shape \(M, 1\)"):
        us.Smoothed(field, 0.1, noise=NOISE).evaluate(QUERY, noise=np.zeros((2, 3, 1)))
    with pytest.raises(InputError, match="must be a field"):
        us.Smoothed(np.sin, 0.1, noise=NOISE)


def test_a_field_that_never_resolves_is_named():
    rough = us.as_field(lambda x: np.sin(1e9 * x), dimension=1)
    with pytest.raises(NumericalError, match="not resolved"):
        us.Smoothed(rough, 1.0, noise="population")(QUERY)
