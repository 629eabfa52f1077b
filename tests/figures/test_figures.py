"""Every figure draws what it is given: right quantities, nothing invented, nothing computed, no state left behind."""

import importlib.util
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from unifiedscore.plotting.export import numbers, numbers_csv
from unifiedscore.study.attack.store import SEARCHES
from unifiedscore.study.discover import discover, figure_in

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "figures").rglob("fig_*.py"))
FIGURES = {found.name: found for found in map(figure_in, FILES)}
matplotlib.use("agg")


def draw(name, datasets, change=None):
    found = FIGURES[name]
    (study,) = found.studies
    dataset = datasets[study].copy(deep=True)
    if change is not None:
        dataset = change(dataset)
    return found.figure(dataset)


def texts(figure):
    import matplotlib.text

    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_returns_a_figure_with_labelled_axes_and_its_numbers(name, datasets):
    before = dict(matplotlib.rcParams)
    figure = draw(name, datasets)
    assert isinstance(figure, Figure)
    assert dict(matplotlib.rcParams) == before
    assert len(numbers(figure)) >= 4 and numbers_csv(figure).count("\n") > 12
    grids = [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]
    assert all(ax.get_xlabel() or not any(label.get_visible() for label in ax.get_xticklabels()) for ax in grids[-1:])
    assert any(ax.get_ylabel() for ax in grids)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_figure_computes_nothing(path):
    modules = re.findall(r"^\s*(?:from|import) (\S+)", path.read_text(), re.M)
    allowed = ("json", "numpy", "matplotlib", "unifiedscore.plotting")
    assert all(module.startswith(allowed) for module in modules), modules


def test_the_claims_that_a_figure_names_exist():
    found = discover([ROOT])
    studies = {item.study.name for item in found.studies}
    studies |= {f"{item.study.name}{SEARCHES}" for item in found.studies if item.study.universals}
    for item in found.figures:
        assert set(item.claims) <= found.claim_ids(), item.name
        assert set(item.studies) <= studies, item.name


def test_shared_noise_shows_each_estimator_as_it_was_measured(datasets):
    figure = draw("drift_shared_noise", datasets)
    shown = {name.split("/line ")[1]: data for name, data in numbers(figure).items() if "/line " in name}
    at = {"dataset": "ring_mog", "bandwidth_exponent": 0.5}
    cosine = datasets["laplace_alignment"]["cosine"].sel(at)
    same = cosine.sel(estimator="same_sample").median("seed").dropna("dimension")
    # No further than sixteen times the last sampled dimension.
    truth = cosine.sel(estimator="population", seed=0, dimension=slice(None, 16 * 1024))
    np.testing.assert_allclose(shown["same samples for both fields"][:, 1], same)
    np.testing.assert_allclose(shown["the truth: population fields"][:, 1], truth)
    at_last = {"dimension": 1024}
    excess = float(same.sel(at_last) - truth.sel(at_last))
    assert any(text.startswith(f"excess {excess:.2f}") for text in texts(figure))


def test_shared_noise_claims_an_excess_only_where_there_is_one(datasets):
    def honest(dataset):
        names = dataset["estimator"].values
        dataset["cosine"][{"estimator": list(names).index("same_sample")}] = dataset["cosine"].sel(
            estimator="population", seed=0
        )
        return dataset

    assert any("It is not" in text for text in texts(draw("drift_shared_noise", datasets)))
    drawn = texts(draw("drift_shared_noise", datasets, honest))
    assert not any("It is not" in text or "excess" in text for text in drawn)


def test_a_curve_ends_where_some_seeds_have_no_value(datasets):
    def noisy(dataset):
        at = {"estimator": 3, "dimension": 4, "seed": [0, 1, 2]}
        dataset["cosine"][at] = np.nan
        return dataset

    figure = draw("drift_shared_noise", datasets, noisy)
    line = next(data for name, data in numbers(figure).items() if name.endswith("/line cross-fitted"))
    assert np.isnan(line[line[:, 0] == 1024, 1]).all() and np.isfinite(line[line[:, 0] < 1024, 1]).all()
    assert any("without a value in some seeds" in " ".join(text.split()) for text in texts(figure))


def test_alignment_draws_the_predicted_constant_not_a_fitted_one(datasets):
    figure = draw("drift_alignment", datasets, lambda dataset: dataset.assign(relative=dataset["relative"] * 3))
    laws = [data for name, data in numbers(figure).items() if "constant 2/27" in name]
    constants = sorted(
        float(np.median(y / x ** round(np.log(y[1] / y[0]) / np.log(x[1] / x[0])))) for x, y in map(np.transpose, laws)
    )
    np.testing.assert_allclose(constants, [2 / 27 * 0.09, 2 / 27])


