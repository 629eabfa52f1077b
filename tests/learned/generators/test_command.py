"""`unifiedscore train` on files and named sets of every dimension."""

import sys

import numpy as np
import pytest

from unifiedscore import cli

RNG = np.random.default_rng(4)
FILES = {
    "line": RNG.normal(size=(80, 1)),
    "plane": 5 + RNG.normal(size=(80, 2)),
    "space": 1e6 * RNG.normal(size=(80, 5)),
}


def run(*arguments):
    return cli._exit_code(["train", *map(str, arguments)])


def test_the_command_says_what_to_install(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)
    np.save(tmp_path / "points.npy", np.eye(3))
    assert run(tmp_path / "points.npy") == 2
    assert "pip install 'unifiedscore[torch]'" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_the_command_trains_on_a_file_and_goes_on_where_it_stopped(tmp_path, name):
    file, points = tmp_path / f"{name}.npy", FILES[name]
    np.save(file, points)
    options = (file, "--batch", 16, "--samples", 30, "--kernel", "gaussian", "--matched")
    assert run(*options, "--steps", 6, "--out", tmp_path / "whole") == 0
    for steps in (4, 6):
        assert run(*options, "--steps", steps, "--out", tmp_path / "parts") == 0
    whole, parts = (np.load(tmp_path / part / "samples.npy") for part in ("whole", "parts"))
    np.testing.assert_array_equal(whole, parts)
    assert whole.shape == (30, points.shape[1])
    assert np.linalg.norm(whole.mean(0) - points.mean(0)) < 2 * points.std() * np.sqrt(points.shape[1])
    assert (tmp_path / "parts" / "samples.png").stat().st_size > 5000


@pytest.mark.slow
def test_digits_are_drawn_beside_their_neighbours(tmp_path, capsys):
    assert run("digits", "--steps", 2, "--batch", 16, "--samples", 20, "--out", tmp_path / "out") == 0
    assert "nearest training point" in capsys.readouterr().out
    assert np.load(tmp_path / "out" / "samples.npy").shape == (20, 64)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.npy",), "no such file"),
        (("two_moons", "--rule", "euler"), "rule must be one of"),
        (("two_moons", "--bandwidth", "0"), "--bandwidth must be"),
        (("two_moons", "--samples", "0"), "--samples must be"),
        (("same.npy",), "two distinct points"),
    ],
)
def test_bad_input_is_one_clear_paragraph(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    np.save("same.npy", np.ones((9, 2)))
    assert run(*arguments) == 2
    text = capsys.readouterr().err
    assert message in text and "Traceback" not in text
