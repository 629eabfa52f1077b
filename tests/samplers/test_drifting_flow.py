"""Particle drifting: fixed points, policies, schedules and what is recorded."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.samplers import DriftingFlow, exponential_schedule

RNG = np.random.default_rng(2)
P = us.GaussianMixture([[2.0, 0.0], [-2.0, 0.0]], 0.25)
DATA = P.sample(60, RNG)
START = RNG.normal(size=(40, 2))


@pytest.mark.parametrize("rule", ["drift", "sharp", "batch", "sinkhorn"])
def test_particles_come_closer_to_the_target(rule):
    from scipy.stats import energy_distance

    flow = DriftingFlow(us.Laplace(1.0), DATA, step=0.5, rule=rule)
    path = flow.run(START, n_steps=30, modes=P.means)
    before, after = (energy_distance(x[:, 0], DATA[:, 0]) for x in (START, path.particles))
    assert after < before
    assert path.energy.shape == path.curl.shape == path.time.shape == (30,)
    assert path.mode_masses.shape == (31, 2)
    np.testing.assert_allclose(path.mode_masses.sum(1), 1)


def test_a_model_equal_to_its_target_does_not_move_with_the_self_term_kept():
    path = DriftingFlow(us.Laplace(1.0), START, self_terms="keep").run(START, n_steps=5)
    np.testing.assert_allclose(path.particles, START, atol=1e-12)
    assert path.energy.max() < 1e-24


def test_one_step_is_explicit_euler_of_the_drift():
    keep = DriftingFlow(us.Laplace(1.0), P, step=0.3, self_terms="keep").run(START, n_steps=1)
    expected = START + 0.3 * us.Drift(us.Laplace(1.0), target=P, model=START)(START)
    np.testing.assert_allclose(keep.particles, expected, rtol=1e-13)
    independent = DriftingFlow(us.Laplace(1.0), P, step=0.3, self_terms="independent").run(START, n_steps=1)
    expected = START[::2] + 0.3 * us.Drift(us.Laplace(1.0), target=P, model=START[1::2])(START[::2])
    np.testing.assert_allclose(independent.particles[::2], expected, rtol=1e-13)


@pytest.mark.parametrize("rule", ["drift", "sharp"])
@pytest.mark.parametrize("kernel", [us.Gaussian(0.7), us.Laplace(1.0), us.Matern(0.5, 1.5)])
def test_a_masked_particle_is_not_among_its_own_negatives(kernel, rule):
    """Particle by particle against the field of the others alone."""
    velocity = DriftingFlow(kernel, P, rule=rule).velocity(START)
    sharp = kernel.sharp()
    unit = float(np.exp(sharp.log_scale + sharp.kernel.log_profile(0.0))) if rule == "sharp" else 1.0
    field = us.SharpDrift if rule == "sharp" else us.Drift
    for i, x in enumerate(START):
        others = field(kernel, target=P, model=np.delete(START, i, axis=0))
        np.testing.assert_allclose(velocity[i], unit * others(x[None])[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rule", ["drift", "batch"])
def test_the_policies_for_the_self_term_differ(rule):
    mask, keep = (
        DriftingFlow(us.Laplace(1.0), DATA, rule=rule, self_terms=terms).velocity(START) for terms in ("mask", "keep")
    )
    assert np.abs(mask - keep).max() > 1e-3


def test_the_curl_is_that_of_the_jacobian():
    kernel = us.Laplace(1.0)
    path = DriftingFlow(kernel, P).run(START, n_steps=1)
    total = 0.0
    for i, x in enumerate(START):
        others = np.delete(START, i, axis=0)
        j = us.Drift(kernel, target=P, model=others).jacobian(x[None])[0]
        total += np.linalg.norm((j - j.T) / 2) ** 2
    assert path.curl[0] == pytest.approx(np.sqrt(total / len(START)), rel=1e-6)
    assert DriftingFlow(us.Gaussian(1.0), P).run(START, n_steps=1).curl[0] == 0


def test_annealing_uses_each_bandwidth_in_turn():
    widths = exponential_schedule(2.0, 0.5, n_steps=3)
    np.testing.assert_allclose(widths, [2.0, 1.0, 0.5])
    whole = DriftingFlow(us.Gaussian(9.0), P).run(START, n_steps=3, bandwidths=widths)
    x = START
    for width in widths:
        x = DriftingFlow(us.Gaussian(width), P).run(x, n_steps=1).particles
    np.testing.assert_allclose(whole.particles, x, rtol=1e-12)


def test_batches_of_positives_are_drawn_with_the_generator():
    flow = DriftingFlow(us.Laplace(1.0), P, rule="batch", batch=20)
    first, second = (flow.run(START, n_steps=2, rng=np.random.default_rng(3)).particles for _ in range(2))
    np.testing.assert_array_equal(first, second)
    with pytest.raises(InputError, match="rng"):
        flow.run(START, n_steps=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "euler"}, "rule"),
        ({"self_terms": "drop"}, "self_terms"),
        ({"step": 0.0}, "step"),
        ({"rule": "sinkhorn"}, "Samples as target"),
        ({"rule": "batch", "batch": 8, "self_terms": "independent"}, "independent"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        DriftingFlow(us.Laplace(1.0), P, **options)


def test_wrong_runs_are_refused():
    flow = DriftingFlow(us.Laplace(1.0), P)
    with pytest.raises(InputError, match="two particles"):
        flow.run(START[:1], n_steps=2)
    with pytest.raises(InputError, match="bandwidths"):
        flow.run(START, n_steps=2, bandwidths=[1.0])
    with pytest.raises(InputError, match="sharp"):
        DriftingFlow(us.RationalQuadratic(1.0, 0.5), P, rule="sharp")
