"""A monitor measures what `diagnose` measures, disturbs nothing and keeps to its share of the time."""

import time

import numpy as np
import pytest

import unifiedscore as us

torch = pytest.importorskip("torch")
import unifiedscore.torch as ust  # noqa: E402

KERNEL = us.Laplace(bandwidth=1.0)
DATA = torch.tensor(np.random.default_rng(0).normal(1.0, 1.0, (300, 2)))
MODEL = torch.tensor(np.random.default_rng(1).normal(0.0, 1.0, (300, 2)))


def test_a_row_is_a_diagnosis_of_the_samples():
    monitor = ust.DriftMonitor(DATA, KERNEL, every=1, size=1000)
    row = monitor(0, MODEL)
    found = us.diagnose(DATA, MODEL, kernel=KERNEL, max_queries=100)
    # The monitor shuffles its samples, so that queries and folds are others.
    assert float(row.drift_energy[0]) == pytest.approx(float(found.drift_energy[0]), rel=0.3)
    assert float(row.cross_fitted_cosine[0]) > 0.9 and float(row.curl_share[0]) < 0.2
    assert row.drift_energy.attrs["long_name"]


def test_it_measures_every_so_many_steps_and_calls_back():
    seen = []
    monitor = ust.DriftMonitor(DATA, KERNEL, every=5, on_measure=lambda step, row: seen.append((step, row)))
    rows = [monitor(step, MODEL) for step in range(11)]
    assert [step for step, row in enumerate(rows) if row is not None] == [0, 5, 10] == [step for step, _ in seen]
    assert monitor.dataset().step.values.tolist() == [0, 5, 10]


def test_energy_falls_as_the_generator_arrives():
    monitor = ust.DriftMonitor(DATA, KERNEL, every=1)
    for step, way in enumerate((0.0, 0.5, 0.9)):
        monitor(step, MODEL + way)
    energy = monitor.dataset().drift_energy.values
    assert energy[0] > 2 * energy[1] > 0 and energy[1] > energy[2]


def train(monitor=None):
    torch.manual_seed(0)
    generator = torch.nn.Linear(2, 2, dtype=torch.float64)
    optimiser = torch.optim.SGD(generator.parameters(), lr=0.1)
    for step in range(5):
        samples = generator(torch.randn(100, 2, dtype=torch.float64))
        if monitor is not None:
            monitor(step, samples)
        loss = ust.drift_loss(samples, ust.Drift(KERNEL, target=DATA, model=samples.detach()))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return generator.weight.detach()


def test_training_takes_the_same_course_with_it_and_without_it():
    torch.testing.assert_close(train(ust.DriftMonitor(DATA, KERNEL, every=1)), train(), rtol=0, atol=0)


def test_the_same_seed_gives_the_same_numbers():
    first, second = (ust.DriftMonitor(DATA, KERNEL, every=1, seed=3)(7, MODEL) for _ in range(2))
    assert first.identical(second)


def test_without_a_number_of_steps_it_keeps_to_its_share(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monitor = ust.DriftMonitor(DATA, KERNEL, share=0.1)

    def slow(step, samples):
        now[0] += 1.0
        return us.diagnose(DATA[:80], MODEL[:80], kernel=KERNEL)[["drift_energy"]].isel(bandwidth=0).expand_dims("step")

    monkeypatch.setattr(type(monitor), "_measure", lambda self, step, samples: slow(step, samples))
    measured = 0
    for step in range(1000):
        now[0] += 0.1
        measured += monitor(step, MODEL) is not None
    assert 9 <= measured <= 12  # of 100 seconds of training, a tenth


def test_it_takes_float32_tensors_and_arrays():
    found = [ust.DriftMonitor(DATA, KERNEL, every=1)(0, given) for given in (MODEL.float(), MODEL.numpy())]
    assert float(found[0].drift_energy[0]) == pytest.approx(float(found[1].drift_energy[0]), rel=1e-5)


def test_its_figure_shows_the_numbers():
    from unifiedscore.plotting import plot_monitor

    monitor = ust.DriftMonitor(DATA, KERNEL, every=1)
    for step in range(3):
        monitor(step, MODEL + step / 3)
    figure = plot_monitor(monitor.dataset())
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), monitor.dataset().drift_energy.values)
    labels = [text.get_text() for ax in figure.axes for text in ax.get_legend().get_texts()]
    assert "same samples: shared noise" in labels and "cross-fitted" in labels


