"""The conformance checks catch broken kernels and fields, and a user's kernel gets everything from one small file."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from numba import njit
from scipy.special import erfcx

import unifiedscore as us
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.fields import AbstractField
from unifiedscore.kernels import AbstractKernel, ScaleMixture
from unifiedscore.testing import LawError, check_field, check_kernel, parametrize_with_checks
from unifiedscore.validate import points, positive

# --- A user's kernel: the inverse distance k = 1/(1 + z), z = r/bandwidth, with its own tile and mixture. -------------


@njit(nogil=True)
def _inverse_distance_tile(squared, parameters, log_kernel, weight):
    rate = 1.0 / parameters[0]
    for i in range(squared.shape[0]):
        for j in range(squared.shape[1]):
            log_kernel[i, j] = -np.log1p(rate * np.sqrt(squared[i, j]))
    for i in range(weight.shape[0]):
        for j in range(squared.shape[1]):
            z = rate * np.sqrt(squared[i, j])
            weight[i, j] = rate**2 / (z + z * z) if z > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class InverseDistance(AbstractKernel):
    bandwidth: float
    name: ClassVar[str] = "inverse_distance"

    def __post_init__(self):
        object.__setattr__(self, "bandwidth", positive(self.bandwidth, "bandwidth"))

    def log_profile(self, r):
        return -np.log1p(np.asarray(r) / self.bandwidth)

    def inverse_weight(self, r):
        z = np.asarray(r) / self.bandwidth
        return self.bandwidth**2 * (z + z**2)

    def compiled_tile(self):
        return _inverse_distance_tile, np.array([self.bandwidth])

    def scale_mixture(self):
        # 1/(1 + z) = int e^{-c} e^{-c z} dc, a mixture of Laplace kernels:
        # g(s) = (1 - sqrt(pi s) erfcx(sqrt s))/sqrt(pi s), with the expansion of the bracket for large s.
        def log_density(v):
            s = np.exp(v)
            near, far = np.minimum(s, 1e4), np.maximum(s, 1e4)
            series = (1 - 1.5 / far + 3.75 / far**2 - 13.125 / far**3) / (2 * far)
            bracket = np.where(s < 1e4, 1 - np.sqrt(np.pi * near) * erfcx(np.sqrt(near)), series)
            return 0.5 * v - 0.5 * np.log(np.pi) + np.log(bracket)

        return ScaleMixture(log_density=log_density)


@dataclass(frozen=True, slots=True)
class Bare(InverseDistance):
    def scale_mixture(self):
        return None


@parametrize_with_checks([InverseDistance(0.7), Bare(0.7)])
def test_a_users_kernel_obeys_the_laws(subject, check):
    check(subject)


def test_a_users_kernel_has_fields_and_population_values():
    rng = np.random.default_rng(1)
    law = us.GaussianMixture([[0.0, 0.0], [2.0, 1.0]], [0.3, 0.1])
    x = np.array([[0.5, 0.2], [1.5, -1.0]])
    kernel = InverseDistance(0.7)
    for field in (us.MeanShift(kernel, law), us.KernelScore(kernel, law.sample(50, rng))):
        check_field(field, x)
    # A second population: Gauss-Hermite nodes are samples with weights.
    nodes, weights = law.quadrature(order=40)  # exact where the kernel is smooth, away from its kink
    x = np.array([[6.0, -5.0], [-5.0, 4.0]])
    exact, sums = us.posterior_moments(kernel, law, x), us.posterior_moments(kernel, us.Samples(nodes, weights), x)
    for name in ("log_normalizer", "mean_shift", "score", "preconditioner", "residual"):
        np.testing.assert_allclose(getattr(exact, name), getattr(sums, name), rtol=1e-6, atol=1e-7)
    assert np.abs(exact.residual).max() > 1e-3


def test_a_kernel_without_mixture_has_sample_fields_alone():
    check_field(us.MeanShift(Bare(0.7), np.eye(2)), [[0.3, 0.4]])
    with pytest.raises(NumericalError, match="Samples"):
        us.MeanShift(Bare(0.7), us.GaussianMixture([[0.0]], 1.0))([[1.0]])


@dataclass(frozen=True, slots=True)
class Product(us.Laplace):
    """Gaussian times Laplace: a lawful mixture that starts at s = 1/2."""

    def log_profile(self, r):
        z = np.asarray(r) / self.bandwidth
        return -z * (0.5 * z + 1.0)

    def inverse_weight(self, r):
        z = np.asarray(r) / self.bandwidth
        return self.bandwidth**2 * z / (z + 1.0)

    def scale_mixture(self):
        def log_density(v):
            excess = np.exp(v) - 0.5
            shifted = np.log(np.where(excess > 0.0, excess, 1.0))
            value = us.Laplace(1.0).scale_mixture().log_density(shifted) + v - shifted
            return np.where(excess > 0.0, value, -1e300)

        return ScaleMixture(log_density=log_density)


def test_a_mixture_that_starts_at_a_positive_scale_keeps_its_digits():
    """Polar quadrature around the query, where the kernel is radial, against the tabulated mixture of distances."""
    law, kernel, x = us.GaussianMixture([[0.0, 1.0], [2.0, 0.0]], 0.5), Product(0.7), np.array([[0.3, 0.4]])
    moments = us.posterior_moments(kernel, law, x)
    r, weight = np.polynomial.legendre.leggauss(600)
    r, weight = 6.0 * (r + 1.0), 6.0 * weight
    angle = np.arange(512) * 2 * np.pi / 512
    points = x[0] + r[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    density = np.exp(law.log_density(points.reshape(-1, 2))).reshape(600, 512).mean(1)
    mass = weight * r * density * np.exp(kernel.log_profile(r))
    assert moments.preconditioner[0] == pytest.approx(mass @ kernel.inverse_weight(r) / mass.sum(), rel=1e-7)
    assert moments.mean_distance[0] == pytest.approx(mass @ r / mass.sum(), rel=1e-7)
    check_field(us.MeanShift(kernel, law), [[0.3, 0.4], [1.0, 2.0]])


@dataclass(frozen=True, slots=True)
class Window(us.Laplace):
    """A mixture of the scales 1 < s < 2 alone: its density breaks off on both sides."""

    def log_profile(self, r):
        u = (np.asarray(r) / self.bandwidth) ** 2
        return np.log(-np.expm1(-u) * np.exp(-u) / np.where(u > 0, u, 1.0) + (u == 0))

    def scale_mixture(self):
        return ScaleMixture(log_density=lambda v: np.where((v > 0) & (v < np.log(2.0)), v, -1e300))


def test_a_mixture_that_breaks_off_is_refused_by_name():
    with pytest.raises(NumericalError, match="not smooth"):
        us.posterior_moments(Window(0.7), us.GaussianMixture([[0.0, 1.0]], 0.5), [[0.3, 0.4]])


@njit(nogil=True)
def _distance_tile(squared, parameters, log_kernel, weight):
    for i in range(squared.shape[0]):
        for j in range(squared.shape[1]):
            log_kernel[i, j] = -squared[i, j] / parameters[0]
    for i in range(weight.shape[0]):
        for j in range(squared.shape[1]):
            weight[i, j] = 1.0 / (parameters[0] * np.sqrt(squared[i, j])) if squared[i, j] > 0.0 else 0.0


@njit(nogil=True)
def _needs_weight_tile(squared, parameters, log_kernel, weight):
    for i in range(squared.shape[0]):
        for j in range(squared.shape[1]):
            log_kernel[i, j] = -np.sqrt(squared[i, j]) / parameters[0] if weight.shape[0] > 0 else 0.0
            if weight.shape[0] > 0:
                weight[i, j] = 1.0 / (parameters[0] * np.sqrt(squared[i, j])) if squared[i, j] > 0.0 else 0.0


@njit(nogil=True)
def _rough_tile(squared, parameters, log_kernel, weight):
    one = squared.dtype.type(1.0)
    for i in range(squared.shape[0]):
        for j in range(squared.shape[1]):
            z = np.sqrt(squared[i, j]) / squared.dtype.type(parameters[0])
            log_kernel[i, j] = one - (z + one)
            if weight.shape[0] > 0:
                weight[i, j] = one / (squared.dtype.type(parameters[0] ** 2) * z) if z > 0.0 else 0.0


def broken(**methods):
    """A Laplace kernel with some methods replaced."""
    return dataclass(frozen=True)(type("Broken", (us.Laplace,), methods))(0.5)


BROKEN_KERNELS = {
    "a factor 2 in 1/b": (dict(inverse_weight=lambda self, r: 2 * self.bandwidth * np.asarray(r)), "r/phi'"),
    "b for 1/b": (dict(inverse_weight=lambda self, r: 1 / (self.bandwidth * (np.asarray(r) + 1e-300))), "r/phi'"),
    "phi' for 1/b": (dict(inverse_weight=lambda self, r: 0 * np.asarray(r) + self.bandwidth), "r/phi'"),
    "an error of 1e-5 in 1/b": (
        dict(inverse_weight=lambda self, r: (1 + 1e-5) * self.bandwidth * np.asarray(r)),
        "r/phi'",
    ),
    "a growing profile": (dict(log_profile=lambda self, r: np.asarray(r) / self.bandwidth), "never increases"),
    "k(0) = 2": (dict(log_profile=lambda self, r: np.log(2) - np.asarray(r) / self.bandwidth), "log k\\(0\\)"),
    "another bandwidth law": (
        dict(
            log_profile=lambda self, r: -np.asarray(r) / self.bandwidth**2,
            inverse_weight=lambda self, r: self.bandwidth**2 * np.asarray(r),
            compiled_tile=lambda self: (us.Laplace(1.0).compiled_tile()[0], np.array([self.bandwidth**2])),
        ),
        "length",
    ),
    "a tile of distances": (dict(compiled_tile=lambda self: (_distance_tile, np.array([0.5]))), "log_kernel"),
    "a tile of another bandwidth": (dict(compiled_tile=lambda self: us.Laplace(0.6).compiled_tile()), "tile"),
    "a tile that needs weights": (
        dict(compiled_tile=lambda self: (_needs_weight_tile, np.array([0.5]))),
        "without weights",
    ),
    "the mixture of a Gaussian": (dict(scale_mixture=lambda self: ScaleMixture(atom=0.5)), "scale_mixture"),
    "a mixture without the factor s": (
        dict(scale_mixture=lambda self: ScaleMixture(lambda v: us.Laplace(1.0).scale_mixture().log_density(v) - v)),
        "scale_mixture",
    ),
    "a constant weight that is none": (dict(constant_weight=True), "constant_weight"),
    "twice the slope of 1/b": (dict(inverse_slope=property(lambda self: 2 * self.bandwidth)), "inverse_slope"),
    "float32 tiles that lose digits": (dict(compiled_tile=lambda self: (_rough_tile, np.array([0.5]))), "float32 tile"),
    "a copy of another kind": (dict(with_bandwidth=lambda self, bandwidth: us.Gaussian(bandwidth)), "value"),
    "real distances only": (
        dict(inverse_weight=lambda self, r: self.bandwidth * np.abs(np.asarray(r).real) * (1 - np.iscomplexobj(r))),
        "complex",
    ),
}


@pytest.mark.parametrize("name", BROKEN_KERNELS)
def test_a_broken_kernel_is_caught(name):
    methods, message = BROKEN_KERNELS[name]
    with pytest.raises(LawError, match=message) as caught:
        check_kernel(broken(**methods))
    assert isinstance(caught.value, AssertionError)
    assert "expected" in str(caught.value) and "got" in str(caught.value)


def test_not_a_kernel():
    with pytest.raises(LawError, match="AbstractKernel"):
        check_kernel("laplace")


class Swirl(AbstractField):
    """A well-behaved field with potential |x|^4/4 + x_1 and a non-symmetric perturbation `twist`."""

    def __init__(self, twist=0.0, **methods):
        self.twist, self.methods, self.count = twist, methods, 0

    dimension = 2

    @property
    def is_conservative(self):
        return self.methods.get("is_conservative", self.twist == 0.0)

    def __call__(self, x):
        if "call" in self.methods:
            return self.methods["call"](self, x)
        x = points(x, "x", dimension=2)
        return self.smooth(x)

    def smooth(self, x):
        radial = (x**2).sum(1, keepdims=True) * x + np.array([1.0, 0.0])
        return (radial + self.twist * x[:, ::-1] * np.array([1.0, -1.0])).astype(x.dtype)

    def potential(self, x):
        if "potential" in self.methods:
            return self.methods["potential"](np.asarray(x))
        return (x**2).sum(1) ** 2 / 4 + x[:, 0] if self.twist == 0.0 else None

    def jacobian(self, x):
        if "jacobian" in self.methods:
            return self.methods["jacobian"](self.exact(x))
        return self.exact(x)

    def exact(self, x):
        x = np.asarray(x)
        outer = 2 * x[:, :, None] * x[:, None, :]
        return outer + (x**2).sum(1)[:, None, None] * np.eye(2) + self.twist * np.array([[0.0, 1.0], [-1.0, 0.0]])


def shaken(field, x):
    field.count += 1
    return field.smooth(points(x, "x", dimension=2)) + 1e-13 * field.count


def overwritten(field, x):
    value = 2.0 * points(x, "x", dimension=2)
    x *= 2.0
    return value


def refuse_only(*kinds):
    """Refuse bad points except those of the given kinds."""

    def call(field, x):
        x = np.asarray(x)
        if "nan" in kinds and np.isnan(x).any():
            return x
        if "dimension" in kinds and x.ndim == 2 and x.shape[1] != 2:
            return x
        if "complex" in kinds and np.iscomplexobj(x):
            return x
        return field.smooth(points(x, "x", dimension=2))

    return call


X = np.array([[0.3, -0.4], [1.2, 0.7], [-0.8, 1.1]])
BROKEN_FIELDS = {
    "a potential of the wrong sign": (Swirl(potential=lambda x: -((x**2).sum(1) ** 2) / 4 - x[:, 0]), "grad"),
    "a potential without its factor": (Swirl(potential=lambda x: (x**2).sum(1) ** 2 / 2 + x[:, 0]), "grad"),
    "a potential of the wrong shape": (Swirl(potential=lambda x: x), "one number"),
    "a transposed Jacobian": (Swirl(0.5, jacobian=lambda j: j.transpose(0, 2, 1)), "jacobian"),
    "a Jacobian of the wrong sign": (Swirl(jacobian=lambda j: -j), "jacobian"),
    "a Jacobian without the identity": (Swirl(jacobian=lambda j: j - np.eye(2)), "jacobian"),
    "a Jacobian of the wrong shape": (Swirl(jacobian=lambda j: j[0]), "shape of jacobian"),
    "a claim to be conservative": (Swirl(1e-3, is_conservative=True), "symmetric"),
    "a field that changes": (Swirl(call=shaken), "deterministic"),
    "a field of the batch": (
        Swirl(call=lambda f, x: f.smooth(points(x, "x", dimension=2) - np.mean(x, axis=0)).astype(x.dtype)),
        "other points",
    ),
    "a field of the order": (
        Swirl(call=lambda f, x: f.smooth(points(x, "x", dimension=2)) + np.arange(len(x))[:, None].astype(x.dtype)),
        "other points",
    ),
    "an input overwritten": (Swirl(call=overwritten), "unchanged"),
    "float64 whatever is given": (
        Swirl(call=lambda f, x: f.smooth(points(x, "x", dimension=2)).astype(float)),
        "dtype",
    ),
    "a column": (Swirl(call=lambda f, x: f.smooth(points(x, "x", dimension=2))[:, :1]), "shape"),
    "a silent NaN": (Swirl(call=lambda f, x: np.full_like(x, np.nan)), "finite"),
    "NaN accepted": (Swirl(call=refuse_only("nan")), "NaN"),
    "any dimension accepted": (Swirl(call=refuse_only("dimension")), "d \\+ 1"),
    "complex accepted": (Swirl(call=refuse_only("complex")), "complex"),
}


@pytest.mark.parametrize("twist", [0.0, 0.5])
def test_a_good_field_passes(twist):
    check_field(Swirl(twist), X)


@pytest.mark.parametrize("name", BROKEN_FIELDS)
def test_a_broken_field_is_caught(name):
    field, message = BROKEN_FIELDS[name]
    with pytest.raises(LawError, match=message) as caught:
        check_field(field, X)
    assert "expected" in str(caught.value) and "got" in str(caught.value)


def test_not_a_field():
    with pytest.raises(LawError, match="as_field"):
        check_field(lambda x: x, X)
    with pytest.raises(LawError, match="dimension"):
        check_field(Swirl(), np.zeros((1, 3)))
    with pytest.raises(InputError, match="pairs"):
        parametrize_with_checks(["laplace"])
    for wrong in (3, us.Laplace(1.0)):
        with pytest.raises(InputError, match="objects must be a list"):
            parametrize_with_checks(wrong)


def test_every_check_is_a_test_of_its_own():
    mark = parametrize_with_checks([us.Laplace(1.0), (Swirl(), X), Swirl()])
    names = mark.kwargs["ids"]
    assert "Laplace-derivative" in names and names.count("Swirl-jacobian") == 2
    for subject, check in mark.args[1]:
        check(subject)
