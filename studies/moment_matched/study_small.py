"""Systems whose law is known exactly, by sampling: what the moments cannot see.

Every seed is a batch of independent systems. Three particles in the plane with a factor that is not symmetric follow
the Gibbs law on a circle; with a transposed pull-back they keep every moment and follow another law, whose value comes
from a Fokker-Planck equation. Uniform systems (any quadratic V) have exact fourth moments and a known overlap.
"""

import warnings
from functools import cache

import numpy as np

import unifiedscore as us
from unifiedscore import references
from unifiedscore.samplers import ManifoldChain
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable

# A cluster of three and a point far along the diagonal: the law of triangles has one mode, up to permutations.
DATA, DELTA = us.Samples([[-0.8, -0.5], [1.8, 2.0], [-0.6, -0.8], [-0.5, -1.0]]), 0.5
MEAN = DATA.mean
FACTOR = np.linalg.cholesky(DATA.covariance_matrix + DELTA**2 * np.eye(2))
SCORE = us.SmoothedScore(DATA, DELTA, 0.0)
MIXED = lambda z: z[..., 0] * z[..., 1] ** 2
SHAPES = [(3, 1), (6, 1), (12, 1), (12, 3), (48, 1), (48, 10)]
POTENTIAL, HALF = lambda y: 2 / 3 * y**3 + y**4 / 2, lambda y: y**3 / 3 + y**4 / 2
# With a quadratic, which must drop out.
SLOPE = lambda y: 2 * y**2 + 2 * y**3 + 0.9 - 1.4 * y
TRIANGLE_STEP, TRIANGLE_STEPS, BURN = 0.02, 400, 100


def run(chain, gradient, rng, *, systems, time):
    start = chain.manifold.sample(rng, systems=(systems,))
    state = chain.start(start, rng)
    for _ in range(round(time / chain.step)):
        state = chain.advance(state, gradient, rng)
    return start, state.y


@cache
def triangle_law():
    """E z_1 z_2^2 of triangles under the Gibbs law."""
    potential = lambda z: -SCORE.potential(z.reshape(-1, 2)).reshape(z.shape[:-1])
    return references.triangles(potential, MIXED, MEAN, FACTOR)[0]


def triangles(rng):
    """E z_1 z_2^2 of three particles of the sampler, over six units of time after two, and the error of their moments.

    The law has a single mode, in which the triangle turns back at a rate of about ten.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three particles in the plane are a rigid simplex, which is what is wanted
        found = us.sample_moment_matched(DATA, 3, noise_level=DELTA, smoothing=0.0, step=TRIANGLE_STEP,
                                         n_steps=TRIANGLE_STEPS, thin=2, rng=rng)  # fmt: skip
    return float(MIXED(found.trajectory[BURN // 2 :]).mean()), float(found.moment_error.max())


def transposed_triangles(rng):
    """E z_1 z_2^2 of 400 systems whose force is G_Z L^T, after four units of time, and their moment error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chain = ManifoldChain(us.CenteredStiefel(3, 2), 2 * TRIANGLE_STEP)
    force = lambda y: -SCORE((MEAN + y @ FACTOR.T).reshape(-1, 2)).reshape(y.shape) @ FACTOR.T
    y = run(chain, force, rng, systems=400, time=4)[1]
    return float(MIXED(MEAN + y @ FACTOR.T).mean()), float(chain.manifold.distance(y).max())


def line(rng):
    """E y^3 of three and four particles under V, by the second-order scheme, minus the exact value for V and HALF."""
    cube, gaps = lambda y: y**3, []
    for p, oracle in ((3, references.three_particles), (4, references.four_particles)):
        chain = ManifoldChain(us.CenteredStiefel(p, 1), 0.1, "geodesic-leimkuhler-matthews")
        found = float((run(chain, SLOPE, rng, systems=600, time=3)[1] ** 3).mean())
        gaps += [found - oracle(POTENTIAL, cube), found - oracle(HALF, cube)]
    return gaps


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
    fourth = float((run(loud, lambda y: 3 * y, rng, systems=2 * systems, time=3)[1] ** 4).mean())
    found = dict.fromkeys(ONCE, np.nan)
    if cell["shape"] == 0:  # they do not depend on it
        (right, exact), (wrong, exact_wrong) = triangles(rng), transposed_triangles(rng)
        numbers = right - triangle_law(), wrong - triangle_law(), max(exact, exact_wrong), *line(rng)
        found = dict(zip(ONCE, numbers, strict=True))
    return found | {
        "overlap_gap": overlap - predicted, "overlap_large": overlap - np.exp(-h * steps),
        "fourth_ratio": fourth / references.fourth_moment(p), "fourth_normal": fourth / 3.0,
    }  # fmt: skip


