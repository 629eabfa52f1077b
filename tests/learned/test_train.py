"""Trained denoisers: losses as they are defined, stacks that are their members, checkpoints that resume to the bit."""

import json
import os
import signal
import sys

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import FileError, InputError, MissingDependencyError, NumericalError
from unifiedscore.learned import LOSSES, NoiseLaw, loss_weight, train_denoiser, train_denoisers
from unifiedscore.learned.tensor_file import read_tensors, write_tensors
from unifiedscore.testing import check_field

DATA = np.random.default_rng(0).normal(size=(20, 2)) * [3.0, 0.5] + [10.0, -4.0]
X = DATA[:5] + 0.3


def streams(count=1, seed=1):
    return [np.random.default_rng([seed, k]) for k in range(count)]


def train(*, data=DATA, seed=1, n_steps=6, **options):
    options = {"batch": 16, "width": 8, "hidden": 2, "every": 3, "levels": (0.05, 3.0)} | options
    return train_denoiser(data, rng=streams(seed=seed)[0], n_steps=n_steps, **options)


def same(first, second):
    np.testing.assert_array_equal(first.steps, second.steps)
    np.testing.assert_array_equal(first.excess, second.excess)
    for part, network in first.networks.items():
        for weight, twin in zip(network.parameters(), second.networks[part].parameters(), strict=True):
            np.testing.assert_array_equal(weight.detach().numpy(), twin.detach().numpy())


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_draws_and_weights_noise_levels_as_its_weight_says(loss):
    """The integral of weight x law over any part of the levels is that of omega d log h, up to one factor."""
    law = NoiseLaw(loss, 0.02, 20.0)
    u = (np.arange(400_000) + 0.5) / 400_000
    h = law.levels(u)
    assert (np.diff(h) >= 0).all() and h[0] >= 0.02 and h[-1] <= 20.0
    grid = np.geomspace(0.02, 20.0, 400_001)
    middle = np.sqrt(grid[1:] * grid[:-1])
    ratios = []
    for low, high in ((0.02, 0.05), (0.05, 0.5), (0.5, 2.0), (2.0, 20.0)):
        drawn = np.mean(law.weights(h) * ((h >= low) & (h < high)))
        inside = (middle >= low) & (middle < high)
        ratios.append(drawn / np.sum(loss_weight(loss, middle[inside]) * np.diff(np.log(grid))[inside]))
    np.testing.assert_allclose(ratios, ratios[0], rtol=2e-4)


def test_without_torch_one_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)
    for call in (
        lambda: train(),
        lambda: us.LearnedDenoiser(lambda x, h: x, dimension=2),
        lambda: us.load_network(tmp_path / "a"),
    ):
        with pytest.raises(MissingDependencyError, match=r"needs PyTorch.*pip install 'unifiedscore\[torch\]'"):
            call()


def _set(name, value):
    return lambda tensors: tensors.update({f"history.{name}": np.array(value, dtype=np.float64)})


HISTORIES = {
    "no steps done": lambda tensors: tensors.pop("history.done"),
    "no steps": lambda tensors: tensors.pop("history.steps"),
    "no excess": lambda tensors: tensors.pop("history.excess"),
    "steps done as an array": _set("done", [6.0, 6.0]),
    "negative": _set("done", -5),
    "half a step": _set("done", 5.5),
    "not a number": _set("done", np.nan),
    "fewer steps than measured": _set("done", 4),
    "falling steps": _set("steps", [6, 3]),
    "a step more": _set("steps", [3, 6, 9]),
    "flat excess": _set("excess", [0.1, 0.1]),
    "excess of two networks": _set("excess", [[0.1, 0.1], [0.1, 0.1]]),
    "infinite excess": _set("excess", [[0.1], [np.inf]]),
}


