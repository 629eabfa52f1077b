"""Moment-matched particles beside kernel density, Gaussian fit, untilted particles and closed-form diffusion.

Sliced W2 and unbiased MMD to held-out points; every seed is a new training set and new particles, so that every
interval is over whole repetitions. Digits are eights in whitened principal components, half of them held out.
"""

import warnings

import numpy as np

import unifiedscore as us
from unifiedscore.metrics.coverage import nearest_training_distance
from unifiedscore.metrics.mmd import unbiased_mmd2
from unifiedscore.metrics.transport import sliced_wasserstein2
from unifiedscore.study import Claim, Control, Grid, Hypothesis, Inside, Study, Theorem, Variable

METHODS = ["moment_matched", "kernel_density", "gaussian_fit", "untilted", "closed_form"]
PLANES = ["circle", "checkerboard", "spirals"]
# Noise level, step over its stability bound delta^2/lambda_max, steps (four units of time or more), particles.
SETTINGS = {"circle": (0.1, 0.3, 700, 160), "checkerboard": (0.15, 0.3, 400, 160), "spirals": (0.15, 0.3, 400, 160),
            "digits": (0.3, 0.5, 600, 120)}  # fmt: skip
SMOOTHINGS = [0.0, 0.2, 0.8, 1.6, 6.4]
LATENT, SHOWN, KEPT, REFERENCE = 12, 16, 160, 1000


def load(name, rng):
    """Training points, held-out points and the way back to images (None in the plane)."""
    if name == "digits":
        points = us.load_measure("digits", label=8).points
        order = rng.permutation(len(points))
        train, held = points[order[:87]], points[order[87:]]
        vectors = np.linalg.eigh(np.cov(train.T, bias=True))[1]
        basis = vectors[:, ::-1][:, :LATENT]
        white = us.whiten((train - train.mean(0)) @ basis)
        return white.data.points, white.apply((held - train.mean(0)) @ basis), (white, basis, train)
    if name == "circle":
        angle = 2 * np.pi * rng.random(REFERENCE)
        return us.load_measure("circle12").points, np.stack([np.cos(angle), np.sin(angle)], axis=1), None
    pair = [us.load_measure(name, n=n, rng=rng).points for n in (300, REFERENCE)]
    scale = 0.5 if name == "checkerboard" else 1 / 3
    return pair[0] * scale, pair[1] * scale, None


def untilted(x, delta, s, n, step, rng):
    """Leimkuhler-Matthews without projection, from noisy training points."""
    z = us.Samples(x).sample(n, rng) + delta * rng.standard_normal((n, x.shape[1]))
    h = step * delta**2
    carried = rng.standard_normal(z.shape)
    kernel = us.KernelScore(us.Gaussian(delta), x)
    smoothed = us.Smoothed(kernel, s, noise=np.zeros((1, x.shape[1])))
    for _ in range(200):
        half = rng.standard_normal((n, 4, x.shape[1]))
        score = smoothed.evaluate(z, noise=np.concatenate([half, -half], axis=1)) if s else kernel(z)
        new = rng.standard_normal(z.shape)
        z, carried = z + h * score + np.sqrt(h / 2) * (carried + new), new
    return z


def kernel_density(x, delta, n, rng):
    return us.Samples(x).sample(n, rng) + delta * rng.standard_normal((n, x.shape[1]))


def gaussian_fit(x, delta, n, rng):
    return rng.multivariate_normal(x.mean(0), moments(x, delta), n)


def moments(x, delta):
    """Covariance that the particles are given."""
    return np.cov(x.T, bias=True) + delta**2 * np.eye(x.shape[1])


