import warnings

import numpy as np
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.inference import Inside, Rate
from unifiedscore.plotting import Prediction, plot_scaling
from unifiedscore.plotting.export import numbers
from unifiedscore.plotting.ranking import plot_ranking
from unifiedscore.plotting.scaling import local_slopes
from unifiedscore.plotting.series import curve, has, pick

D = np.array([4, 16, 64, 256, 1024])


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    exact = 3.0 / D
    sampled = exact[:, None] * np.exp(0.1 * rng.standard_normal((5, 16)))
    data = {
        "exact": ("dimension", exact, {"long_name": "Relative error", "symbol": "e", "units": "1"}),
        "exact_error": ("dimension", 0.01 * exact),
        "sampled": (("method", "dimension", "seed"), np.stack([sampled, 2 * sampled])),
        "floor": ("dimension", np.full(5, 0.01)),
    }
    return xr.Dataset(data, {"dimension": D, "method": ["one", "two"], "seed": np.arange(16)})


def named(ax, ending):
    return next(data for name, data in numbers(ax.figure).items() if name.endswith(ending))


def test_both_panels_show_what_was_measured_and_what_was_predicted(dataset):
    ax = plot_scaling(dataset, "exact", "dimension", prediction=Prediction(-1.0, low=-1.05, high=-0.95))
    upper, lower = ax.figure.axes
    assert ax is upper and ax.get_xscale() == ax.get_yscale() == "log"
    line, law = ax.lines
    np.testing.assert_allclose(line.get_ydata(), 3.0 / D)
    x, y = law.get_data()
    np.testing.assert_allclose(y, 3.0 / x)
    np.testing.assert_allclose(lower.lines[0].get_ydata(), -1.0)
    assert ax.get_ylabel() == "Relative error, $e$" and lower.get_ylabel() == "local slope"


def test_a_predicted_constant_is_not_anchored_at_the_data(dataset):
    ax = plot_scaling(dataset, "exact", "dimension", prediction=Prediction(-1.0, constant=6.0), beneath="ratio")
    x, y = ax.lines[1].get_data()
    np.testing.assert_allclose(y, 6.0 / x)
    np.testing.assert_allclose(ax.figure.axes[1].lines[0].get_ydata(), 0.5)


def test_the_band_is_the_interval_of_inference(dataset):
    ax = plot_scaling(dataset, "sampled", "dimension", where={"method": "two"})
    values = dataset["sampled"].sel({"method": "two"}).values
    band = named(ax, "band sampled: 99 % t interval, 16 seeds")
    for x, row in zip(D, values, strict=True):
        estimate = Inside(-np.inf, 0.0).estimate(row, level=0.99)
        at = np.unique(band[band[:, 0] == x, 1])
        np.testing.assert_allclose([at[0], at[-1]], [estimate.low, estimate.high])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.median(values, axis=1))
    assert len(named(ax, "points sampled: seeds")) == 5 * 16


def test_the_legend_gives_the_slope_that_judges_claims(dataset):
    law = Prediction(-1.0, low=-1.2, high=-0.8)
    ax = plot_scaling(dataset, "sampled", "dimension", where={"method": "one"}, prediction=law)
    estimate = Rate(-1.2, -0.8, along="dimension").estimate(dataset["sampled"].values[0], x=D, level=0.99)
    shown = [text.get_text().replace("\N{MINUS SIGN}", "-") for text in ax.get_legend().get_texts()]
    assert f"sampled: slope {estimate.value:.3g} [{estimate.low:.3g}, {estimate.high:.3g}]" in shown
    assert "predicted: slope -1 [-1.2, -0.8]" in shown


def test_shades_and_floor_leave_the_view_to_the_data(dataset):
    plain = plot_scaling(dataset, "exact", "dimension")
    ax = plot_scaling(dataset, "exact", "dimension", floor="floor", region=(0.0, 0.5))
    assert ax.get_ylim()[1] == pytest.approx(plain.get_ylim()[1])
    assert ax.get_ylim()[0] > 1e-4
    (shade,) = ax.patches
    assert shade.get_y() == 0.5 and shade.get_label() == "refutes the claim"
    assert named(ax, "band noise floor")[:, 1].max() == pytest.approx(0.01)


