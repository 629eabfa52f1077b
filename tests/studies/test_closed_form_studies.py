"""The measurements of the closed-form studies against golden numbers, one cell at a time."""

from pathlib import Path

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.study.discover import discover, load_module

ROOT = Path(__file__).parents[2]
STUDIES = {item.study.name: item.study for item in discover([str(ROOT / "studies")]).studies}


def measured(study, **cell):
    return STUDIES[study].measure(cell, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("smoothing", "steps", "end"),
    [(0.3, 100, 0.99926), (0.6, 100, 0.87041), (0.6, 1000, 0.84793), (0.9, 1000, 0.36783), (1.2, 1000, 0.11598)],
)
def test_two_points_end_at_the_golden_values(smoothing, steps, end):
    found = measured("closed_form_two_points", smoothing=smoothing, start_time=0.0, n_steps=steps)
    assert found["end"] == pytest.approx(end, abs=5e-6)


@pytest.mark.parametrize(
    ("smoothing", "time", "at_start", "at_end"),
    [(0.1, 0.5, 0.0037, 0.0), (0.4, 0.5, 0.0206, 0.0042), (0.4, 0.8, 0.1825, 0.0693)],
)
def test_late_starts_have_the_golden_distances(smoothing, time, at_start, at_end):
    """The table smooths with 400 noise quantiles, which moves the final law by up to .002."""
    found = measured("closed_form_two_points", smoothing=smoothing, start_time=time, n_steps=200)
    assert found["at_start"] == pytest.approx(at_start, abs=2e-4)
    assert found["at_end"] == pytest.approx(at_end, abs=2e-3)
    assert found["recursion_gap"] < 1e-10
    assert smoothing == 0.1 or found["recursion_gap_hermite"] > 1e-5


@pytest.mark.parametrize(("smoothing", "time", "bound"), [(0.1, 0.5, 0.0423), (0.4, 0.5, 0.169), (0.4, 0.8, 408)])
def test_the_growth_bound_has_the_golden_values(smoothing, time, bound):
    module = load_module(ROOT / "studies" / "closed_form" / "study_late_start.py")
    found, plain = module.growth(2.0, smoothing * np.sqrt(2 / np.pi), time)
    assert found == pytest.approx(bound, rel=5e-3)
    assert plain < found


def test_one_tuple_nearly_attains_the_growth_bound_and_the_growth_is_needed():
    cell = {"noise": "shared", "data": "pair", "smoothing": 0.001}
    early, late = (measured("closed_form_late_start", **cell, start_time=time) for time in (0.1, 0.8))
    assert 0.95 < early["exponential"] < 1.0
    assert late["exponential"] < 0.02 and late["plain"] > 1.2


def test_a_late_start_takes_mass_from_the_rarer_point():
    """The border of the two basins is found by the sampler; unsmoothed masses are 1/3 and 2/3 at every time."""
    module = load_module(ROOT / "studies" / "closed_form" / "study_late_start.py")
    assert module.mass_below_border("one in three", 0.1, 0.9) == pytest.approx(1 / 3, abs=2e-5)
    assert module.mass_below_border("one in three", 0.1, 0.0) == pytest.approx(0.33425, abs=2e-5)


@pytest.mark.parametrize(
    ("smoothing", "point", "slope"), [(0.3, 0.9991329211, 0.010381), (0.6, 0.8369681547, 0.502628)]
)
def test_fixed_points(smoothing, point, slope):
    helper = load_module(ROOT / "studies" / "closed_form" / "_two_points.py")
    assert helper.fixed_point(smoothing) == (pytest.approx(point, abs=1e-10), pytest.approx(slope, abs=1e-6))


@pytest.mark.parametrize(("remainder", "bias"), [(1, 0.0508016809), (3, 0.0097473567), (6, 0.0)])
def test_neighbour_bias(remainder, bias):
    found = measured("closed_form_neighbours", time=0.5, smoothing=0.0, nearest=2, remainder=remainder)
    assert found["bias"] == pytest.approx(bias, abs=1e-10)


def test_a_skipped_step_moves_one_point_by_its_formula_and_many_by_one_over_s():
    one = measured("closed_form_skip", n_points=1, n_steps=20)
    assert one["gap"] < 1e-13 and one["gap_without_skip"] > 1e-2
    coarse, fine = (measured("closed_form_skip", n_points=30, n_steps=steps)["moved"] for steps in (80, 160))
    assert coarse / fine == pytest.approx(2.0, rel=0.05)
    shares = [measured("closed_form_skip", n_points=30, n_steps=steps)["moved_by_share"] for steps in (80, 160)]
    assert shares[0] == pytest.approx(shares[1], rel=0.01)


