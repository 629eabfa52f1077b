"""The measurements of the tilting studies against golden numbers, and their verdicts in the cheap studies."""

from pathlib import Path

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.processes import mixture_factor
from unifiedscore.study.discover import discover, load_module

ROOT = Path(__file__).parents[2]
STUDIES = {item.study.name: item.study for item in discover([str(ROOT / "studies")]).studies}


def measured(study, **cell):
    return STUDIES[study].measure(cell, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("schedule", "csm", "tsm"),
    [("rectified_flow", 6.86288, 5.4476e5), ("vp_cosine", 6.41230, 2.2122e5), ("foellmer", 3.40959, 541.81)],
)
def test_truncated_floors(schedule, csm, tsm):
    values = measured("tilting_floors", schedule=schedule, cutoff=1e-3)
    assert (values["csm_floor"], values["tsm_floor"]) == pytest.approx((csm, tsm), rel=1e-5)


def test_bound_of_the_novel_floor():
    modes = {"base": "equal_modes"}
    assert measured("tilting_bounds", deviation=1.0, **modes)["ratio"] == pytest.approx(0.3687, abs=2e-4)
    assert measured("tilting_bounds", deviation=1.6, **modes)["ratio"] == pytest.approx(0.7592, abs=2e-4)


def test_step_size_table():
    first = measured("tilting_step_size", steps=100, share=1.0, schedule="rectified_flow")
    second = measured("tilting_step_size", steps=800, share=0.0, schedule="rectified_flow")
    assert first["annealing"] == pytest.approx(2 * 1.248e-3, rel=5e-4)
    assert second["tilting"] == pytest.approx(1.903e-4 / 1.0200011, rel=5e-4)


def test_work_at_five_steps():
    values = measured("tilting_work", law="kernels", steps=5, seed=0)
    assert values["ratio"] == pytest.approx(0.5, abs=0.02)
    assert values["ratio_mismatched"] == pytest.approx(0.4292, abs=0.01)


def test_one_sided_exponent_is_that_of_the_mixture_bound_and_the_two_sided_one_grows_like_a_logarithm():
    module = load_module(ROOT / "studies" / "tilting" / "study_adjoint_onesided.py")
    times = np.linspace(0.001, 0.999, 999)
    bound = mixture_factor("rectified_flow", times, module.VARIANCE, module.RADIUS)
    cell = {"dimension": 2}
    one = measured("tilting_adjoint_onesided", **cell)
    assert one["one_sided"] == pytest.approx(np.log(bound).max(), abs=0.01)
    assert one["two_sided"] > np.log(0.1 / module.CUTOFF)
    # The sums of the hand-written eigenvalue, 200 steps.
    bound = mixture_factor("rectified_flow", module.TIMES, module.VARIANCE, module.RADIUS)
    np.testing.assert_allclose(module.growth()[60:], bound[60:], rtol=0.03)
    assert 0.9 < one["worst"] <= 1


def test_the_heat_equation_has_the_closed_form_of_a_gaussian_and_not_the_jacobian_of_another():
    energy = load_module(ROOT / "studies" / "tilting" / "study_energy.py")
    base, reward = us.GaussianMixture([[0.3]], 1.69), us.QuadraticReward([0.7], 0.5)
    process = us.TiltedProcess(base, reward, "rectified_flow")
    floor = energy.adjoint_energy_exact(process).value - energy.divergence(process)
    assert floor == pytest.approx(0.1162603612537547, rel=2e-5)
    other = energy.adjoint_energy_exact(process, us.GaussianMixture([[0.3]], 1.2)).value
    assert other < 0.9 * (floor + energy.divergence(process))


def test_least_log_concave_path_of_two_modes_is_the_closed_form():
    """On the path between two modes of R^2 = v/2 the bound is reached up to (1 - u z) e^(u z), z = beta^2/Gamma."""
    value = measured("tilting_adjoint", law="two_modes", dimension=2)["start"]
    schedule = us.Schedule("vp_cosine")
    z = schedule.beta_squared(0.05) / schedule.variance(0.05, 0.5)
    assert value == pytest.approx((1 - z / 2) * np.exp(z / 2), abs=0.005)


@pytest.mark.parametrize(
    "name",
    [
        "tilting_adjoint_dimension",
        "tilting_adjoint_onesided",
        "tilting_adjoint_stiffness",
        "tilting_bounds",
        "tilting_energy",
        "tilting_memoryless",
        "tilting_values",
        "tilting_work",
    ],
)
def test_verdicts_are_as_expected_and_controls_refuted(name, tmp_path):
    study = STUDIES[name]
    for verdict in us.judge(study, us.run(study, out=tmp_path)):
        assert verdict.outcome == verdict.expected, verdict.reason
        assert verdict.control_outcome in ("refuted", None), verdict.control_detail
