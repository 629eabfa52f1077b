"""One engine for each kind of measure, and two kinds of tiles that compute the same sums."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.posterior import tiled
from unifiedscore.posterior.mixture_engine import MixtureEngine
from unifiedscore.posterior.moments import engine_of
from unifiedscore.posterior.sample_engine import SampleEngine

KERNELS = [us.Gaussian(1.1), us.Laplace(0.9), us.Matern(0.7, 2.5), us.Matern(0.7, 0.8), us.RationalQuadratic(1.0, 0.7)]
MIXTURE = us.GaussianMixture([[0.0, 1.0], [2.0, -1.0]], [0.3, 0.5], [1, 2])
MEASURES = {
    "array": (np.arange(6.0).reshape(3, 2), SampleEngine, True),
    "samples": (us.Samples(np.arange(6.0).reshape(3, 2), [1, 0, 2]), SampleEngine, True),
    "mixture": (MIXTURE, MixtureEngine, True),
    "full mixture": (us.GaussianMixture([[0.0, 1.0]], [[1.0, 0.5], [0.5, 2.0]]), MixtureEngine, True),
    "reduced": (MIXTURE.reduced(), MixtureEngine, False),
}


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
@pytest.mark.parametrize("name", MEASURES)
def test_an_engine_gives_what_the_public_functions_give_and_its_parts_agree(name, kernel, rng):
    measure, kind, has_jacobian = MEASURES[name]
    engine, x = engine_of(kernel, measure), rng.normal(size=(5, 2))
    assert type(engine) is kind and engine.has_jacobian is has_jacobian
    moments, vectors = engine.moments(x), engine.vectors(x)
    public = us.posterior_moments(kernel, measure, x)
    for part in ("mean_shift", "score", "log_normalizer"):
        np.testing.assert_array_equal(getattr(moments, part), getattr(public, part))
        np.testing.assert_allclose(getattr(vectors, part), getattr(moments, part), rtol=1e-12, atol=1e-13)
    for part in ("mean_shift", "score"):
        np.testing.assert_allclose(engine.field(x, part), getattr(moments, part), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("measure", [3, "points", None, object(), [[1.0], [2.0, 3.0]]], ids=str)
def test_what_is_not_a_measure_has_no_engine(measure):
    with pytest.raises(InputError):
        engine_of(us.Laplace(1.0), measure)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
@pytest.mark.parametrize("d", [1, 3, 8, 20])
@pytest.mark.parametrize("weighted", [False, True])
def test_low_and_high_tiles_compute_the_same_moments(weighted, d, kernel, rng, monkeypatch):
    """Differences of coordinates and matrix products, at coincident points and leave-one-out as well."""
    points, kernel = rng.normal(size=(1500, d)), kernel.with_bandwidth(kernel.bandwidth * np.sqrt(d))
    x = np.concatenate([rng.normal(size=(150, d)), points[:30]])
    measure = us.Samples(points, rng.random(1500) if weighted else None)
    exclude = np.full(180, -1)
    exclude[165:] = np.arange(15, 30)
    answers = []
    for border in (0, 1000):  # every dimension is high, every dimension is low
        monkeypatch.setattr(tiled, "_DIRECT", border)
        answers.append(us.posterior_moments(kernel, measure, x, exclude=exclude))
    # A product of the high tiles errs by eps |x|^2 / tau^2 in a log-weight, some hundred eps; near pairs do not.
    high, low = answers
    for name in ("mean_shift", "score"):
        scale = np.abs(getattr(low, name)).max()
        np.testing.assert_allclose(getattr(high, name), getattr(low, name), rtol=0, atol=1e-12 * scale)
    for name in ("log_normalizer", "preconditioner", "mean_distance", "effective_samples"):
        np.testing.assert_allclose(getattr(high, name), getattr(low, name), rtol=1e-11, atol=1e-12)
    if d > 1:
        assert not np.array_equal(high.mean_shift, low.mean_shift)  # these are two computations
