"""Laws of Gaussian mixtures, each by a route that shares no code with the engine."""

import pickle

import numpy as np
import pytest
from scipy import integrate, stats

from unifiedscore.errors import InputError, NumericalError
from unifiedscore.measures import GaussianMixture

ROTATION = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
FULL = ROTATION @ np.diag([0.3, 1.2]) @ ROTATION.T
# Three dimensions: the eigenvectors of a 2 x 2 matrix may happen to be a symmetric matrix and hide a transposition.
SPACE = np.array([[1.0, 0.6, -0.2], [0.6, 0.8, 0.3], [-0.2, 0.3, 1.4]])


def mixtures() -> dict[str, GaussianMixture]:
    means = np.array([[1.0, -0.5], [-1.5, 0.3], [0.2, 2.0]])
    weights = [0.2, 0.5, 0.3]
    return {
        "scalar": GaussianMixture(means, 0.4, weights),
        "variances": GaussianMixture(means, [0.4, 0.9, 1.5], weights),
        "shared matrix": GaussianMixture(means, FULL, weights),
        "matrices": GaussianMixture(means, [FULL, FULL.T @ FULL, np.diag([0.5, 2.0])], weights),
        "one component": GaussianMixture(means[:1], FULL),
        "line": GaussianMixture(means[:, :1], [0.4, 0.9, 1.5], weights),
        "space": GaussianMixture(SPACE[:2], [SPACE, SPACE @ SPACE], [0.4, 0.6]),
        "padded": GaussianMixture(means, [0.4, 0.9, 1.5], weights, dimension=5),
    }


CASES = list(mixtures())


def matrices(mixture: GaussianMixture) -> list[np.ndarray]:
    if mixture.variances is not None:
        return [v * np.eye(mixture.dimension) for v in mixture.variances]
    return [(u * lam) @ u.T for lam, u in zip(mixture.eigenvalues, mixture.eigenvectors, strict=True)]


def reference_log_density(mixture: GaussianMixture, x: np.ndarray) -> np.ndarray:
    parts = zip(mixture.weights, mixture.means, matrices(mixture), strict=True)
    return np.log(sum(w * stats.multivariate_normal(c, s).pdf(x) for w, c, s in parts))


def plane_integral(mixture: GaussianMixture, f) -> np.ndarray:
    """Trapezoidal integral of f times the density over a wide square: spectrally accurate for Gaussians."""
    axis = np.linspace(-14, 14, 281)
    grid = np.stack([g.ravel() for g in np.meshgrid(axis, axis, indexing="ij")], axis=1)
    mass = np.exp(reference_log_density(mixture, grid)) * (axis[1] - axis[0]) ** 2
    return mass @ f(grid)


