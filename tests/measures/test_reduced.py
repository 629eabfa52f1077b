"""The reduced law is the ambient law: densities, scores, moments and rules agree."""

import mpmath
import numpy as np
import pytest
from scipy import stats

from unifiedscore.errors import InputError
from unifiedscore.measures import GaussianMixture, load_pair, rules
from unifiedscore.measures.reduced import gamma_half_ratio

MEANS = np.array([[1.0, -0.5], [-1.5, 0.3], [0.2, 2.0]])
WEIGHTS = [0.2, 0.5, 0.3]


def padded(dimension: int) -> GaussianMixture:
    return GaussianMixture(MEANS, [0.4, 0.9, 1.5], WEIGHTS, dimension=dimension)


def rotated(dimension: int, rng) -> GaussianMixture:
    """The same law in a general position."""
    turn = np.linalg.qr(rng.normal(size=(dimension, dimension)))[0]
    return GaussianMixture(padded(dimension).means @ turn, [0.4, 0.9, 1.5], WEIGHTS)


@pytest.mark.parametrize("dimension", [2, 3, 7])
@pytest.mark.parametrize("turn", [False, True])
def test_density_and_score_are_those_of_the_ambient_law(dimension, turn, rng):
    law = rotated(dimension, rng) if turn else padded(dimension)
    reduced = law.reduced()
    x = law.sample(20, rng)
    z = reduced.project(x)
    assert z.shape == (20, 2 + (dimension > 2))
    np.testing.assert_allclose(reduced.log_density(z), law.log_density(x), rtol=1e-12, atol=1e-12)
    ambient, score = law.score(x), reduced.score(z)
    np.testing.assert_allclose((score**2).sum(axis=1), (ambient**2).sum(axis=1), rtol=1e-10)
    np.testing.assert_allclose((score * z).sum(axis=1), (ambient * x).sum(axis=1), rtol=1e-9, atol=1e-11)
    if not turn:
        np.testing.assert_allclose(score[:, :2], ambient[:, :2], rtol=1e-12, atol=1e-14)


def test_both_members_of_a_pair_share_their_coordinates():
    for dimension in (12, 13, 40):
        target, model = load_pair("raw_mog", dimension=dimension)
        first, second = target.reduced(), model.reduced()
        assert first.active_dimension == second.active_dimension == 12
        # Orthogonal centres stay orthogonal in shared coordinates.
        np.testing.assert_array_equal(first.centers @ second.centers.T, 0)


def test_a_given_span_serves_two_laws(rng):
    first, second = rng.normal(size=(2, 3, 10))
    span = np.concatenate([first, second])
    p, q = (GaussianMixture(m, 0.5).reduced(span=span) for m in (first, second))
    assert p.active_dimension == 6
    np.testing.assert_allclose(p.centers @ q.centers.T, first @ second.T, atol=1e-12)
    with pytest.raises(InputError, match="every mean"):
        GaussianMixture(first, 0.5).reduced(span=second)


@pytest.mark.parametrize("dimension", [2, 3, 5, 1000, 2**20])
def test_quadrature_has_the_moments_of_the_law(dimension):
    law = padded(dimension).reduced()
    z, w = law.quadrature(order=8)
    assert w.sum() == pytest.approx(1, abs=1e-13)
    np.testing.assert_allclose(w @ z[:, :2], law.mean[:2], atol=1e-12)
    moment = z.T @ (w[:, None] * z)
    np.testing.assert_allclose(np.diag(moment), np.diag(law.second_moment), rtol=1e-12)
    np.testing.assert_allclose(np.trace(law.second_moment), np.trace(padded(5).second_moment) + 0.98 * (dimension - 5))
    if dimension > 2:
        # E t^4 = v^2 n (n + 2), the second moment of a chi-squared law.
        n = dimension - 2
        expected = np.dot(WEIGHTS, np.array([0.4, 0.9, 1.5]) ** 2) * n * (n + 2)
        assert w @ z[:, -1] ** 4 == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dimension", [3, 10, 500])
def test_mean_radius_is_that_of_the_chi_law(dimension):
    law = GaussianMixture([[0.0, 0.0]], 2.0, dimension=dimension).reduced()
    assert law.mean[-1] == pytest.approx(np.sqrt(2) * stats.chi(dimension - 2).mean(), rel=1e-11)


@pytest.mark.parametrize("dimension", [500, 2**20])
def test_quadrature_resolves_the_radius_in_high_dimension(dimension):
    law = GaussianMixture([[0.0, 0.0]], 2.0, dimension=dimension).reduced()
    z, w = law.quadrature(8)
    assert w @ z[:, -1] == pytest.approx(law.mean[-1], rel=1e-13)