COLLAPSED = torch.full_like(MODEL, 0.25)
PART = torch.cat([MODEL[:-1], torch.full((1, 2), torch.nan)])
LOST = {
    "nan": (MODEL * torch.nan, "300 of 300 samples are not finite"),
    "infinite": (MODEL * torch.inf, "300 of 300 samples are not finite"),
    "overflowing": (MODEL * 1e300, "samples are not finite, or beyond"),
    "one of them": (PART, "1 of 300 samples are not finite"),
    "array": (PART.numpy(), "1 of 300 samples are not finite"),
    "collapsed": (COLLAPSED, "300 copies of one point"),
}


@pytest.mark.parametrize("name", LOST)
def test_a_generator_that_breaks_gives_a_row_that_says_so_and_training_goes_on(name):
    samples, reason = LOST[name]
    seen = []
    monitor = ust.DriftMonitor(DATA, KERNEL, every=1, on_measure=lambda step, row: seen.append(row))
    before, row, after = (monitor(step, given) for step, given in enumerate((MODEL, samples, MODEL)))
    assert len(seen) == 3 and seen[1] is row and reason in row.attrs["reason"]
    assert set(row.variables) == set(before.variables) and "reason" not in after.attrs
    values = {variable: row[variable].values for variable in row.data_vars if variable != "drift_energy"}
    assert all(np.isnan(value).all() for value in values.values())
    assert np.isnan(row.drift_energy[0]) == (name != "collapsed")
    found = monitor.dataset()
    assert reason in found.attrs["reasons"] and found.attrs["reasons"].startswith("step 1: ")
    np.testing.assert_array_equal(np.isnan(found.cross_fitted_cosine), [False, True, False])


def test_the_energy_of_a_collapsed_generator_is_the_limit_of_a_narrow_one():
    narrow = COLLAPSED + 1e-6 * MODEL
    collapsed, near = (ust.DriftMonitor(DATA, KERNEL, every=1)(0, given) for given in (COLLAPSED, narrow))
    assert "reason" in collapsed.attrs and "reason" not in near.attrs
    assert float(collapsed.drift_energy[0]) == pytest.approx(float(near.drift_energy[0]), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": "laplace"}, "kernel must be a kernel"),
        ({"target": DATA[:10]}, "target must hold at least 60 samples"),
        ({"target": DATA[:, 0]}, "target must be a two-dimensional tensor"),
        ({"target": DATA * torch.nan}, "target must be finite"),
        ({"target": torch.ones(300, 2)}, "target holds 300 copies of one point"),
        ({"every": 0}, "every"),
        ({"share": 1.5}, "share must be below 1"),
        ({"size": 3}, "size"),
        ({"on_measure": 3}, "on_measure must be a function"),
    ],
)
def test_malformed_monitors_are_refused_by_name(options, message):
    with pytest.raises(us.UnifiedScoreError, match=message):
        ust.DriftMonitor(**({"target": DATA, "kernel": KERNEL} | options))


def test_malformed_steps_and_samples_are_refused_by_name():
    monitor = ust.DriftMonitor(DATA, KERNEL, every=1)
    for arguments, message in (((-1, MODEL), "step"), ((0, MODEL[:, :1]), "samples must have dimension 2"),
                               ((0, MODEL[:9]), "at least 60 samples")):  # fmt: skip
        with pytest.raises(us.UnifiedScoreError, match=message):
            monitor(*arguments)
    with pytest.raises(us.UnifiedScoreError, match="nothing was measured"):
        monitor.dataset()
