"""Fields: the laws of the interface over kernels x measures, antisymmetry, capabilities and bad input."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.fields import Difference
from unifiedscore.testing import parametrize_with_checks

RNG = np.random.default_rng(4)
ROOT = RNG.normal(size=(2, 2, 2))
MEASURES = {
    "samples": us.Samples(RNG.normal(size=(40, 2)), RNG.random(40)),
    "isotropic": us.GaussianMixture(RNG.normal(size=(3, 2)), [0.3, 1.0, 0.1]),
    "full": us.GaussianMixture(RNG.normal(size=(2, 2)), ROOT @ ROOT.transpose(0, 2, 1) + 0.1 * np.eye(2)),
    "reduced": us.GaussianMixture([[1.0], [-0.5]], 0.3, dimension=50).reduced(),
}
KERNELS = [
    us.Gaussian(0.7),
    us.Laplace(0.9),
    us.Matern(0.5, 0.8),
    us.Matern(0.5, 1.5),
    us.RationalQuadratic(1.0, 0.5),
    us.StudentT(0.8, 3.0, 2),
]
# The second coordinate of a reduced point is a norm.
X = np.array([[0.3, 1.2], [-1.1, 0.6], [2.0, 1.9]])
WIDE = us.Samples(RNG.normal(size=(30, 12)))
# Three axes: a two-dimensional basis may equal its transpose by accident.
SOLID = us.GaussianMixture(RNG.normal(size=(2, 3)), np.cov(RNG.normal(size=(3, 9))))


def fields():
    for kernel in KERNELS:
        for measure in MEASURES.values():
            yield us.MeanShift(kernel, measure), X
            yield us.KernelScore(kernel, measure), X
        yield us.Drift(kernel, target=MEASURES["isotropic"], model=MEASURES["samples"]), X
        yield us.ScoreDifference(kernel, target=MEASURES["samples"], model=MEASURES["full"]), X
        yield us.MeanShift(kernel, WIDE), RNG.normal(size=(3, 12))
        yield us.MeanShift(kernel, SOLID), RNG.normal(size=(3, 3))
        yield us.MeanShift(kernel, us.GaussianMixture([[0.0], [1.5]], 0.3)), X[:, :1]
    yield us.as_field(lambda x: np.sin(x[:, ::-1]), dimension=2), X


@parametrize_with_checks(fields())
def test_laws(subject, check):
    check(subject)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_capabilities(kernel):
    for measure in MEASURES.values():
        shift, score = us.MeanShift(kernel, measure), us.KernelScore(kernel, measure)
        gaussian = isinstance(kernel, us.Gaussian)
        assert shift.is_conservative == gaussian
        assert (shift.potential(X) is not None) == gaussian
        assert score.is_conservative
        assert score.potential(X).shape == (3,)
        drift = us.Drift(kernel, target=measure, model=measure)
        assert drift.is_conservative == gaussian
        assert (drift.potential(X) is not None) == gaussian
        assert us.ScoreDifference(kernel, target=measure, model=measure).is_conservative
        mixed = [us.MeanShift(k, measure) for k in (kernel, us.Gaussian(0.7))]
        assert Difference(*mixed).is_conservative == Difference(*mixed[::-1]).is_conservative == gaussian
    line = us.GaussianMixture([[0.0]], 1.0)
    assert us.MeanShift(kernel, line).is_conservative


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_antisymmetry(kernel):
    """I12: V_pq = -V_qp, exactly, and 0 at q = p."""
    p, q = MEASURES["isotropic"], MEASURES["samples"]
    for make in (us.Drift, us.ScoreDifference):
        assert np.array_equal(make(kernel, target=p, model=q)(X), -make(kernel, target=q, model=p)(X))
        assert np.array_equal(make(kernel, target=p, model=p)(X), np.zeros_like(X))


def test_the_drift_points_from_the_model_to_the_target():
    far, near = us.GaussianMixture([[3.0, 0.0]], 0.1), us.GaussianMixture([[0.0, 0.0]], 0.1)
    for kernel in KERNELS:
        assert us.Drift(kernel, target=far, model=near)([[0.5, 0.0]])[0, 0] > 0
        assert us.ScoreDifference(kernel, target=far, model=near)([[0.5, 0.0]])[0, 0] > 0


def test_gaussian_drift_is_the_scaled_score_difference():
    p, q, kernel = MEASURES["isotropic"], MEASURES["samples"], us.Gaussian(0.7)
    drift, scores = us.Drift(kernel, target=p, model=q)(X), us.ScoreDifference(kernel, target=p, model=q)(X)
    np.testing.assert_allclose(drift, 0.49 * scores, rtol=1e-12)
    assert np.abs(us.Drift(KERNELS[1], target=p, model=q)(X) - 0.49 * scores).max() > 1e-2


def test_an_array_is_equally_weighted_samples():
    points = MEASURES["samples"].points
    assert np.array_equal(us.MeanShift(KERNELS[1], points)(X), us.MeanShift(KERNELS[1], us.Samples(points))(X))


def test_point_masses_have_jacobians_too():
    """Samples and a mixture without spread are one law."""
    points = MEASURES["samples"].points[:5]
    for kernel in KERNELS:
        one = us.MeanShift(kernel, points).jacobian(X)
        two = us.MeanShift(kernel, us.GaussianMixture(points, 0.0)).jacobian(X)
        np.testing.assert_allclose(one, two, rtol=1e-8, atol=1e-10)


BAD_POINTS = {
    "nan": [[np.nan, 0.0]],
    "infinite": [[np.inf, 0.0]],
    "one-dimensional": [0.0, 1.0],
    "three-dimensional": np.zeros((1, 1, 2)),
    "another dimension": np.zeros((4, 3)),
    "no points": np.zeros((0, 2)),
    "no coordinates": np.zeros((2, 0)),
    "complex": np.zeros((1, 2), complex),
    "objects": np.array([[None, 1.0]], dtype=object),
    "text": [["a", "b"]],
    "ragged": [[1.0, 2.0], [3.0]],
    "nothing": None,
}


@pytest.mark.parametrize("name", BAD_POINTS)
def test_bad_points(name):
    bad = BAD_POINTS[name]
    for measure in MEASURES.values():
        for field in (us.MeanShift(KERNELS[1], measure), us.KernelScore(KERNELS[0], measure)):
            with pytest.raises(InputError, match="x must"):
                field(bad)
        with pytest.raises(InputError, match="x must"):
            us.posterior_moments(KERNELS[1], measure, bad)
    with pytest.raises(InputError, match="x must"):
        us.as_field(lambda x: x, dimension=2)(bad)


@pytest.mark.parametrize("bad", [[[np.nan]], [1.0, 2.0], np.zeros((0, 2)), np.zeros((1, 2), complex), None, "digits"])
def test_bad_data(bad):
    with pytest.raises(InputError, match="measure must"):
        us.MeanShift(KERNELS[1], bad)


@pytest.mark.parametrize("bad", [[-1.0, 2.0], [0.0, 0.0], [np.nan, 1.0], [1.0], [1j, 1.0], [[1.0, 1.0]]])
def test_bad_weights(bad):
    for make in (us.Samples, lambda points, weights: us.GaussianMixture(points, 1.0, weights)):
        with pytest.raises(InputError, match="weights"):
            make([[0.0, 1.0], [1.0, 0.0]], bad)


@pytest.mark.parametrize("bad", ["laplace", None, 1.0, us.Laplace])
def test_a_kernel_is_a_kernel(bad):
    with pytest.raises(InputError, match="kernel"):
        us.MeanShift(bad, np.zeros((1, 2)))


def test_dimensions_of_a_difference_agree():
    with pytest.raises(InputError, match="dimension"):
        us.Drift(KERNELS[1], target=np.zeros((2, 2)), model=np.zeros((2, 3)))
    with pytest.raises(InputError, match="as_field"):
        Difference(us.MeanShift(KERNELS[1], np.zeros((2, 2))), lambda x: x)


def test_as_field_checks_what_it_wraps():
    field = us.MeanShift(KERNELS[1], np.zeros((2, 2)))
    assert us.as_field(field, dimension=2) is field
    with pytest.raises(InputError, match="dimension"):
        us.as_field(field, dimension=3)
    with pytest.raises(InputError, match="callable"):
        us.as_field(3.0, dimension=2)
    for bad in (0, -1, 2.0, True):
        with pytest.raises(InputError, match="dimension"):
            us.as_field(lambda x: x, dimension=bad)
    for wrong in (lambda x: x[:, :1], lambda x: x.sum(1), lambda x: None, lambda x: x + 1j, lambda x: x[0]):
        with pytest.raises(InputError, match=r"given to as_field (must )?return"):
            us.as_field(wrong, dimension=2)(X)
    assert us.as_field(lambda x: x.astype(np.float64), dimension=2)(X.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("bandwidth", [1e-8, 1e8])
def test_extreme_fields_are_finite(bandwidth):
    x = np.concatenate([X, 1e8 * X, MEASURES["samples"].points[:1], MEASURES["samples"].points[:1] + 1e-9])
    for kernel in KERNELS:
        kernel = kernel.with_bandwidth(bandwidth)
        for measure in (MEASURES["samples"], MEASURES["isotropic"], MEASURES["full"]):
            for field in (us.MeanShift(kernel, measure), us.KernelScore(kernel, measure)):
                assert np.isfinite(field(x)).all()
                assert np.isfinite(field(x.astype(np.float32))).all()
            assert np.isfinite(us.MeanShift(kernel, measure).jacobian(x)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_function_that_is_not_finite_is_named(bad):
    def broken(x):
        return np.where(x > 0, bad, x)

    with pytest.raises(InputError, match="the function broken given to as_field must return finite values; at point 1"):
        us.as_field(broken, dimension=1)([[-1.0], [1.0]])


@pytest.mark.parametrize("role", ["target", "model"])
def test_a_bad_law_is_called_by_the_name_of_its_argument(role):
    laws = {"target": np.ones((3, 2)), "model": np.ones((3, 2))} | {role: np.full((3, 2), np.nan)}
    for build in (us.Drift, us.ScoreDifference):
        with pytest.raises(InputError, match=f"{role} must be finite"):
            build(us.Laplace(1.0), **laws)


def test_messages_show_plain_numbers():
    for call in (lambda: us.Laplace(np.float64(-1.0)), lambda: us.Laplace(np.array([1.0])[0:0])):
        with pytest.raises(InputError) as caught:
            call()
        assert "np.float64" not in str(caught.value)
    with pytest.raises(InputError, match=r"must not be negative; the smallest is -1\.0$"):
        us.Samples(np.ones((2, 1)), [-1.0, 2.0])
    with pytest.raises(InputError, match=r"got 2\.5$"):
        us.as_field(np.sin, dimension=np.float64(2.5))
