"""Gradient variances of networks: one parameter against the closed forms, many against their parts."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.learned import (
    TILT_LOSSES,
    LearnedControl,
    control_gradient_variance,
    gradient_variance,
    output_factor,
    train_control,
)
from unifiedscore.processes import CallableReward, adjoint_target, conditional_target, novel_target, target_target

torch = pytest.importorskip("torch")
GAUSS = us.GaussianMixture([[0.0]], 1.0)
CUTOFFS = np.array([0.1, 0.03])
TARGETS = {
    "conditional": conditional_target,
    "target": target_target,
    "novel": novel_target,
    "lean_adjoint": adjoint_target,
}


class Linear(torch.nn.Module):
    """F = theta x under rectified flow: what a network sees is x / sqrt(Gamma), and the label tells the time."""

    def __init__(self):
        super().__init__()
        self.theta = torch.nn.Parameter(torch.ones(1))

    def forward(self, u, label):
        t = 1 / (1 + torch.exp(4 * label))
        return self.theta * u * torch.sqrt(t**2 + (1 - t) ** 2)[:, None]


def linear(parametrisation):
    """The model of the closed forms, s* + theta j x, as a control."""
    options = {"mean": [0.0], "variance": 1.0, "parametrisation": parametrisation, "cutoff": 0.03}
    return LearnedControl(Linear(), "rectified_flow", **options)


@pytest.mark.parametrize("loss", TARGETS)
@pytest.mark.parametrize("parametrisation", ["score", "noise", "denoiser", "velocity"])
def test_one_parameter_has_the_variance_of_the_closed_form(loss, parametrisation):
    """Another route: draws and derivatives here, quadrature of formulas there."""
    process = us.TiltedProcess(GAUSS, us.QuadraticReward([0.0], 0.5), "rectified_flow")
    control = linear(parametrisation)
    found = control_gradient_variance(
        control, process, loss=loss, cutoffs=CUTOFFS, n=200_000, rng=np.random.default_rng(0)
    )
    target = TARGETS[loss](process)
    expected = [gradient_variance(target, parametrisation=parametrisation, cutoff=c) for c in CUTOFFS]
    if parametrisation == "denoiser":
        # The factor of the closed form has the variance of the tilted law, that of the network the one of the base.
        expected = [_by_quadrature(target, c) for c in CUTOFFS]
    np.testing.assert_allclose(found.total, expected, rtol=0.06)
    np.testing.assert_array_equal(found.total, found.median)


def _by_quadrature(target, cutoff):
    t = np.linspace(cutoff, 1 - cutoff, 20_001)
    schedule, star = target.schedule, float(target.law.covariance_matrix[0, 0])
    gamma = np.asarray(schedule.variance(t, star))
    slope = np.array([target.coefficients(s)[1] for s in t]) * target.affine[0][0, 0]
    noise = slope**2 * star * np.asarray(schedule.beta_squared(t)) / gamma
    factor = output_factor(schedule, "denoiser", t, variance=1.0)
    return np.trapezoid(4 * (np.asarray(schedule.eta(t)) * factor) ** 2 * gamma * noise, t) / (1 - 2 * cutoff)


@pytest.mark.parametrize("loss", TILT_LOSSES)
def test_the_variance_of_a_network_is_that_of_its_parts(loss):
    """In the plane: at least the output's, which its last biases have; nothing where the target has no noise."""
    base = us.GaussianMixture([[1.0, 0.0], [-1.0, 0.5]], 0.5)
    process = us.TiltedProcess(base, us.QuadraticReward([0.5, 0.2], 0.3), "vp_cosine")
    options = {"width": 8, "hidden": 1, "batch": 8, "loss": "exact", "parametrisation": "score"}
    control = train_control(process, rng=np.random.default_rng(0), n_steps=2, **options).control()
    found = control_gradient_variance(
        control, process, loss=loss, cutoffs=CUTOFFS, n=2000, rng=np.random.default_rng(0)
    )
    if loss == "exact":
        assert np.abs(found.total).max() == np.abs(found.output).max() == 0
    else:
        assert (found.total > found.output).all() and (found.output > 0).all() and (found.median > 0).all()


def test_two_paths_have_no_less_variance_than_many():
    """The states of a path share their noise: to take the square of the estimated mean off would cost a third."""
    process = us.TiltedProcess(GAUSS, us.QuadraticReward([0.0], 0.5), "rectified_flow")
    options = {"loss": "lean_adjoint", "cutoffs": [0.05]}
    few = [
        control_gradient_variance(linear("score"), process, **options, n=1, rng=np.random.default_rng(seed)).total[0]
        for seed in range(60)
    ]
    many = control_gradient_variance(
        linear("score"), process, **options, n=120_000, rng=np.random.default_rng(0)
    ).total[0]
    assert abs(np.mean(few) - many) < 4 * np.std(few, ddof=1) / np.sqrt(len(few)) + 0.05 * many
    assert min(few) > 0


def test_what_has_no_gradient_is_refused():
    process = us.TiltedProcess(GAUSS, us.QuadraticReward([1.0], 0.5), "rectified_flow")
    control = LearnedControl(lambda u, label: u, "rectified_flow", mean=[0.0], variance=1.0)
    options = {"loss": "novel", "cutoffs": [0.1], "n": 10, "rng": np.random.default_rng(0)}
    with pytest.raises(InputError, match="no parameters to differentiate by"):
        control_gradient_variance(control, process, **options)
    control = linear("score")
    bounded = us.TiltedProcess(GAUSS, CallableReward(lambda x: np.cos(x).sum(1), lambda x: -np.sin(x), 1), "vp_cosine")
    for change, message in (
        ({"loss": "adjoint"}, "loss must be one of"),
        ({"cutoffs": [0.1, 0.5]}, "cutoffs must be"),
        ({"cutoffs": []}, "cutoffs must"),
        ({"cutoffs": 0.1}, "cutoffs must be"),
        ({"n": 0}, "n must be"),
    ):
        with pytest.raises(InputError, match=message):
            control_gradient_variance(control, process, **(options | change))
    other = LearnedControl(Linear(), "foellmer", mean=[0.0], variance=1.0)
    plane = LearnedControl(Linear(), "rectified_flow", mean=[0.0, 0.0], variance=1.0)
    for wrong, message in ((other, "the same schedule"), (plane, "one dimension")):
        with pytest.raises(InputError, match=message):
            control_gradient_variance(wrong, process, **options)
    with pytest.raises(InputError, match="need a QuadraticReward"):
        control_gradient_variance(control, bounded, **options)