ONCE = {
    "mixed": "E z_1 z_2^2 of three particles of the sampler minus that of the Gibbs law",
    "mixed_transposed": "E z_1 z_2^2 of three particles with a transposed pull-back minus that of the Gibbs law",
    "moment_error": "Largest moment error of three particles with either pull-back",
    "cube_three": "Sampled E y^3 of three particles minus the exact one",
    "cube_three_half": "Sampled E y^3 of three particles minus the exact one for half of the cubic term",
    "cube_four": "Sampled E y^3 of four particles minus the exact one",
    "cube_four_half": "Sampled E y^3 of four particles minus the exact one for half of the cubic term",
}
FIRST = {"shape": 0}
oracle = Claim("moment_matched.pullback_oracle",
               "Three particles in the plane, moved by `sample_moment_matched` for four skewed data points, have the "
               "E z_1 z_2^2 of the Gibbs law on their circle, which is .98.",
               "derived here", "monte_carlo", "mixed", Inside(-0.1, 0.1), where=FIRST,
               control=Control("G_Z L^T, with every moment exact", variable="mixed_transposed"))  # fmt: skip
study = Study(
    name="moment_matched_small", title="Small moment-matched systems against their exact laws",
    grid=Grid(shape=range(len(SHAPES)), seed=range(16)), measure=measure,
    variables={name: Variable(words) for name, words in ONCE.items()} | {
        "overlap_gap": Variable("Overlap of the particles with their start at t = .5 minus the exact one"),
        "overlap_large": Variable("Overlap of the particles with their start at t = .5 minus exp(-t)"),
        "fourth_ratio": Variable("E y^4 over 3 (P - 1)/(P + 1)"),
        "fourth_normal": Variable("E y^4 over 3"),
    },
    profiles={"standard": {"seed": range(64)}},
    claims=[
        oracle,
        *(
        Claim("moment_matched.small_oracles",
              f"For V = 2/3 y^3 + y^4/2 plus any quadratic the chain on {words} particles has the exact E y^3.",
              "derived here", "monte_carlo", variable, Inside(-0.03, 0.03), regime=f"P = {p}", where=FIRST,
              control=Control("the law for half of the cubic term", variable=f"{variable}_half"))
        for p, words, variable in ((3, "three", "cube_three"), (4, "four", "cube_four"))),
        Claim("moment_matched.finite_p_sde_kappa",
              "The overlap of the particles with their start decays with kappa_P = 1 - (d + 3)/2P for V = 0 and "
              "(P, d) = (3, 1), (6, 1), (12, 1), (12, 3).",
              "form and constant derived here", "monte_carlo", "overlap_gap", Inside(-0.02, 0.02),
              where={"shape": [0, 1, 2, 3]}, control=Control("kappa = 1", variable="overlap_large")),
        Claim("moment_matched.stiefel_marginal",
              "Uniform systems have E y^4 = 3 (P - 1)/(P + 1) for P = 6 to 48 and d = 1, 3, 10.",
              "derived here", "monte_carlo", "fourth_ratio", Inside(0.97, 1.03), where={"shape": [1, 2, 3, 4, 5]},
              control=Control("the Gaussian value 3", variable="fourth_normal")),
        Claim("moment_matched.uniform_all_h",
              "For quadratic V the chain of 12 particles keeps the uniform law at a step of .5.",
              "derived here", "monte_carlo", "fourth_ratio", Inside(0.97, 1.03), where={"shape": [2, 3]},
              control=Control("the Gaussian value 3", variable="fourth_normal")),
    ],
)  # fmt: skip
