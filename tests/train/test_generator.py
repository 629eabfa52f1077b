"""One-step generators: they approach the data, resume, and say what to install."""

import sys

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import MissingDependencyError
from unifiedscore.samplers import DriftingFlow
from unifiedscore.train import train_generator

DATA = us.GaussianMixture([[2.0, 0.0], [-1.0, 1.7], [-1.0, -1.7]], 0.09).sample(300, np.random.default_rng(0))


def test_without_torch_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'unifiedscore\[train\]'"):
        train_generator(DriftingFlow(us.Laplace(0.5), DATA), steps=1, rng=np.random.default_rng(0))


@pytest.mark.slow
def test_a_generator_covers_the_modes_of_its_data():
    flow = DriftingFlow(us.Laplace(0.5), DATA, batch=128)
    trained = train_generator(flow, steps=600, rng=np.random.default_rng(1))
    x = trained.sample(600, np.random.default_rng(2))
    nearest = np.linalg.norm(x[:, None] - DATA, axis=2).min(1)
    assert np.median(nearest) < 0.3
    # The energy itself stays at the noise floor of batches of 128: it is no sign of convergence.
    modes = np.array([[2.0, 0.0], [-1.0, 1.7], [-1.0, -1.7]])
    shares = np.bincount(np.linalg.norm(x[:, None] - modes, axis=2).argmin(1), minlength=3) / len(x)
    assert (shares > 0.2).all()


@pytest.mark.slow
def test_a_checkpoint_is_resumed(tmp_path):
    flow = DriftingFlow(us.Laplace(0.5), DATA, batch=32)
    path = tmp_path / "generator.pt"
    first = train_generator(flow, steps=4, rng=np.random.default_rng(1), checkpoint=path, every=2, batch=16)
    again = train_generator(flow, steps=6, rng=np.random.default_rng(1), checkpoint=path, every=2, batch=16)
    assert len(again.energy) == 6
    np.testing.assert_array_equal(again.energy[:4], first.energy)


def test_the_command_says_what_to_install(monkeypatch, capsys, tmp_path):
    from unifiedscore.cli import main

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SystemExit) as stop:
        main(["train", str(tmp_path / "points.npy")])
    assert stop.value.code == 2
    assert "pip install 'unifiedscore[train]'" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_the_command_trains_on_a_file(tmp_path):
    from unifiedscore.cli import main

    np.save(tmp_path / "points.npy", DATA)
    with pytest.raises(SystemExit) as stop:
        main(["train", str(tmp_path / "points.npy"), "--steps", "20", "--batch", "32", "--out", str(tmp_path / "out")])
    assert stop.value.code == 0
    assert np.load(tmp_path / "out" / "samples.npy").shape == (1000, 2)
    assert (tmp_path / "out" / "samples.png").stat().st_size > 5000
