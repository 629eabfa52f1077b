"""Both ways to a value: the compiled engine on the CPU, and the tiles of torch operations of every other device."""

import numpy as np
import pytest

import unifiedscore as us

KERNELS = {
    "gaussian": lambda h: us.Gaussian(h),
    "laplace": lambda h: us.Laplace(h),
    "matern 1/2": lambda h: us.Matern(h, 0.5),
    "matern 3/2": lambda h: us.Matern(h, 1.5),
    "matern 7/2": lambda h: us.Matern(h, 3.5),
    "matern 0.8": lambda h: us.Matern(h, 0.8),
    "matern 2.2": lambda h: us.Matern(h, 2.2),
    "rational quadratic": lambda h: us.RationalQuadratic(h, 2.0),
    "student": lambda h: us.StudentT(h, 3.0, 2),
}


@pytest.fixture
def tiles(monkeypatch):
    """Compute on CPU tensors as on a device, in tiles so small that every sum goes over several of them."""
    from unifiedscore.torch import batch, posterior, sinkhorn
    from unifiedscore.torch import tiles as module

    for part in (batch, posterior, sinkhorn):
        monkeypatch.setattr(part, "on_compiled_engine", lambda device: False)
    monkeypatch.setattr(module, "_HOST", (16, 32))


@pytest.fixture(params=["compiled", "tiles"])
def way(request):
    if request.param == "tiles":
        request.getfixturevalue("tiles")
    return request.param


@pytest.fixture(params=KERNELS, ids=lambda name: name.replace(" ", "_"))
def kernel(request):
    return KERNELS[request.param](1.25)


@pytest.fixture
def rng():
    return np.random.default_rng(0)