def test_low_temperature_limits_are_d_plus_one_and_its_inverse(datasets):
    shown = numbers(draw("drift_low_temperature", datasets))
    for d in (1, 10):
        high = next(data for name, data in shown.items() if name.endswith(f"$d={d}$: $d+1$"))
        low = next(data for name, data in shown.items() if name.endswith(f"$d={d}$: $1/(d+1)$"))
        np.testing.assert_allclose(high[:, 1], d + 1)
        np.testing.assert_allclose(low[:, 1], 1 / (d + 1))


def test_the_angle_is_zero_for_parallel_fields_and_seen_where_they_turn(datasets):
    figure = draw("drift_fields_2d", datasets)
    largest = [text for text in texts(figure) if text.startswith("largest")]
    assert largest[0] == "largest: 0°" and largest[1] == "largest: 45.8°"


def test_a_missing_variable_is_named(datasets):
    spec = importlib.util.spec_from_file_location("fig", ROOT / "figures" / "drift" / "fig_mechanism.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    lacking = datasets["laplace_mechanism"].drop_vars("scale_ratio_theory")
    assert isinstance(module.figure(lacking), Figure)


def test_the_weight_map_and_the_samples_are_those_of_the_stated_smoothing(datasets):
    stored = datasets["closed_form_pictures"]
    cells = [data for name, data in numbers(draw("closed_form_score", datasets)).items() if "/cells" in name]
    for smoothing, data in zip((0.0, 0.5), cells, strict=False):
        np.testing.assert_allclose(data[:, 2], np.ravel(stored["weight"].sel(smoothing=smoothing)))
    shown = numbers(draw("closed_form_samples", datasets))
    for smoothing in (0.0, 0.25, 0.5, 1.5):
        points = next(data for name, data in shown.items() if f"σ = {smoothing:g}/points samples" in name)
        np.testing.assert_allclose(points, stored["samples"].sel(smoothing=smoothing))


def test_the_neighbour_grid_prints_the_mean_error_of_its_own_k_and_l(datasets):
    figure = draw("closed_form_neighbours", datasets)
    mean = datasets["closed_form_neighbour_samples"]["error"].mean("seed")
    printed = {tuple(text.get_position()): text.get_text() for text in figure.axes[0].texts}
    for column, k in enumerate(mean["nearest"].values):
        for row, count in enumerate(mean["remainder"].values):
            assert printed[column, row] == f"{float(mean.sel(nearest=k, remainder=count)):.2g}"
    shown = numbers(figure)
    assert {name.split("line ")[1].split(":")[0] for name in shown if "seeds" in name} == {
        "K = 1, L = 1",
        "K = 15, L = 15",
    }


def test_digits_are_drawn_above_their_own_nearest_training_image(datasets):
    stored = datasets["moment_matched_quality"]["images"].sel(dataset="digits").isel(seed=0)
    walls = [data for name, data in numbers(draw("moment_matched_digits", datasets)).items() if "/cells" in name]
    for wall, smoothing in zip(walls, stored["smoothing"].values, strict=True):
        shown = wall[:, 2].reshape(18, -1)
        for row, kind in enumerate(("sample", "nearest training")):
            for k in (0, 7):
                image = stored.sel(smoothing=smoothing, shown=kind, image=k).values.reshape(8, 8)
                np.testing.assert_allclose(shown[10 * row : 10 * row + 8, 10 * k : 10 * k + 8], image)


def test_mode_masses_are_drawn_beside_the_limit_of_their_own_mode(datasets):
    shown = numbers(draw("moment_matched_modes", datasets))
    masses = datasets["moment_matched_modes"]["masses"].sel(case="plane", n_particles=20).mean("seed").values
    drawn = [data for name, data in shown.items() if "b Plane" in name and data.shape == (2, 2)]
    heights = {round(float(data[0, 1]), 10) for data in drawn if data[0, 1] == data[1, 1]}
    assert {round(float(value), 10) for value in masses} <= heights


def test_generators_stand_at_the_medians_and_against_the_matched_bandwidth(datasets):
    dataset = datasets["generators"]
    figure = draw("drift_generators_digits", datasets)
    lines = {name: data for name, data in numbers(figure).items() if "Laplace, τ" in name}
    (_, scan), (_, collapse) = sorted(lines.items())
    at = dataset.sel(dataset="digits", steps=200)
    medians = np.exp(at["log_ratio"].sel(drift="laplace")).median("seed")
    np.testing.assert_allclose(scan[:, 1], medians)
    np.testing.assert_allclose(collapse[:, 1], medians)
    matched = (at["bandwidth"] / at["distance"]).sel(drift="gaussian_matched").median("seed")
    np.testing.assert_allclose(collapse[:, 0], matched)
    shown = dataset["log_ratio"].sel(dataset="ring", drift="sharp", temperature=0.2)
    ratio = float(np.exp(shown.median()))
    assert f"{ratio:.1f} × floor" in texts(draw("drift_generators", datasets))
