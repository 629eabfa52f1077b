"""Diagnoses of networks whose answer is known: analytic denoisers, each taken for what it is and for nothing else."""

import io
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr

import unifiedscore as us
from unifiedscore import cli
from unifiedscore.errors import InputError
from unifiedscore.learned import (
    DensitySmoothedDenoiser,
    GaussianDenoiser,
    ScoreSmoothedDenoiser,
    WiderKernelDenoiser,
    train_denoiser,
)
from unifiedscore.learned.diagnosis import _at_level, _copy_shares, _interval
from unifiedscore.learned.diagnosis_advice import _memory
from unifiedscore.learned.diagnosis_command import print_score_diagnosis
from unifiedscore.measures import as_samples
from unifiedscore.plotting.score_diagnosis import score_diagnosis_figure

LAW = us.GaussianMixture([[1.5, 0.0], [-1.5, 0.5]], 0.15)
DATA = LAW.sample(16, np.random.default_rng(0))
NOISE = np.random.default_rng(5).standard_normal((120, 2))
NOISE = np.concatenate([NOISE, -NOISE])
IMPOSTORS = {
    "score": lambda x, h: ScoreSmoothedDenoiser(DATA, h, 0.3, noise=NOISE)(x),
    "kernel": lambda x, h: WiderKernelDenoiser(DATA, h, 2.0)(x),
    "density": lambda x, h: DensitySmoothedDenoiser(DATA, h, 0.4)(x),
    "gaussian": lambda x, h: GaussianDenoiser(DATA, h)(x),
}


def memory(x, h):
    return us.Barycenter(us.Gaussian(h), DATA)(x) + 1e-3


def diagnose(network, **options):
    return us.diagnose_score(network, DATA, **{"levels": [0.25], "queries": 20} | options)


@pytest.mark.slow
@pytest.mark.parametrize("name", IMPOSTORS)
def test_an_impostor_is_taken_for_what_it_is(name):
    found = diagnose(IMPOSTORS[name])
    shares = {other: found[f"{other}_share"].values for other in IMPOSTORS}
    assert (shares[name] > 0.9).all()
    rivals = [other for other in IMPOSTORS if other != name]
    assert all((shares[other] < shares[name] - 0.01).all() for other in rivals)
    words = {
        "score": "smoothed empirical score",
        "kernel": "more noise",
        "density": "kernel density",
        "gaussian": "two",
    }
    assert words[name] in found.attrs["advice"].splitlines()[0]
    if name == "score":
        np.testing.assert_allclose(found["effective_smoothing"], 0.3, atol=0.04)
    if name == "density":
        np.testing.assert_allclose(found["effective_bandwidth"], 0.4, atol=1e-3)
    if name == "gaussian":
        np.testing.assert_allclose(found["memorised_share"], 0.0, atol=1e-12)


def test_memory_is_called_memory_and_its_samples_are_copies():
    found = diagnose(memory)
    assert (found["memorised_share"] > 0.99).all()
    text = found.attrs["advice"]
    assert "its memory" in text and "more than half of the way" in text and "it copies" in text
    assert found["copies"] > 0.9 and found["excess_copies_low"] > 0.5
    # Nothing of that for a smooth estimate of the density, whose samples lie between the points.
    smooth = diagnose(IMPOSTORS["density"])
    assert "copies" not in smooth.attrs["advice"] or "no sign of copying" in smooth.attrs["advice"]
    assert (smooth["memorised_share"] < 0.6).all()


@pytest.mark.slow
def test_distances_to_the_truth_are_those_of_the_split():
    exact = lambda x, h: x + h**2 * LAW.smoothed(h**2).score(x)  # noqa: E731
    found = diagnose(exact, truth=LAW)
    np.testing.assert_allclose(found["truth_error"], 0.0, atol=1e-15)
    np.testing.assert_allclose(found["memory_error"], 1.0, rtol=1e-12)
    assert "generalises: it is nearer" in found.attrs["advice"]
    points = diagnose(exact, truth=LAW.sample(5000, np.random.default_rng(1)))
    assert (points["truth_error"] < 0.1).all()
    assert "does not generalise" in diagnose(memory, truth=LAW).attrs["advice"]
    fresh = diagnose(exact, truth=LAW, law="fresh")
    assert fresh.attrs["query_law"] == "fresh" and (fresh["memory_error"] == fresh["memory_error"]).all()


