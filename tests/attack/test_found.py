"""Calls that a search of drawn values found, each once: refused by the name of the argument, whatever is drawn next."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.samplers import DriftingFlow
from unifiedscore.study import Choice, Claim, Control, Grid, Inside, Proportion, Study
from unifiedscore.validate import sequence

EMPTY, SCALAR = np.array([], dtype=np.float16), np.array(158, dtype=np.uint16)
POINTS = np.zeros((1, 2))


def claim(**more):
    control = Control("m", variable="z")
    return Claim("a.b", "S.", "here", "monte_carlo", "y", Inside(0, 1), control=control, **more)


CALLS = {
    "regime": lambda: claim(regime=EMPTY),
    "hypotheses": lambda: claim(hypotheses=SCALAR),
    "claims": lambda: Study("small", "Small", Grid(seed=range(2)), lambda cell, rng: {}, {}, claims=SCALAR),
    "paired": lambda: Grid(seed=range(2), paired=SCALAR),
    "options": lambda: Choice([[], [1.0]]),
    "level": lambda: Inside(0, 1).estimate(np.ones(8), level=5e-219),
    "quadratic": lambda: us.GaussianMixture(np.ones((1, 2)), np.eye(2)[None]).tilted([1.0, 0.0], 1e262),
    "x": lambda: DriftingFlow(us.Laplace(1.0), np.ones((4, 2))).velocity(POINTS),
}


@pytest.mark.parametrize("argument", CALLS)
def test_what_was_found_is_refused_by_name(argument):
    with pytest.raises(InputError, match=rf"\b{argument}\b"):
        CALLS[argument]()


def test_a_long_value_is_cut_in_the_message():
    with pytest.raises(InputError, match="kernel") as caught:
        us.posterior_moments(np.full((4, 4, 4, 4), b"abcdefgh"), np.ones((4, 2)), POINTS)
    assert len(str(caught.value)) < 2000


def test_shares_that_overflow_have_no_estimate():
    found = Proportion(0.1, 0.5, trials=10).estimate(np.array([-1.79e308]), level=0.99)
    assert np.isnan(found.low) and "between 0 and 1" in found.reason


def test_a_list_is_read_through_one_door():
    assert sequence((i for i in range(2)), "n", "numbers") == (0, 1) == sequence(np.arange(2), "n", "numbers")
    for wrong in ("ab", b"ab", {"a": 1}, SCALAR, None, 3):
        with pytest.raises(InputError, match="n must be a list of numbers"):
            sequence(wrong, "n", "numbers")


def test_a_particle_alone_may_keep_itself():
    flow = DriftingFlow(us.Laplace(1.0), np.ones((4, 2)), self_terms="keep")
    assert np.isfinite(flow.velocity(POINTS)).all()
