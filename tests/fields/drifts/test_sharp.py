"""The mean shift is the sharp scale times the sharp score, and the sharp drift is a gradient."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.fields import sharp_scale

RNG = np.random.default_rng(3)
KERNELS = [
    us.Gaussian(0.7),
    us.Laplace(0.9),
    us.Matern(0.5, 0.8),
    us.Matern(0.5, 2.5),
    us.RationalQuadratic(1.0, 1.5),
    us.StudentT(0.8, 3.0, 2),
]
LAWS = [
    us.Samples(RNG.normal(size=(40, 2)), RNG.random(40)),
    us.GaussianMixture(RNG.normal(size=(3, 2)), [0.3, 1.0, 0.1]),
]
X = RNG.normal(size=(5, 2))


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
@pytest.mark.parametrize("law", LAWS, ids=["samples", "mixture"])
def test_mean_shift_is_scale_times_sharp_score(kernel, law):
    product = sharp_scale(kernel, law, X)[:, None] * us.SharpScore(kernel, law)(X)
    np.testing.assert_allclose(product, us.MeanShift(kernel, law)(X), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    ("kernel", "sharp"),
    [
        (us.Gaussian(0.7), lambda r: 0.49 * np.exp(-(r**2) / 0.98)),
        (us.Laplace(0.7), lambda r: 0.7 * (r + 0.7) * np.exp(-r / 0.7)),
        (us.Matern(0.7, 1.5), lambda r: (r**2 + 2.1 * r + 1.47) * np.exp(-r / 0.7)),
        (us.Matern(1.0, 2.5), lambda r: (r**3 / 3 + 2 * r**2 + 5 * r + 5) * np.exp(-r)),
        (us.RationalQuadratic(0.7, 2.0), lambda r: 0.245 / (1 + r**2 / 0.49)),
        (us.StudentT(0.5, 3.0, 2), lambda r: 0.75 / 3 * (1 + r**2 / 0.75) ** -1.5),
    ],
    ids=["gaussian", "laplace", "matern-3/2", "matern-5/2", "rational_quadratic", "student_t"],
)
def test_sharp_kernels_are_those_of_the_table(kernel, sharp):
    r = np.linspace(0, 4, 30)
    entry = kernel.sharp()
    np.testing.assert_allclose(np.exp(entry.log_scale + entry.kernel.log_profile(r)), sharp(r), rtol=1e-12)


@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_a_diverging_sharp_kernel_is_refused(exponent):
    with pytest.raises(InputError, match="diverges"):
        us.SharpScore(us.RationalQuadratic(1.0, exponent), LAWS[0])
    with pytest.raises(InputError, match="kernel must be"):
        us.SharpScore("laplace", LAWS[0])