@pytest.mark.parametrize("case", CASES)
def test_log_density_is_that_of_scipy(case, rng):
    mixture = mixtures()[case]
    x = rng.normal(scale=2, size=(20, mixture.dimension))
    np.testing.assert_allclose(mixture.log_density(x), reference_log_density(mixture, x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_score_is_the_gradient_of_the_log_density(case, rng):
    mixture = mixtures()[case]
    x = rng.normal(scale=2, size=(10, mixture.dimension))
    h = 1e-5
    steps = h * np.eye(mixture.dimension)
    numeric = np.stack([(mixture.log_density(x + e) - mixture.log_density(x - e)) / (2 * h) for e in steps], axis=1)
    # Truncation h^2 f''' / 6 and rounding eps / h are both below 1e-9.
    np.testing.assert_allclose(mixture.score(x), numeric, atol=1e-8)


@pytest.mark.parametrize("case", ["scalar", "variances", "shared matrix", "matrices", "one component"])
def test_moments_are_integrals_of_the_density(case):
    mixture = mixtures()[case]
    mean = plane_integral(mixture, lambda x: x)
    second = plane_integral(mixture, lambda x: (x[:, :, None] * x[:, None, :]).reshape(-1, 4)).reshape(2, 2)
    np.testing.assert_allclose(mixture.mean, mean, atol=1e-10)
    np.testing.assert_allclose(mixture.second_moment, second, atol=1e-10)
    np.testing.assert_allclose(mixture.covariance_matrix, second - np.outer(mean, mean), atol=1e-10)


@pytest.mark.parametrize("case", CASES)
def test_sampling_has_the_moments_of_the_law(case, rng):
    mixture = mixtures()[case]
    n = 40_000
    x = mixture.sample(n, rng)
    covariance = mixture.covariance_matrix
    error = x.mean(axis=0) - mixture.mean
    # Hotelling: n e^T C^-1 e is chi-squared; level 1e-4 a case.
    assert n * error @ np.linalg.solve(covariance, error) < stats.chi2.isf(1e-4, mixture.dimension)
    np.testing.assert_allclose(np.cov(x.T).reshape(covariance.shape), covariance, atol=0.15)


@pytest.mark.parametrize("variances", [0.4, [0.4, 0.9, 1.5]])
def test_smoothing_is_convolution_on_the_line(variances):
    mixture = GaussianMixture([[1.0], [-1.5], [0.2]], variances, [0.2, 0.5, 0.3])
    for x in (-2.0, 0.1, 1.7):
        expected, _ = integrate.quad(
            lambda y, x=x: np.exp(mixture.log_density([[y]])[0]) * stats.norm.pdf(x - y, scale=0.7**0.5), -15, 15,
            epsabs=1e-13, limit=200,
        )  # fmt: skip
        assert np.exp(mixture.smoothed(0.7).log_density([[x]])[0]) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("case", ["shared matrix", "matrices", "scalar"])
def test_smoothing_adds_to_every_covariance(case):
    mixture = mixtures()[case]
    for before, after in zip(matrices(mixture), matrices(mixture.smoothed(0.7)), strict=True):
        np.testing.assert_allclose(after, before + 0.7 * np.eye(2), atol=1e-14)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("factor", [0.3, -2.0])
def test_scaling_changes_variables(case, factor, rng):
    mixture = mixtures()[case]
    x = rng.normal(size=(6, mixture.dimension))
    expected = mixture.log_density(x / factor) - mixture.dimension * np.log(abs(factor))
    np.testing.assert_allclose(mixture.scaled(factor).log_density(x), expected, rtol=1e-11)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("quadratic", [0.0, 0.8, -0.2, "matrix"])
def test_tilting_multiplies_the_density(case, quadratic, rng):
    mixture = mixtures()[case]
    d = mixture.dimension
    linear = rng.normal(size=d)
    if quadratic == "matrix":
        root = rng.normal(size=(d, d))
        quadratic = 0.2 * root @ root.T - 0.1 * np.eye(d)
    tilted = mixture.tilted(linear, quadratic)
    x = rng.normal(scale=1.5, size=(15, d))
    form = quadratic * np.eye(d) if np.ndim(quadratic) == 0 else quadratic
    exponent = x @ linear - 0.5 * np.einsum("ni,ij,nj->n", x, form, x)
    expected = mixture.log_density(x) + exponent - tilted.log_normalizer
    np.testing.assert_allclose(tilted.log_density(x), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("case", ["scalar", "variances", "matrices"])
def test_tilt_normalizer_is_the_expected_exponential(case):
    mixture = mixtures()[case]
    linear, quadratic = np.array([0.4, -0.7]), np.array([[0.5, 0.2], [0.2, -0.1]])
    expected = plane_integral(mixture, lambda x: np.exp(x @ linear - 0.5 * np.sum((x @ quadratic) * x, axis=1)))
    assert mixture.tilted(linear, quadratic).log_normalizer == pytest.approx(np.log(expected), abs=1e-9)


def test_tilting_back_restores_the_law(rng):
    mixture = mixtures()["matrices"]
    linear, quadratic = rng.normal(size=2), 0.3 * np.eye(2)
    there = mixture.tilted(linear, quadratic)
    back = there.tilted(-linear, -quadratic)
    x = rng.normal(size=(5, 2))
    np.testing.assert_allclose(back.log_density(x), mixture.log_density(x), atol=1e-11)
    assert there.log_normalizer + back.log_normalizer == pytest.approx(0, abs=1e-12)


def test_atoms_can_be_tilted_and_smoothed():
    atoms = GaussianMixture([[-1.0], [2.0]], 0.0)
    tilted = atoms.tilted([0.5], 0.2)
    mass = np.exp([-0.5 - 0.1, 1.0 - 0.4])
    np.testing.assert_allclose(tilted.weights, mass / mass.sum(), rtol=1e-14)
    assert tilted.log_normalizer == pytest.approx(np.log(mass.mean()), rel=1e-14)
    np.testing.assert_array_equal(tilted.variances, 0)
    assert np.isfinite(atoms.smoothed(0.1).log_density([[0.0]])).all()
    with pytest.raises(InputError, match=r"no density.*smoothed"):
        atoms.log_density([[0.0]])


def test_a_singular_covariance_tilts_within_its_line():
    flat = GaussianMixture([[1.0, 1.0]], np.outer([1.0, 2.0], [1.0, 2.0]))
    tilted = flat.tilted([0.3, 0.1], np.eye(2))
    # x = c + (1, 2) z: exponent .4 + .5 z - |c + (1,2) z|^2 / 2, so z has precision 6 and mean (.5 - 3) / 6.
    np.testing.assert_allclose(tilted.mean, 1 + np.array([1.0, 2.0]) * (0.5 - 3) / 6, rtol=1e-12)
    np.testing.assert_allclose(tilted.covariance_matrix, np.outer([1.0, 2.0], [1.0, 2.0]) / 6, atol=1e-12)


def test_a_slope_outside_the_stored_axes_moves_the_padding():
    linear = np.zeros(40)
    linear[7] = 2.0
    tilted = GaussianMixture([[1.0, 0.0]], 0.5, dimension=40).tilted(linear)
    assert tilted.mean[7] == pytest.approx(1.0)
    assert tilted.active_dimension == 8


@pytest.mark.parametrize("case", ["scalar", "matrices"])
def test_tilting_to_an_infinite_law_is_refused(case):
    with pytest.raises(InputError, match="positive definite"):
        mixtures()[case].tilted(None, -5.0)


@pytest.mark.parametrize("case", [c for c in CASES if c != "padded"])
def test_quadrature_is_exact_for_polynomials_and_exponentials(case):
    mixture = mixtures()[case]
    x, w = mixture.quadrature(order=20)
    assert w.sum() == pytest.approx(1, abs=1e-14)
    np.testing.assert_allclose(w @ x, mixture.mean, atol=1e-13)
    np.testing.assert_allclose(x.T @ (w[:, None] * x), mixture.second_moment, atol=1e-12)
    linear = np.full(mixture.dimension, 0.6)
    assert np.log(w @ np.exp(x @ linear)) == pytest.approx(mixture.tilted(linear).log_normalizer, abs=1e-12)


def test_one_component_of_a_rule_is_that_component():
    mixture = mixtures()["matrices"]
    x, w = mixture.quadrature(order=3, components=[1])
    np.testing.assert_allclose(w @ x, mixture.means[1], atol=1e-14)


def test_padding_equals_writing_the_zeros(rng):
    padded = mixtures()["padded"]
    written = GaussianMixture(padded.means, padded.variances, padded.weights)
    x = rng.normal(size=(7, 5))
    np.testing.assert_allclose(padded.score(x), written.score(x), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(padded.second_moment, written.second_moment, atol=1e-15)


def test_a_million_dimensions_store_two_numbers_a_centre():
    huge = GaussianMixture([[3.0, 0.0], [-3.0, 0.0]], 0.25, dimension=2**20)
    assert len(pickle.dumps(huge)) < 2000
    assert huge.smoothed(1.0).scaled(0.5).tilted(None, 0.1).centers.shape == (2, 2)
    with pytest.raises(InputError, match="reduced"):
        _ = huge.covariance_matrix
    with pytest.raises(InputError, match="reduced"):
        huge.quadrature()


def test_the_dtype_of_the_points_is_kept(rng):
    mixture = mixtures()["matrices"]
    x = rng.normal(size=(4, 2)).astype(np.float32)
    assert mixture.score(x).dtype == mixture.log_density(x).dtype == np.float32
    np.testing.assert_allclose(mixture.score(x), mixture.score(x.astype(float)), rtol=1e-6)


def test_far_points_see_the_nearest_component():
    mixture = GaussianMixture([[0.0], [1.0]], 1.0)
    np.testing.assert_allclose(mixture.score([[1e8], [-1e8]]), [[1 - 1e8], [1e8]], rtol=1e-15)
    with pytest.raises(NumericalError, match="overflows"):
        mixture.score([[1e200]])


def test_far_centres_lose_no_digits():
    mixture = GaussianMixture([[1e8, 0.0]], 1e-8)
    np.testing.assert_array_equal(mixture.score([[1e8 + 2**-20, 0.0]]), [[-(2**-20) / 1e-8, 0.0]])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
def test_a_fitted_sklearn_mixture_keeps_its_density(kind, dtype, rng):
    from sklearn.mixture import GaussianMixture as Fitted

    data = np.concatenate([rng.normal(size=(80, 2)), rng.normal(size=(80, 2)) @ FULL + 4]).astype(dtype)
    fitted = Fitted(2, covariance_type=kind, random_state=0).fit(data)
    if fitted.covariances_.dtype != dtype:
        pytest.skip("this release of scikit-learn fits in double precision whatever the data")
    # scikit-learn evaluates in the type of the data, with squares up to 400: some hundred roundings of size 1.
    rtol = 1e-7 if dtype == "f8" else 400 * np.finfo(dtype).eps
    found = GaussianMixture.from_sklearn(fitted).log_density(data)
    np.testing.assert_allclose(found, fitted.score_samples(data), rtol=rtol)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["full", "tied"])
def test_fits_in_single_precision_are_symmetric_up_to_their_rounding(kind, seed):
    from sklearn.mixture import GaussianMixture as Fitted

    rng = np.random.default_rng(seed)
    data = (1e-3 * rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5)) + 0.01).astype(np.float32)
    fitted = Fitted(3, covariance_type=kind, random_state=0).fit(data)
    mixture = GaussianMixture.from_sklearn(fitted)
    matrices = np.broadcast_to(fitted.covariances_.astype(float), (3, 5, 5))
    built = np.einsum("mik,mk,mjk->mij", mixture.eigenvectors, mixture.eigenvalues, mixture.eigenvectors)
    np.testing.assert_allclose(built, matrices, atol=20 * np.finfo(np.float32).eps * np.abs(matrices).max())


@pytest.mark.parametrize("dimension", [2, 3, 20, 64])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_covariances_of_lower_rank_are_taken_in_every_precision(dtype, dimension):
    """The weighted sum of scikit-learn over points of rank d - 1, in the precision of the points."""
    eps = np.finfo(dtype).eps
    for seed in range(10):
        rng = np.random.default_rng(seed)
        data = rng.normal(size=(300, dimension - 1)) @ rng.normal(size=(dimension - 1, dimension)) + 3
        data, mass = data.astype(np.float32 if dtype == "f2" else dtype), rng.random(300).astype(dtype)
        gap = data - (mass @ data) / mass.sum()
        matrix = (np.dot(mass * gap.T, gap) / mass.sum()).astype(dtype)
        values = GaussianMixture(np.zeros((1, dimension)), matrix).eigenvalues
        assert (values >= 0).all() and values.min() < 32 * dimension * eps * values.max()


def test_a_truly_indefinite_matrix_is_refused_in_single_precision():
    for bad in ([[1.0, 1.001], [1.001, 1.0]], [[1.0, 0.5], [0.4999, 1.0]]):
        with pytest.raises(InputError, match=r"positive semi-definite|symmetric"):
            GaussianMixture([[0.0, 0.0]], np.array(bad, dtype=np.float32))


def test_a_bayesian_mixture_is_refused_with_its_remedy(rng):
    from sklearn.mixture import BayesianGaussianMixture

    fitted = BayesianGaussianMixture(n_components=2, random_state=0, max_iter=500).fit(rng.normal(size=(80, 2)))
    with pytest.raises(InputError, match="posterior means"):
        GaussianMixture.from_sklearn(fitted)
    mixture = GaussianMixture(fitted.means_, fitted.covariances_, fitted.weights_)
    np.testing.assert_allclose(mixture.mean, fitted.weights_ @ fitted.means_)


def test_an_unfitted_sklearn_mixture_is_refused():
    from sklearn.mixture import GaussianMixture as Fitted

    with pytest.raises(InputError, match="fit"):
        GaussianMixture.from_sklearn(Fitted(2))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([0.0, 1.0], 1.0), {}, "two-dimensional"),
        (([[np.inf]], 1.0), {}, "finite"),
        (([[0.0]], -1.0), {}, "negative variance"),
        (([[0.0, 0.0]], [[1.0, 2.0], [2.0, 1.0]]), {}, "positive semi-definite"),
        (([[0.0, 0.0]], [[1.0, 0.5], [0.0, 1.0]]), {}, "symmetric"),
        (([[0.0, 0.0]], [1.0, 2.0, 3.0]), {}, r"got shape \(3,\)"),
        (([[0.0, 0.0]], np.nan), {}, "finite"),
        (([[0.0], [1.0]], 1.0, [0.0, 0.0]), {}, "all be zero"),
        (([[0.0, 0.0]], 1.0), {"dimension": 1}, "dimension must be at least 2"),
        (([[0.0, 0.0]], np.eye(3)), {"dimension": 3}, "must be isotropic"),
    ],
)
def test_bad_mixtures_are_refused(arguments, options, message):
    with pytest.raises(InputError, match=message):
        GaussianMixture(*arguments, **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: p.score([[0.0]]), "dimension 2"),
        (lambda p: p.sample(0, np.random.default_rng(0)), "at least 1"),
        (lambda p: p.sample(3, 0), "Generator"),
        (lambda p: p.smoothed(-1.0), "variance"),
        (lambda p: p.scaled(np.inf), "factor"),
        (lambda p: p.tilted([1.0]), "linear"),
        (lambda p: p.tilted(None, np.eye(3)), "quadratic"),
        (lambda p: p.tilted(None, [[0.0, 1.0], [0.0, 0.0]]), "symmetric"),
        (lambda p: p.quadrature(0), "order"),
        (lambda p: p.quadrature(2, components=[7]), "components"),
        (lambda p: p.quadrature(2, components=[]), "components"),
    ],
)
def test_bad_calls_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(mixtures()["matrices"])