def test_given_axes_are_drawn_on_and_returned_and_a_second_call_adds_a_curve(dataset):
    ax = Figure().add_subplot()
    assert plot_scaling(dataset, "exact", "dimension", ax=ax) is ax
    assert plot_scaling(dataset, "sampled", "dimension", ax=ax, where={"method": "one"}) is ax
    assert len(ax.lines) == 2 and len(ax.figure.axes) == 1


def test_seeds_without_a_value_end_the_curve_rather_than_bias_it(dataset):
    dataset["status"] = xr.zeros_like(dataset["sampled"], dtype=np.int8)
    dataset["sampled"][0, 3, :4] = np.nan
    drawn = curve(dataset, "sampled", "dimension", where={"method": "one"})
    assert drawn.undefined.tolist() == [0, 0, 0, 4, 0]
    assert np.isnan(drawn.median[3]) and np.isnan(drawn.low[3]) and np.isfinite(np.delete(drawn.median, 3)).all()
    dataset["status"][0, 3, :4] = 1  # skipped by the study: fewer seeds, no bias
    drawn = curve(dataset, "sampled", "dimension", where={"method": "one"})
    assert np.isfinite(drawn.median).all() and drawn.seeds.tolist() == [16, 16, 16, 12, 16]


def test_local_slopes_stand_between_their_points(dataset):
    x, slopes = local_slopes(curve(dataset, "exact", "dimension"))
    np.testing.assert_allclose(x, np.sqrt(D[1:] * D[:-1]))
    np.testing.assert_allclose(slopes, -1.0)


def test_picking_ignores_axes_that_are_not_there_and_names_labels_that_are_not(dataset):
    assert pick(dataset, {"kernel": "laplace", "method": "one"}).sizes == {"dimension": 5, "seed": 16}
    with pytest.raises(UnknownNameError, match="three"):
        pick(dataset, {"method": "three"})
    assert has(dataset, "sampled", {"method": "two"}) and not has(dataset, "sampled", {"method": "three"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variable": "exakt"}, "exact"),
        ({"variable": "sampled"}, "method"),
        ({"along": "bandwidth"}, "bandwidth"),
        ({"beneath": "ratio"}, "prediction"),
        ({"beneath": "residual"}, "slopes"),
    ],
)
def test_what_cannot_be_drawn_is_said(dataset, arguments, message):
    with pytest.raises(InputError, match=message):
        plot_scaling(**({"dataset": dataset, "variable": "exact", "along": "dimension"} | arguments))


def test_a_variable_without_positive_values_has_no_logarithm(dataset):
    with pytest.raises(InputError, match="no positive value"):
        plot_scaling(dataset.assign(exact=-dataset["exact"]), "exact", "dimension")


def test_a_prediction_lies_in_its_own_region():
    with pytest.raises(InputError, match="must lie in its region"):
        Prediction(-1.0, low=-0.5, high=0.0)


def four(dataset, **options):
    ax = None
    for method, end in (("one", -0.8), ("two", -0.8), ("one", -0.7), ("two", -0.7)):
        law = Prediction(-1.0, low=-1.2, high=end)
        ax = plot_scaling(dataset, "sampled", "dimension", where={"method": method}, ax=ax, prediction=law, **options)
    return ax


def test_many_curves_share_one_legend_that_says_everything_once(dataset):
    ax = four(dataset)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(texts) == len(set(texts)) == 4 - 2 + 2 + 3  # equal curves stand there once; laws; dots, band, region
    assert sum(text.startswith("sampled, method one: slope") for text in texts) == 1
    assert sum(text.startswith("predicted: slope") for text in texts) == 2
    assert texts.count("each seed") == texts.count("99 % t interval, 16 seeds") == 1


def test_the_legend_of_a_figure_of_its_own_covers_no_data(dataset):
    ax = four(dataset)
    FigureCanvasAgg(ax.figure).draw()
    legend, panel = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert legend.x0 >= panel.x1 and legend.x1 <= ax.figure.bbox.x1