def test_the_curl_share_is_that_of_a_known_rotation():
    """D = a x + w M x with M antisymmetric: the share is w^2 |M|^2 / (a^2 d + w^2 |M|^2)."""
    torch = pytest.importorskip("torch")
    turn = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    network = us.LearnedDenoiser(lambda u, h: 0.7 * u + 0.2 * u @ turn.T, dimension=2, parametrisation="denoiser")
    found = diagnose(network)
    np.testing.assert_allclose(found["curl_share"], 0.04 / (0.49 + 0.04), rtol=1e-12)
    assert "rotation" in found.attrs["advice"] and "--energy" in found.attrs["advice"]
    straight = us.LearnedDenoiser(lambda u, h: 0.7 * u, dimension=2, parametrisation="denoiser")
    np.testing.assert_allclose(diagnose(straight)["curl_share"], 0.0, atol=1e-20)
    assert "curl_share" not in diagnose(IMPOSTORS["kernel"])


@pytest.mark.slow
def test_intervals_hold_and_shrink_with_the_queries():
    few, many = (diagnose(IMPOSTORS["kernel"], queries=n) for n in (10, 200))
    for name in ("score_share", "density_share", "memorised_share"):
        ends = [(float(found[f"{name}_low"][0]), float(found[f"{name}_high"][0])) for found in (few, many)]
        assert ends[1][1] - ends[1][0] < 0.6 * (ends[0][1] - ends[0][0])
        assert ends[0][0] < many[name][0] < ends[0][1]
    assert few["density_share"].attrs["long_name"] == "share of the smoothed density"


def test_an_interval_of_the_smoothing_covers_the_noise_that_it_is_measured_with():
    """Over seeds the error of the draws that smooth the score moves the estimate; intervals reach the mean."""
    found = [
        _interval(_at_level(IMPOSTORS["density"], as_samples(DATA), 0.25, None, as_samples(DATA), "training", 60,
                            np.random.default_rng([9, seed]))["effective_smoothing"])
        for seed in range(5)
    ]  # fmt: skip
    middle = np.mean([mean for mean, *_ in found])
    assert all(low < middle < high for _, low, high in found)


@pytest.mark.parametrize(("m", "d"), [(8, 1), (60, 1), (60, 2)])
def test_an_honest_sampler_is_not_charged_with_copies(m, d):
    """Samples of the law itself: at most one interval in fifty excludes zero on either side (0.5 % are meant to)."""
    rng, false = np.random.default_rng([m, d]), np.zeros(2)
    for _ in range(600):
        found = _copy_shares(rng.normal(size=(1000, d)), rng.normal(size=(m, d)))
        assert -1 <= found["excess_copies_low"] <= found["excess_copies_high"] <= 1
        false += found["excess_copies_low"] > 0, found["excess_copies_high"] < 0
    # A rate of .75 % has 4.5 of 600 on average and 12 with probability .002; without the sizes it is 30.
    assert (false < 12).all()


def test_the_interval_of_the_excess_is_the_formula_that_is_written_down():
    """Three of four samples at x = 0 of the points 0, 1, 2, ...; no point is a copy of another."""
    points, samples = np.arange(10.0)[:, None], np.array([[0.0], [0.1], [4.2], [4.5]])
    found = _copy_shares(samples, points)
    p, q = 4 / 6, 1 / 12
    reach = 2.5758293035489004 * np.sqrt(p * (1 - p) / 6 + 2 * q * (1 - q) / 12)
    assert (found["copies"], found["chance_copies"], found["excess_copies"]) == (0.75, 0.0, 0.75)
    assert found["excess_copies_low"] == pytest.approx(p - q - reach, abs=1e-12)
    assert found["excess_copies_high"] == min(1.0, p - q + reach)


@pytest.mark.parametrize("weights", [None, "zero"])
def test_points_that_occur_twice_or_weigh_nothing_do_not_hide_copies(weights):
    rng = np.random.default_rng(0)
    once = rng.normal(size=(30, 2))
    more = once if weights is None else once + 1e-3
    data = us.Samples(np.concatenate([once, more]), None if weights is None else np.repeat([1.0, 0.0], 30))
    copier = lambda x, h: 0.98 * us.Barycenter(us.Gaussian(h), us.Samples(once))(x) + 0.02 * x  # noqa: E731
    found, plain = (us.diagnose_score(copier, given, levels=[0.2], queries=5) for given in (data, once))
    assert found["copies"] > 0.9 and found["excess_copies_low"] > 0.5
    assert found["chance_copies"] == plain["chance_copies"]


