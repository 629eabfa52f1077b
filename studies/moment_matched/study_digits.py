"""Digits in twelve whitened latents: every method at the setting that validation images choose, scored on others.

All ten digits. 120 training images; 300 for validation, by which every method chooses one of six settings of its own;
600 held-out images, to which sliced W2 is measured; and 120 fresh images, whose distance to the held-out ones is the
floor that real data have. All samplers evaluate as many scores: 300 steps of 120 particles with four draws each.
"""

import numpy as np
from _baselines import closed_form, gaussian_fit, kernel_density, kernel_exact, matched, untilted

import unifiedscore as us
from unifiedscore.metrics.transport import sliced_wasserstein2
from unifiedscore.study import Control, Grid, Hypothesis, Inside, Study, Theorem, Variable

TRAIN, VALIDATE, TEST, LATENT, DELTA = 120, 300, 600, 12, 0.3
RUN = {"steps": 300, "draws": 4}
SMOOTHINGS = [0.2, 0.4, 0.8, 1.6, 3.2, 6.4]
METHODS = {
    # name: settings, draw (training points, setting, rng) -> samples
    "matched": (SMOOTHINGS, lambda x, s, rng: matched(x, DELTA, s, TRAIN, step=0.5, rng=rng, **RUN)[0]),
    "untilted": (SMOOTHINGS, lambda x, s, rng: untilted(x, DELTA, s, TRAIN, step=0.5, rng=rng, **RUN)),
    "closed_form": ([0.0, 0.1, 0.2, 0.4, 0.8, 1.6], lambda x, s, rng: closed_form(x, s, TRAIN, rng=rng, **RUN)),
    "kernel_density": ([0.1, 0.2, 0.3, 0.45, 0.6, 0.9], lambda x, h, rng: kernel_density(x, h, TRAIN, rng)),
    "kernel_exact": ([0.1, 0.2, 0.3, 0.45, 0.6, 0.9], lambda x, h, rng: kernel_exact(x, h, TRAIN, rng)),
    "gaussian_fit": ([0.0, 0.1, 0.2, 0.3, 0.45, 0.6], lambda x, h, rng: gaussian_fit(x, h, TRAIN, rng)),
}


def load(rng):
    """Training, validation, held-out and fresh images in the whitened latents of the training images."""
    points = us.load_measure("digits").points
    order = rng.permutation(len(points))
    cuts = np.cumsum([TRAIN, VALIDATE, TEST, TRAIN])
    train, *others = (points[part] for part in np.split(order, cuts)[:4])
    basis = np.linalg.eigh(np.cov(train.T, bias=True))[1][:, ::-1][:, :LATENT]
    white = us.whiten((train - train.mean(0)) @ basis)
    return white.data.points, *(white.apply((part - train.mean(0)) @ basis) for part in others)


def measure(cell, rng):
    data, directions, *streams = rng.spawn(2 + len(METHODS))
    train, validate, test, fresh = load(data)
    seed = int(directions.integers(2**31))
    distance = lambda z, to: sliced_wasserstein2(z, to, n_directions=128, rng=np.random.default_rng(seed))
    found, chosen = {}, {}
    for (name, (settings, draw)), stream in zip(METHODS.items(), streams, strict=True):
        scores = [distance(draw(train, setting, stream), validate) for setting in settings]
        chosen[name] = settings[int(np.argmin(scores))]
        found[name] = distance(draw(train, chosen[name], stream), test)
    floor, best = distance(fresh, test), min(found["kernel_density"], found["gaussian_fit"])
    overlap = matched(train, DELTA, chosen["matched"], TRAIN, step=0.5, rng=streams[0], **RUN)[1]
    return {
        "distance": np.array([*found.values(), floor]), "chosen": np.array([*chosen.values()], dtype=float),
        "over_best": found["matched"] / best, "untilted_over_best": found["untilted"] / best,
        "over_floor": found["matched"] / floor,
        "over_exact": found["matched"] / found["kernel_exact"],
        "kernel_over_exact": found["kernel_density"] / found["kernel_exact"],
        "overlap": overlap,
    }  # fmt: skip


def skip(cell):
    return "the whole protocol takes fifteen seconds a seed and is run by the standard profile" * (
        cell["protocol"] == "none"
    )


latent = Theorem("moment_matched.digits_latent", None, "competitive quality in arXiv 2605.14276", "monte_carlo",
                 "over_best", Inside(-np.inf, 0.96), where={"protocol": "whole"}, profile="standard")  # fmt: skip
ON = "On digits in twelve latents, every method at the setting that validation images choose,"
study = Study(
    name="moment_matched_digits", title="Moment-matched digits and their baselines by one protocol",
    grid=Grid(protocol=["none"], seed=range(1), skip=skip),
    measure=measure,
    profiles={"standard": {"protocol": ["whole"], "seed": range(24)}},
    variables={
        "distance": Variable("Sliced W2 to held-out images", dims=("sampler",),
                             coords={"sampler": [*METHODS, "fresh_images"]}),
        "chosen": Variable("Setting chosen on validation images", dims=("method",), coords={"method": [*METHODS]}),
        "over_best": Variable("Sliced W2 of moment-matched digits over that of the better of kernel density and "
                              "Gaussian fit"),
        "untilted_over_best": Variable("Sliced W2 of digits without tilt over that of the better of kernel density "
                                       "and Gaussian fit"),
        "over_floor": Variable("Sliced W2 of moment-matched digits over that of fresh images"),
        "over_exact": Variable("Sliced W2 of moment-matched digits over that of a kernel density with exact moments"),
        "kernel_over_exact": Variable("Sliced W2 of a kernel density over that of one with exact moments"),
        "overlap": Variable("Overlap of the particles with their start"),
    },
    claims=[
        latent.claim(statement=f"{ON} moment-matched particles are closer to held-out images than the better of kernel "
                               "density and Gaussian fit, by 4 % or more.",
                     finding="declared without a margin, where the control was undecided (1.08 [.96, 1.20] over 24 "
                             "seeds); the ratio itself is .91 [.86, .95]. Fresh images are closer by another 14 %",
                     control=Control("without tilt", variable="untilted_over_best")),
        latent.claim(regime="exact moments", variable="over_exact", test=Inside(0.95, 1.05),
                     statement=f"{ON} moment-matched particles are as far from held-out images as draws of a kernel "
                               "density that are given exact moments, within 5 %.",
                     finding="declared within 10 %, where the control was undecided (1.18 [1.07, 1.28] over 24 seeds); "
                             "the ratio itself is 1.023 [1.007, 1.038]",
                     control=Control("draws of the kernel density itself", variable="kernel_over_exact")),
        latent.claim(regime="short of stationarity", expect="not_applicable",
                     hypotheses=(Hypothesis("particles have left their start", "overlap", low=-1.0, high=0.3),),
                     statement=f"{ON} the stationary law of moment-matched particles is closer to held-out images than "
                               "the better of kernel density and Gaussian fit."),
    ],
)  # fmt: skip
