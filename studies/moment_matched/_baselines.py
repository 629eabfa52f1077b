"""What moment-matched particles are compared with, and the particles themselves, at one budget of score evaluations."""

import warnings

import numpy as np

import unifiedscore as us


def moments(x, delta):
    """Covariance that the particles are given."""
    return np.cov(x.T, bias=True) + delta**2 * np.eye(x.shape[1])


def kernel_density(x, delta, n, rng):
    return us.Samples(x).sample(n, rng) + delta * rng.standard_normal((n, x.shape[1]))


def kernel_exact(x, delta, n, rng):
    """Draws of the kernel density, moved linearly to exactly its mean and covariance."""
    factor = np.linalg.cholesky(moments(x, delta))
    y = np.linalg.solve(factor, (kernel_density(x, delta, n, rng) - x.mean(0)).T).T
    return x.mean(0) + us.CenteredStiefel(*y.shape).retract(y) @ factor.T


def gaussian_fit(x, delta, n, rng):
    return rng.multivariate_normal(x.mean(0), moments(x, delta), n)


def matched(x, delta, s, n, *, step, steps, draws, rng):
    """Samples and their overlap with the start; `step` is in units of the stability bound delta^2/lambda_max."""
    largest = float(np.linalg.eigvalsh(moments(x, delta))[-1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = us.sample_moment_matched(x, n, noise_level=delta, smoothing=s,
                                       noise=us.Noise("fresh_antithetic", draws=draws),
                                       step=step * delta**2 / largest, n_steps=steps, rng=rng)  # fmt: skip
    return run.samples, float(run.overlap[-1])


def untilted(x, delta, s, n, *, step, steps, draws, rng):
    """Leimkuhler-Matthews without projection, from noisy training points; `step` is in units of delta^2."""
    z = kernel_density(x, delta, n, rng)
    h = step * delta**2
    carried = rng.standard_normal(z.shape)
    kernel = us.KernelScore(us.Gaussian(delta), x)
    smoothed = us.Smoothed(kernel, s, noise=np.zeros((1, x.shape[1])))
    for _ in range(steps):
        noise = us.samplers.draw_noise("fresh_antithetic", n, draws, x.shape[1], rng)
        score = smoothed.evaluate(z, noise=noise) if s else kernel(z)
        new = rng.standard_normal(z.shape)
        z, carried = z + h * score + np.sqrt(h / 2) * (carried + new), new
    return z


def closed_form(x, s, n, *, steps, draws, rng):
    noise = us.Noise("fixed_antithetic", draws=draws)
    return us.sample_closed_form(x, n, n_steps=steps, smoothing=s, noise=noise, rng=rng).samples
