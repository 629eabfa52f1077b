"""One-step generators: the gradient they descend, the start they share, and that they approach the data."""

import sys

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError, MissingDependencyError, NumericalError
from unifiedscore.learned import new_generator, train_generator
from unifiedscore.metrics import sliced_wasserstein2
from unifiedscore.samplers import DriftingFlow

MODES = np.array([[2.0, 0.0], [-1.0, 1.7], [-1.0, -1.7]])
LAW = us.GaussianMixture(MODES, 0.09)
DATA = LAW.sample(300, np.random.default_rng(0))
# Mean and radius are those of the start: what is left to learn is the shape.
THIN, HELD = (np.random.default_rng(seed).normal(size=(400, 2)) * [1.5, 0.1] for seed in (8, 9))


class Watched:
    """A flow that remembers where it was asked and what it said, turned by `sign`."""

    def __init__(self, flow, sign=1.0):
        self.flow, self.target, self.sign, self.seen = flow, flow.target, sign, []

    def velocity(self, x, *, rng):
        drift = self.sign * self.flow.velocity(x, rng=rng)
        self.seen.append((x.copy(), drift))
        return drift


def distance(x):
    return sliced_wasserstein2(x, HELD, n_directions=64, rng=np.random.default_rng(5))


def test_without_torch_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'unifiedscore\[torch\]'"):
        train_generator(DriftingFlow(us.Laplace(0.5), DATA), n_steps=1, rng=np.random.default_rng(0))
    with pytest.raises(MissingDependencyError, match=r"pip install 'unifiedscore\[torch\]'"):
        new_generator(DATA, rng=np.random.default_rng(0))


@pytest.mark.slow
def test_the_gradient_is_minus_twice_the_mean_of_the_drift_times_the_jacobian():
    import torch

    from unifiedscore.learned import drift_loss

    network = new_generator(DATA, rng=np.random.default_rng(1), width=8).network.double()
    noise = torch.as_tensor(np.random.default_rng(2).standard_normal((6, 4)))
    x = network(noise)
    drift = DriftingFlow(us.Laplace(0.5), DATA).velocity(x.detach().numpy())
    loss = drift_loss(x, drift)
    assert loss.item() == pytest.approx(np.mean(np.sum(drift**2, 1)), rel=1e-12)
    loss.backward()
    for parameter in network.parameters():
        # One coordinate of one point at a time: the Jacobian written out.
        expected = np.zeros(parameter.shape)
        for i, row in enumerate(network(noise)):
            for j, value in enumerate(row):
                (jacobian,) = torch.autograd.grad(value, parameter, retain_graph=True)
                expected += -2 / len(noise) * drift[i, j] * jacobian.numpy()
        np.testing.assert_allclose(parameter.grad.numpy(), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_the_start_has_mean_and_mean_squared_radius_of_the_data():
    shifted = 3 * DATA + np.array([10.0, -4.0])
    x = new_generator(shifted, rng=np.random.default_rng(1)).sample(20_000, np.random.default_rng(2))
    radius = lambda z: np.mean(np.sum((z - z.mean(0)) ** 2, 1))  # noqa: E731
    np.testing.assert_allclose(x.mean(0), shifted.mean(0), atol=0.5)
    assert radius(x) == pytest.approx(radius(shifted), rel=0.1)


@pytest.mark.slow
def test_methods_meet_the_same_start_noise_and_positives():
    start = new_generator(DATA, rng=np.random.default_rng(1))
    before = [weight.clone() for weight in start.network.parameters()]
    flows = [Watched(DriftingFlow(us.Laplace(0.5), DATA, rule=rule, batch=32)) for rule in ("drift", "batch", "sharp")]
    streams = [np.random.default_rng(2) for _ in flows]
    for flow, rng in zip(flows, streams, strict=True):
        train_generator(flow, n_steps=3, rng=rng, start=start, batch=16)
    for flow, rng in zip(flows[1:], streams[1:], strict=True):
        np.testing.assert_array_equal(flow.seen[0][0], flows[0].seen[0][0])
        assert not np.array_equal(flow.seen[2][0], flows[0].seen[2][0])
        assert rng.bit_generator.state == streams[0].bit_generator.state
    assert all((old == new).all() for old, new in zip(before, start.network.parameters(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["drift", "sharp", "batch", "sinkhorn"])
def test_a_generator_approaches_its_data(rule):
    before, after, trained, flow = ends(rule, sign=1.0)
    assert trained.energy.shape == (100,)
    assert trained.energy[0] == pytest.approx(np.mean(np.sum(flow.seen[0][1] ** 2, 1)))
    assert after < 0.75 * before


@pytest.mark.slow
def test_with_the_wrong_sign_it_flees():
    before, after, *_ = ends("drift", sign=-1.0)
    assert after > 2 * before


def ends(rule, *, sign):
    """Distances before and after 100 steps, the generator, the flow."""
    start = new_generator(THIN, rng=np.random.default_rng(1))
    flow = Watched(DriftingFlow(us.Laplace(0.4), THIN, rule=rule, batch=64, tolerance=1e-3), sign)
    options = {"n_steps": 100, "rng": np.random.default_rng(2), "start": start, "batch": 64, "learning_rate": 5e-3}
    trained = train_generator(flow, **options)
    before, after = (distance(g.sample(400, np.random.default_rng(4))) for g in (start, trained))
    return before, after, trained, flow


@pytest.mark.slow
def test_a_generator_covers_the_modes_of_its_data():
    from unifiedscore.metrics import mode_coverage

    flow = DriftingFlow(us.Laplace(0.5), DATA, batch=64)
    trained = train_generator(flow, n_steps=400, rng=np.random.default_rng(1), batch=64, learning_rate=5e-3)
    x = trained.sample(600, np.random.default_rng(2))
    assert np.median(np.linalg.norm(x[:, None] - DATA, axis=2).min(1)) < 0.3
    # The energy itself stays at the noise floor of the batches: it is no sign of convergence.
    assert mode_coverage(x, MODES, np.arange(3)) > 0.85


@pytest.mark.slow
def test_normalised_drifts_have_energy_d_and_the_average_smooths():
    start = new_generator(DATA, rng=np.random.default_rng(1))
    first, second = (
        train_generator(
            DriftingFlow(us.Laplace(0.5), DATA, batch=16),
            n_steps=2, rng=np.random.default_rng(2), start=start, batch=16, normalise=n, average=0.0,
        )
        for n in (False, True)
    )  # fmt: skip
    # The first step of Adam is the sign of the gradient: a positive factor changes nothing until the second.
    assert first.energy[0] == second.energy[0]
    assert first.energy[1] == pytest.approx(second.energy[1], rel=1e-3)
    seen = []
    options = {"n_steps": 3, "rng": np.random.default_rng(2), "start": start, "batch": 16}
    train_generator(
        DriftingFlow(us.Laplace(0.5), DATA, batch=16), **options, watch=lambda g: seen.append(len(g.energy))
    )
    assert seen == [1, 2, 3]


@pytest.mark.slow
def test_bad_arguments_and_endless_drifts_are_refused():
    flow, rng = DriftingFlow(us.Laplace(0.5), DATA, batch=16), np.random.default_rng(0)
    with pytest.raises(InputError, match="average"):
        train_generator(flow, n_steps=1, rng=rng, average=1.0)
    with pytest.raises(InputError, match="learning_rate"):
        train_generator(flow, n_steps=1, rng=rng, learning_rate=0.0)
    with pytest.raises(NumericalError, match="no longer finite at step 0"):
        train_generator(Watched(flow, np.inf), n_steps=1, rng=rng)
