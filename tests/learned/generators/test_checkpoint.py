"""Checkpoints: a resumed training is the uninterrupted one, bit for bit; what is not ours is refused."""

import os
import signal

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import FileError, InputError, NumericalError
from unifiedscore.learned import train_generator
from unifiedscore.learned.tensor_file import read_tensors, write_tensors
from unifiedscore.samplers import DriftingFlow

pytestmark = pytest.mark.slow
DATA = np.random.default_rng(0).normal(size=(100, 2))
FLOW = DriftingFlow(us.Laplace(0.5), DATA, batch=32)


def train(path, *, n_steps, flow=FLOW, seed=1, **options):
    rng = np.random.default_rng(seed)
    return train_generator(flow, n_steps=n_steps, rng=rng, batch=16, checkpoint=path, every=3, **options), rng


def same(first, second):
    (one, rng), (other, again) = first, second
    np.testing.assert_array_equal(one.energy, other.energy)
    for weight, twin in zip(one.network.parameters(), other.network.parameters(), strict=True):
        np.testing.assert_array_equal(weight.detach().numpy(), twin.detach().numpy())
    # Samples drawn afterwards too: the stream ends where it would have.
    np.testing.assert_array_equal(one.sample(5, rng), other.sample(5, again))


def test_a_resumed_training_is_the_uninterrupted_one(tmp_path):
    whole = train(None, n_steps=8)
    train(tmp_path / "a.safetensors", n_steps=5)
    resumed = train(tmp_path / "a.safetensors", n_steps=8)
    same(whole, resumed)
    # Resumed once more there is nothing left to do, and with another seed the stored state still counts.
    same(train(None, n_steps=8), train(tmp_path / "a.safetensors", n_steps=8, seed=7))


def test_an_interrupt_leaves_the_state_after_a_whole_step(tmp_path):
    path = tmp_path / "a.safetensors"

    def press(generator):
        if len(generator.energy) == 4:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(path, n_steps=8, watch=press)
    assert signal.getsignal(signal.SIGINT) is before
    assert len(read_tensors(path)[0]["history.energy"]) == 4
    same(train(None, n_steps=8), train(path, n_steps=8))


def test_a_training_that_breaks_keeps_its_last_checkpoint(tmp_path):
    path = tmp_path / "a.safetensors"

    def fail(generator):
        if len(generator.energy) == 5:
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        train(path, n_steps=8, watch=fail)
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]
    same(train(None, n_steps=8), train(path, n_steps=8))


def test_another_training_is_not_resumed(tmp_path):
    path = tmp_path / "a.safetensors"
    train(path, n_steps=3)
    content = path.read_bytes()
    for flow, message in (
        (DriftingFlow(us.Laplace(0.5), DATA, batch=32, rule="batch"), "rule = 'drift', not 'batch'"),
        (DriftingFlow(us.Laplace(0.6), DATA, batch=32), "kernel = .*0.5.*, not .*0.6"),
        (DriftingFlow(us.Laplace(0.5), DATA + 1e-9, batch=32), "data = 100 points"),
    ):
        with pytest.raises(InputError, match=message):
            train(path, n_steps=5, flow=flow)
    with pytest.raises(InputError, match="learning_rate"):
        train(path, n_steps=5, learning_rate=1e-3)
    assert path.read_bytes() == content


@pytest.mark.parametrize("history", [None, np.ones((3, 1)), np.array([1.0, np.nan, 1.0]), -np.ones(3)])
def test_a_damaged_history_is_a_damaged_file(tmp_path, history):
    path = tmp_path / "a.safetensors"
    train(path, n_steps=3)
    tensors, metadata = read_tensors(path)
    tensors.pop("history.energy")
    write_tensors(path, tensors | ({} if history is None else {"history.energy": history}), metadata)
    with pytest.raises(FileError, match="holds an unusable state: its history"):
        train(path, n_steps=5)


def test_weights_that_are_no_longer_finite_are_not_returned(tmp_path):
    with pytest.raises(NumericalError, match="at step 1; use a smaller learning_rate"):
        train(tmp_path / "a.safetensors", n_steps=1, learning_rate=1e30)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_more_steps_is_returned_with_a_note(tmp_path, capsys):
    whole = train(tmp_path / "a.safetensors", n_steps=4)
    same(whole, train(tmp_path / "a.safetensors", n_steps=3))
    assert "holds 4 steps, more than the 3 asked for" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["cut", "text", "empty", "foreign", "folder"])
def test_what_is_no_checkpoint_is_refused_and_left_alone(tmp_path, kind):
    import torch

    path = tmp_path / "a.safetensors"
    train(path, n_steps=3)
    content = {"cut": path.read_bytes()[:-200], "text": b"hello", "empty": b""}.get(kind)
    if kind == "foreign":
        torch.save({"network": {}}, path)
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(
        FileError, match=r"a\.safetensors .*(cannot be read as a checkpoint|is not a checkpoint).*start anew"
    ):
        train(path, n_steps=5)
    if content is not None:
        assert path.read_bytes() == content
