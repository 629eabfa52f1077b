"""Identity: worst residual against c eps scale."""

import numpy as np
import pytest

from unifiedscore.errors import InputError
from unifiedscore.inference import Identity, decide

EPS = 2.0**-52


def _outcome(test, residual, scale):
    estimate = test.estimate(residual, error=scale, level=0.99)
    return decide(estimate, test.low, test.high)


@pytest.mark.parametrize(
    ("factor", "outcome"),
    [(0.0, "supported"), (1.0, "supported"), (1.001, "inconclusive"), (999, "inconclusive"), (1001, "refuted")],
)
@pytest.mark.parametrize("sign", [-1, 1])
def test_supported_up_to_c_refuted_beyond_a_thousand_c(factor, outcome, sign):
    scale = 7.0
    assert _outcome(Identity(c=64, scale="s"), [sign * factor * 64 * EPS * scale], [scale]) == outcome


def test_the_worst_residual_relative_to_its_own_scale_decides():
    estimate = Identity(c=10, scale="s").estimate([3 * EPS, 8 * EPS], error=[0.5, 4.0], level=0.99)
    assert estimate.value == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("residual", "scale", "reason"),
    [([np.nan], [1.0], "NaN"), ([np.inf], [1.0], "infinite"), ([0.0], [0.0], "positive"), ([0.0], [np.nan], "NaN"),
     ([0.0], [-1.0], "positive"), ([], [], "no residual")],
)  # fmt: skip
def test_bad_data_are_inconclusive_with_a_reason(residual, scale, reason):
    estimate = Identity(c=10, scale="s").estimate(residual, error=scale, level=0.99)
    assert estimate.kind == "none" and reason in estimate.reason


@pytest.mark.parametrize("arguments", [(0, "s"), (-1, "s"), (np.inf, "s"), (np.nan, "s"), ("1", "s"), (1, ""), (1, 2)])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(InputError, match="Identity"):
        Identity(*arguments)


def test_the_scale_must_be_given():
    with pytest.raises(InputError, match="scale"):
        Identity(1, "s").estimate([0.0], level=0.99)
