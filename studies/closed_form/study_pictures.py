"""What smoothing does to a score and to samples, in the plane: two points, and the checkerboard."""

import numpy as np
from scipy.special import ndtri

import unifiedscore as us
from unifiedscore.metrics import duplicate_rate
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable, known

SIDE, TRAINING, SAMPLES, TIME, LATE = 48, 200, 400, 0.8, 0.999
X, Y = np.linspace(-1.8, 1.8, SIDE), np.linspace(-1.2, 1.2, SIDE)
TWO = np.array([[-1.0, 0.0], [1.0, 0.0]])


def spread_noise(count=64):
    """Antithetic normal noise without a random part: a low-discrepancy sequence through normal quantiles."""
    root = 1.32471795724474602596
    half = ndtri((0.5 + np.arange(1, count // 2 + 1)[:, None] / np.array([root, root**2])) % 1.0)
    return np.concatenate([half, -half])


def picture(smoothing):
    """Smoothed score, and the smoothed weight of the right point, on a grid."""
    z = np.stack(np.meshgrid(X, Y), axis=-1).reshape(-1, 2)
    score = us.SmoothedClosedFormScore(TWO, TIME, smoothing, noise=spread_noise())(z)
    # The barycenter is (2 w - 1, 0) and the score (t barycenter - z)/(1 - t)^2.
    center = (score[:, 0] * (1 - TIME) ** 2 + z[:, 0]) / TIME
    parts = (*score.T, (1 + center) / 2)
    return {name: a.reshape(SIDE, SIDE) for name, a in zip(("score_x", "score_y", "weight"), parts, strict=True)}


def slopes(smoothing):
    """Slope of the smoothed and of the exact barycenter at the midpoint over (a/sigma) sqrt(2/pi), population noise."""
    exact = us.Barycenter(us.Gaussian(1 - LATE), TWO[:, :1], scale=LATE)
    predicted, out = np.sqrt(2 / np.pi) / smoothing, []
    # The curve is odd and bends over the length sigma, without smoothing over (1 - t)^2: steps far below.
    for field, step in ((us.Smoothed(exact, smoothing, noise="population"), 1e-4 * smoothing), (exact, 1e-10)):
        out.append(field(np.array([[step]]))[0, 0] / step / predicted)
    return out


def measure(cell, rng):
    smoothing = cell["smoothing"]
    data, run = rng.spawn(2)
    # A side of 8 holds cells of side 2; the smoothing is in units of half a cell.
    training = us.load_measure("checkerboard", n=TRAINING, rng=data, side=8.0).points
    found = us.sample_closed_form(
        training, SAMPLES, n_steps=100, smoothing=smoothing, noise=us.Noise("fixed", draws=4), rng=run
    )
    smooth, sharp = slopes(smoothing) if smoothing else (np.nan, np.nan)
    return picture(smoothing) | {
        "training": training,
        "samples": found.samples,
        "copies": duplicate_rate(found.samples, training, tolerance=1e-6),
        "midpoint_slope": known(smooth, 1e-7),
        "midpoint_slope_sharp": known(sharp, 1e-7),
    }


plane = {"dims": ("row", "column"), "coords": {"row": Y, "column": X}}
pair = {"coordinate": ["x", "y"]}
study = Study(
    name="closed_form_pictures", title="Smoothed scores of two points, and samples of the checkerboard",
    grid=Grid(smoothing=[0.0, 0.25, 0.5, 1.5], paired=("smoothing",)), measure=measure,
    variables={
        "score_x": Variable("Smoothed score, first component", **plane),
        "score_y": Variable("Smoothed score, second component", **plane),
        "weight": Variable("Weight of the right point", symbol="w", **plane),
        "training": Variable("Training point of the checkerboard", units="half a cell", dims=("point", "coordinate"),
                             coords={"point": range(TRAINING), **pair}),
        "samples": Variable("Closed-form sample of the checkerboard", units="cells/2", dims=("sample", "coordinate"),
                            coords={"sample": range(SAMPLES), **pair}),
        "copies": Variable("Share of samples that are training points"),
        "midpoint_slope": Variable("Slope of the smoothed barycenter at the midpoint over (a/sigma) sqrt(2/pi)"),
        "midpoint_slope_sharp": Variable("Slope of the unsmoothed barycenter at the midpoint over (a/sigma) "
                                         "sqrt(2/pi)"),
    },
    claims=[
        Claim("closed_form.softened_boundary",
              "As t -> 1 the barycenter of two points has the slope (a/sigma) sqrt(2/pi) at their midpoint.",
              "derived here", "quadrature", "midpoint_slope", Inside(1 - 1e-5, 1 + 1e-5),
              where={"smoothing": [0.25, 0.5, 1.5]},
              control=Control("no smoothing: the slope has no bound", variable="midpoint_slope_sharp")),
    ],
)  # fmt: skip
