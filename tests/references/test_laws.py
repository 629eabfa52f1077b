"""The exact laws of small and large systems: golden numbers, and each by a second route."""

import numpy as np
import pytest

from unifiedscore import references
from unifiedscore.errors import InputError
from unifiedscore.references.finite_particles import finite_averages
from unifiedscore.references.small_systems import triangle
from unifiedscore.samplers import CenteredStiefel, ManifoldChain


def potential(y):
    return 2 / 3 * y**3 + 0.5 * y**4


def slope(y):
    return 2 * y**2 + 2 * y**3


def cube(y):
    return y**3


def fourth(y):
    return y**4


CENTERS = np.array([[1.2, 0.3], [-1.0, -0.8], [0.4, 1.0], [-0.3, -1.4]])
FACTOR, MEAN = np.array([[1.0, 0.0], [0.9, 0.5]]), np.array([0.2, -0.1])


def energy(z):
    return -np.log(np.exp(-2 * ((z[..., None, :] - CENTERS) ** 2).sum(-1)).sum(-1))


def gradient(z):
    w = np.exp(-2 * ((z[..., None, :] - CENTERS) ** 2).sum(-1))
    return 4 * (z - (w / w.sum(-1, keepdims=True)) @ CENTERS)


def mixed(z):
    return z[..., 0] * z[..., 1] ** 2


def test_three_and_four_particles_have_the_golden_moments():
    from scipy.special import iv

    assert references.three_particles(potential, cube) == pytest.approx(-0.4060204706113457, abs=1e-13)
    assert references.three_particles(potential, cube) == pytest.approx(
        -iv(1, np.sqrt(2)) / iv(0, np.sqrt(2)) / np.sqrt(2), abs=1e-13
    )
    assert references.three_particles(potential, fourth) == pytest.approx(1.5, abs=1e-13)
    assert references.four_particles(potential, cube) == pytest.approx(-0.464994066712, abs=1e-11)
    assert references.four_particles(potential, fourth) == pytest.approx(1.756646222517, abs=1e-11)
    assert references.four_particles(lambda y: 0 * y, fourth) == pytest.approx(references.fourth_moment(4), abs=1e-12)


def test_a_quadratic_changes_no_finite_law_and_a_cubic_does():
    tilted = lambda y: potential(y) + 0.7 * y - 1.9 * y**2  # noqa: E731
    for oracle in (references.three_particles, references.four_particles):
        assert oracle(tilted, cube) == pytest.approx(oracle(potential, cube), abs=1e-12)
        assert abs(oracle(lambda y: potential(y) + 0.1 * y**3, cube) - oracle(potential, cube)) > 0.01


def test_triangles_have_the_golden_moment_under_the_right_and_the_transposed_factor():
    both = references.triangles(energy, mixed, MEAN, FACTOR)
    assert both == pytest.approx((-0.3482331841,) * 2, abs=1e-9)
    for reflected in (False, True):
        theta, gibbs = references.circle_law(energy, MEAN, FACTOR, reflected=reflected)
        value = mixed(MEAN + triangle(theta, reflected=reflected) @ FACTOR.T).mean(-1)
        right, wrong = (
            references.transposed_law(gradient, MEAN, FACTOR, reflected=reflected, transpose=t)[1]
            for t in (False, True)
        )
        assert 0.5 * np.abs(right - gibbs).sum() < 1e-5
        assert right @ value == pytest.approx(-0.3482331841, abs=2e-6)
        assert wrong @ value == pytest.approx(-0.0757389, abs=2e-6)
        assert 0.5 * np.abs(wrong - gibbs).sum() == pytest.approx(0.257267, abs=5e-6)


GOLDEN_CHAINS = {
    "euler-maruyama": (-0.3932363025, -0.3995690404),
    "euler-maruyama geodesic": (-0.38519187, -0.39579147),
    "leimkuhler-matthews": (-0.4116784105, -0.4089673745),
    "leimkuhler-matthews transported": (-0.40930104, -0.40771727),
    "leimkuhler-matthews geodesic": (-0.40847322, -0.40729421),
    "geodesic-leimkuhler-matthews": (-0.40596360, -0.40600649),
}


@pytest.mark.parametrize("scheme", GOLDEN_CHAINS)
def test_invariant_laws_of_the_discrete_chains_are_the_golden_ones(scheme):
    got = references.chain_average(scheme, slope, cube, 0.04, angles=41, noise=40)
    assert got == pytest.approx(GOLDEN_CHAINS[scheme][0], abs=2e-6 if "euler" not in scheme else 1e-7)


@pytest.mark.parametrize("retraction", ["polar", "qr"])
@pytest.mark.parametrize("scheme", ["euler-maruyama", "leimkuhler-matthews", "geodesic-leimkuhler-matthews"])
def test_the_steps_of_the_sampler_have_the_golden_invariant_law(scheme, retraction):
    """Golden numbers are those of exact geodesics; the sampler's are integrated."""
    chain = ManifoldChain(CenteredStiefel(3, 1), 0.04, scheme, retraction)
    got = references.sampler_average(chain, slope, cube, angles=41, noise=40)
    assert got == pytest.approx(GOLDEN_CHAINS[scheme][0], abs=2e-6 if "euler" not in scheme else 1e-7)
    # A quadratic in the potential drops out, whatever the step; a cubic does not.
    bent = references.sampler_average(chain, lambda y: slope(y) + 0.9 - 3.4 * y, cube, angles=41, noise=40)
    assert bent == pytest.approx(got, abs=1e-12)
    assert abs(references.sampler_average(chain, lambda y: 1.1 * slope(y), cube, angles=41, noise=40) - got) > 1e-3