class TestTraining:
    @pytest.fixture(autouse=True)
    def _torch(self):
        pytest.importorskip("torch")

    def test_the_loss_is_the_floor_and_the_excess(self):
        """Both written out in NumPy, with the empirical denoiser of the library, at a batch of its own."""
        import torch

        from unifiedscore.learned.network import StackedMLP
        from unifiedscore.learned.standardised import StandardisedStack

        law = NoiseLaw("edm", 0.1, 2.0)
        data = us.Samples(DATA, np.random.default_rng(9).dirichlet(np.ones(20)))
        stack = StandardisedStack([data], law, parametrisation="preconditioned", closed_form=False)
        network = StackedMLP(streams(), 2, 8, 2, False)
        scale = np.sqrt(np.trace(data.covariance_matrix) / 2)
        assert stack.scales[0] == pytest.approx(scale)
        unit = (DATA - data.mean) / scale
        # As the loss draws: places, levels, noise.
        rng = np.random.default_rng(5)
        chosen, uniform, noise = rng.random(400), rng.random(400), rng.standard_normal((400, 2))
        index, level = np.searchsorted(np.cumsum(data.weights), chosen, side="right"), law.levels(uniform)
        x = unit[index] + level[:, None] * noise
        with torch.no_grad():
            n = np.sqrt(1 + level**2)[:, None]
            single = [torch.as_tensor(a[None], dtype=torch.float32) for a in (x / n, 0.25 * np.log(level))]
            values = x / n**2 + level[:, None] / n * network(*single)[0].double().numpy()
            loss = stack.loss(network, 400, [np.random.default_rng(5)]).item()
        weight = law.weights(level)
        assert loss == pytest.approx(np.mean(weight * np.sum((values - unit[index]) ** 2, 1)), rel=1e-5)
        # The same with the empirical denoiser as target.
        goals = [
            us.Barycenter(us.Gaussian(h), us.Samples(unit, data.weights))(row[None])[0]
            for h, row in zip(level, x, strict=True)
        ]
        closed = StandardisedStack([data], law, parametrisation="preconditioned", closed_form=True)
        excess = closed.loss(network, 400, [np.random.default_rng(5)]).item()
        assert excess == pytest.approx(np.mean(weight * np.sum((values - goals) ** 2, 1)), rel=1e-4)
        # At the empirical denoiser itself the excess is 0.
        points, levels, goal = stack.probes
        expected = [
            us.Barycenter(us.Gaussian(float(h)), us.Samples(unit, data.weights))(row.numpy()[None])[0]
            for h, row in zip(levels[0], points[0], strict=True)
        ]
        np.testing.assert_allclose(goal[0].numpy(), expected, rtol=1e-8, atol=1e-9)

    def test_an_untrained_preconditioned_network_is_nearly_the_denoiser_of_a_gaussian(self):
        denoiser = train(n_steps=1, learning_rate=1e-9).denoiser()
        scale, mean = denoiser.scale, DATA.mean(0)
        h = 0.5 * scale
        gaussian = mean + (X - mean) * scale**2 / (scale**2 + h**2)
        assert np.abs(denoiser(X, h) - gaussian).max() < 0.2 * scale
        for field in (denoiser.at(0.4), denoiser.score(0.4), denoiser.velocity(0.4)):
            check_field(field, X)

    @pytest.mark.parametrize("parametrisation", ["preconditioned", "plain"])
    @pytest.mark.parametrize("energy", [False, True])
    def test_a_denoiser_is_the_network_that_was_trained(self, parametrisation, energy):
        """Through the frozen copy, in the units of the data, and through the stack, in its own."""
        import torch

        trained = train(parametrisation=parametrisation, energy=energy)
        denoiser, h = trained.denoiser(weights="last"), 0.8
        unit = (X - DATA.mean(0)) / denoiser.scale
        level = h / denoiser.scale
        n = np.sqrt(1 + level**2)
        inputs = torch.as_tensor((unit / n)[None], dtype=torch.float32), torch.full((1, 5), 0.25 * np.log(level))
        values = trained.networks["network"](*inputs)[0].detach().numpy()
        inner = values if parametrisation == "plain" else unit / n**2 + level / n * values
        np.testing.assert_allclose(denoiser(X, h), DATA.mean(0) + denoiser.scale * inner, rtol=1e-5, atol=1e-5)
        assert np.abs(trained.denoiser()(X, h) - denoiser(X, h)).max() > 1e-6  # the average is another

    def test_the_energy_form_is_a_gradient_and_knows_its_potential(self):
        for field in (train(energy=True).denoiser().score(0.4), train(energy=True).denoiser().at(0.7)):
            assert field.is_conservative
            assert field.potential(X).shape == (5,)
            check_field(field, X)
        plain = train().denoiser().score(0.4)
        jacobian = plain.jacobian(X)
        assert not plain.is_conservative and plain.potential(X) is None
        assert np.abs(jacobian - jacobian.transpose(0, 2, 1)).max() > 1e-4 * np.abs(jacobian).max()

    @pytest.mark.parametrize("options", [{}, {"target": "closed_form", "decay": "cosine"}, {"energy": True}])
    def test_a_member_of_a_stack_has_the_bits_that_it_would_have_alone(self, options):
        sets = [np.random.default_rng(k).normal(size=(12, 2)) for k in range(3)]
        common = {"n_steps": 5, "batch": 16, "width": 8, "hidden": 2, "every": 3} | options
        whole = train_denoisers(sets, rngs=streams(3), **common)
        for k in range(3):
            alone = train_denoisers([sets[k]], rngs=[streams(3)[k]], **common)
            np.testing.assert_array_equal(whole.excess[:, k], alone.excess[:, 0])
            np.testing.assert_array_equal(whole.denoiser(k)(sets[k], 0.3), alone.denoiser()(sets[k], 0.3))

    def test_units_of_the_data_do_not_matter(self):
        one, other = train(n_steps=30, every=10), train(data=1e3 * DATA - 7.0, n_steps=30, every=10)
        np.testing.assert_allclose(other.excess, one.excess, rtol=1e-3)
        np.testing.assert_allclose(
            other.denoiser()(1e3 * X - 7.0, 500.0), 1e3 * one.denoiser()(X, 0.5) - 7.0, rtol=1e-3
        )

    @pytest.mark.parametrize("target", ["sample", "closed_form"])
    def test_training_brings_the_excess_down(self, target):
        trained = train(
            data=DATA[:4], n_steps=600, every=300, width=32, batch=64, average=0.9, learning_rate=5e-3, target=target
        )
        assert trained.excess[-1, 0] < 0.5 * train(data=DATA[:4], n_steps=1, every=1).excess[0, 0]
        assert list(trained.steps) == [300, 600]

    @pytest.mark.parametrize("options", [{}, {"decay": "cosine", "n_steps": 8}, {"energy": True, "average": 0.0}])
    def test_a_resumed_training_is_the_uninterrupted_one(self, tmp_path, options):
        path, options = tmp_path / "a.safetensors", {"n_steps": 8} | options
        whole = train(**options)
        seen = []

        def press(step, training):
            seen.append((step, training.excess.shape))
            if step == 6:
                os.kill(os.getpid(), signal.SIGINT)

        before = signal.getsignal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            train(checkpoint=path, watch=press, **options)
        assert signal.getsignal(signal.SIGINT) is before
        assert seen == [(3, (1, 1)), (6, (2, 1))]
        assert read_tensors(path)[0]["history.done"] == 6
        same(whole, train(checkpoint=path, **options))
        # Once more there is nothing to do, and with another seed the stored state still counts.
        same(whole, train(checkpoint=path, seed=7, **options))
        loaded = us.load_network(path)
        np.testing.assert_array_equal(loaded(X, 0.5), whole.denoiser()(X, 0.5))
        loaded = us.load_network(str(path), weights="last")
        np.testing.assert_array_equal(loaded(X, 0.5), whole.denoiser(weights="last")(X, 0.5))

    def test_a_training_goes_on_where_it_ended_and_stops_between_measurements(self, tmp_path):
        path = tmp_path / "a.safetensors"
        train(checkpoint=path, n_steps=4)
        same(train(n_steps=8), train(checkpoint=path, n_steps=8))

    def test_another_training_is_not_resumed(self, tmp_path):
        path = tmp_path / "a.safetensors"
        train(checkpoint=path, n_steps=3)
        content = path.read_bytes()
        for options, message in (
            ({"data": DATA + 1e-9}, "data = 1 x 20 points"),
            ({"loss": "edm"}, "loss = log_uniform"),
            ({"levels": (0.06, 3.0)}, "loss = log_uniform on"),
            ({"width": 9}, "network = preconditioned"),
            ({"parametrisation": "plain"}, "network = preconditioned"),
            ({"learning_rate": 1e-3}, "learning_rate = 0.002"),
            ({"decay": "cosine"}, "learning_rate = 0.002, not 0.002, cosine over 5 steps"),
            ({"average": 0.9}, "average = 0.999"),
            ({"batch": 17}, "batch = 16"),
            ({"target": "closed_form"}, "loss = log_uniform"),
        ):
            with pytest.raises(InputError, match=message):
                train(checkpoint=path, n_steps=5, **options)
        assert path.read_bytes() == content

    def test_a_loss_that_is_no_longer_finite_stops_with_the_step_and_the_remedy(self, tmp_path):
        path = tmp_path / "a.safetensors"
        with pytest.raises(NumericalError, match=r"network 0 .* at step \d+; use a smaller learning_rate than 1e\+30"):
            train(learning_rate=1e30)
        train(n_steps=3, checkpoint=path)
        with pytest.raises(NumericalError, match=f"{path} holds the last state"):
            tensors, metadata = read_tensors(path)
            tensors["network.weights.0"][:] = np.inf
            write_tensors(path, tensors, metadata)
            train(n_steps=6, checkpoint=path)

    @pytest.mark.parametrize(
        ("options", "what"),
        [
            ({"learning_rate": 1e30, "n_steps": 1}, "excess loss"),
            ({"learning_rate": 1e30, "n_steps": 1, "average": 0.0}, "excess loss"),
            ({"learning_rate": 1e36, "n_steps": 1, "energy": True}, "excess loss"),
            ({"learning_rate": 1e30, "n_steps": 1, "every": 1}, "excess loss"),
        ],
    )
    def test_a_training_that_diverges_returns_nothing_and_keeps_the_good_checkpoint(self, tmp_path, options, what):
        path = tmp_path / "a.safetensors"
        with pytest.raises(NumericalError, match=rf"the {what} of network 0 is no longer finite at step 1"):
            train(**options)
        with pytest.raises(NumericalError, match="no longer finite"):
            train(checkpoint=path, **options)
        assert not path.exists()

    def test_a_diverged_step_leaves_the_last_state_that_was_saved(self, tmp_path):
        path = tmp_path / "a.safetensors"
        train(n_steps=3, checkpoint=path)

        def ruin(tensors, meta):
            tensors["optimizer.0.exp_avg"][:] = 3e38  # the next step of Adam is one of infinite length

        changed(path, ruin)
        content = path.read_bytes()
        with pytest.raises(NumericalError, match=r"largest weight of network 0 .* at step 4; .*holds the last state"):
            train(n_steps=4, checkpoint=path)
        assert path.read_bytes() == content

    def test_a_checkpoint_of_more_steps_is_returned_with_a_note(self, tmp_path, capsys):
        path = tmp_path / "new" / "folder" / "a.safetensors"
        whole = train(n_steps=6, checkpoint=path)
        assert not capsys.readouterr().err
        same(whole, train(n_steps=6, checkpoint=path))
        assert not capsys.readouterr().err
        same(whole, train(n_steps=4, checkpoint=path))
        assert "holds 6 steps, more than the 4 asked for" in capsys.readouterr().err

    @pytest.mark.parametrize("name", HISTORIES)
    def test_a_damaged_history_is_a_damaged_file(self, tmp_path, name):
        path = tmp_path / "a.safetensors"
        train(n_steps=6, checkpoint=path)
        changed(path, lambda tensors, meta: HISTORIES[name](tensors))
        with pytest.raises(FileError, match=r"a\.safetensors holds an unusable state: .*start anew"):
            train(n_steps=8, checkpoint=path)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"data": np.empty((0, 2))}, "at least one point"),
            ({"data": [[1.0, 2.0]]}, "at least two different points"),
            ({"data": np.ones((9, 2))}, "at least two different points"),
            ({"data": 1e8 + np.zeros((9, 2))}, "at least two different points"),
            ({"data": [[np.nan, 0.0], [1.0, 1.0]]}, "finite"),
            ({"data": 1e200 * DATA}, "overflows"),
            ({"data": 1e308 * np.sign(DATA - DATA.mean(0))}, "overflows"),
            ({"n_steps": 0}, "n_steps"),
            ({"batch": 0}, "batch"),
            ({"width": 0}, "width"),
            ({"average": 1.0}, "average"),
            ({"learning_rate": -1.0}, "learning_rate"),
            ({"learning_rate": 1e39}, "learning_rate must be at most"),
            ({"parametrisation": "noise"}, "parametrisation must be one of"),
            ({"loss": "mse"}, "loss must be one of"),
            ({"target": "truth"}, "target must be one of"),
            ({"decay": "step"}, "decay must be one of"),
            ({"levels": (3.0, 0.1)}, "low must be below high"),
            ({"levels": 0.1}, "two noise levels"),
        ],
    )
    def test_bad_arguments_are_refused(self, options, message):
        with pytest.raises(InputError, match=message):
            train(**options)

    def test_sets_of_different_shapes_and_shared_generators_are_refused(self):
        rng = streams()[0]
        for sets, rngs in (([DATA, DATA[:5]], streams(2)), ([DATA], streams(2)), ([], [])):
            with pytest.raises(InputError, match="one generator each"):
                train_denoisers(sets, rngs=rngs, n_steps=1)
        with pytest.raises(InputError, match="different generators"):
            train_denoisers([DATA, DATA], rngs=[rng, rng], n_steps=1)


