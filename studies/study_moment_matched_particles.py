"""Particles in motion: temperature of fresh noise, memory of the start, modes, neighbours.

Every seed is a new set of independent systems.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.metrics.coverage import nearest_training_distance
from unifiedscore.posterior.neighbours import NeighbourMeans
from unifiedscore.samplers import ManifoldChain
from unifiedscore.study import Claim, Control, Grid, Hypothesis, Inside, Study, Variable

CASES = ["temperature", "overlap", "overlap_short", "modes", "neighbours"]
# Three modes on the line of masses 1/2, 1/3, 1/6, and barriers that particles cross in the time given.
MODES = np.array([[-1.5], [-1.5], [-1.5], [0.2], [0.2], [1.6]])


def temperature(rng):
    """a Var(y) of linear drifts with fresh gradient noise, 20000 chains: a = 1.3, v = 5, h = .05."""
    a, v, h, n = 1.3, 5.0, 0.05, 20_000
    euler, matthews = rng.standard_normal(n) / np.sqrt(a), rng.standard_normal(n) / np.sqrt(a)
    carried = rng.standard_normal(n)
    for _ in range(120):
        noise, new = np.sqrt(v) * rng.standard_normal((2, n)), rng.standard_normal((2, n))
        euler += -h * (a * euler + noise[0]) + np.sqrt(2 * h) * new[0]
        matthews += -h * (a * matthews + noise[1]) + np.sqrt(h / 2) * (carried + new[1])
        carried = new[1]
    return {"temperature_euler": a * euler.var() / 1.162791, "temperature_matthews": a * matthews.var() / 1.129199,
            "temperature_one": a * matthews.var()}  # fmt: skip


def overlap(rng, *, steps, step):
    """Overlap with training points after a run, smoothed circle, mean of three systems."""
    data, overlaps, novelty = us.load_measure("circle12"), [], []
    for _ in range(3):
        start = data.points.repeat(5, axis=0) + 0.1 * rng.standard_normal((60, 2))
        result = us.sample_moment_matched(data, 60, noise_level=0.3, smoothing=0.4, noise_draws=8, step=step,
                                          n_steps=steps, start=start, rng=rng)  # fmt: skip
        overlaps.append(result.overlap[-1])
        novelty.append(nearest_training_distance(result.samples, data.points).mean())
    return {"overlap": np.mean(overlaps), "overlap_time": step * steps, "novelty": float(np.mean(novelty))}


def modes(rng):
    """Share of particles right of .9, and the largest squared distance over P - 1, against the tilted law."""
    score = us.SmoothedScore(MODES, 0.45, 0.3, noise="population")
    tilt = us.solve_tilt(score)
    law = us.MomentMatchedTilt(score, tilt)
    z = np.arange(-7, 8, 0.01)
    mass = np.exp(law.log_density(z[:, None])) * 0.01
    expected, scale = float(mass[z > 0.9].sum()), float(np.sqrt(tilt.covariance[0, 0]))
    found = {}
    for p in (4, 40):
        chain = ManifoldChain(us.CenteredStiefel(p, 1), 0.02)
        state = chain.start(chain.manifold.sample(rng, systems=(1200 // p,)), rng)

        def force(y):
            return -scale * score((tilt.mean + scale * y).reshape(-1, 1)).reshape(y.shape)

        for _ in range(200):
            state = chain.advance(state, force, rng)
        found |= {f"mode_gap_{p}": float((tilt.mean + scale * state.y > 0.9).mean()) - expected,
                  f"row_share_{p}": float((state.y**2).max()) / (p - 1)}  # fmt: skip
    return found | {"mode_mass": expected}


def neighbours(rng):
    """Bias with 20 nearest and 20 random points of 200 in 30 dimensions; with the neighbours of z itself, s = 3."""
    data = rng.standard_normal((200, 30))
    z = data[:1] + 0.3 * rng.standard_normal((1, 30))
    q = z + 3.0 * rng.standard_normal((64, 30))
    exactly = NeighbourMeans(data, nearest=20, remainder=180)
    reference = exactly(q, bandwidth=0.3, rng=rng)
    dense = us.Barycenter(us.Gaussian(0.3), data)(q)
    own, away = NeighbourMeans(data, nearest=20, remainder=20), NeighbourMeans(data, nearest=20, remainder=20)
    good = own(q, bandwidth=0.3, rng=rng)
    near = np.repeat(away.neighbours(z), len(q), axis=0)
    bad = away.combine(q, near, away.draw_remainder(near, rng), bandwidth=0.3)
    size = np.linalg.norm(q.mean(0) - dense.mean(0))
    return {"neighbour_exact": float(np.abs(reference - dense).max()),
            "neighbour_bias": float(np.linalg.norm((good - dense).mean(0)) / size),
            "neighbour_bias_away": float(np.linalg.norm((bad - dense).mean(0)) / size)}  # fmt: skip


def measure(cell, rng):
    case = cell["case"]
    found = dict.fromkeys(NAMES, np.nan)
    if case == "temperature":
        return found | temperature(rng)
    if case == "overlap":
        return found | overlap(rng, steps=300, step=0.02)
    if case == "overlap_short":
        return found | overlap(rng, steps=100, step=5e-4)
    return found | (modes(rng) if case == "modes" else neighbours(rng))


NAMES = {
    "temperature_euler": "Temperature of Euler-Maruyama over its prediction",
    "temperature_matthews": "Temperature of Leimkuhler-Matthews over its prediction",
    "temperature_one": "Temperature of Leimkuhler-Matthews", "overlap": "Overlap with the start",
    "overlap_time": "Time run", "novelty": "Mean distance to the nearest training point",
    "mode_gap_4": "Mass of a mode minus its limit, 4 particles", "row_share_4": "Largest |y|^2/(P - 1), 4 particles",
    "mode_gap_40": "Mass of a mode minus its limit, 40 particles", "row_share_40": "The same, 40 particles",
    "mode_mass": "Mass of the mode under the tilted law", "neighbour_exact": "Error with all points drawn",
    "neighbour_bias": "Relative bias, neighbours of the perturbed point",
    "neighbour_bias_away": "Relative bias, neighbours of the particle",
}  # fmt: skip


def claim(name, case, statement, variable, test, control, source="derived here", **more):
    return Claim(id=f"moment_matched.{name}", statement=statement, source=source, evidence="monte_carlo",
                 variable=variable, test=test, control=control, where={"case": case}, **more)  # fmt: skip


study = Study(
    name="moment_matched_particles",
    title="Particles in motion: temperature, memory, modes, neighbours",
    grid=Grid(case=CASES, seed=range(16)),
    measure=measure,
    variables={name: Variable(words) for name, words in NAMES.items()},
    profiles={"standard": {"seed": range(64)}},
    claims=[
        claim("gradient_noise_temperature", "temperature", "Euler-Maruyama: (1 + hv/2)/(1 - ha/2)", "temperature_euler",
              Inside(0.99, 1.01), Control("temperature 1", test=Inside(0.85, 0.87)), regime="euler-maruyama"),
        claim("gradient_noise_temperature", "temperature", "Leimkuhler-Matthews: 1 + (hv/2)/(1 - ha/2)",
              "temperature_matthews", Inside(0.99, 1.01),
              Control("fresh noise changes no law: temperature 1", variable="temperature_one"),
              regime="leimkuhler-matthews"),
        claim("run_length", "overlap", "after t = 6 the particles have forgotten their start", "overlap",
              Inside(-0.2, 0.2), Control("100 steps of 5e-4", where={"case": "overlap_short"})),
        claim("mode_coverage", "modes", "the mass of a mode tends to that of the tilted law", "mode_gap_40",
              Inside(-0.025, 0.025), Control("four particles", variable="mode_gap_4"),
              source="abstract of arXiv 2605.14276 (diversity); derived here",
              hypotheses=(Hypothesis("a mode of visible mass", "mode_mass", low=0.05, high=0.5),)),
        claim("row_bound", "modes", "no particle lies beyond sqrt(P - 1) standard deviations", "row_share_4",
              Inside(-np.inf, 1.0), Control("half the bound", test=Inside(-np.inf, 0.5))),
        claim("knn_estimator", "neighbours", "neighbours of the perturbed point keep the bias small",
              "neighbour_bias", Inside(-np.inf, 0.15),
              Control("neighbours of the particle itself, s = 3", variable="neighbour_bias_away")),
    ],
)  # fmt: skip