def test_the_second_curve_is_drawn_beneath_as_well_and_in_a_look_of_its_own(dataset):
    ax = four(dataset)
    upper, lower = ax.figure.axes
    assert ax is upper
    slopes = [line for line in lower.lines if len(line.get_xdata()) == len(D) - 1]
    curves = [line for line in upper.lines if len(line.get_xdata()) == len(D)]
    laws = [line for line in upper.lines if len(line.get_xdata()) == 2]
    assert len(slopes) == len(curves) == len(laws) == 4
    for kind in (slopes, curves):
        assert len({line.get_color() for line in kind}) == len({line.get_marker() for line in kind}) == 4
    assert len({line.get_color() for line in laws}) == 4
    low, high = lower.get_ylim()
    assert all(low < value < high for line in slopes for value in line.get_ydata())


def test_one_region_is_shaded_once_and_several_are_not_shaded_over_each_other(dataset):
    law = Prediction(-1.0, low=-1.2, high=-0.8)
    ax = None
    for method in ("one", "two"):
        ax = plot_scaling(dataset, "sampled", "dimension", where={"method": method}, ax=ax, prediction=law)
    lower = ax.figure.axes[1]
    assert [patch.get_label() for patch in lower.patches] == ["refutes the claim"] * 2
    bands = four(dataset).figure.axes[1].patches
    assert [patch.get_label() for patch in bands] == ["allowed by the claim, in the colour of its curve"] * 2
    assert sorted(round(patch.get_y() + patch.get_height(), 9) for patch in bands) == [-0.8, -0.7]
    assert len({patch.get_facecolor() for patch in bands}) == 2


def overlapping(axis):
    FigureCanvasAgg(axis.figure).draw()
    boxes = [label.get_window_extent() for label in axis.get_ticklabels(which="both") if label.get_text()]
    boxes = [box for box in boxes if box.width and axis.axes.get_window_extent().expanded(1.5, 1.5).overlaps(box)]
    return [(a, b) for k, a in enumerate(boxes) for b in boxes[k + 1 :] if a.overlaps(b)], len(boxes)


@pytest.mark.parametrize("first", [0.0003, 1.0, 200.0, 3e5])
@pytest.mark.parametrize("ratio", [1.2, 2.0, 4.0, 30.0])
def test_tick_labels_do_not_touch(first, ratio):
    x = first * ratio ** np.arange(5)
    data = xr.Dataset({"y": ("x", 1 / x)}, {"x": x})
    upper, lower = plot_scaling(data, "y", "x", prediction=Prediction(-1.0, low=-1.1, high=-0.9)).figure.axes
    for axis in (upper.yaxis, lower.xaxis, lower.yaxis):
        touching, count = overlapping(axis)
        assert not touching and count >= 2


def test_curves_on_axes_of_ones_own_have_a_panel_beneath_after_it_was_named_once(dataset):
    ax, lower = Figure().subplots(2, 1)
    plot_scaling(dataset, "exact", "dimension", ax=ax, lower=lower)
    plot_scaling(dataset, "sampled", "dimension", ax=ax, where={"method": "one"})
    assert len(lower.lines) == 2


def test_curves_that_were_removed_are_forgotten(dataset):
    ax = plot_scaling(dataset, "exact", "dimension")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # matplotlib 3.9 warns when it clears logarithmic axes that share their x
        ax.clear()
    plot_scaling(dataset, "sampled", "dimension", ax=ax, where={"method": "one"})
    assert not any(text.get_text().startswith("exact") for text in ax.get_legend().get_texts())


@pytest.mark.parametrize(("transform", "of"), [("none", "mean"), ("log", "geometric_mean")])
def test_intervals_over_seeds_are_taken_in_the_transform_of_the_claim(dataset, transform, of):
    ax = plot_scaling(dataset, "sampled", "dimension", where={"method": "one"}, transform=transform)
    band = named(ax, "band sampled: 99 % t interval, 16 seeds")
    ranking = plot_ranking(dataset, "sampled", "dimension", where={"method": "one"}, transform=transform)
    for x, row, bar in zip(D, dataset["sampled"].values[0], ranking.containers, strict=True):
        estimate = Inside(-np.inf, 0.0, transform=transform, of=of).estimate(row, level=0.99)
        np.testing.assert_allclose(np.ptp(band[band[:, 0] == x, 1]), estimate.high - estimate.low)
        ends = bar.lines[2][0].get_segments()[0][:, 0]
        np.testing.assert_allclose(ends, [estimate.low, estimate.high])
