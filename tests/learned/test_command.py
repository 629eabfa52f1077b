"""`unifiedscore train score` on files of every dimension, its folder, and how it goes on."""

import sys
from pathlib import Path

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore import cli

RNG = np.random.default_rng(4)
FILES = {
    "line": RNG.normal(size=(40, 1)),
    "plane": 5 + RNG.normal(size=(40, 2)),
    "space": 1e6 * RNG.normal(size=(40, 5)),
}


def run(*arguments):
    return cli._exit_code(["train", *map(str, arguments)])


@pytest.mark.parametrize("kind", ["score", "drift"])
def test_the_command_says_what_to_install(monkeypatch, capsys, tmp_path, kind):
    monkeypatch.setitem(sys.modules, "torch", None)
    np.save(tmp_path / "points.npy", np.eye(3))
    assert run(kind, tmp_path / "points.npy", "--out", tmp_path / "out") == 2
    assert "pip install 'unifiedscore[torch]'" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "scheme"),
    [("line", "heun"), ("plane", "ancestral"), ("plane", "stochastic_heun"), ("space", "ddim")],
)
def test_the_command_trains_on_a_file_and_goes_on_where_it_stopped(tmp_path, capsys, name, scheme):
    pytest.importorskip("torch")
    file, points = tmp_path / f"{name}.npy", FILES[name]
    np.save(file, points)
    options = ("score", file, "--batch", 16, "--width", 8, "--samples", 300, "--sampling-steps", 12, "--scheme", scheme)
    assert run(*options, "--steps", 6, "--out", tmp_path / "whole") == 0
    for steps in (4, 6):
        assert run(*options, "--steps", steps, "--out", tmp_path / "parts") == 0
    text = capsys.readouterr().out
    assert "excess loss" in text and "alone change the standard deviation" in text
    whole, parts = (np.load(tmp_path / part / "samples.npy") for part in ("whole", "parts"))
    np.testing.assert_array_equal(whole, parts)
    assert whole.shape == (300, points.shape[1])
    # A young preconditioned network draws from a Gaussian of the mean and the scale of the data.
    assert np.linalg.norm(whole.mean(0) - points.mean(0)) < 0.5 * points.std() * np.sqrt(points.shape[1])
    assert 0.5 < np.std(whole - whole.mean(0)) / points.std(0).mean() < 1.6
    assert (tmp_path / "parts" / "samples.png").stat().st_size > 5000
    assert np.load(tmp_path / "parts" / "excess.npy").shape == (1, 2)
    denoiser = us.load_network(tmp_path / "parts" / "checkpoint.safetensors")
    assert denoiser(points, denoiser.scale).shape == points.shape


@pytest.mark.slow
def test_a_folder_of_another_kind_of_training_is_refused(tmp_path, capsys):
    pytest.importorskip("torch")
    assert run("score", "two_moons", "--steps", 1, "--samples", 5, "--out", tmp_path) == 0
    content = (tmp_path / "checkpoint.safetensors").read_bytes()
    for kind in ("drift", "score"):
        assert run(kind, "two_moons", "--steps", 1, "--samples", 5, "--seed", 3, "--out", tmp_path) == 2
        assert "name another file, or remove this one" in " ".join(capsys.readouterr().err.split())
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == content


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.npy",), "no such file"),
        (("two_moons", "--loss", "mse"), "loss must be one of"),
        (("two_moons", "--scheme", "euler"), "--scheme must be one of"),
        (("two_moons", "--samples", "0"), "--samples must be"),
        (("two_moons", "--steps", "0"), "--steps must be"),
        (("two_moons", "--average", "1"), "average must lie"),
        (("two_moons", "--batch", "0"), "batch must be"),
        (("two_moons", "--width", "0"), "width must be"),
        (("two_moons", "--learning-rate", "-1"), "learning_rate must be"),
        (("same.npy",), "two distinct points"),
        (("one.npy",), "two distinct points"),
    ],
)
def test_bad_input_is_one_clear_paragraph(tmp_path, monkeypatch, capsys, arguments, message):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    np.save("same.npy", np.ones((9, 2)))
    np.save("one.npy", np.ones((1, 2)))
    assert run("score", *arguments, "--out", "out") == 2
    assert not Path("out").exists()
    text = " ".join(capsys.readouterr().err.split())
    assert message in text and "Traceback" not in text
