"""Metrics of fields and samples against their definitions, written out, and an interval against the truth.

Queries have weights, and a quarter of them have no field at all. Every value is compared with sums over explicit
differences; what a slip of the formula would give stands beside it.
"""

import numpy as np

from unifiedscore import metrics
from unifiedscore.learned import fit_filter, split_error
from unifiedscore.samplers import effective_sample_size
from unifiedscore.study import Claim, Control, Grid, Inside, Proportion, Study, Theorem, Variable

QUERIES, D, REPLICATES, TRIALS = 60, 3, 8, 15


def fields(rng):
    """Two fields that are partly aligned, and weights; every fourth query has no second field."""
    first = rng.standard_normal((QUERIES, D)) * rng.uniform(0.2, 3.0, (QUERIES, 1))
    second = 0.6 * first + rng.standard_normal((QUERIES, D))
    second[::4] = 0.0
    return first, second, rng.uniform(0.5, 2.0, QUERIES)


def energies(first, second, w):
    """E<F, G>, E|F|^2 and E|G|^2."""
    mean = lambda a, b: sum(w[i] * float(a[i] @ b[i]) for i in range(QUERIES)) / w.sum()
    return mean(first, second), mean(first, first), mean(second, second)


def best_scale(rng):
    first, second, w = fields(rng)
    across, one, two = energies(first, second, w)
    return metrics.best_scale(first, second, w), across / two, across / one


def relative_error(rng):
    first, second, w = fields(rng)
    _, one, two = energies(first, second, w)
    left = energies(first - 0.7 * second, first - 0.7 * second, w)[0]
    return metrics.relative_error(first, second, 0.7, w), left / one, left / two


def best_relative_error(rng):
    first, second, w = fields(rng)
    across, one, two = energies(first, second, w)
    cosine = across / np.sqrt(one * two)
    return metrics.best_relative_error(first, second, w), 1 - cosine**2, 2 - 2 * cosine


def mean_cosine(rng):
    first, second, w = fields(rng)
    kept = [i for i in range(QUERIES) if second[i].any()]
    angle = {i: first[i] @ second[i] / np.linalg.norm(first[i]) / np.linalg.norm(second[i]) for i in kept}
    total = sum(w[i] * angle[i] for i in kept)
    return metrics.mean_cosine(first, second, w), total / sum(w[i] for i in kept), total / w.sum()


def noise_energy(rng):
    drift = rng.standard_normal((REPLICATES, QUERIES, D)) + 2.0
    spread = sum(((one - drift.mean(0)) ** 2).sum(1).mean() for one in drift)
    found = metrics.replicated_cosines(drift, drift[::-1]).noise_energy
    return found, spread / (REPLICATES - 1), spread / REPLICATES


def standard_error(rng):
    values = rng.standard_normal(REPLICATES)
    found = float(metrics.replicated(lambda v: v, [(v,) for v in values]).standard_error)
    spread = sum((v - values.mean()) ** 2 for v in values)
    return found, np.sqrt(spread / (REPLICATES - 1) / REPLICATES), np.sqrt(spread) / REPLICATES


def recall(rng):
    samples, reference = rng.standard_normal((QUERIES, D)), 1.5 * rng.standard_normal((200, D))
    between = np.sort(np.linalg.norm(samples[:, None] - samples, axis=2), axis=1)  # column 0: the sample itself
    away = np.linalg.norm(reference[:, None] - samples, axis=2)
    share = lambda column: (away <= between[:, column]).any(axis=1).mean()
    return metrics.recall(samples, reference, k=3), share(3), share(2)


def mode_coverage(rng):
    centres = 50.0 * np.arange(3)[:, None]
    modes, found = np.repeat([0, 1, 2], [100, 60, 40]), np.repeat([0, 1, 2], [20, 20, 60])
    law, samples = (centres[m] + rng.standard_normal((len(m), 1)) for m in (modes, found))
    right = sum(min(a, b) for a, b in ((0.5, 0.2), (0.3, 0.2), (0.2, 0.6)))
    return metrics.mode_coverage(samples, law, modes), right, 2 - right


def feature_scale(rng):
    x, y = rng.standard_normal((20, D)), rng.standard_normal((30, D))
    mean = np.mean([np.linalg.norm(a - b) for a in x for b in y])
    return metrics.feature_scale(x, y), mean / np.sqrt(D), mean


def drift_scale(rng):
    drift = rng.standard_normal((QUERIES, D))
    root = np.sqrt(np.mean([v @ v for v in drift]) / D)
    return metrics.drift_scale(drift), root, np.abs(drift).mean()


def effective_samples(rng):
    logs = 2.0 * rng.standard_normal(QUERIES)
    w = np.exp(logs)
    size = w.sum() ** 2 / (w**2).sum()
    return effective_sample_size(logs), size, size / QUERIES


def error_split(rng):
    """Of a denoiser a quarter of the way from the truth to the memory."""
    truth, memory = rng.standard_normal((2, QUERIES, D))
    found = split_error(0.75 * truth + 0.25 * memory, truth=truth, empirical=memory)
    return found.to_truth, 0.0625, 0.5625


def filter_width(rng):
    """Of a square wave that was smoothed by a Gaussian of deviation .3."""
    odd = np.arange(1.0, 401.0, 2.0)
    return fit_filter(np.exp(-0.5 * (0.3 * odd) ** 2), 1 / odd, odd).smoothing, 0.3, 0.3 * np.sqrt(2)