def test_the_sums_by_hand_agree_with_a_golden_evaluation():
    """X = (-1, .5, 2), z = .3, t = .5, and smoothed by (-1, .5) at sigma = .4 (section 6.1 of the reference)."""
    brute = load_module(ROOT / "studies" / "closed_form" / "_brute.py")
    points, z = np.array([[-1.0], [0.5], [2.0]]), np.array([[0.3]])
    assert brute.barycenter(points, z, 0.5)[0, 0] == pytest.approx(0.5885186608713545, abs=1e-14)
    value = brute.smoothed(points, z, np.array([[-1.0], [0.5]]), 0.4, 0.5)[0, 0]
    assert value == pytest.approx(0.4184438179038354, abs=1e-14)
    w = np.array([0.1686750177586513, 0.6036375239017945, 0.2276874583395543])
    spread = w @ points[:, 0] ** 2 - (w @ points[:, 0]) ** 2
    assert brute.covariance(points, z, 0.5)[0, 0, 0] == pytest.approx(spread, abs=1e-13)
    doubled = brute.barycenter(points[[0, 1, 1, 2]], z, 0.5)
    np.testing.assert_allclose(brute.barycenter(points, z, 0.5, np.array([0.25, 0.5, 0.25])), doubled, atol=1e-14)


def test_the_near_estimator_attains_its_bound_only_beyond_the_rim():
    module = load_module(ROOT / "studies" / "closed_form" / "study_steps.py")
    assert 0.99 < module.rim_ratio(1 + 1e-9) <= 1.0
    assert module.rim_ratio(0.97) == pytest.approx(1 / 256, rel=1e-3)
    assert module.rim_ratio(1 + 1e-9, 1.05 * module.TOLERANCE) > 1.04


def test_starts_at_t_have_the_variance_of_the_noise():
    found = measured("closed_form_late_quality", dataset="digits", smoothing=1.0, start_time=0.9)
    assert found["start_noise"] == pytest.approx(1.0, abs=0.05) and found["start_noise_wrong"] < 0.2


@pytest.mark.parametrize("schedule", ["rectified_flow", "vp_cosine", "foellmer"])
def test_every_schedule_runs_through_closed_form_scores(schedule):
    found = measured("closed_form_schedules", schedule=schedule, dimension=3, time=0.5)
    good = ("score_gap", "velocity_gap", "drift_gap", "denoiser_gap", "clock_gap")
    assert max(found[name] for name in good) < 1e-11
    wrong = ("drift_gap_velocity", "denoiser_gap_shared")
    assert min(found[name] for name in wrong) > 1e-3


def test_the_picture_weights_are_symmetric_and_sharper_without_smoothing():
    exact, smooth = (measured("closed_form_pictures", smoothing=s) for s in (0.0, 0.5))
    for found in (exact, smooth):
        np.testing.assert_allclose(found["weight"] + found["weight"][:, ::-1], 1.0, atol=1e-10)
        assert (np.diff(found["weight"], axis=1) >= -1e-12).all()
    assert exact["weight"][0, 26] > 0.9 > smooth["weight"][0, 26] > 0.5
    assert exact["copies"] > 0.9 > 0.1 > smooth["copies"]


def test_neighbours_lose_nothing_when_they_are_all_points():
    module = load_module(ROOT / "studies" / "closed_form" / "study_neighbour_samples.py")
    points, rng = np.random.default_rng(1).normal(size=(module.POINTS, 2)), np.random.default_rng(2)
    assert module.relative_error(points, 100, module.POINTS - 100, rng) < 1e-12
    assert module.relative_error(points, 1, 1, rng) > 0.05
    assert module.distance_ratio(points, 100, module.POINTS - 100, rng) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", [name for name in STUDIES if name.startswith("closed_form")])
def test_every_variable_of_a_cell_is_returned(name):
    study = STUDIES[name]
    cell = {axis: labels[0] for axis, labels in study.grid.axes.items()}
    if name == "closed_form_two_points":
        cell["smoothing"] = 0.3
    if name == "closed_form_late_start":
        cell |= {"smoothing": 0.1, "start_time": 0.2}
    assert set(study.variables) <= set(study.measure(cell, np.random.default_rng(0)))


def test_every_method_of_the_w2_study_makes_samples_of_every_data_set():
    module = load_module(ROOT / "studies" / "closed_form" / "study_w2.py")
    for dataset in module.LENGTHS:
        points, reference, fresh = module.draw(dataset, np.random.default_rng(0))
        assert len(points) == 200 and len(reference) == len(fresh) == (798 if dataset == "digits" else module.OUT)
        # A reference that shares points with the fresh sample would make the floor too low.
        assert not {row.tobytes() for row in reference} & {row.tobytes() for row in fresh}
        for sampler in [*module.SMOOTHED[:1], *module.BASELINES]:
            found = module.produce(sampler, points, fresh, module.LENGTHS[dataset], np.random.default_rng(1))
            assert found.shape[1] == points.shape[1] and np.isfinite(found).all()


def test_the_map_of_the_midpoint_measures_as_many_draws_as_its_labels_say(monkeypatch):
    used = []
    noise = us.Noise
    monkeypatch.setattr(us, "Noise", lambda policy, draws: used.append(draws) or noise(policy, draws=draws))
    for pairs in (1, 2, 3, 4, 23):
        measured("map_midpoint", smoothing=0.4, pairs_of_draws=pairs)
    assert used == [2, 4, 6, 8, 46]
