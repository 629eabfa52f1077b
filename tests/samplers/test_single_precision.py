"""Samplers on float32 arrays: the types of what they hold, the noise of a float64 run, and errors within the bounds."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.samplers import DriftingFlow

EPS = float(np.finfo(np.float32).eps)
SINGLE, DOUBLE = np.float32, np.float64
RULES = ("drift", "sharp", "batch", "sinkhorn")


def cloud(n, dimension, seed, offset=0.0):
    """Points that float32 holds, as float64."""
    points = np.random.default_rng(seed).normal(size=(n, dimension)) + offset
    return points.astype(SINGLE).astype(DOUBLE)


def closed_form(data, n=40, n_steps=12, **options):
    noise = us.Noise("shared", given=cloud(4, data.shape[1], 7))
    settings = dict(n_steps=n_steps, smoothing=0.6, noise=noise, rng=np.random.default_rng(3), trajectory=True)
    return us.sample_closed_form(data, n, **(settings | options))


def barycenter_error(data, queries, time):
    """Bound on the error of float32 barycenters at these queries, from the moments in float32."""
    scaled, kernel = time * data, us.Gaussian(1.0 - time)
    moments = us.posterior_moments(kernel, scaled.astype(SINGLE), queries.astype(SINGLE))
    distance = us.posterior_moments(kernel, scaled, queries).mean_distance
    # Twice: float32 queries and points of this bound are rounded, those of the sampler are not.
    return 2.0 * moments.relative_error.astype(DOUBLE) * distance / time


@pytest.mark.parametrize(("dimension", "offset"), [(1, 0.0), (2, 0.0), (2, 300.0), (12, 0.0), (12, 300.0)])
def test_a_closed_form_run_on_float32_data_is_the_run_on_float64_data_up_to_the_bound(dimension, offset):
    r"""The errors obey $e \leftarrow \lVert (1 - \eta) I + \eta J \rVert e + \eta\,\delta + u |z|$."""
    data = cloud(60, dimension, 0, offset)
    found, exact = closed_form(data.astype(SINGLE)), closed_form(data)
    assert {a.dtype for a in (found.samples, found.last_state, found.trajectory)} == {np.dtype(SINGLE)}
    assert {a.dtype for a in (exact.samples, exact.last_state, exact.trajectory)} == {np.dtype(DOUBLE)}
    assert found.settings == exact.settings
    np.testing.assert_array_equal(found.trajectory[0], exact.trajectory[0].astype(SINGLE))
    tuples, last = cloud(4, dimension, 7), len(found.times) - 2
    error = EPS * np.linalg.norm(exact.trajectory[0], axis=1)
    for step, (time, state, after) in enumerate(zip(found.times, exact.trajectory, exact.trajectory[1:], strict=False)):
        eta = 1.0 / (last + 1 - step)
        rounding = EPS * np.linalg.norm(after, axis=1)
        if time == 0.0:
            error = (1.0 - eta) * error + rounding
            continue
        field = us.Smoothed(us.Barycenter(us.Gaussian(1.0 - time), data, scale=time), 0.6, noise=tuples)
        growth = np.linalg.norm((1.0 - eta) * np.eye(dimension) + eta * field.jacobian(state), 2, axis=(1, 2))
        queries = (state[:, None] + 0.6 * tuples).reshape(-1, dimension)
        own = barycenter_error(data, queries, time).reshape(len(state), -1).mean(1)
        error = growth * error + eta * own + rounding
    error *= 2.0  # for the second order
    small = error < 0.05
    assert small.mean() > 0.6
    distance = np.linalg.norm(found.samples - exact.samples, axis=1)
    assert (distance[small] <= error[small]).all()
    assert (found.samples != exact.samples.astype(SINGLE)).any()


@pytest.mark.parametrize("estimator", ["dense", "near", us.Neighbours(5, 3)])
@pytest.mark.parametrize("policy", ["fixed", "fresh_antithetic", "shared"])
def test_drawn_noise_and_starts_do_not_depend_on_the_precision(policy, estimator):
    """Few steps and a wide last bandwidth: what is drawn decides, and rounding stays small."""
    data = cloud(50, 2, 1)
    runs = [
        closed_form(data.astype(kind), n_steps=3, noise=us.Noise(policy, draws=4), start_time=0.4, estimator=estimator)
        for kind in (SINGLE, DOUBLE)
    ]
    distance = np.abs(runs[0].samples - runs[1].samples).max()
    assert 0 < distance < 1e-4
    other = closed_form(data, n_steps=3, noise=us.Noise(policy, draws=4), rng=np.random.default_rng(4))
    assert np.abs(other.samples - runs[1].samples).max() > 0.1


def test_the_dense_estimator_of_many_dimensions_takes_float32_tiles():
    """Its error is that of float32 products, not of a float64 mean that was rounded."""
    data, queries = cloud(300, 20, 0), cloud(50, 20, 5)
    rng = np.random.default_rng(0)
    means = [us.Dense().prepare(data.astype(kind), rng=rng)(queries, 0.7)[0] for kind in (SINGLE, DOUBLE)]
    assert all(mean.dtype == DOUBLE for mean in means)
    error = np.linalg.norm(means[0] - means[1], axis=1)
    assert 1e-10 < error.max()
    assert (error <= barycenter_error(data, queries, 0.7)).all()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kernel", [us.Gaussian(1.0), us.Laplace(1.0), us.Matern(1.0, 2.5)], ids=lambda k: k.name)
@pytest.mark.parametrize("dimension", [1, 2, 12])
def test_every_step_of_a_flow_in_float32_is_one_in_float64_up_to_the_bound(rule, kernel, dimension):
    target, start = cloud(70, dimension, 0), cloud(50, dimension, 1, 1.0)
    flow = DriftingFlow(kernel, target.astype(SINGLE), step=0.3, rule=rule)
    path = flow.run(start.astype(SINGLE), n_steps=3, trajectory=True)
    assert path.particles.dtype == path.trajectory.dtype == SINGLE
    assert path.energy.dtype == path.curl.dtype == DOUBLE
    exact = DriftingFlow(kernel, target, step=0.3, rule=rule)
    for before, after in zip(path.trajectory, path.trajectory[1:], strict=False):
        wide = before.astype(DOUBLE)
        velocity = exact.velocity(wide)
        away = np.linalg.norm(after - (wide + 0.3 * velocity), axis=1)
        bound = EPS * (np.linalg.norm(wide, axis=1) + 0.6 * np.linalg.norm(velocity, axis=1))
        if rule in ("drift", "sharp"):
            sharp = kernel.sharp()
            used, factor = (sharp.kernel, np.exp(sharp.log_scale)) if rule == "sharp" else (kernel, 1.0)
            for model, left_out in ((target, None), (wide, np.arange(len(wide)))):
                m = us.posterior_moments(used, model.astype(SINGLE), before, exclude=left_out)
                size = factor * m.mean_distance / m.preconditioner if rule == "sharp" else m.mean_distance
                bound += 0.3 * m.relative_error * np.maximum(size, np.linalg.norm(m.mean_shift, axis=1))
        else:
            # Both are computed in float64 and rounded; the plan is converged to the tolerance of the flow.
            bound += 0.3 * (4 * EPS * 10.0 + (flow.tolerance if rule == "sinkhorn" else 0.0))
        assert (away <= bound).all()


def test_the_particles_of_a_flow_have_the_wider_type_of_start_and_target():
    target, start = cloud(30, 2, 0), cloud(20, 2, 1)
    for a, b in ((SINGLE, SINGLE), (SINGLE, DOUBLE), (DOUBLE, SINGLE), (DOUBLE, DOUBLE)):
        flow = DriftingFlow(us.Laplace(1.0), target.astype(a))
        assert flow.run(start.astype(b), n_steps=1).particles.dtype == np.result_type(a, b)
        assert flow.velocity(start.astype(b)).dtype == np.result_type(a, b)
    mixture = DriftingFlow(us.Laplace(1.0), us.GaussianMixture(target[:3], 0.5))
    for kind in (SINGLE, DOUBLE):
        assert mixture.run(start.astype(kind), n_steps=1).particles.dtype == kind


@pytest.mark.parametrize("mixture", [False, True])
def test_the_batches_of_a_flow_do_not_depend_on_the_precision(mixture):
    target, start = cloud(200, 2, 0), cloud(20, 2, 1)
    ends = []
    for kind in (SINGLE, DOUBLE):
        law = us.GaussianMixture(target[:3], 0.5) if mixture else target.astype(kind)
        flow = DriftingFlow(us.Laplace(1.0), law, batch=15)
        ends.append(flow.run(start.astype(kind), n_steps=2, rng=np.random.default_rng(0)).particles)
    assert 0 < np.abs(ends[0] - ends[1]).max() < 1e-4