def covered(rng):
    """Shares of intervals that miss the cosine of two fields at an angle of 1.2, with one noise in both."""
    missed, errors, widths = dict.fromkeys(("missed", "missed_same"), 0), [], []
    for _ in range(TRIALS):
        first, turned = rng.standard_normal((2, QUERIES, D))
        second = np.cos(1.2) * first + np.sin(1.2) * turned
        noise = 0.7 * rng.standard_normal((REPLICATES, QUERIES, D))
        truth = metrics.global_cosine(first, second)
        found = metrics.replicated_cosines(first + noise, second + noise)
        for name, estimate in (("missed", found.cross_fitted), ("missed_same", found.same_sample)):
            missed[name] += not estimate.low <= truth <= estimate.high
        errors.append([estimate.value - truth for estimate in (found.cross_fitted, found.same_sample)])
        widths.append((found.cross_fitted.high - found.cross_fitted.low) / 2)
    width, wrong = np.mean(widths) / np.sqrt(np.mean(np.square(errors), axis=0))
    return {name: count / TRIALS for name, count in missed.items()} | {"width": width, "width_same": wrong}


DEFINED = {
    "best scale": (best_scale, "least-squares scale of a score", "divided by the energy of the drift"),
    "relative error": (relative_error, "relative error at a given scale", "relative to the score"),
    "least relative error": (best_relative_error, "least relative error", "the distance of the fields at unit energy"),
    "mean cosine": (mean_cosine, "mean cosine over the queries where both fields are", "over all queries"),
    "noise energy": (noise_energy, "noise energy of one replicate", "divided by R for R - 1"),
    "standard error": (standard_error, "standard error over replicates", "divided by n for n - 1"),
    "recall": (recall, "share of points within the third-neighbour distance of a sample", "the sample counted as its "
               "own neighbour"),
    "mode coverage": (mode_coverage, "mass of all modes that the samples hold", "the larger of both shares"),
    "feature scale": (feature_scale, "scale of features", "without the root of the dimension"),
    "effective samples": (effective_samples, "effective number of weighted samples", "a share of them"),
    "error split": (error_split, "distance of a denoiser to the truth, over that of truth and memory,",
                    "the distance to the memory"),
    "filter": (filter_width, "smoothing that is nearest to a Gaussian filter", "a factor sqrt(2) more"),
    "drift scale": (drift_scale, "scale of a drift", "a mean size"),
}  # fmt: skip


def measure(cell, rng):
    if cell["metric"] == "interval":
        return {"gap": np.nan, "gap_slip": np.nan} | covered(rng)
    value, right, slip = DEFINED[cell["metric"]][0](rng)
    absent = dict.fromkeys(("missed", "missed_same", "width", "width_same"), np.nan)
    return {"gap": value / right - 1, "gap_slip": value / slip - 1} | absent


def skip(cell):
    return "values need one draw" if cell["metric"] != "interval" and cell["seed"] else ""


defined = Theorem("drift.metric_definitions", None, "found here (definitions, written out)", "exact", "gap",
                  Inside(-1e-12, 1e-12))  # fmt: skip
study = Study(
    name="drift_metric_definitions", title="Metrics against their definitions",
    grid=Grid(metric=[*DEFINED, "interval"], seed=range(16), skip=skip), measure=measure,
    variables={
        "gap": Variable("Metric over its definition, minus 1"),
        "gap_slip": Variable("Metric over what a slip of its formula gives, minus 1"),
        "missed": Variable("Share of 99 % intervals of the cross-fitted cosine that miss the truth"),
        "width": Variable("Mean half-width of the 99 % interval over the root mean square error of the cross-fitted "
                          "cosine"),
        "width_same": Variable("Mean half-width of that interval over the root mean square error of the same-sample "
                               "cosine"),
        "missed_same": Variable("Share of 99 % intervals of the same-sample cosine that miss the truth"),
    },
    claims=[
        defined.claim(regime=metric, where={"metric": metric, "seed": 0},
                      # A search for the nearest smoothing ends where its square root of rounding begins.
                      test=Inside(-1e-7, 1e-7) if metric == "filter" else Inside(-1e-12, 1e-12),
                      statement=f"The {words} is its definition to seven digits." if metric == "filter" else
                                f"The {words} is its definition to twelve digits, on random fields or samples in three "
                                "dimensions.",
                      control=Control(slip, variable="gap_slip"))
        for metric, (_, words, slip) in DEFINED.items()
    ] + [
        Claim("drift.metric_interval",
              "With eight replicates whose noise is shared by both fields and has .7 of their size, the 99 % "
              "interval of the cross-fitted cosine misses the truth in at most 6 % of 240 trials.",
              "found here", "monte_carlo", "missed", Proportion(-0.1, 0.06, TRIALS), where={"metric": "interval"},
              control=Control("the same-sample cosine", variable="missed_same")),
        Claim("drift.metric_interval",
              "With eight replicates whose noise is shared by both fields and has .7 of their size, the 99 % interval "
              "of the cross-fitted cosine reaches at least 2.6 of its root mean square errors to either side.",
              "found here", "monte_carlo", "width", Inside(2.6, np.inf), regime="width", where={"metric": "interval"},
              control=Control("the errors of the same-sample cosine", variable="width_same")),
    ],
)  # fmt: skip
