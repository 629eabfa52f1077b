"""The smoothed score, its tilt and the tilted field: golden numbers, second routes, dual derivatives, bad input."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.fields import MomentMatchedTilt, PopulationScore, SmoothedScore, solve_tilt
from unifiedscore.fields.moment_matched.family import (
    MixtureFamily,
    NodeFamily,
    minimise_dual,
    statistic,
    unpack,
    wanted,
)

FOUR = np.array([[-1.2], [0.1], [1.7], [2.0]])
GOLDEN_FOUR = {0.0: (0.0, 0.0), 0.3: (-0.05952679, -0.17520758), 1.0: (-0.64603583, -2.16811152)}
GOLDEN_FOUR[4.0] = (-1.94597359, -7.22834180)
# circle: s -> (variance of the untilted law, tilt, mean negative log-likelihoods on the circle, tilted and not)
GOLDEN_CIRCLE = {
    0.0: (0.5100, 0.0, 0.7953, 0.7953),
    0.1: (0.5026, -0.7194, 0.5602, 0.5557),
    0.2: (0.4817, -2.7182, 0.4908, 0.5026),
    0.4: (0.3767, -10.3100, 0.6474, 1.2637),
}


def grid_moments(field, low, high, n=4001):
    """Mean, variance, skewness and excess kurtosis of exp(potential) in one dimension, on a plain grid."""
    z = np.linspace(low, high, n)
    logs = field.potential(z[:, None])
    w = np.exp(logs - logs.max())
    w /= w.sum()
    mean = w @ z
    c = [w @ (z - mean) ** k for k in (2, 3, 4)]
    return mean, c[0], c[1] / c[0] ** 1.5, c[2] / c[0] ** 2 - 3


@pytest.mark.parametrize("s", GOLDEN_FOUR)
def test_tilt_of_four_points_is_the_golden_one(s):
    tilt = solve_tilt(SmoothedScore(FOUR, 0.3, s, noise="population"))
    assert tilt.linear[0] == pytest.approx(GOLDEN_FOUR[s][0], abs=6e-9)
    assert tilt.quadratic[0, 0] == pytest.approx(GOLDEN_FOUR[s][1], abs=6e-9)
    assert tilt.residuals[-1] <= 1e-11 and tilt.iterations <= 20
    assert tilt.method == ("quadrature" if s else "closed_form") and tilt.error < 1e-9


@pytest.mark.parametrize(
    ("s", "untilted", "shape"),
    [
        (0.3, (0.605164, 1.628664), (-0.286724, -1.390343)),
        (1.0, (0.418416, 0.580889), (-0.249196, -1.234675)),
        (4.0, (0.400466, 0.130600), (-0.066052, -0.336539)),
    ],
)
def test_laws_of_four_points_have_the_golden_moments(s, untilted, shape):
    score = SmoothedScore(FOUR, 0.3, s, noise="population")
    tilted = MomentMatchedTilt(score, solve_tilt(score))
    assert grid_moments(score, -9, 9)[:2] == pytest.approx(untilted, abs=1e-6)
    mean, variance, skewness, kurtosis = grid_moments(tilted, -9, 10)
    assert (mean, variance) == pytest.approx((0.65, 1.7525), abs=1e-9)
    assert (skewness, kurtosis) == pytest.approx(shape, abs=1e-6)


@pytest.mark.parametrize("s", GOLDEN_CIRCLE)
def test_circle_has_the_golden_tilts_and_likelihoods(s):
    variance, quadratic, likelihood, naive = GOLDEN_CIRCLE[s]
    score = SmoothedScore(us.load_measure("circle12"), 0.1, s, noise="population")
    tilt = solve_tilt(score)
    assert tilt.quadratic == pytest.approx(quadratic * np.eye(2), abs=6e-5)
    angle = 2 * np.pi * np.arange(1000) / 1000
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert -MomentMatchedTilt(score, tilt).log_density(circle).mean() == pytest.approx(likelihood, abs=6e-5)
    side = np.arange(-2.2, 2.2, 0.02)
    nodes = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    logs = score.potential_on(side, side).ravel() if s else score.potential(nodes)
    mass = np.exp(logs - logs.max())
    assert mass @ nodes[:, 0] ** 2 / mass.sum() == pytest.approx(variance, abs=6e-5)
    log_z = logs.max() + np.log(mass.sum() * 0.02**2)
    assert -(score.potential(circle) - log_z).mean() == pytest.approx(naive, abs=1e-4)


def test_population_score_is_the_adaptive_average():
    z = np.array([[-2.0], [0.3], [0.9], [1.85]])
    for delta, s in ((0.3, 0.2), (0.3, 2.0), (0.05, 0.5)):
        adaptive = us.Smoothed(us.KernelScore(us.Gaussian(delta), FOUR), s, noise="population")(z)
        assert PopulationScore(FOUR, delta, s)(z) == pytest.approx(adaptive, rel=1e-8, abs=1e-8 / delta**2)


def test_population_score_in_the_plane_is_the_average_over_noise():
    data = us.load_measure("circle12")
    z = np.array([[0.2, -0.4], [1.1, 0.3], [-0.6, 0.9]])
    nodes, weights = np.polynomial.legendre.leggauss(400)
    noise = 7 * np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)
    mass = np.outer(weights, weights).ravel() * np.exp(-0.5 * (noise**2).sum(1))
    for s in (0.15, 0.8):
        inner = us.KernelScore(us.Gaussian(0.25), data)
        value = np.stack([mass @ inner(point + s * noise) / mass.sum() for point in z])
        assert PopulationScore(data, 0.25, s)(z) == pytest.approx(value, abs=1e-7)
        assert PopulationScore(data, 0.25, s, mesh=0.01)(z) == pytest.approx(value, abs=1e-10)
    score = PopulationScore(data, 0.25, 0.8)
    on_axes = score.potential_on(z[:1, 0], z[:1, 1])[0, 0]
    assert on_axes == pytest.approx(score.potential(z[:1])[0], abs=1e-11)


TILTED = [
    (SmoothedScore(FOUR, 0.3, 0.5, noise="population"), np.array([[-1.0], [0.2], [2.2]])),
    (SmoothedScore(us.load_measure("circle12"), 0.2, 0.3, noise="population"), np.array([[0.3, -0.2], [1.0, 0.7]])),
    (SmoothedScore(us.load_measure("circle12"), 0.2, 0.3, noise=[[1.0, 0.2], [-1.0, -0.2]]), np.array([[0.3, -0.2]])),
]
CHECKED = [*TILTED, *((MomentMatchedTilt(score, solve_tilt(score)), x) for score, x in TILTED)]


@us.testing.parametrize_with_checks(CHECKED)
def test_fields_obey_the_laws(subject, check):
    check(subject)


def test_density_of_the_tilted_law_integrates_to_one():
    for score, _ in TILTED[:1]:
        field = MomentMatchedTilt(score, solve_tilt(score))
        z = np.linspace(-8, 9, 3001)
        assert np.exp(field.log_density(z[:, None])).sum() * (z[1] - z[0]) == pytest.approx(1, abs=1e-12)


def test_without_smoothing_the_tilt_is_zero_and_the_law_the_kernel_density():
    rng = np.random.default_rng(0)
    data = rng.normal(size=(7, 5))
    tilt = solve_tilt(SmoothedScore(data, 0.4, 0.0))
    assert tilt.iterations == 0 and np.abs(tilt.quadratic).max() == 0
    field = MomentMatchedTilt(SmoothedScore(data, 0.4, 0.0), tilt)
    x = rng.normal(size=(3, 5))
    assert field.log_density(x) == pytest.approx(us.GaussianMixture(data, 0.16).log_density(x), abs=1e-12)
    # With the covariance of the data alone as the goal the tilt is not zero: the same theorem, another target.
    other = solve_tilt(SmoothedScore(data, 0.4, 0.0), covariance=us.Samples(data).covariance_matrix)
    assert other.iterations > 0 and np.linalg.eigvalsh(other.quadratic)[-1] > 0.5


def test_closed_form_quadrature_and_samples_agree():
    rng = np.random.default_rng(1)
    data = us.Samples(rng.normal(size=(6, 2)), rng.random(6) + 0.2)
    score, goal = SmoothedScore(data, 0.5, 0.0), np.array([[0.9, 0.2], [0.2, 0.7]])
    first, second = (solve_tilt(score, covariance=goal, method=m) for m in ("closed_form", "quadrature"))
    third = solve_tilt(score, covariance=goal, method="samples", n=100_000, rng=rng)
    assert first.quadratic == pytest.approx(second.quadratic, abs=1e-9)
    assert first.linear == pytest.approx(second.linear, abs=1e-9)
    assert first.log_normalizer == pytest.approx(second.log_normalizer, abs=1e-9)
    assert third.quadratic == pytest.approx(first.quadratic, abs=6 * third.error / np.linalg.eigvalsh(goal)[0])
    assert 1e-4 < third.error < 0.05
    tilted = us.GaussianMixture(data.points, 0.25, data.weights).tilted(-first.linear_uncentred, first.quadratic)
    assert tilted.covariance_matrix == pytest.approx(goal, abs=1e-10)
    assert tilted.mean == pytest.approx(data.mean, abs=1e-10)


def test_tilted_mixture_has_the_golden_moments():
    tilted = us.GaussianMixture(FOUR, 0.09).tilted([-0.4], 0.8)
    assert tilted.mean[0] == pytest.approx(-0.2413834594, abs=1e-10)
    assert tilted.covariance_matrix[0, 0] == pytest.approx(0.9563755002, abs=1e-10)


def test_dual_gradient_and_hessian_are_differences_of_the_log_partition():
    rng = np.random.default_rng(2)
    y = rng.normal(size=(400, 3))
    families = [
        NodeFamily(statistic(y), 0.1 * rng.normal(size=400)),
        MixtureFamily(y[:5], np.log(np.full(5, 0.2)), 2 * np.eye(3) + 0.3),
    ]
    theta, step = 0.2 * rng.normal(size=9), 1e-4
    for family in families:
        mean, covariance = family.moments(theta)
        shifts = step * np.eye(9)
        slope = [(family.log_partition(theta + e) - family.log_partition(theta - e)) / (2 * step) for e in shifts]
        assert -mean == pytest.approx(slope, abs=1e-6)
        bend = [(family.moments(theta - e)[0] - family.moments(theta + e)[0]) / (2 * step) for e in shifts]
        assert covariance == pytest.approx(np.array(bend), abs=1e-6)
    # Without the half on the squares the statistic would not be the derivative.
    assert abs(2 * mean[3] + slope[3]) > 0.1


def test_newton_reaches_the_stated_residual_from_far():
    grid = np.linspace(-12, 12, 4001)[:, None]
    logs = -((grid[:, 0] - 3) ** 2) * 8 + np.log(grid[1] - grid[0])
    edge = np.zeros(4001, dtype=bool)
    edge[[0, -1]] = True
    found = minimise_dual(NodeFamily(statistic(grid), logs, edge), 1, tolerance=1e-11, max_iterations=50)
    linear, quadratic = unpack(found.theta, 1)
    assert (linear[0], quadratic[0, 0]) == pytest.approx((48.0, -15.0), abs=1e-8)
    assert wanted(2).tolist() == [0, 0, 0.5, 0.5, 0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: SmoothedScore(FOUR, 0.0, 1.0, noise="population"), "noise_level"),
        (lambda: SmoothedScore(FOUR, 0.3, -1.0), "smoothing"),
        (lambda: SmoothedScore(FOUR, 0.3, 1.0), "noise must be"),
        (lambda: SmoothedScore(np.zeros((4, 3)), 0.3, 1.0, noise="population"), "two dimensions"),
        (lambda: solve_tilt(SmoothedScore(FOUR, 0.3, 0.0), covariance=[[0.0]]), "positive definite"),
        (lambda: solve_tilt(SmoothedScore(FOUR, 0.3, 0.0), mean=[0.0, 1.0]), "shapes"),
        (lambda: solve_tilt(SmoothedScore(FOUR, 0.3, 0.0), method="magic"), "method"),
        (lambda: solve_tilt(us.as_field(np.sin, dimension=1)), "mean and covariance"),
        (lambda: solve_tilt(SmoothedScore(np.eye(3), 0.3, 0.4, noise=np.eye(3))), "rng"),
        (lambda: MomentMatchedTilt(SmoothedScore(FOUR, 0.3, 0.0), None), "Tilt"),
        (lambda: PopulationScore(FOUR, 0.3, 1.0)([[1e3]]), "standard deviations"),
    ],
)
def test_bad_input_is_refused_with_the_name(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_a_tilt_that_does_not_converge_says_what_to_do():
    score = SmoothedScore(FOUR, 0.3, 4.0, noise="population")
    with pytest.raises(NumericalError, match="did not converge"):
        solve_tilt(score, max_iterations=2)
    far = SmoothedScore(np.random.default_rng(0).normal(size=(30, 20)), 0.05, 2.0, noise=np.eye(20))
    with pytest.raises(NumericalError, match=r"effective samples|did not converge"):
        solve_tilt(far, n=400, rng=np.random.default_rng(0))
