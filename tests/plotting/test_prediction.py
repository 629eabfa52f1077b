"""A figure says of a slope what the verdict says: one rule, one interval, one reason."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from unifiedscore.errors import InputError
from unifiedscore.inference import Inside, Rate
from unifiedscore.plotting import Prediction, plot_scaling
from unifiedscore.plotting.prediction import measured_slope
from unifiedscore.plotting.series import curve
from unifiedscore.study import Claim, Control, Variable, judge

X = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.5])
CONTROL = Control("another slope", test=Rate(3.0, 4.0, along="step"))


def shapes(law):
    """Curves that are the law near zero, near infinity, or exactly."""
    if law == "log":
        return {"zero": 2 + np.log(X) + X, "infinity": 2 + np.log(X) + 0.01 / X, "exact": 2 + np.log(X)}
    return {"zero": X * (1 + X), "infinity": X * (1 + 0.01 / X), "exact": 3 * X}


def dataset_of(values, *, sampled, change=None):
    rng = np.random.default_rng(0)
    if sampled:
        values = values[:, None] + 0.02 * np.abs(values)[:, None] * rng.standard_normal((X.size, 16))
        data = {"y": (("step", "seed"), values), "status": (("step", "seed"), np.zeros(values.shape, np.int8))}
        dataset = xr.Dataset(data, {"step": X, "seed": np.arange(16)}).expand_dims(case=["one"])
    else:
        data = {"y": ("step", values), "y_error": ("step", 1e-4 * np.abs(values))}
        dataset = xr.Dataset(data, {"step": X}).expand_dims(case=["one"])
    return dataset if change is None else change(dataset)


def verdict_of(claim, dataset):
    study = SimpleNamespace(
        name="s",
        claims=(claim,),
        grid=SimpleNamespace(axes={axis: dataset[axis].values.tolist() for axis in ("case", "step")}),
        variables={"y": Variable("Value")},
    )
    return judge(study, dataset)[0]


def claim_of(rate, sampled, **options):
    evidence = "monte_carlo" if sampled else "quadrature"
    control = Control("far", test=replace(rate, low=300.0, high=400.0)) if isinstance(rate, Rate) else CONTROL
    return Claim("s.rate", "The slope is one.", "derived", evidence, "y", rate, control=control, **options)


def lose(dataset):
    dataset["y"][0, 2] = np.nan
    return dataset


def lose_all(dataset):
    dataset["y"][0, 2] = np.nan
    dataset["status"][0, 2] = 2
    return dataset


def skip_label(dataset):
    dataset["y"][0, 5] = np.nan
    dataset["status"][0, 5] = 1
    return dataset


def skip_seeds(dataset):
    dataset["y"][0, :, :4] = np.nan
    dataset["status"][0, :, :4] = 1
    return dataset


def lose_error(dataset):
    dataset["y_error"][0, 2] = np.nan
    return dataset


CASES = [
    (law, shape, toward, sampled, None)
    for law in ("power", "log")
    for shape in ("zero", "infinity", "exact")
    for toward in ("zero", "infinity")
    for sampled in (True, False)
] + [
    ("power", "zero", "zero", True, change) for change in (lose, lose_all, skip_label, skip_seeds)
] + [("power", "zero", "zero", False, change) for change in (lose, lose_error)]  # fmt: skip


@pytest.mark.parametrize(("law", "shape", "toward", "sampled", "change"), CASES)
@pytest.mark.parametrize("region", [(0.9, 1.1), (-np.inf, 1.05), (0.2, 0.6)])
def test_the_slope_of_a_figure_is_that_of_the_verdict(law, shape, toward, sampled, change, region):
    dataset = dataset_of(shapes(law)[shape], sampled=sampled, change=change)
    rate = Rate(*region, along="step", law=law, toward=toward)
    claim = claim_of(rate, sampled)
    verdict = verdict_of(claim, dataset)
    drawn = curve(dataset, "y", "step")
    for found in (
        measured_slope(drawn, "step", Prediction.of(rate)),
        measured_slope(drawn, "step", Prediction.of(claim), claim, dataset),
    ):
        ends = verdict.estimate, verdict.interval["low"], verdict.interval["high"]
        shown = found.value, found.low, found.high
        if found.kind == "none":
            assert all(np.isnan(end) for end in ends[1:]), verdict.reason
            assert verdict.outcome == "inconclusive" and found.reason
        else:
            np.testing.assert_array_equal(ends, shown)
            assert verdict.control_outcome != "refuted" or found.reason in verdict.reason


def test_a_claim_of_several_cells_is_drawn_at_its_divided_level():
    one = dataset_of(shapes("power")["exact"], sampled=True)
    dataset = xr.concat([one, one.assign_coords(case=["two"])], dim="case")
    claim = claim_of(Rate(0.9, 1.1, along="step"), True)
    verdict = verdict_of(claim, dataset)
    drawn = curve(dataset, "y", "step", where={"case": "two"})
    found = measured_slope(drawn, "step", Prediction.of(claim), claim, dataset)
    assert (found.low, found.high) == (verdict.interval["low"], verdict.interval["high"])
    alone = measured_slope(drawn, "step", Prediction.of(claim))
    assert found.low < alone.low and found.high > alone.high


def test_a_claim_fixes_the_labels_that_it_is_about():
    dataset = dataset_of(shapes("power")["zero"], sampled=True)
    claim = claim_of(Rate(0.9, 1.1, along="step"), True, where={"step": slice(None, 0.1)})
    verdict = verdict_of(claim, dataset)
    ax = plot_scaling(dataset, "y", "step", prediction=claim)
    assert ax.lines[0].get_xdata().max() == 0.1
    low, high = verdict.interval["low"], verdict.interval["high"]
    assert (
        f"y: slope {verdict.estimate:.3g} [{low:.3g}, {high:.3g}] (pre-asymptotic)" in ax.get_legend_handles_labels()[1]
    )


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_law_toward_zero_is_anchored_and_fitted_at_its_own_end():
    dataset = dataset_of(shapes("power")["zero"], sampled=False)
    ax = plot_scaling(dataset, "y", "step", prediction=Rate(0.8, 1.2, along="step", toward="zero"))
    x, y = ax.lines[1].get_data()
    np.testing.assert_allclose(y, x * 1.01)  # through the smallest step, whose value is 0.01 * 1.01
    estimate = Rate(0.8, 1.2, along="step", toward="zero").estimate(
        dataset["y"].values[0], x=X, error=dataset["y_error"].values[0]
    )
    assert f"y: slope {estimate.value:.3g} [{estimate.low:.3g}, {estimate.high:.3g}]" in legend(ax)
    assert "claimed: slope 1 [0.8, 1.2]" in legend(ax)
    ax = plot_scaling(dataset, "y", "step", prediction=Prediction(1.0, low=0.8, high=1.2, toward="zero", start=0.1))
    assert ax.lines[1].get_xdata().max() == pytest.approx(1.6 * 0.1)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), ax.lines[1].get_xdata() * 1.01)


def test_the_legend_gives_the_reason_of_the_judge():
    dataset = dataset_of(shapes("power")["zero"], sampled=False)
    rate = Rate(0.8, 1.2, along="step", toward="infinity")
    assert rate.estimate(dataset["y"].values[0], x=X, error=dataset["y_error"].values[0]).reason
    (text,) = [text for text in legend(plot_scaling(dataset, "y", "step", prediction=rate)) if text.startswith("y:")]
    assert text.endswith("(pre-asymptotic)")
    few = dataset.isel(step=slice(0, 3))
    assert "y: no slope (too few points)" in legend(plot_scaling(few, "y", "step", prediction=rate))


def test_a_logarithmic_law_is_a_straight_line_on_a_linear_axis():
    dataset = dataset_of(shapes("log")["exact"], sampled=False)
    ax = plot_scaling(dataset, "y", "step", prediction=Rate(0.9, 1.1, along="step", law="log"))
    assert ax.get_xscale() == "log" and ax.get_yscale() == "linear"
    np.testing.assert_allclose(ax.lines[1].get_ydata(), 2 + np.log(ax.lines[1].get_xdata()))
    np.testing.assert_allclose(ax.figure.axes[1].lines[0].get_ydata(), 1.0)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (-np.inf, -0.9, "claimed: slope at most \N{MINUS SIGN}0.9"),
        (0.5, np.inf, "claimed: slope at least 0.5"),
        (0.8, 1.2, "claimed: slope 1 [0.8, 1.2]"),
    ],
)
def test_the_region_of_a_rate_is_told_by_the_legend(low, high, text):
    assert Prediction.of(Rate(low, high, along="step")).text == text


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        (Rate(0.8, 1.2, along="dimension"), "along 'dimension'"),
        (Inside(0.8, 1.2), "whose test is a Rate"),
        (claim_of(Inside(0.8, 1.2), True), "whose test is a Rate"),
        (-1.0, "a Prediction, of a Rate or of a Claim"),
        (
            Claim("s.z", "Z.", "derived", "quadrature", "z", Rate(0.8, 1.2, along="step"), control=CONTROL),
            "about 'z'; the curve shows 'y'",
        ),
        (claim_of(Rate(0.8, 1.2, along="step"), False, minus={"case": "one"}), "difference of cells"),
    ],
)
def test_a_prediction_about_something_else_is_refused(prediction, message):
    with pytest.raises(InputError, match=message):
        plot_scaling(dataset_of(X, sampled=False), "y", "step", prediction=prediction)
