"""The fits that describe a network, tried on denoisers that are known: each is told from its rivals, or is not.

Data are eight draws of N(0, I) in the plane, the noise level is .3, queries are noisy training points. The described
denoiser is the empirical one with its score smoothed (.2), of twice the noise, with its density smoothed (.3), or the
Gaussian one.
"""

import numpy as np

from unifiedscore.learned import (
    DensitySmoothedDenoiser,
    GaussianDenoiser,
    ScoreSmoothedDenoiser,
    WiderKernelDenoiser,
    describe_denoiser,
    description_noise,
    noisy_queries,
    split_error,
)
from unifiedscore.learned.rivals import empirical_denoiser
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable

LEVEL, SMOOTHING, BANDWIDTH = 0.3, 0.2, 0.3
POINTS, QUERIES, DRAWS = 8, 60, 32
MADE = {
    "score": lambda data, noise: ScoreSmoothedDenoiser(data, LEVEL, SMOOTHING, noise=noise),
    "kernel": lambda data, noise: WiderKernelDenoiser(data, LEVEL, 2.0),
    "density": lambda data, noise: DensitySmoothedDenoiser(data, LEVEL, BANDWIDTH),
    "gaussian": lambda data, noise: GaussianDenoiser(data, LEVEL),
}


def measure(cell, rng):
    points, own, other, queries = rng.spawn(4)
    data = points.standard_normal((POINTS, 2))
    x = noisy_queries(data, QUERIES, queries, level=LEVEL)
    # Independent noise: the fit must not know the draws that the denoiser was smoothed with.
    denoiser = MADE[cell["denoiser"]](data, description_noise(2, own, draws=128))
    noise = description_noise(2, other, draws=DRAWS)
    found = describe_denoiser(denoiser, data, level=LEVEL, queries=x, noise=noise)
    truth = x / (1 + LEVEL**2)
    split = split_error(denoiser(x), truth=truth, empirical=empirical_denoiser(data, LEVEL)(x))
    return {
        "lead": found.lead,
        "over_kernel": found.score.share - found.kernel.share,
        "over_density": found.score.share - found.density.share,
        "smoothing": found.score.parameter,
        "bandwidth": found.density.parameter,
        "factor": found.kernel.parameter,
        "memorised": split.memorised,
    }


fits = Theorem("learned.descriptions", source="derived here", evidence="monte_carlo")
AHEAD = Inside(0.02, np.inf)
study = Study(
    name="learned_descriptions", title="Descriptions of known denoisers",
    grid=Grid(denoiser=list(MADE), seed=range(16), paired=("denoiser",)), measure=measure,
    variables={
        "lead": Variable("Share of the smoothed score minus the largest of its three rivals"),
        "over_kernel": Variable("Share of the smoothed score minus that of the wider kernel"),
        "over_density": Variable("Share of the smoothed score minus that of the smoothed density"),
        "smoothing": Variable("Fitted smoothing of the score", symbol="sigma_eff"),
        "bandwidth": Variable("Fitted smoothing of the density", symbol="tau_eff"),
        "factor": Variable("Fitted factor of the noise", symbol="c"),
        "memorised": Variable("Memorised share 1 - e_0, the truth N(0, I)"),
    },
    claims=[
        *(fits.claim(regime=f"lead, not {other}", variable="lead", where={"denoiser": "score"}, test=AHEAD,
                     statement="A score-smoothed denoiser of eight points in the plane, sigma = .2 at noise .3, is "
                               "better described by a smoothed score than by a wider kernel, a smoothed density and a "
                               f"Gaussian, unlike {words}.",
                     control=Control(f"the fit of {words}", where={"denoiser": other}))
          for other, words in (("kernel", "twice the noise"), ("density", "a smoothed density"),
                               ("gaussian", "a Gaussian denoiser"))),
        fits.claim(regime="wider kernel alone", variable="over_kernel", where={"denoiser": "gaussian"},
                   test=Inside(-np.inf, 0.0), expect="refuted",
                   statement="A Gaussian denoiser is described by a wider kernel at least as well as by a smoothed "
                             "score, so that beating the wider kernel tells a smoothed score from it."),
        fits.claim(regime="smoothed density alone", variable="over_density", where={"denoiser": "gaussian"},
                   test=Inside(-np.inf, 0.0),
                   statement="A Gaussian denoiser is described by a smoothed density at least as well as by a "
                             "smoothed score.",
                   control=Control("a score-smoothed denoiser", where={"denoiser": "score"})),
        *(fits.claim(regime=f"recovery, {name}", variable=variable, where={"denoiser": name},
                     test=Inside(value - width, value + width),
                     statement=f"The fit recovers the {words} of {value} from values at 60 noisy training points.",
                     control=Control(f"a denoiser of another kind, {other}", where={"denoiser": other}))
          for name, variable, value, width, words, other in (
              ("score", "smoothing", 0.2, 0.03, "smoothing of the score", "kernel"),
              ("density", "bandwidth", 0.3, 0.001, "smoothing of the density", "gaussian"),
              ("kernel", "factor", 2.0, 0.001, "factor of the noise", "density"))),
    ],
)  # fmt: skip