def test_gamma_ratio_is_that_of_forty_digits():
    with mpmath.workdps(40):
        for z in (0.5, 1.0, 7.5, 99.5, 100.0, 150.0, 2.0**19):
            expected = float(mpmath.gammaprod([mpmath.mpf(z) + 0.5], [mpmath.mpf(z)]))
            # At most a hundred factors, each rounded once or twice.
            assert gamma_half_ratio(z) == pytest.approx(expected, rel=4e-14)


@pytest.mark.parametrize("shape", [0.5, 1.0, 3.5, 100.0, 2.0**19])
def test_gamma_rule_has_the_factorial_moments(shape):
    nodes, weights = rules.gauss_gamma(6, shape)
    assert weights.sum() == pytest.approx(1, abs=1e-14)
    assert (nodes > 0).all()
    # E (u - shape)^k for a Gamma law, k = 1..4, scaled by its standard deviation.
    centred = (nodes - shape) / np.sqrt(shape)
    expected = [0, 1, 2 / np.sqrt(shape), 3 + 6 / shape]
    np.testing.assert_allclose([weights @ centred**k for k in range(1, 5)], expected, atol=3e-10)
    # E e^{-c u} = (1 + c)^-shape with c u of order one.
    c = 0.1 / np.sqrt(shape)
    assert weights @ np.exp(-c * (nodes - shape)) == pytest.approx(np.exp(c * shape - shape * np.log1p(c)), rel=1e-8)


@pytest.mark.parametrize("order", [4, 6, 8])
def test_sparse_rule_is_exact_up_to_its_total_degree(order):
    axes, shape = 5, 2.5
    nodes, weights = rules.normal_gamma(axes - 1, shape=shape, order=order, sparse=True)
    degree = 2 * (order // 2) + 1
    normal = [1, 0, 1, 0, 3, 0, 15, 0, 105, 0]
    gamma = [float(np.prod(shape + np.arange(k))) for k in range(10)]
    rng = np.random.default_rng(1)
    for _ in range(60):
        power = rng.multinomial(rng.integers(degree + 1), np.full(axes, 1 / axes))
        expected = np.prod([normal[k] for k in power[:-1]]) * gamma[power[-1]]
        # Weights of both signs: rounding is eps times the sum of absolute terms.
        terms = weights * np.prod(nodes**power, axis=1)
        assert abs(terms.sum() - expected) < 1e-13 * (1 + np.abs(terms).sum())


def test_sparse_rule_integrates_an_exponential_in_twelve_axes():
    target, _ = load_pair("raw_mog", dimension=400, centre_scale=0.1)
    law = target.reduced()
    slope = np.append(np.linspace(-0.3, 0.3, 12), 0.0)
    z, w = law.quadrature(8)
    expected = target.tilted(np.pad(slope[:12], (0, 388))).log_normalizer
    # |slope| = .65: the first neglected terms are of size .65^10 / 10!.
    assert np.log(w @ np.exp(z @ slope)) == pytest.approx(expected, abs=1e-5)


def test_reduced_draws_follow_the_ambient_law(rng):
    law = padded(9)
    direct, reduced = law.reduced().project(law.sample(4000, rng)), law.reduced().sample(4000, rng)
    for a, b in zip(direct.T, reduced.T, strict=True):
        assert stats.ks_2samp(a, b).pvalue > 1e-4


def test_squared_inner_product_is_the_trace_of_second_moments():
    p, q = load_pair("ring_mog", dimension=11)
    expected = np.trace(p.second_moment @ q.second_moment)
    assert p.reduced().squared_inner_product(q.reduced()) == pytest.approx(expected, rel=1e-13)


def test_full_covariances_are_refused():
    with pytest.raises(InputError, match="isotropic"):
        GaussianMixture([[0.0, 0.0]], np.eye(2)).reduced()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda z: z.score([[0.0]]), "dimension 3"),
        (lambda z: z.project([[0.0, 1.0]]), "dimension 6"),
        (lambda z: z.quadrature(0), "order"),
        (lambda z: z.quadrature(1000), "order"),
        (lambda z: GaussianMixture(np.eye(20), 1.0, dimension=30).reduced().quadrature(12), "nodes per component"),
        (lambda z: z.quadrature(4, components=[0, 0]), "distinct"),
        (lambda z: z.squared_inner_product(padded(7).reduced()), "span"),
    ],
)
def test_bad_calls_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(padded(6).reduced())


def test_components_without_weight_take_no_part_in_the_span():
    means = np.array([[1e20, 0.0, 0.0, 0.0], [0.0, 1.0, 2.0, 0.0], [0.0, -1.0, 3.0, 0.0]])
    found = GaussianMixture(means, 0.5, [0.0, 1.0, 2.0]).reduced()
    held = GaussianMixture(means[1:], 0.5, [1.0, 2.0]).reduced()
    assert found.active_dimension == held.active_dimension == 2
    np.testing.assert_allclose(found.second_moment, held.second_moment, atol=1e-14)