def draw(method, name, x, s, rng):
    """Samples of a method, and the overlap with their start where they move on the manifold."""
    delta, step, steps, n = SETTINGS[name]
    if method == "moment_matched":
        largest = float(np.linalg.eigvalsh(moments(x, delta))[-1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = us.sample_moment_matched(x, n, noise_level=delta, smoothing=s,
                                              noise=us.Noise("fresh_antithetic", draws=8),
                                              step=step * delta**2 / largest, n_steps=steps, rng=rng)  # fmt: skip
        return result.samples, result.overlap[-1]
    if method == "kernel_density":
        return kernel_density(x, delta, n, rng), np.nan
    if method == "gaussian_fit":
        return gaussian_fit(x, delta, n, rng), np.nan
    if method == "untilted":
        return untilted(x, delta, s, n, step, rng), np.nan
    return us.sample_closed_form(
        x, n, n_steps=60, smoothing=s, noise=us.Noise("fixed_antithetic", draws=8), rng=rng
    ).samples, np.nan


def moment_error(z, x, delta):
    """Largest error of mean and covariance, over the largest variance."""
    wanted = moments(x, delta)
    errors = np.abs(z.mean(0) - x.mean(0)).max(), np.abs(np.cov(z.T, bias=True) - wanted).max()
    return float(max(errors) / wanted.max())


def measure(cell, rng):
    name, s = cell["dataset"], cell["smoothing"]
    delta = SETTINGS[name][0]
    x, held, back = load(name, rng)
    widths = np.median(np.linalg.norm(held[:200, None] - held[None, :200], axis=-1)) * np.array([0.25, 0.5, 1.0])
    ends = [maker(x, delta, REFERENCE, rng) for maker in (kernel_density, gaussian_fit)]
    directions = int(rng.integers(2**31))
    sliced = lambda a, b: sliced_wasserstein2(a, b, n_directions=128, rng=np.random.default_rng(directions))
    distances, discrepancies, novelty = [], [], []
    samples, images = np.full((len(METHODS), KEPT, 2), np.nan), np.full((2, SHOWN, 64), np.nan)
    drawn, overlap = {}, np.nan
    for k, method in enumerate(METHODS):
        z, seen = draw(method, name, x, s, rng)
        drawn[method], overlap = z, seen if method == "moment_matched" else overlap
        distances.append(sliced(z, held))
        discrepancies.append(float(unbiased_mmd2(z, held, bandwidths=widths).sum()))
        novelty.append(float(nearest_training_distance(z, x).mean()))
        samples[k, : min(len(z), KEPT)] = z[:KEPT, :2]
    z = drawn["moment_matched"]
    if back is not None:
        white, basis, train = back
        images[0] = white.restore(z[:SHOWN]) @ basis.T + train.mean(0)
        images[1] = train[np.argmin(((x[None] - z[:SHOWN, None]) ** 2).sum(-1), axis=1)]
    best, worse = min(discrepancies[1:3]), max(distances[1:3])
    gaps = [sliced(z, end) - sliced(drawn[own], end) for own, end in zip(METHODS[1:3], ends, strict=True)]
    return {
        "distance": np.array(distances), "discrepancy": np.array(discrepancies), "novelty": np.array(novelty),
        "samples": samples, "images": images, "overlap": overlap,
        "moment_error": moment_error(z, x, delta), "moment_error_kernel": moment_error(drawn[METHODS[1]], x, delta),
        "mmd_gap": discrepancies[0] - best, "mmd_gap_untilted": discrepancies[3] - best,
        "untilted_excess": distances[3] - distances[0], "closed_form_excess": distances[4] - distances[0],
        "worst_excess": distances[0] - worse, "worst_excess_untilted": distances[3] - worse,
        "to_kernel": gaps[0], "to_gaussian": gaps[1],
    }  # fmt: skip


PER_METHOD = {"dims": ("sampler",), "coords": {"sampler": METHODS}}
DRAWN = {"dims": ("sampler", "particle", "coordinate"),
         "coords": {"sampler": METHODS, "particle": list(range(KEPT)), "coordinate": [0, 1]}}  # fmt: skip
PICTURES = {"dims": ("shown", "image", "pixel"),
            "coords": {"shown": ["sample", "nearest training"], "image": list(range(SHOWN)),
                       "pixel": list(range(64))}}  # fmt: skip
EQUILIBRATED = Hypothesis("particles have left their start", "overlap", low=-1.0, high=0.3)
TENDENCY, COMPETITIVE = "tendency in arXiv 2605.14276; numbers unknown", "competitive quality in arXiv 2605.14276"


def bracket(regime, statement, variable, test, where, control, *, source=TENDENCY, profile="standard", finding=""):
    return Claim("moment_matched.baselines_bracket", statement, source, "monte_carlo", variable, test,
                 regime=regime, where=where, profile=profile, finding=finding, control=control)  # fmt: skip


latent = Theorem("moment_matched.digits_latent", None, COMPETITIVE, "monte_carlo", "mmd_gap", Inside(-np.inf, 0.02),
                 hypotheses=(EQUILIBRATED,), profile="standard")  # fmt: skip
APART, TOGETHER = Inside(0.1, np.inf), Inside(-np.inf, 0.02)
study = Study(
    name="moment_matched_quality", title="Moment-matched particles beside their baselines, in the plane and on digits",
    grid=Grid(dataset=["circle"], smoothing=[0.0, 0.8], seed=range(2)),  # for the figure; nothing is judged
    measure=measure,
    variables={
        "distance": Variable("Sliced W2 to held-out points", **PER_METHOD),
        "discrepancy": Variable("Unbiased squared MMD to held-out points", **PER_METHOD),
        "novelty": Variable("Mean distance to the nearest training point", **PER_METHOD),
        "samples": Variable("First two coordinates of the particles", **DRAWN),
        "images": Variable("Digits from the particles and their nearest training images", **PICTURES),
        "overlap": Variable("Overlap of the particles with their start"),
        "moment_error": Variable("Error of mean and covariance of the particles over the largest variance"),
        "moment_error_kernel": Variable("Error of mean and covariance of as many draws from the kernel density over "
                                        "the largest variance"),
        "mmd_gap": Variable("MMD of moment-matched particles minus the better of kernel density and Gaussian fit"),
        "mmd_gap_untilted": Variable("MMD of particles without tilt minus the better of kernel density and Gaussian "
                                     "fit"),
        "untilted_excess": Variable("Sliced W2 of particles without tilt minus that of moment-matched ones"),
        "closed_form_excess": Variable("Sliced W2 of closed-form diffusion minus that of moment-matched particles"),
        "worst_excess": Variable("Sliced W2 of moment-matched particles minus the larger of kernel density and "
                                 "Gaussian fit"),
        "worst_excess_untilted": Variable("Sliced W2 of particles without tilt minus the larger of kernel density and "
                                          "Gaussian fit"),
        "to_kernel": Variable("Sliced W2 of the particles to the kernel density, minus that of its own draws"),
        "to_gaussian": Variable("Sliced W2 of the particles to the Gaussian fit, minus that of its own draws"),
    },
    profiles={"standard": {"dataset": list(SETTINGS), "smoothing": SMOOTHINGS, "seed": range(16)}},
    claims=[
        bracket("", "On the circle at smoothing .8 the law without tilt has collapsed, the moment-matched one has not.",
                "untilted_excess", APART, {"dataset": "circle", "smoothing": 0.8},
                Control("smoothing 0: one law", where={"smoothing": 0.0})),
        bracket("untilted", "In the plane at smoothing 1.6 the law without tilt is farther from held-out "
                            "points.", "untilted_excess",
                APART, {"dataset": PLANES, "smoothing": 1.6}, Control("smoothing 0", where={"smoothing": 0.0})),
        bracket("closed_form", "In the plane at smoothing 1.6 closed-form diffusion is farther from held-out points.",
                "closed_form_excess", APART, {"dataset": PLANES, "smoothing": 1.6},
                Control("smoothing 0", where={"smoothing": 0.0})),
        bracket("bounded", "In the plane the particles are at no smoothing farther than the worse of their two ends.",
                "worst_excess", Inside(-np.inf, 0.05),
                {"dataset": PLANES, "smoothing": SMOOTHINGS},
                Control("without tilt", variable="worst_excess_untilted")),
        bracket("kernel_end", "In the plane without smoothing the particles are draws of the kernel "
                              "density.", "to_kernel", TOGETHER,
                {"dataset": PLANES, "smoothing": 0.0}, Control("the other end", variable="to_gaussian"),
                source="derived here",
                finding="the control was smoothing 1.6: refuted at root seed 1, undecided at root seed 0 (circle .069 "
                        "[.016, .122] at 99.997 %); now the distance to the other end at smoothing 0, as for "
                        "gaussian_end"),
        bracket("gaussian_end", "In the plane at smoothing 6.4 the particles are draws of the Gaussian "
                                "fit.", "to_gaussian", TOGETHER,
                {"dataset": PLANES, "smoothing": 6.4}, Control("smoothing 0", where={"smoothing": 0.0}),
                source="derived here"),
        latent.claim(where={"dataset": "digits", "smoothing": 1.6},
                     statement="On digits at smoothing 1.6 the MMD is not worse than that of kernel density and of "
                               "Gaussian fit by more than .02.",
                     control=Control("without tilt", variable="mmd_gap_untilted")),
        latent.claim(regime="short of stationarity", where={"dataset": "digits", "smoothing": 0.2},
                     expect="not_applicable",
                     statement="On digits at smoothing .2 barriers keep the particles near their start."),
        Claim("moment_matched.moments_exact",
              "On digits, in twelve latents, mean and covariance are exact after every run.",
              "arXiv 2605.14276", "monte_carlo", "moment_error", Inside(-np.inf, 1e-12),
              regime="digits", where={"dataset": "digits", "smoothing": SMOOTHINGS}, profile="standard",
              control=Control("draws from the kernel density", variable="moment_error_kernel")),
    ],
)  # fmt: skip