def test_copies_of_two_different_points_are_not_counted():
    data = np.repeat([[0.0, 0.0], [1.0, 1.0]], 5, axis=0)
    found = us.diagnose_score(lambda x, h: 0.5 * x, data, levels=[0.3], queries=5)
    assert np.isnan([found[name] for name in ("copies", "chance_copies", "excess_copies", "excess_copies_low")]).all()
    assert "fewer than three different points" in found.attrs["advice"]


@pytest.mark.parametrize("truth", [DATA, DATA[::-1], np.concatenate([DATA, DATA]), DATA[:, ::-1][:, ::-1] + 0.0])
def test_the_training_set_is_not_a_truth(truth):
    with pytest.raises(InputError, match="not seen, or the law; it equals the training set"):
        diagnose(IMPOSTORS["density"], truth=truth)


@pytest.mark.parametrize("ends", [(5.0, 50.0), (1e-4, 1e-3), (20.0, 30.0), (0.01, 0.02), (0.3, 0.9)])
def test_default_levels_rise_within_those_of_the_training(ends):
    class Trained:
        levels = ends
        seen: ClassVar[list] = []

        def __call__(self, x, h):
            self.seen.append(h)
            return GaussianDenoiser(DATA, h)(x) + 0.01

    found = us.diagnose_score(Trained(), DATA, queries=5)
    levels = found["level"].values
    assert (np.diff(levels) > 0).all() and len(levels) == 6
    # The last step of the sampler goes to zero, at which no network is asked.
    asked = np.array([h for h in Trained.seen if h > 0])
    assert asked.min() >= ends[0] * (1 - 1e-9) and asked.max() <= ends[1] * (1 + 1e-9)


