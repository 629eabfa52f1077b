"""The measurements of the closed-form studies against golden numbers, one cell at a time."""

from pathlib import Path

import numpy as np
import pytest

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
    ("smoothing", "time", "at_start", "bound", "at_end"),
    [(0.1, 0.5, 0.0037, 0.0423, 0.0), (0.4, 0.5, 0.0206, 0.169, 0.0042), (0.4, 0.8, 0.1825, 408, 0.0693)],
)
def test_late_starts_have_the_golden_distances(smoothing, time, at_start, bound, at_end):
    """The table smooths with 400 noise quantiles, which moves the final law by up to .002."""
    found = measured("closed_form_two_points", smoothing=smoothing, start_time=time, n_steps=200)
    assert found["at_start"] == pytest.approx(at_start, abs=2e-4)
    assert found["at_start"] - found["over_exponential"] == pytest.approx(bound, rel=5e-3)
    assert found["at_end"] == pytest.approx(at_end, abs=2e-3)


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
    assert set(study.variables) <= set(study.measure(cell, np.random.default_rng(0)))


def test_every_method_of_the_w2_study_makes_samples_of_every_data_set():
    module = load_module(ROOT / "studies" / "closed_form" / "study_w2.py")
    for dataset in module.LENGTHS:
        points, reference, fresh = module.draw(dataset, np.random.default_rng(0))
        assert len(points) == module.N and len(reference) == len(fresh) == (798 if dataset == "digits" else module.OUT)
        # A reference that shares points with the fresh sample would make the floor too low.
        assert not {row.tobytes() for row in reference} & {row.tobytes() for row in fresh}
        for sampler in [*module.SMOOTHED[:1], *module.BASELINES]:
            found = module.produce(sampler, points, fresh, module.LENGTHS[dataset], np.random.default_rng(1))
            assert found.shape[1] == points.shape[1] and np.isfinite(found).all()
