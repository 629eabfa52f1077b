"""The table of noise policies, and the shapes and symmetries of what they draw."""

import pickle

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.samplers import NOISE_POLICIES, Noise, NoisePolicy, draw_noise, policy_by_name


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


POLICIES = [*NOISE_POLICIES]
SHAPES = {"shared": (4, 2), "fixed": (5, 4, 2), "fresh": (3, 5, 4, 2)}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_noise_is_a_value(policy):
    noise = Noise(policy, draws=4)
    assert noise == Noise(policy, 4) == Noise(NOISE_POLICIES[policy], draws=4) and noise.rule is NOISE_POLICIES[policy]
    assert hash(noise) == hash(Noise(policy, 4)) and eval(repr(noise), {"Noise": Noise}) == noise
    assert noise != Noise(policy, draws=6) and noise != policy
    assert pickle.loads(pickle.dumps(noise)) == noise
    with pytest.raises(AttributeError):
        noise.draws = 6


@pytest.mark.parametrize("policy", POLICIES[:-1])
def test_given_noise_has_the_axes_of_its_policy_and_counts_its_own_draws(policy):
    shape = SHAPES[policy.partition("_")[0]]
    array = np.arange(np.prod(shape), dtype=float).reshape(shape)
    noise = Noise(policy, given=array)
    array[:] = 0.0
    assert noise.draws == 4 and noise.given.any() and not noise.given.flags.writeable
    assert noise == Noise(policy, given=noise.given.copy()) != Noise(policy, given=array)
    assert pickle.loads(pickle.dumps(noise)) == noise
    for wrong in {*SHAPES.values()} - {shape}:
        with pytest.raises(InputError, match=r"given noise of the policy .* must have shape"):
            Noise(policy, given=np.ones(wrong))
    with pytest.raises(InputError, match="draws = 6"):
        Noise(policy, draws=6, given=noise.given)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fixed",), "draws, the length of a noise tuple, is needed"),
        (("fixed", 0), "draws must be at least 1"),
        (("fixed", 2.0), "draws must be an integer"),
        (("fresh_antithetic", 3), "draws must be even"),
        (("fixed_antithetic", None, np.ones((2, 3, 1))), "draws must be even"),
        (("population", None, np.ones((2, 3, 1))), "must not be given"),
        (("shared", None, [[np.nan]]), "must be finite"),
        (("frozen", 2), "noise policy"),
    ],
)
def test_a_wrong_noise_is_refused_where_it_is_made(arguments, words):
    with pytest.raises(InputError, match=words):
        Noise(*arguments)


def test_a_policy_of_ones_own_passes_through():
    own = NoisePolicy("pairs", antithetic=True, fresh=True)
    assert Noise(own, draws=4).rule is own and "pairs" in repr(Noise(own, draws=4))


X = np.array([[0.3, -0.2], [1.0, 0.5], [-0.4, 2.0]])
DATA = np.array([[-1.0, 0.0], [0.5, 1.0], [2.0, -1.0]])
TUPLE = np.array([[0.4, -1.1], [-0.2, 0.7]])
FIELDS = {
    "Smoothed": lambda noise, x: us.Smoothed(us.KernelScore(us.Gaussian(0.5), DATA), 0.3, noise=noise)(x),
    "Smoothed.evaluate": lambda noise, x: us.Smoothed(
        us.KernelScore(us.Gaussian(0.5), DATA), 0.3, noise=-TUPLE
    ).evaluate(x, noise=noise),
    "SmoothedScore": lambda noise, x: us.SmoothedScore(DATA, 0.5, 0.3, noise=noise)(x),
    "SmoothedClosedFormScore": lambda noise, x: us.SmoothedClosedFormScore(DATA, 0.5, 0.3, noise=noise)(x),
    "ClosedFormVelocity": lambda noise, x: us.ClosedFormVelocity(DATA, 0.5, 0.3, noise=noise)(x),
}


@pytest.mark.parametrize("name", FIELDS)
def test_fields_take_the_noise_of_samplers(name):
    field = FIELDS[name]
    np.testing.assert_array_equal(field(Noise("shared", given=TUPLE), X), field(TUPLE, X))
    with pytest.raises(InputError, match="draws no noise"):
        field(Noise("shared", draws=2), X)
    with pytest.raises(InputError, match="draws no noise"):
        field(Noise("fresh", given=np.ones((1, 3, 2, 2))), X)


def test_a_tuple_for_each_point_and_the_population_go_to_fields_too():
    own = np.stack([TUPLE, 2 * TUPLE, -TUPLE])
    smoothed = us.Smoothed(us.KernelScore(us.Gaussian(0.5), DATA), 0.3, noise=TUPLE)
    np.testing.assert_array_equal(
        smoothed.evaluate(X, noise=Noise("fixed", given=own)), smoothed.evaluate(X, noise=own)
    )
    line = us.SmoothedScore(DATA[:, :1], 0.5, 0.3, noise=Noise("population"))
    np.testing.assert_array_equal(line(X[:, :1]), us.SmoothedScore(DATA[:, :1], 0.5, 0.3, noise="population")(X[:, :1]))


def test_a_sampler_follows_the_field_that_has_its_noise():
    """One log-time step of the closed-form sampler is the velocity of the field with the tuple of that noise."""
    noise = Noise("shared", given=TUPLE)
    run = us.sample_closed_form(DATA, 3, n_steps=4, smoothing=0.3, noise=noise, start=X, start_time=0.5,
                                rng=np.random.default_rng(0), trajectory=True)  # fmt: skip
    velocity = us.ClosedFormVelocity(DATA, 0.5, 0.3, noise=noise)(X)
    np.testing.assert_allclose(run.trajectory[1] - X, velocity / 4, rtol=1e-12)
