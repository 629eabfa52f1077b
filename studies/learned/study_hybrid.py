"""The best blend of two denoisers is predicted from pairs that neither has seen, and mispredicted from training pairs.

Data are two unequal modes on a line. The first denoiser smooths the density of the training set, the second is the
empirical denoiser, which training pairs always prefer; the truth is known.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.learned import DensitySmoothedDenoiser, hybrid_weight
from unifiedscore.study import Claim, Control, Grid, Identity, Inside, Study, Variable, combine

LAW = us.GaussianMixture([[-1.0], [1.2]], [0.15, 0.3], weights=[0.4, 0.6])
LEVEL, TRAINING, PAIRS = 0.3, 12, 4000


def toy(cell, rng):
    """D* = x/2, D_1 = .7 x, D_2 = .4 x + .1 over N(0, 1) by two points: lambda = .4, and the errors by hand."""
    x = np.array([[-1.0], [1.0]])
    found = hybrid_weight(0.7 * x, 0.4 * x + 0.1, 0.5 * x)
    swapped = hybrid_weight(0.4 * x + 0.1, 0.7 * x, 0.5 * x)
    best = np.mean((0.4 * 0.7 * x + 0.6 * (0.4 * x + 0.1) - 0.5 * x) ** 2)
    ends = np.mean((0.2 * x) ** 2), np.mean((-0.1 * x + 0.1) ** 2)
    gains = abs(found.gain_first - ends[0] + best), abs(found.gain_second - ends[1] + best)
    return {"toy": max(abs(found.weight - 0.4), *gains), "toy_swapped": abs(swapped.weight - 0.4), "unit": 1.0}


def predicted(cell, rng):
    """Weights from held-out pairs and from training pairs, minus the weight by the truth at many fresh points."""
    data, held = rng.spawn(2)
    training = LAW.sample(TRAINING, data)
    first = DensitySmoothedDenoiser(training, LEVEL, 0.35)
    second = us.Barycenter(us.Gaussian(LEVEL), training)
    truth = lambda x: x + LEVEL**2 * LAW.smoothed(LEVEL**2).score(x)
    weight = lambda x, target: hybrid_weight(first(x), second(x), target).weight

    def noisy(clean):
        return clean + LEVEL * held.standard_normal(clean.shape)

    fresh = LAW.sample(PAIRS, held)
    x = noisy(fresh)
    own = np.repeat(training, PAIRS // TRAINING, axis=0)
    seen = noisy(own)
    exact = weight(x, truth(x))
    return {"held_out": weight(x, fresh) - exact, "training": weight(seen, own) - exact}


study = Study(
    name="learned_hybrid", title="Blends of two denoisers",
    grid=Grid(seed=range(16)), measure=combine(toy, predicted),
    variables={
        "toy": Variable("Largest gap of weight and gains to those by hand, linear denoisers"),
        "toy_swapped": Variable("Gap of the weight with the denoisers exchanged to that by hand"),
        "unit": Variable("One"),
        "held_out": Variable("Weight from held-out pairs minus weight from the truth"),
        "training": Variable("Weight from training pairs minus weight from the truth"),
    },
    claims=[
        Claim("learned.hybrid",
              "The blend of .7 x and .4 x + .1 nearest to x/2 over a law of mean 0 and variance 1 has the weight .4.",
              "derived here", "exact", "toy", Identity(c=20, scale="unit"), regime="linear",
              control=Control("the two denoisers exchanged", variable="toy_swapped")),
        Claim("learned.hybrid",
              "Held-out pairs predict the best blend of a smoothed density and the empirical denoiser of twelve points "
              "without bias, within .05 of the weight by the truth, two modes on a line.",
              "derived here", "monte_carlo", "held_out", Inside(-0.05, 0.05), regime="held-out pairs",
              control=Control("training pairs", variable="training")),
    ],
)  # fmt: skip