@pytest.mark.slow
def test_equal_seeds_are_equal_and_units_do_not_matter():
    one, other = diagnose(IMPOSTORS["density"], seed=4), diagnose(IMPOSTORS["density"], seed=4)
    assert one.identical(other)
    large = us.diagnose_score(
        lambda x, h: 100 * IMPOSTORS["density"](x / 100, h / 100), 100 * DATA, levels=[25.0], queries=20, seed=4
    )
    for name in ("score_share", "gaussian_share", "memorised_share", "kernel_share"):
        np.testing.assert_allclose(large[name], one[name], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(large["effective_bandwidth"], 100 * one["effective_bandwidth"], rtol=1e-3)


def test_the_picture_shows_every_share():
    figure = score_diagnosis_figure(diagnose(IMPOSTORS["density"]))
    labels = [text.get_text() for ax in figure.axes for text in ax.get_legend().get_texts()]
    assert labels == ["smoothed score", "smoothed density", "wider kernel", "Gaussian", "memorised share"]
    figure.savefig(io.BytesIO(), format="png")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": 3}, "network must be a function"),
        ({"network": lambda x, h: x[:, :1]}, "network"),
        ({"network": lambda x: x}, r"network must be a function \(x, h\) .* called with 2 arguments; .* takes \(x\)"),
        ({"network": lambda: 0}, r"called with 2 arguments; the one given takes \(\)"),
        ({"network": lambda x, h: x + "a"}, "network must be a function .* with two points and h = 0.2 it fails"),
        ({"data": DATA[:5]}, "at least 8 points"),
        ({"data": np.ones((9, 2))}, "two different points"),
        ({"levels": [0.3, 0.2]}, "levels must be positive and increasing"),
        ({"levels": []}, "levels"),
        ({"law": "fresh"}, "pass them as truth"),
        ({"law": "near"}, "law must be one of"),
        ({"truth": np.ones((9, 3))}, "truth has dimension 3"),
        ({"queries": 0}, "queries"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    arguments = {"network": memory, "data": DATA, "levels": [0.2]} | options
    with pytest.raises(InputError, match=message):
        us.diagnose_score(arguments.pop("network"), arguments.pop("data"), **arguments)


def test_a_network_of_another_dimension_or_beyond_its_levels_is_refused():
    pytest.importorskip("torch")
    wrong = us.LearnedDenoiser(lambda u, h: u, dimension=3, parametrisation="denoiser")
    with pytest.raises(InputError, match="network has dimension 3, but the data have dimension 2"):
        diagnose(wrong)
    narrow = us.LearnedDenoiser(lambda u, h: 0.5 * u, dimension=2, parametrisation="denoiser", levels=(0.25, 2.0))
    with pytest.raises(InputError, match=r"from 0\.25 to 2"):
        diagnose(narrow, levels=[0.2])


@pytest.mark.slow
def test_the_command_reads_what_the_other_one_wrote(tmp_path, capsys):
    pytest.importorskip("torch")
    np.save(tmp_path / "data.npy", DATA)
    path, out = tmp_path / "a.safetensors", tmp_path / "out"
    train_denoiser(np.load(tmp_path / "data.npy"), rng=np.random.default_rng(0), n_steps=30, width=8, checkpoint=path)

    def run(*arguments):
        return cli._exit_code(["diagnose-score", *map(str, arguments)])

    assert run(path, tmp_path / "data.npy", "--levels", "0.2,0.5", "--out", out) == 0
    said = capsys.readouterr()
    assert "curl share" in said.out and "-> The network is nearest to" in said.out and "note" not in said.err
    with xr.open_dataset(out / "diagnose-score.nc", engine="h5netcdf") as stored:
        assert stored["score_share"].shape == (2,)
    assert (out / "diagnose-score.png").stat().st_size > 5000
    np.save(tmp_path / "other.npy", DATA + 0.1)
    assert run(path, tmp_path / "other.npy", "--levels", "0.5", "--truth", "two_moons") == 0
    said = capsys.readouterr()
    assert "not the points that the network was trained on" in said.err and "to the truth" in said.out
    for arguments, message in (
        ((tmp_path / "none", "two_moons"), "none"),
        ((path, tmp_path / "data.npy", "--levels", "a"), "--levels must be numbers"),
        ((path, tmp_path / "data.npy", "--member", 2), "member must be below 1"),
        ((path, "digits"), "network has dimension 2"),
    ):
        assert run(*arguments) == 2
        assert message in " ".join(capsys.readouterr().err.split())


def test_a_module_is_to_be_wrapped_first():
    torch = pytest.importorskip("torch")
    with pytest.raises(InputError, match=r"takes tensors.*us\.LearnedDenoiser"):
        diagnose(torch.nn.Linear(2, 2))
    with pytest.raises(InputError, match="must map points"):
        us.LearnedDenoiser(torch.nn.Linear(2, 2), dimension=2)
    inside = torch.nn.Linear(2, 2)
    with pytest.raises(InputError, match=r"wrap a module of PyTorch in us\.LearnedDenoiser"):
        diagnose(lambda x, h: inside(x))


@pytest.mark.parametrize(
    ("low", "expected", "not_expected"),
    [
        ([0.1, 0.4, 0.6, 0.9, 0.9, 0.8], ["from h = 0.4 to 3.2 (beyond the spread of the data, 1,"], ["up to"]),
        ([0.6, 0.1, 0.6, 0.6, 0.1, 0.1], ["at h = 0.1 and from h = 0.4 to 0.8: stop earlier"], ["beyond"]),
        ([0.1, 0.1, 0.1, 0.1, 0.1, 0.9], ["only at h = 3.2", "not memory"], ["stop earlier"]),
        ([0.1, 0.1, 0.1, 0.1, 0.6, 0.9], ["only from h = 1.6 to 3.2", "not memory"], ["stop earlier"]),
        ([0.1] * 6, [], ["memor"]),
        ([np.nan, 0.9, np.nan, 0.1, 0.1, 0.1], ["at h = 0.2: stop earlier"], ["nan"]),
    ],
)
def test_memory_is_said_where_it_is_and_held_against_a_network_only_within_the_spread(low, expected, not_expected):
    levels = 0.1 * 2.0 ** np.arange(6)
    text = _memory(xr.Dataset({"memorised_share_low": ("level", low)}, {"level": levels}, {"data_scale": 1.0}))
    assert all(part in text for part in expected) and not any(part in text for part in not_expected)


def test_the_gaussian_share_of_a_memory_is_hugely_negative_and_the_printed_terms_say_so():
    found = diagnose(memory, truth=LAW, queries=10)
    assert (found["gaussian_share"] < -10).all()
    text = io.StringIO()
    print_score_diagnosis(found, file=text)
    said = " ".join(text.getvalue().split())
    for part in ("term: share of the Gaussian denoiser: the same, negative", "in units of that between the truth"):
        assert part in said
    without = io.StringIO()
    print_score_diagnosis(diagnose(memory, queries=10), file=without)
    assert "relative squared distance" not in without.getvalue()
