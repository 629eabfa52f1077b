"""The measurements of the learned studies against golden numbers and second routes, and their verdicts."""

import sys
from pathlib import Path

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.study.discover import discover, load_module

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "studies" / "learned"
STUDIES = {item.study.name: item.study for item in discover([str(FOLDER)], kinds=("studies",)).studies}


def measured(study, **cell):
    found = STUDIES[study].measure(cell, np.random.default_rng(0))
    return {name: getattr(value, "value", value) for name, value in found.items()}


def test_golden_far_field():
    tables = {
        "two_equal": (0.302606, 0.140956, 0.045577, 0.012376, 0.003165, 0.000796),
        "two_unequal": (0.451346, 0.329999, 0.196524, 0.103945, 0.052762, 0.026482),
    }
    ratio = load_module(FOLDER / "study_far_field.py").ratio
    laws = load_module(FOLDER / "study_far_field.py").LAWS
    for law, golden in tables.items():
        got = [ratio(laws[law], 2.0**k, 120) for k in range(6)]
        np.testing.assert_allclose(got, golden, atol=6e-7)


def test_golden_shares_of_two_points():
    for width, golden in ((1.0, 0.99963), (2.0, 0.99909), (4.0, 0.99879)):
        assert measured("learned_two_points", level=0.025, width=width)["kernel_share"] == pytest.approx(
            golden, abs=1e-5
        )


def test_golden_moments_of_an_unbounded_gradient_and_their_second_route():
    """E*[r'^2; |X| < L] of sin(e^(x^2/2)), and its growth in w = e^(x^2/2), in which the reward is a plain sine."""
    module = load_module(FOLDER / "study_reward.py")
    reward = module.REWARDS["sin_exp"]
    x = np.linspace(-7, 7, 2_000_001)[:, None]
    total = np.trapezoid(np.exp(reward.value(x) - x[:, 0] ** 2 / 2), x[:, 0]) / np.sqrt(2 * np.pi)
    got = [module.truncated(reward, cut, 3000, reward.gradient) / total for cut in (1.0, 2.0, 3.0, 4.0)]
    np.testing.assert_allclose(got, [0.02498, 2.1117, 47.30, 2253.3], rtol=2e-4)
    found = []
    for cut in (2.0, 4.0):
        v = np.linspace(0, np.sqrt(np.exp(cut**2 / 2) - 1), 400_001)  # w = 1 + v^2: no root singularity at w = 1
        w = 1 + v**2
        found.append(np.trapezoid(np.sqrt(2 * np.log(w)) * np.cos(w) ** 2 * np.exp(np.sin(w)) * 2 * v, v))
    assert got[3] / got[1] == pytest.approx(found[1] / found[0], rel=1e-6)


def test_golden_adjoints_and_solenoidal_error():
    for q, lean, full in ((2.0, 1.33333, 0.44444), (-0.6, 0.9, 2.25)):
        found = measured("learned_adjoint", curvature=q)
        assert found["lean"] * q**2 / (1 + q) == pytest.approx(lean, rel=1e-3)
        assert found["ratio"] * found["lean"] * q**2 / (1 + q) ** 2 == pytest.approx(full, rel=1e-3)
    module = load_module(FOLDER / "study_solenoidal.py")
    # omega = 10, two dimensions, unit variance: Gamma = 1/2 at t = 1/2, so the mean square error is 100.
    assert 100 * np.linalg.norm(module.SPINS[2]) ** 2 * 0.5 == pytest.approx(100)


def test_golden_sweeps_of_adjoint_matching():
    sys.path.insert(0, str(FOLDER))
    module = load_module(FOLDER / "study_iteration.py")
    for barrier, golden in {"0.35": (2.8e-2, 1.0e-3), "1.4": (0.19, 0.047), "3.1": (0.50, 0.27)}.items():
        gaps, fixed, _ = module.errors(barrier, {"nodes": 301, "steps": 135})
        # The golden errors come from a first-order scheme.
        np.testing.assert_allclose(gaps[1:3], golden, rtol=0.1)
        assert fixed < 3e-3
    assert measured("learned_iteration", barrier="8")["sweeps"] == 18