def changed(path, change):
    tensors, metadata = read_tensors(path)
    meta = json.loads(metadata["unifiedscore"])
    change(tensors, meta)
    write_tensors(path, tensors, {"unifiedscore": json.dumps(meta)})


STRANGE = {
    "version": (lambda t, m: m.update(format="unifiedscore denoiser 2"), "has the format 'unifiedscore denoiser 2'"),
    "generator": (lambda t, m: m.update(format="unifiedscore generator 2"), "has the format"),
    "format of another kind": (lambda t, m: m.update(format=[1]), "has the format"),
    "no model": (lambda t, m: m.pop("model"), "is not a checkpoint"),
    "model of another kind": (lambda t, m: m.update(model=[]), "is not a checkpoint"),
    "empty model": (lambda t, m: m.update(model={}), "does not describe a network"),
    "no scales": (lambda t, m: m["model"].update(scales=[]), "do not belong together"),
    "scale of another kind": (lambda t, m: m["model"].update(scales=["1"]), "does not describe a network"),
    "negative scale": (lambda t, m: m["model"].update(scales=[-1.0]), "does not describe a network"),
    "infinite mean": (lambda t, m: m["model"].update(means=[[float("inf"), 0.0]]), "does not describe a network"),
    "other dimension": (lambda t, m: m["model"].update(means=[[0.0, 0.0, 0.0]]), "does not describe a network"),
    "levels": (lambda t, m: m["model"].update(levels=[1.0]), "do not belong together"),
    "falling levels": (lambda t, m: m["model"].update(levels=[2.0, 1.0]), "does not describe a network"),
    "parametrisation": (lambda t, m: m["model"].update(parametrisation="eval"), "parametrisation is not known"),
    "no weights": (lambda t, m: [t.pop(k) for k in list(t) if k.startswith("average")], "does not describe a network"),
    "a layer less": (lambda t, m: t.pop("average.weights.1"), "does not describe a network"),
    "layers that do not fit": (
        lambda t, m: t.update({"average.weights.1": t["average.weights.1"][:, 1:]}),
        "one layer does not fit the next",
    ),
    "flat weights": (lambda t, m: t.update({"average.weights.0": np.zeros(3)}), "does not describe a network"),
    "infinite weights": (lambda t, m: t["average.weights.0"].fill(np.nan), "weights are not finite"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_checkpoint_that_does_not_describe_a_network_is_refused(tmp_path, name):
    pytest.importorskip("torch")
    path, (change, message) = tmp_path / "a.safetensors", STRANGE[name]
    train(checkpoint=path, n_steps=1)
    changed(path, change)
    with pytest.raises(FileError, match=message):
        us.load_network(path)


def test_a_damaged_checkpoint_is_told_from_a_foreign_file(tmp_path):
    path = tmp_path / "a.safetensors"
    pytest.importorskip("torch")
    train_denoiser(np.ones((4, 2)) * [[1], [2], [3], [4]], rng=np.random.default_rng(0), n_steps=1, checkpoint=path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FileError, match=r"cannot be read as a checkpoint.*remove this one to start anew"):
        us.load_network(path)


def test_a_pickle_is_refused_and_not_executed(tmp_path):
    torch = pytest.importorskip("torch")

    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    path = tmp_path / "a.safetensors"
    torch.save({"network": Trap()}, path)
    with pytest.raises(FileError, match=r"cannot be read as a checkpoint.*network of your own in us\.Learned") as told:
        us.load_network(path)
    assert "remove" not in str(told.value)
    assert not (tmp_path / "executed").exists()
    for wrong, message in ((3, "path must be"), (tmp_path / "missing", "missing")):
        with pytest.raises(InputError, match=message):
            us.load_network(wrong)
    train(checkpoint=tmp_path / "b", n_steps=1)
    with pytest.raises(InputError, match="member must be below 1"):
        us.load_network(tmp_path / "b", member=1)
