"""Systems whose law is known exactly, by sampling: what the moments cannot see.

Every seed is a batch of independent systems. Three particles in the plane with a factor that is not symmetric follow
the Gibbs law on a circle; with a transposed pull-back they keep every moment and follow another law, whose value comes
from a Fokker-Planck equation. Uniform systems (any quadratic V) have exact fourth moments and a known overlap.
"""

import warnings

import numpy as np

import unifiedscore as us
from unifiedscore import references
from unifiedscore.samplers import ManifoldChain
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable

CENTERS = np.array([[1.2, 0.3], [-1.0, -0.8], [0.4, 1.0], [-0.3, -1.4]])
FACTOR, MEAN = np.array([[1.0, 0.0], [0.9, 0.5]]), np.array([0.2, -0.1])
MIXED = lambda z: z[..., 0] * z[..., 1] ** 2
SHAPES = [(3, 1), (6, 1), (12, 1), (12, 3), (48, 1), (48, 10)]


def weights(z):
    w = np.exp(-2 * ((z[..., None, :] - CENTERS) ** 2).sum(-1))
    return w / w.sum(-1, keepdims=True)


def force(z):
    return 4 * (z - weights(z) @ CENTERS)


def run(chain, gradient, rng, *, systems, time):
    start = chain.manifold.sample(rng, systems=(systems,))
    state = chain.start(start, rng)
    for _ in range(round(time / chain.step)):
        state = chain.advance(state, gradient, rng)
    return start, state.y


def triangles(rng, *, transposed):
    """E z_1 z_2^2 of triangles after eight units of time, at h = .04, and the error of their moments.

    After four units 3 to 5 % of the uniform start are left (-.332 to -.338 of -.348 in 20000 systems, at h = .02, .01
    and by the second-order scheme alike); after eight, -.352 +- .003.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chain = ManifoldChain(us.CenteredStiefel(3, 2), 0.04, retraction="qr")
    pulled = FACTOR.T if transposed else FACTOR
    y = run(chain, lambda y: force(MEAN + y @ FACTOR.T) @ pulled, rng, systems=400, time=8)[1]
    return float(MIXED(MEAN + y @ FACTOR.T).mean()), float(chain.manifold.distance(y).max())


def line(rng):
    """E y^3 of three and four particles under V = 2/3 y^3 + y^4/2, by the second-order scheme."""
    values = []
    for p in (3, 4):
        chain = ManifoldChain(us.CenteredStiefel(p, 1), 0.1, "geodesic-leimkuhler-matthews")
        y = run(chain, lambda y: 2 * y**2 + 2 * y**3, rng, systems=600, time=3)[1]
        values.append(float((y**3).mean()))
    return values


def measure(cell, rng):
    p, d = SHAPES[cell["shape"]]
    h, steps = 0.02, 25
    systems = 4000 // p
    quiet = ManifoldChain(us.CenteredStiefel(p, d), h, "euler-maruyama", "qr")
    start, y = run(quiet, np.zeros_like, rng, systems=systems, time=h * steps)
    overlap = float((start[..., 0] * y[..., 0]).mean())
    predicted = float(references.euler_contraction(p, d, h) ** steps)
    # From a start far from uniform (all of V quadratic), at a step as large as .5.
    loud = ManifoldChain(us.CenteredStiefel(p, d), 0.5, retraction="qr")
    fourth = float((run(loud, lambda y: 3 * y, rng, systems=systems, time=3)[1] ** 4).mean())
    right = right_moments = wrong = wrong_moments = three = four = np.nan
    if cell["shape"] == 0:  # they do not depend on it
        right, right_moments = triangles(rng, transposed=False)
        wrong, wrong_moments = triangles(rng, transposed=True)
        three, four = line(rng)
    return {
        "overlap_gap": overlap - predicted, "overlap_large": overlap - np.exp(-h * steps),
        "fourth_ratio": fourth / references.fourth_moment(p), "fourth_normal": fourth / 3.0,
        "mixed": right, "mixed_transposed": wrong, "moment_error": max(right_moments, wrong_moments),
        "cube_three": three, "cube_four": four,
    }  # fmt: skip


FIRST = {"shape": 0}
oracle = Claim("moment_matched.pullback_oracle",
               "Three particles in the plane follow the Gibbs law, which has E z_1 z_2^2 = -.348.",
               "derived here", "monte_carlo", "mixed", Inside(-0.3482 - 0.04, -0.3482 + 0.04),
               where=FIRST,
               finding="inconclusive on root seed 1 with runs of four units of time: the uniform start was not "
                       "forgotten; the run was doubled, the region kept",
               control=Control("G_Z L^T, with every moment exact", variable="mixed_transposed"))  # fmt: skip
study = Study(
    name="moment_matched_small", title="Small moment-matched systems against their exact laws",
    grid=Grid(shape=range(len(SHAPES)), seed=range(16)), measure=measure,
    variables={
        "overlap_gap": Variable("Overlap of the particles with their start at t = .5 minus the exact one"),
        "overlap_large": Variable("Overlap of the particles with their start at t = .5 minus exp(-t)"),
        "fourth_ratio": Variable("E y^4 over 3 (P - 1)/(P + 1)"),
        "fourth_normal": Variable("E y^4 over 3"),
        "mixed": Variable("E z_1 z_2^2 of triangles", symbol="E z_1 z_2^2"),
        "mixed_transposed": Variable("E z_1 z_2^2 of triangles, transposed pull-back"),
        "moment_error": Variable("Largest moment error of the triangles with either pull-back"),
        "cube_three": Variable("E y^3 of three particles"),
        "cube_four": Variable("E y^3 of four particles"),
    },
    profiles={"standard": {"seed": range(64)}},
    claims=[
        oracle,
        *(
        Claim("moment_matched.small_oracles", f"The chain on {p} particles has the exact E y^3.",
              "derived here", "monte_carlo", variable, Inside(value - 0.03, value + 0.03),
              regime=f"P = {p}", where=FIRST, control=Control("the uniform law, E y^3 = 0", test=Inside(-0.03, 0.03)))
        for p, variable, value in ((3, "cube_three", -0.40602), (4, "cube_four", -0.46499))),
        Claim("moment_matched.finite_p_sde_kappa",
              "The overlap of the particles with their start decays with kappa_P = 1 - (d + 3)/2P.",
              "form and constant derived here", "monte_carlo", "overlap_gap", Inside(-0.02, 0.02),
              where={"shape": [0, 1, 2, 3]}, control=Control("kappa = 1", variable="overlap_large")),
        Claim("moment_matched.stiefel_marginal",
              "Uniform systems have E y^4 = 3 (P - 1)/(P + 1) in every dimension tested.",
              "derived here", "monte_carlo", "fourth_ratio", Inside(0.97, 1.03), where={"shape": [1, 2, 3, 4, 5]},
              control=Control("the Gaussian value 3", variable="fourth_normal")),
        Claim("moment_matched.uniform_all_h", "For quadratic V the chain keeps the uniform law at a step of .5.",
              "derived here", "monte_carlo", "fourth_ratio", Inside(0.97, 1.03), where={"shape": [2, 3]},
              control=Control("the Gaussian value 3", variable="fourth_normal")),
    ],
)  # fmt: skip