def test_steps_on_other_manifolds_or_without_a_rule_for_the_noise_are_refused():
    for shape, noise in (((4, 1), 40), ((5, 2), 40), ((3, 1), 41)):
        with pytest.raises(InputError, match="3 particles in 1 dimension and noise be even"):
            references.sampler_average(ManifoldChain(CenteredStiefel(*shape), 0.1), slope, cube, noise=noise)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", GOLDEN_CHAINS)
def test_invariant_laws_at_full_resolution(scheme):
    for h, golden in zip((0.04, 0.02), GOLDEN_CHAINS[scheme], strict=True):
        assert references.chain_average(scheme, slope, cube, h) == pytest.approx(golden, abs=4e-8)


def wiggly(y):
    return 0.2 * y**3 + 0.25 * y**4 - 0.8 * np.cos(2 * y)


FUNCTIONS = [cube, fourth, lambda y: np.cos(2 * y)]


def test_finite_particle_averages_and_their_coefficient_are_golden():
    law = references.line_law(wiggly)
    assert (law.linear, law.quadratic) == pytest.approx((-0.46857244, -1.69765724), abs=1e-8)
    limits = [law.average(f) for f in FUNCTIONS]
    assert limits == pytest.approx((-0.37913616, 2.50692529, 0.08556092), abs=1e-8)
    coefficients = [references.finite_coefficient(law, f) for f in FUNCTIONS]
    assert coefficients == pytest.approx((-0.00836073, -1.09568495, -0.25028115), abs=1e-8)
    golden = {20: (-0.379384, 2.448663, 0.072268), 40: (-0.379299, 2.478693, 0.079114)}
    for p, expected in golden.items():
        got = finite_averages(law, [lambda y: y**2, *FUNCTIONS], p, nodes=160)
        assert got[0] == pytest.approx(1, abs=1e-5) and got[1:] == pytest.approx(expected, abs=1e-5)


def test_fourier_quotient_and_coefficient_of_the_gaussian_case_are_exact():
    law = references.line_law(lambda y: 0.5 * y**2)
    assert references.finite_average(law, fourth, 40) == pytest.approx(references.fourth_moment(40), abs=1e-9)
    # 3(P - 1)/(P + 1) = 3 - 6/P + ...
    assert references.finite_coefficient(law, fourth) == pytest.approx(-6, abs=1e-9)
    assert references.finite_coefficient(law, lambda y: y**2) == pytest.approx(0, abs=1e-9)


def test_uniform_law_has_the_golden_distances_and_contractions():
    golden = {10: 0.044810, 50: 0.007315, 200: 0.001769}
    assert [references.total_variation(p) for p in golden] == pytest.approx(list(golden.values()), abs=6e-7)
    golden = {(3, 1, 0.02): 0.850058, (3, 1, 0.005): 0.847410, (6, 1, 0.02): 0.721900, (12, 1, 0.005): 0.660717}
    golden[12, 3, 0.02] = 0.692233
    for (p, d, h), value in golden.items():
        assert references.euler_contraction(p, d, h) ** (0.5 / h) == pytest.approx(value, abs=1e-6)
    limits = {(3, 1): 0.846482, (6, 1): 0.716531, (12, 1): 0.659241, (12, 3): 0.687289}
    for (p, d), value in limits.items():
        assert np.exp(-0.5 * references.contraction(p, d)) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(("p", "d"), [(6, 1), (9, 2), (12, 3)])
def test_marginal_density_integrates_to_one_with_unit_variance(p, d):
    from scipy.special import gamma

    r = np.linspace(1e-9, np.sqrt(p - 1), 20001)
    shell = 2 * np.pi ** (d / 2) / gamma(d / 2) * r ** (d - 1) * references.marginal_density(r, p, d)
    assert np.trapezoid(shell, r) == pytest.approx(1, abs=1e-5)
    assert np.trapezoid(shell * r**2, r) == pytest.approx(d, abs=1e-4)


@pytest.mark.parametrize("p", [4, 10, 100])
def test_the_fourth_moment_is_that_of_the_marginal_density(p):
    r = np.linspace(0, np.sqrt(p - 1), 20001)
    found = 2 * np.trapezoid(r**4 * references.marginal_density(r, p, 1), r)
    assert references.fourth_moment(p) == pytest.approx(found, rel=1e-5)


def test_the_cardinal_functions_are_one_at_their_node_and_carry_every_wave_they_can():
    from unifiedscore.references.chains import _interpolation

    nodes = 2 * np.pi * np.arange(7) / 7
    np.testing.assert_allclose(_interpolation(nodes, 7), np.eye(7), atol=1e-14)
    points = np.array([[0.3, 5.0], [-2.0, 9.0]])
    for k in range(4):
        for wave in (np.cos, np.sin):
            np.testing.assert_allclose(_interpolation(points, 7) @ wave(k * nodes), wave(k * points), atol=1e-13)
