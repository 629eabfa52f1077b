"""The animation of the first page: one set of points, and particles that drift, follow a score and keep their moments.

`python docs/generate/motion.py` writes `reference/motion.webp`; every stream is seeded.
"""

from pathlib import Path

import numpy as np

import unifiedscore as us
from unifiedscore.plotting import animate
from unifiedscore.samplers import DriftingFlow, exponential_schedule, sample_closed_form, sample_moment_matched

STORED = Path(__file__).parents[2] / "reference" / "motion.webp"
PARTICLES = 300


def motion():
    """The animation: all particles start from the same Gaussian."""
    streams = np.random.default_rng(0).spawn(4)
    data = us.load_measure("two_moons", n=150, noise=0.04, rng=streams[0]).points
    data = (data - data.mean(0)) / data.std()
    start = streams[1].standard_normal((PARTICLES, 2))
    flow = DriftingFlow(us.Gaussian(0.3), data, step=0.2)
    widths = exponential_schedule(1.0, 0.25, n_steps=120)
    noise = us.Noise("fixed", draws=8)
    closed = sample_closed_form(
        data, PARTICLES, n_steps=120, smoothing=0.3, noise=noise, rng=streams[2], start=start, trajectory=True
    )
    matched = sample_moment_matched(
        data, PARTICLES, noise_level=0.25, smoothing=0.0, step=0.02, n_steps=240, start=start, thin=2, rng=streams[3]
    )
    trajectories = {
        "Gaussian drift": flow.run(start, n_steps=120, bandwidths=widths, trajectory=True).trajectory,
        "Smoothed score": closed.trajectory,
        "Moment-matched Langevin": matched.trajectory,
    }
    return animate(trajectories, target=data)


if __name__ == "__main__":
    motion().save(STORED, writer="pillow", dpi=90)
