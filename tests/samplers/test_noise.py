"""The table of noise policies, and the shapes and symmetries of what they draw."""

import numpy as np
import pytest

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.samplers import NOISE_POLICIES, draw_noise, policy_by_name


def test_the_six_policies_are_named():
    names = {"fixed", "fixed_antithetic", "fresh", "fresh_antithetic", "shared", "population"}
    assert set(NOISE_POLICIES) == names
    assert all(policy_by_name(policy) is policy for policy in NOISE_POLICIES.values())


@pytest.mark.parametrize("name", ["fixed_antithetic", "fresh_antithetic"])
def test_antithetic_tuples_sum_to_zero_pairwise(name):
    noise = draw_noise(name, 5, 6, 3, np.random.default_rng(0))
    np.testing.assert_array_equal(noise[:, 3:], -noise[:, :3])
    with pytest.raises(InputError, match="must be even"):
        draw_noise(name, 5, 3, 3, np.random.default_rng(0))


def test_shapes():
    rng = np.random.default_rng(0)
    assert draw_noise("fixed", 5, 3, 2, rng).shape == (5, 3, 2)
    assert draw_noise("shared", 5, 3, 2, rng).shape == (3, 2)


def test_bad_names_and_the_population_are_refused():
    with pytest.raises(UnknownNameError, match="names are: fixed"):
        policy_by_name("fixd")
    with pytest.raises(InputError, match="draws no noise"):
        draw_noise("population", 5, 3, 2, np.random.default_rng(0))
