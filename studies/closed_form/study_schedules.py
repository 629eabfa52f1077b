"""The closed-form path in other times and units: every schedule runs through the same scores of the same mixture.

With c = alpha + beta a schedule's state is c times the closed-form state at t = alpha/c, so that its score is the
closed-form score over c and its velocity c' z + c t' v. The mixture has unequal weights and variances.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.study import Control, Grid, Identity, Study, Theorem, Variable

QUARTER = np.pi / 2
# alpha, beta and their rates, written out.
SCHEDULES = {
    "rectified_flow": lambda u: (u, 1 - u, 1.0, -1.0),
    "vp_cosine": lambda u: (np.sin(QUARTER * u), np.cos(QUARTER * u), QUARTER * np.cos(QUARTER * u),
                            -QUARTER * np.sin(QUARTER * u)),
    "foellmer": lambda u: (u, np.sqrt(u * (1 - u)), 1.0, (1 - 2 * u) / (2 * np.sqrt(u * (1 - u)))),
}  # fmt: skip


def denoised(means, variances, weights, z, time, *, shared=False):
    """E[x | t x + (1-t) e = z] of an isotropic mixture, component by component; or with one variance in the shares."""
    noisy = time**2 * variances + (1 - time) ** 2
    spread = np.full_like(noisy, noisy.mean()) if shared else noisy
    gaps = z[:, None] - time * means
    logs = np.log(weights) - 0.5 * z.shape[1] * np.log(spread) - (gaps**2).sum(-1) / (2 * spread)
    share = np.exp(logs - logs.max(1, keepdims=True))
    share /= share.sum(1, keepdims=True)
    return np.einsum("nm,nmd->nd", share, means + (time * variances / noisy)[:, None] * gaps)


def measure(cell, rng):
    d, u = cell["dimension"], cell["time"]
    means, variances = rng.normal(size=(3, d)) + 0.5, np.array([0.1, 0.4, 0.9])
    weights = np.array([0.5, 0.3, 0.2])
    law = us.GaussianMixture(means, variances, weights)
    alpha, beta, alpha_rate, beta_rate = SCHEDULES[cell["schedule"]](u)
    c, c_rate = alpha + beta, alpha_rate + beta_rate
    time, time_rate = alpha / c, (alpha_rate * beta - alpha * beta_rate) / c**2
    z = rng.normal(size=(20, d)) + time * 0.5
    process = us.TiltedProcess(law, us.QuadraticReward(np.zeros(d), 0.0), cell["schedule"])
    velocity = us.ClosedFormVelocity(law, time)(z)
    flow = c_rate * z + c * time_rate * velocity
    drift = 2 * flow - alpha_rate / alpha * c * z
    center = us.Barycenter(us.Gaussian(1 - time), law, scale=time)(z)
    found = process.velocity(c * z, u)
    rectified = us.Schedule("rectified_flow")
    clock = rectified.time_of_snr(process.schedule.snr(u))
    largest = lambda gap: np.abs(gap).max()
    size = largest(z) + largest(means)
    return {
        "score_gap": largest(c * process.base_score(c * z, u) - us.ClosedFormScore(law, time)(z)),
        "score_gap_units": largest(process.base_score(c * z, u) - us.ClosedFormScore(law, time)(z) / c**2),
        "velocity_gap": largest(found - flow),
        "velocity_gap_time": largest(found - c_rate * z - c * velocity),
        "drift_gap": largest(process.drift(c * z, u) - drift),
        "drift_gap_velocity": largest(process.drift(c * z, u) - flow),
        "denoiser_gap": largest(center - denoised(means, variances, weights, z, time)),
        "denoiser_gap_shared": largest(center - denoised(means, variances, weights, z, time, shared=True)),
        "clock_gap": abs(clock - time),
        "clock_gap_root": abs(rectified.time_of_snr(np.sqrt(process.schedule.snr(u))) - time),
        "one": 1.0,
        "scale": size**2 * (1 + largest(velocity)) * (1 + alpha_rate / alpha + abs(beta_rate) / beta),
    }


exact = Theorem(source="derived here", evidence="exact", test=Identity(c=100, scale="scale"))
OTHERS = {"schedule": ["vp_cosine", "foellmer"]}
study = Study(
    name="closed_form_schedules", title="Closed-form scores along other schedules",
    grid=Grid(schedule=list(SCHEDULES), dimension=[1, 3], time=[0.2, 0.5, 0.9]), measure=measure,
    variables={
        "score_gap": Variable("Largest |c times the score of the process - closed-form score at t = alpha/c|"),
        "score_gap_units": Variable("Largest |score of the process - closed-form score over c^2|"),
        "velocity_gap": Variable("Largest |velocity of the process - (c' z + c t' v)|"),
        "velocity_gap_time": Variable("Largest |velocity of the process - (c' z + c v)|"),
        "drift_gap": Variable("Largest |memoryless drift of the process - (2 velocity - kappa x)|"),
        "drift_gap_velocity": Variable("Largest |memoryless drift of the process - velocity|"),
        "denoiser_gap": Variable("Largest |barycenter - mean given the component, averaged over shares|"),
        "denoiser_gap_shared": Variable("Largest |barycenter - that mean with one variance in the shares|"),
        "clock_gap": Variable("|time of the rectified schedule with the same signal-to-noise ratio - alpha/c|"),
        "clock_gap_root": Variable("|time of the rectified schedule with the root of that ratio - alpha/c|"),
        "one": Variable("One"),
        "scale": Variable("Size of a state and a velocity times the rates of the schedule"),
    },
    claims=[
        exact.claim(id="closed_form.schedule_score", variable="score_gap",
                    statement="Along the rectified, cosine and Foellmer schedules the score of a mixture at c z is the "
                              "closed-form score at t = alpha/c over c = alpha + beta; unequal weights and variances.",
                    control=Control("units: over c^2", variable="score_gap_units")),
        exact.claim(id="closed_form.schedule_velocity", regime="velocity", variable="velocity_gap",
                    statement="Along every schedule the velocity of a mixture at c z is c' z + c t' v, v the "
                              "closed-form velocity at t = alpha/c.",
                    control=Control("t' = 1", variable="velocity_gap_time")),
        exact.claim(id="closed_form.schedule_velocity", regime="memoryless drift", variable="drift_gap",
                    statement="Along every schedule the memoryless drift is twice the velocity minus kappa x.",
                    control=Control("the velocity itself", variable="drift_gap_velocity")),
        exact.claim(id="closed_form.schedule_score", regime="time", variable="clock_gap",
                    test=Identity(c=10, scale="one"), where=OTHERS,
                    statement="The closed-form time t = alpha/(alpha + beta) of a schedule is the time at which the "
                              "rectified schedule has the same signal-to-noise ratio.",
                    control=Control("the root of the ratio", variable="clock_gap_root")),
        exact.claim(id="closed_form.denoiser", variable="denoiser_gap",
                    statement="The barycenter of a Gaussian mixture is the mean given the component averaged over the "
                              "components' shares, for unequal weights and isotropic variances.",
                    control=Control("one variance in the shares", variable="denoiser_gap_shared")),
    ],
)  # fmt: skip
