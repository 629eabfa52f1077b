"""What holds points may be anything that holds numbers, for networks as for everything else."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError

torch = pytest.importorskip("torch")
X = np.random.default_rng(0).normal(size=(6, 2))
KINDS = {
    "list": lambda a: a.tolist(),
    "Fortran": np.asfortranarray,
    "read-only": lambda a: (a.setflags(write=False), a)[1],
    "every second": lambda a: np.repeat(a, 2, axis=0)[::2],
    "mask without effect": np.ma.array,
    "tensor": torch.from_numpy,
}
DOORS = {
    "LearnedDenoiser(mean)": lambda a: us.LearnedDenoiser(lambda u, h: -u, mean=a[0])(X, 0.5),
    "LearnedDenoiser(x)": lambda a: us.LearnedDenoiser(lambda u, h: -u, dimension=2)(a, 0.5),
    "NetworkField.jacobian(x)": us.LearnedDenoiser(lambda u, h: u**2, dimension=2).at(0.5).jacobian,
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_array_of_any_kind_is_taken_and_left_as_it_is(door, kind):
    given = KINDS[kind](X.copy())
    np.testing.assert_array_equal(DOORS[door](given), DOORS[door](X))
    np.testing.assert_array_equal(np.asarray(given), X)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("bad", [X + 1j, np.ma.masked_greater(X, -9.0), X.astype(object), np.full_like(X, np.nan)])
def test_what_is_not_an_array_of_finite_numbers_is_refused(door, bad):
    with pytest.raises(InputError):
        DOORS[door](bad)