@pytest.mark.parametrize(
    "name",
    ["learned_minimisers", "learned_gradients", "learned_far_field", "learned_filter", "learned_sampling"],
)
def test_verdicts_are_as_expected_and_controls_refuted(name, tmp_path):
    study = STUDIES[name]
    for verdict in us.judge(study, us.run(study, out=tmp_path)):
        assert verdict.outcome == verdict.expected, verdict.reason
        assert verdict.control_outcome in ("refuted", None), verdict.control_detail


@pytest.mark.parametrize(
    ("name", "settings"), [("learned_smoothing", 5), ("learned_network_gradients", 3), ("learned_finetuning", 2)]
)
def test_the_quick_profile_trains_nothing_and_the_standard_one_sixteen_seeds(name, settings):
    study = STUDIES[name]
    quick, standard = (
        [cell for cell in grid.cells() if not grid.skipped(cell)]
        for grid in map(study.profile_grid, ("quick", "standard"))
    )
    assert quick == []
    assert len(standard) == settings * 16 and {cell["seed"] for cell in standard} == set(range(16))
    assert all(claim.profile == "standard" for claim in study.claims)


@pytest.mark.parametrize("name", ["score", "kernel", "density", "gaussian"])
def test_impostors_are_measured_without_torch_and_taken_for_what_they_are(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    found = measured("learned_smoothing", denoiser=name)
    assert (found["middle_lead"] > 0.05) == (name == "score")
    assert (found["late_over_density"] > 0) == (name in ("score", "kernel"))
    with pytest.raises(us.UnifiedScoreError, match=r"unifiedscore\[torch\]"):
        measured("learned_smoothing", denoiser="network")


@pytest.mark.slow
def test_a_network_is_described_where_it_was_trained_to():
    """Five steps of training: the study's network at each mark is that of a training that ends there."""
    torch = pytest.importorskip("torch")
    assert torch
    module = load_module(FOLDER / "study_smoothing.py")
    from unifiedscore.learned import train_denoiser

    module.MARKS = {"early": 2, "middle": 4, "late": 6}
    module.EVERY = 2
    data = np.random.default_rng(0).standard_normal((8, 2))
    kept = module.trained(data, np.random.default_rng(1))
    scale = float(np.sqrt(np.mean((data - data.mean(0)) ** 2)))
    for name, step in module.MARKS.items():
        alone = train_denoiser(
            data, rng=np.random.default_rng(1), n_steps=step, parametrisation="plain", average=0.0,
            levels=(0.05 / scale, 3.0 / scale),
        ).denoiser()  # fmt: skip
        np.testing.assert_array_equal(kept[name](data, 0.3), alone(data, 0.3))


@pytest.mark.slow
def test_one_training_of_the_fine_tuning_studies_is_what_its_claims_say():
    """One seed of each, judged by hand: exponents, and the order of the losses."""
    pytest.importorskip("torch")
    found = measured("learned_network_gradients", parametrisation="denoiser", steps=300)
    assert found["tsm_variance"].shape == (5,) and (np.diff(found["csm_variance"]) > 0).all()
    assert abs(found["csm_total"] - 1) < 0.2 < found["tsm_total"] - 1 and abs(found["tsm_output"] - 1) < 0.1
    assert max(abs(found["nsm_total"]), abs(found["am_total"])) < 0.05
    module = load_module(FOLDER / "study_finetuning.py")
    module.EVALUATIONS = 20_000
    found = module.measure({"reward": "mild"}, np.random.default_rng(0))
    assert found["tsm_over_nsm"] > 0.5 > found["csm_over_nsm"] and 0.5 < found["share"] < 0.7
    assert found["nsm"] < -0.5


def test_every_measurement_has_a_study_and_every_study_a_refutable_claim():
    assert len(STUDIES) == 19
    for study in STUDIES.values():
        assert any(claim.control is not None for claim in study.claims), study.name
