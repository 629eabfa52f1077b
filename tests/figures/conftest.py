"""Data sets with the shape of the studies', filled with the asymptotic laws that their figures are to show."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import unifiedscore as us
from unifiedscore.study.discover import studies_in
from unifiedscore.study.pool import InProcess

ROOT = Path(__file__).parents[2]
SCALE = {-0.5: 4.0, 0.0: 1.0, 0.5: 0.3}
ESTIMATORS = ["population", "same_sample", "split_sample", "cross_fitted"]
DIMENSIONS = np.array([4**k for k in range(1, 11)])


def alignment():
    rng = np.random.default_rng(0)
    axes = {
        "dataset": ["ring_mog", "ring_mog_shifted"],
        "estimator": ESTIMATORS,
        "dimension": DIMENSIONS,
        "bandwidth_exponent": list(SCALE),
        "seed": np.arange(16),
    }
    names = ("absolute", "relative", "cosine", "energy")
    shape = tuple(len(labels) for labels in axes.values())
    values = {name: np.full(shape, np.nan) for name in names}
    errors = np.full(shape, np.nan)
    for i, family in enumerate(axes["dataset"]):
        for k, d in enumerate(DIMENSIONS):
            for j, (a, scale) in enumerate(SCALE.items()):
                relative = _relative(family, a, scale * d**a, d)
                energy = 0.2 * 70.0 ** (-2 * a) * (d + 20.0) ** (-1 - 2 * a) * 20 if family == "ring_mog" else 1.0
                truth = {"relative": relative, "energy": energy, "absolute": relative * energy}
                truth["cosine"] = 1 / np.sqrt(1 + 0.9 * relative)
                for name in names:
                    values[name][i, 0, k, j, 0] = truth[name]
                errors[i, 0, k, j, 0] = 1e-9
                if d > 1024:
                    continue
                for e, middle in ((1, 0.99), (2, truth["cosine"] / (1 + d / 60)), (3, truth["cosine"])):
                    spread = 0.004 if e == 1 else 0.01 + 0.1 * (d / 1024) ** 0.7
                    values["cosine"][i, e, k, j] = middle + spread * rng.standard_normal(16)
                    for name in ("relative", "absolute", "energy"):
                        values[name][i, e, k, j] = truth[name] * np.exp(0.1 * rng.standard_normal(16))
    data = {
        name: (tuple(axes), array, {"long_name": f"{name.capitalize()} of the drift"}) for name, array in values.items()
    }
    data |= {f"{name}_error": (tuple(axes), errors * values[name]) for name in names}
    data["status"] = (tuple(axes), np.where(np.isfinite(values["cosine"]), 0, 1).astype(np.int8))
    return _labelled(data, axes)


def _relative(family, a, bandwidth, d):
    if family == "ring_mog_shifted":
        return 5.1 / d if a == 0.5 else 0.02
    flat = 2 / 27 * bandwidth**2 / (1 + 30 / d)
    return flat if a >= 0 else 0.00484 * (1 + 100 / d)


def mechanism():
    axes = {"dataset": ["ring_mog"], "dimension": DIMENSIONS, "bandwidth_exponent": list(SCALE)}
    d, a = np.meshgrid(DIMENSIONS.astype(float), list(SCALE), indexing="ij")
    slow = 1 + 60 / d
    values = {
        "preconditioner_gap": (0.4 + a * 0.3) / d / slow,
        "gap_energy": 10.0 ** (3 * a) * 50 / d**2 / slow**2,
        "scale_ratio_theory": np.where(a == 0.5, 1 / (1 + d / 300), np.where(a == 0, 0.931, 0.93497)) / slow**0.1,
        "posterior_ratio": np.where(a == -0.5, 0.934973, 1.0) * (1 - 0.2 / np.sqrt(d)),
        "matched_posterior": (0.1 + abs(a - 0.5)) / d,
        "own_score": np.where(
            a == -0.5, 0.00484, 2 / 27 * np.array([SCALE[x] for x in SCALE])[None] ** 2 * d ** (2 * a)
        ),
        "matched_theory": (0.2 + a**2) / d + np.where(a == -0.5, 5.21e-4, 0.0),
    }
    data = {name: (tuple(axes), array[None], {"long_name": name}) for name, array in values.items()}
    data |= {f"{name}_error": (tuple(axes), 1e-8 * array[None]) for name, array in values.items()}
    return _labelled(data, axes)


def low_temperature():
    dimensions, bandwidths = np.array([1, 2, 3, 5, 10]), np.geomspace(0.01, 0.64, 7)
    d, tau = np.meshgrid(dimensions, bandwidths, indexing="ij")
    constant = (d + 1) / (1 + (2.2 + 1.8 * d) * tau**2)
    residual = 1 / (d + 1) / (1 + 2.0 * tau**2)
    dims = ("dimension", "bandwidth")
    data = {
        "constant": (dims, constant, {"long_name": "Drift over bandwidth² score"}),
        "residual_ratio": (dims, residual, {"long_name": "Residual over drift", "symbol": r"\|\delta\|/\|V\|"}),
        "constant_error": (dims, 1e-10 * constant),
        "residual_ratio_error": (dims, 1e-10 * residual),
    }
    return _labelled(data, {"dimension": dimensions, "bandwidth": bandwidths})


def concentration():
    rng = np.random.default_rng(1)
    names = ["ring_mog", "ring_mog_norms", "raw_mog", "image_patches", "digits"]
    dimensions = np.array([4, 16, 64, 256, 1024, 4096])
    kappa = np.array(
        [1 + 3 / dimensions**0.2, 1 + 3 / dimensions**0.2, 0.05 * dimensions + 1, 0.9 * dimensions, dimensions]
    )
    spread = np.array(
        [2 + 8 / dimensions, 0.02 * dimensions + 2, 2 + 0 * dimensions, 0.4 * dimensions, 0.2 * dimensions]
    )
    ratio = np.ones((5, 6))
    ratio[1], ratio[3] = 0.7, 1.6
    data = {}
    for name, middle in (("kappa", kappa), ("norm_spread", spread), ("radius_ratio", ratio)):
        values = middle[..., None] * np.exp(0.03 * rng.standard_normal((5, 6, 16)))
        values[4, dimensions != 64] = np.nan
        data[name] = (("dataset", "dimension", "seed"), values, {"long_name": name.replace("_", " ")})
    return _labelled(data, {"dataset": names, "dimension": dimensions, "seed": np.arange(16)})


def fields():
    side = np.linspace(-4, 4, 33)
    x, y = np.meshgrid(side, side)
    pull = [
        sum(
            np.exp(-np.hypot(x - cx, y - cy) / 1.2) * (c - z)
            for cx, cy in ((2, 0), (-1, 1.7), (-1, -1.7))
            for c in [pick(cx, cy)]
        )
        for pick, z in ((lambda cx, cy: cx, x), (lambda cx, cy: cy, y))
    ]
    turned = [
        pull[0] * np.cos(0.2 * x) - pull[1] * np.sin(0.2 * x),
        pull[0] * np.sin(0.2 * x) + pull[1] * np.cos(0.2 * x),
    ]
    data = {}
    for axis, name in enumerate("xy"):
        data[f"drift_{name}"] = np.stack([pull[axis], pull[axis]])
        data[f"score_{name}"] = np.stack([2 * pull[axis], turned[axis]])
    dims = ("kernel", "row", "column")
    return _labelled(
        {n: (dims, v) for n, v in data.items()}, {"kernel": ["gaussian", "laplace"], "row": side, "column": side}
    )


def moment_matched_smoothing():
    levels, side = np.array([0.1, 0.2, 0.4, 1.0]), np.linspace(-1.6, 1.6, 9)
    radius = np.hypot(side[:, None], side)
    density = np.exp(-8 * (radius - 1) ** 2) * np.ones((2, 4, 3, 1, 1))
    gain = np.array([[-0.005, 0.012, 0.6, np.nan], [np.nan] * 4])
    data = {"density": (("data", "smoothing", "law", "row", "column"), density), "gain": (("data", "smoothing"), gain)}
    laws = ["untilted", "plug-in tilt", "tilted"]
    axes = {"data": ["circle", "line"], "smoothing": levels, "law": laws, "row": side, "column": side}
    return _labelled(data, axes)


def moment_matched_limit():
    particles, positions = np.array([20, 40, 80, 160]), np.linspace(-2.5, 2.5, 21)
    limit = np.exp(-0.5 * positions**2) / np.sqrt(2 * np.pi)
    coefficient = -limit * (positions**4 - 6 * positions**2 + 3) / 4
    density = np.stack([[limit + coefficient / p, limit, coefficient] for p in particles])
    data = {"density": (("n_particles", "curve", "position"), density)}
    data |= {
        f"{name}_ratio": ("n_particles", 1 + a / particles) for name, a in (("fourth", 1), ("cosine", 2), ("third", -8))
    }
    curves = ["particle", "limit", "coefficient"]
    return _labelled(data, {"n_particles": particles, "curve": curves, "position": positions})


def moment_matched_steps():
    steps, schemes = np.array([0.12, 0.06, 0.03, 0.015]), [
        "euler-maruyama", "euler-maruyama geodesic", "leimkuhler-matthews", "leimkuhler-matthews transported",
        "leimkuhler-matthews geodesic", "geodesic-leimkuhler-matthews",
    ]  # fmt: skip
    size = np.array([0.32, 0.51, 0.15, 0.09, 0.06, 0.0])[:, None] * steps
    size[-1] = 0.035 * steps**2
    return _labelled({"size": (("scheme", "step"), size)}, {"scheme": schemes, "step": steps})


def moment_matched_particles():
    rng, axes = np.random.default_rng(2), {
        "case": ["temperature", "overlap", "neighbours"], "seed": np.arange(16), "time": [0.0, 0.06, 1.0, 6.0],
        "scheme": ["euler-maruyama", "leimkuhler-matthews"], "step": [0.02, 0.05, 0.2], "draws": [2, 8, 32],
    }  # fmt: skip
    step, draws = np.array(axes["step"])[:, None], np.array(axes["draws"])
    heat = 1 + np.array([1.3, 1.0])[:, None, None] * 20 * step / draws
    noise = 0.01 * rng.standard_normal((3, 16, 2, 3, 3))
    cell = ("case", "seed")
    data = {"predicted": ((*cell, "scheme", "step", "draws"), heat + 0 * noise),
            "table": ((*cell, "scheme", "step", "draws"), heat + noise)}  # fmt: skip
    for name, curve in (("trace", np.exp(-np.array(axes["time"]))), ("novelty", 0.3 - 0.2 / (1 + np.arange(4.0)))):
        data[name] = ((*cell, "time"), curve + 0.02 * rng.standard_normal((3, 16, 4)))
    return _labelled(data, axes)


def moment_matched_modes():
    rng, p = np.random.default_rng(8), np.array([3, 4, 20, 40, 80])
    axes = {"case": ["exact", "line", "plane"], "n_particles": p, "seed": np.arange(16),
            "mode": ["first", "second", "rarest"]}  # fmt: skip
    limit = np.array([0.5, 0.3, 0.2])
    masses = limit + (np.array([-1.0, 0.0, 1.0]) / p[:, None])[:, None] + 0.01 * rng.standard_normal((3, 5, 16, 3))
    masses[0, :, 1:] = masses[1:, 3:] = np.nan
    size = np.full((3, 5, 16), np.nan)
    size[0, :, 0] = 0.1 / p
    return _labelled({"masses": (tuple(axes), masses), "limit": (tuple(axes), limit + 0 * masses),
                      "size": (tuple(axes)[:3], size)}, axes)  # fmt: skip


def moment_matched_classifier():
    rng, axes = np.random.default_rng(9), {"smoothing": [0.0, 1.0, 4.0, np.inf], "seed": np.arange(16)}
    curves = {"accuracy": [0.94, 0.93, 0.91, 0.9], "accuracy_untilted": [0.94, 0.9, 0.8, 0.78],
              "accuracy_kernel": [0.94] * 4, "accuracy_quadratic": [0.9] * 4,
              "kernel_mean_gap": [1e-16, 0.05, 0.08, 0.09],
              "quadratic_mean_gap": [0.09, 0.05, 0.02, 1e-14]}  # fmt: skip
    noise = 1 + 0.01 * rng.standard_normal((4, 16))
    return _labelled({name: (tuple(axes), np.array(v)[:, None] * noise) for name, v in curves.items()}, axes)


def moment_matched_quality():
    rng = np.random.default_rng(3)
    axes = {
        "dataset": ["circle", "digits"], "smoothing": [0.2, 0.4, 0.8], "seed": np.arange(3),
        "sampler": ["moment_matched", "kernel_density", "gaussian_fit", "untilted", "closed_form"],
        "particle": np.arange(20), "coordinate": [0, 1], "shown": ["sample", "nearest training"],
        "image": np.arange(16), "pixel": np.arange(64),
    }  # fmt: skip

    def draw(*names):
        return names, rng.random([len(axes[name]) for name in names])

    cell = ("dataset", "smoothing", "seed")
    data = {name: draw(*cell, "sampler") for name in ("distance", "discrepancy", "novelty")}
    data |= {"samples": draw(*cell, "sampler", "particle", "coordinate"),
             "images": draw(*cell, "shown", "image", "pixel")}  # fmt: skip
    return _labelled(data, axes)


def generators():
    rng = np.random.default_rng(7)
    axes = {
        "dataset": ["digits", "ring"],
        "drift": ["laplace", "gaussian_equal", "gaussian_matched", "sharp", "batch", "sinkhorn", "reversed"],
        "temperature": [0.1, 0.2, 0.4], "steps": [200], "seed": np.arange(16), "step": [10, 60, 200],
        "law": ["data", "generator"], "point": np.arange(30), "coordinate": [0, 1],
        "shown": ["generator", "nearest training"], "image": np.arange(10), "pixel": np.arange(64),
    }  # fmt: skip
    cell = ("dataset", "drift", "temperature", "steps", "seed")

    def draw(*names, low=0.0, high=1.0):
        dims = (*cell, *names)
        return dims, rng.uniform(low, high, [len(axes[name]) for name in dims])

    data = {"log_ratio": draw(high=2.0), "bandwidth": draw(low=0.2), "distance": draw(low=3.0, high=3.1),
            "curve": draw("step", low=1.0, high=9.0), "points": draw("law", "point", "coordinate", low=-3.0, high=3.0),
            "pictures": draw("shown", "image", "pixel")}  # fmt: skip
    # As stored: temperatures other than the common one hold only the three kernels compared on digits.
    for name in data:
        data[name][1][:, 3:, [0, 2]] = np.nan
        data[name][1][1, :, [0, 2]] = np.nan
    return _labelled(data, axes)


def _labelled(data, axes):
    dataset = xr.Dataset(data, {name: np.asarray(labels) for name, labels in axes.items()})
    for name in dataset.coords:
        dataset[name].attrs["long_name"] = str(name).replace("_", " ")
    return dataset


def two_points():
    rng = np.random.default_rng(2)
    axes = {
        "smoothing": [0.1, 0.3, 0.4, 0.6, 0.9, 1.2],
        "start_time": [0.0, 0.2, 0.5, 0.8, 0.9],
        "n_steps": [100, 200, 400, 800, 1600, 3200],
    }
    shape = tuple(len(labels) for labels in axes.values())
    values = {name: np.full(shape, np.nan) for name in ("end", "target", "gap", "at_start", "at_end")}
    steps = np.array(axes["n_steps"], dtype=float)
    for i, (target, slope) in {1: (0.999, -0.99), 3: (0.837, -0.4974), 4: (0.0, -0.1135), 5: (0.0, -0.3351)}.items():
        values["target"][i, 0] = target
        values["gap"][i, 0] = 0.6 * steps**slope
        values["end"][i, 0] = target + values["gap"][i, 0]
    for i in (0, 2):
        values["at_start"][i, 1:, 1] = 0.1 * rng.random(4)
        values["at_end"][i, 1:, 1] = 0.05 * rng.random(4)
    data = {name: (tuple(axes), array, {"long_name": name}) for name, array in values.items()}
    data |= {f"{name}_error": (tuple(axes), 1e-13 + 0 * values[name]) for name in ("end", "gap")}
    return _labelled(data, axes)


def policies():
    axes = {
        "smoothing": [0.5, 1.2],
        "policy": ["fixed", "fixed_antithetic", "fresh", "fresh_antithetic", "population"],
        "n_steps": [200],
        "draws": [2, 8],
        "seed": np.arange(16),
    }
    middle = np.array([0.156, 0.354, 0.104, 0.177, 0.0])[None, :, None, None, None]
    noise = 0.01 * np.random.default_rng(3).standard_normal((2, 5, 1, 2, 16))
    data = {"midpoint": (tuple(axes), middle + noise), "variance": (tuple(axes), 1 - middle + noise)}
    return _labelled(data, axes)


def w2():
    axes = {
        "n_points": [200, 800],
        "dataset": ["checkerboard", "digits"],
        "sampler": ["sigma=0", "sigma=0.5", "training"],
        "seed": np.arange(24),
    }
    middle = np.array([0.602, 0.464, 0.564])[:, None]
    values = middle + 0.05 * np.random.default_rng(4).standard_normal((2, 2, 3, 24))
    values[1, 1] = np.nan
    return _labelled({"w2": (tuple(axes), values)}, axes)


def pictures():
    rng = np.random.default_rng(5)
    smoothings, x, y = np.array([0.0, 0.25, 0.5, 1.5]), np.linspace(-1.8, 1.8, 12), np.linspace(-1.2, 1.2, 10)
    weight = 1 / (1 + np.exp(-8 * x / (0.3 + smoothings[:, None, None]))) + 0 * y[:, None]
    plane, training = ("smoothing", "row", "column"), rng.uniform(-4, 4, (4, 30, 2))
    data = {
        "weight": (plane, weight),
        "score_x": (plane, 2 * weight - 1 - x),
        "score_y": (plane, -y[:, None] + 0 * weight),
        "training": (("smoothing", "point", "coordinate"), training),
        "samples": (("smoothing", "sample", "coordinate"), rng.uniform(-4, 4, (4, 50, 2))),
        "copies": (("smoothing",), np.array([0.96, 0.04, 0.03, 0.02])),
    }
    return _labelled(data, {"smoothing": smoothings, "row": y, "column": x, "coordinate": ["x", "y"]})


def neighbour_samples():
    rng, counts = np.random.default_rng(6), [1, 5, 15, 45]
    axes = {"nearest": counts, "remainder": counts, "seed": np.arange(16)}
    k, count = np.meshgrid(counts, counts, indexing="ij")
    error = (0.2 / k + 0.01 / count)[..., None] * np.exp(0.05 * rng.standard_normal((4, 4, 16)))
    ratio = np.full((4, 4, 16), np.nan)
    ratio[0, 0], ratio[2, 2] = 2 + 0.3 * rng.standard_normal(16), 1 + 0.03 * rng.standard_normal(16)
    return _labelled({"error": (tuple(axes), error), "ratio": (tuple(axes), ratio)}, axes)


def measured(name):
    """A study of a few seconds, run as it stands."""
    from pathlib import Path

    from unifiedscore.study import run
    from unifiedscore.study.discover import discover

    def build():
        study = discover([Path(__file__).parents[2]], kinds=("studies",)).study(name).study
        with tempfile.TemporaryDirectory() as out:
            return run(study, out=out, executor=None, seed=0).load()

    return build


def calibration():
    """Counts as fair tests would give them, and those of copied draws."""
    rng = np.random.default_rng(0)
    axes = {
        "test": ["inside", "inside_log", "rate", "limit", "rate_numbers", "limit_numbers"],
        "noise": ["normal", "heteroscedastic", "t5", "lognormal", "paired", "shared", "nothing"],
        "correction": ["none", "half_order", "declared_order", "double_order", "logarithmic"],
        "points": ["long", "short"],
        "seed": np.arange(16),
    }
    shape = tuple(len(labels) for labels in axes.values())
    trials = np.where(np.arange(5) == 0, 50_000, 625)[None, None, :, None, None]
    chances = {"false_refutation": 5e-5, "false_support": 5e-3, "miss": 1e-2, "false_refutation_copied": 0.05}
    data = {
        name: (tuple(axes), rng.binomial(trials, chance, size=shape) / trials, {"long_name": name})
        for name, chance in chances.items()
    }
    data["trials"] = (tuple(axes), np.broadcast_to(trials, shape).astype(float))
    return _labelled(data, axes)


def calibration_power():
    rng = np.random.default_rng(0)
    effects = np.array([0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0])
    axes = {
        "test": ["inside", "rate", "limit"],
        "truth": ["middle", "outside"],
        "effect": effects,
        "seed": np.arange(16),
    }
    chance = 1 / (1 + np.exp(-8 * (effects - 0.7)))[:, None]
    values = rng.binomial(128, np.broadcast_to(chance, (3, 2, 7, 16))) / 128
    return _labelled({"power": (tuple(axes), values, {"long_name": "Power"})}, axes)


BUILDERS = {
    "calibration": calibration,
    "calibration_power": calibration_power,
    "closed_form_pictures": pictures,
    "closed_form_neighbour_samples": neighbour_samples,
    "closed_form_two_points": two_points,
    "closed_form_policies": policies,
    "closed_form_w2": w2,
    "laplace_alignment": alignment,
    "laplace_mechanism": mechanism,
    "low_temperature": low_temperature,
    "concentration": concentration,
    "fields_2d": fields,
    "moment_matched_smoothing": moment_matched_smoothing,
    "moment_matched_limit": moment_matched_limit,
    "moment_matched_steps": moment_matched_steps,
    "moment_matched_particles": moment_matched_particles,
    "moment_matched_modes": moment_matched_modes,
    "moment_matched_classifier": moment_matched_classifier,
    "moment_matched_quality": moment_matched_quality,
    "generators": generators,
} | {
    name: measured(name)
    for name in ("drift_zoo", "drift_batch_target", "drift_modes", "drift_identifiability", "drift_bias")
}


@pytest.fixture(scope="session")
def datasets():
    return {name: build() for name, build in BUILDERS.items()}


def tilting_floors():
    schedules = ["foellmer", "vp_cosine", "rectified_flow"]
    cutoffs, time = np.geomspace(1e-6, 1e-2, 5), np.linspace(0.02, 0.98, 25)
    power = np.array([1.0, 2.0, 2.0])[:, None]
    data = {
        "csm_floor": (("schedule", "cutoff"), power / 2 * np.log(1 / cutoffs)),
        "tsm_floor": (("schedule", "cutoff"), 0.5 * cutoffs**-power),
        "nsm_floor": (("schedule", "cutoff"), np.where(cutoffs == cutoffs[-1], 0.116, np.nan) * np.ones((3, 1))),
    }
    dims, shape = ("schedule", "cutoff", "time"), (3, cutoffs.size, time.size)
    for name, values in (("csm", 1 / (1 - time) ** 2), ("tsm", 1 / time**2), ("nsm", time * (1 - time))):
        data[f"{name}_variance"] = (dims, np.broadcast_to(values, shape))
    return _labelled(data, {"schedule": schedules, "cutoff": cutoffs, "time": time})


def tilting_work():
    rng, work = np.random.default_rng(0), np.linspace(-0.75, 3.75, 10)
    axes = {"law": ["kernels"], "steps": [5], "seed": np.arange(16)}

    def noise(scale):
        return 1 + scale * rng.standard_normal((1, 1, 16))

    scalars = {"ratio": 0.5, "ratio_clipped": 0.5, "ratio_mismatched": 0.43, "bar": np.log(2)}
    data = {name: (tuple(axes), value * noise(0.02)) for name, value in scalars.items()}
    forward = np.exp(-((work - 1) ** 2) / 8) / 5
    for name, density in (("forward", forward), ("backward", 2 * forward * np.exp(-work))):
        data[f"{name}_density"] = ((*axes, "work"), density * noise(0.01)[..., None])
    data["reweighted_density"] = data["backward_density"]
    return _labelled(data, axes | {"work": work})


def tilting_step_size():
    steps, share = np.array([50, 100, 200, 400, 800]), np.array([0.0, 1.0])
    data, dims = {}, ("share", "schedule", "steps")
    for name in ("annealing", "tilting"):
        data[name] = (dims, (np.array([[0.16], [0.25]]) / steps)[:, None] * np.ones((2, 2, 5)))
        data[f"{name}_error"] = (dims, np.full((2, 2, 5), 1e-12))
    return _labelled(data, {"share": share, "schedule": ["rectified_flow", "vp_cosine"], "steps": steps})


def tilting_adjoint_dimension():
    law, dimension = ["product", "diagonal"], np.array([1, 2, 3, 5])
    general = 6.11 * dimension - 2.2
    data = {"log_growth": np.array([np.full(4, 3.91), general]), "log_general": np.array([general, general])}
    return _labelled({n: (("law", "dimension"), v) for n, v in data.items()}, {"law": law, "dimension": dimension})


def learned_gradients():
    axes = {
        "schedule": ["foellmer", "vp_cosine", "rectified_flow"],
        "parametrisation": ["score", "noise", "denoiser", "velocity"],
        "cutoff": np.geomspace(1e-5, 1e-2, 4),
    }
    power = np.array([0.0, 1.0, 1.0, 1.0])[:, None]
    values = {"csm": axes["cutoff"] ** -power, "tsm": axes["cutoff"] ** -3.0 * np.ones((4, 1)), "nsm": np.ones((4, 4))}
    return _labelled({n: (tuple(axes), np.broadcast_to(v, (3, 4, 4))) for n, v in values.items()}, axes)


def learned_descriptions():
    rng = np.random.default_rng(0)
    axes = {"denoiser": ["score", "kernel", "density", "gaussian"], "seed": np.arange(16)}
    means = {"over_kernel": [0.3, -0.2, 0.2, 0.3], "over_density": [0.6, 0.6, -0.6, -0.3], "lead": [0.3, -0.2, -0.6, 0]}
    data = {
        name: (tuple(axes), np.array(mean)[:, None] + 0.1 * rng.standard_normal((4, 16)), {"long_name": name})
        for name, mean in means.items()
    }
    return _labelled(data, axes)


def learned_smoothing():
    rng = np.random.default_rng(0)
    axes = {"denoiser": ["network", "score", "kernel", "density", "gaussian"], "steps": [5000], "seed": np.arange(16)}
    means = {
        "early_over_density": [-0.5, 0.6, 0.6, -0.6, -0.6],
        "middle_lead": [0.15, 0.3, -0.2, -0.6, -0.4],
        "late_over_density": [0.25, 0.6, 0.6, -0.6, -0.6],
        "late_split": [1.0, 0.8, 1.2, -1.0, -2.0],
    }
    data = {
        name: (tuple(axes), np.array(mean)[:, None, None] + 0.1 * rng.standard_normal((5, 1, 16)), {"long_name": name})
        for name, mean in means.items()
    }
    return _labelled(data, axes)


def learned_network_gradients():
    rng, cutoff = np.random.default_rng(0), np.array([0.1, 0.03, 0.01, 0.003, 0.001])
    axes = {"parametrisation": ["score", "denoiser", "velocity"], "steps": [300], "seed": np.arange(16)}
    powers = {"tsm": [3.0, 1.3, 1.3], "csm": [0.0, 1.0, 1.0], "nsm": [0.0] * 3, "am": [0.0] * 3}
    data = {
        f"{name}_variance": (
            (*axes, "cutoff"),
            30.0 * cutoff ** -np.array(power)[:, None, None, None] * np.exp(0.1 * rng.standard_normal((3, 1, 16, 1))),
        )
        for name, power in powers.items()
    }
    return _labelled(data, axes | {"cutoff": cutoff})


def learned_filter():
    axes = {"spectrum": ["line", "plane", "rbf"], "time": np.geomspace(1e2, 1e6, 5)}
    values = axes["time"] ** -np.array([1 / 2, 1 / 3, 0.05])[:, None]
    data = {"smoothing": (tuple(axes), values), "smoothing_error": (tuple(axes), np.full((3, 5), 1e-7))}
    return _labelled(data, axes)


def learned_sampling():
    axes = {"scheme": ["ddim", "heun"], "n_steps": 40 * 2 ** np.arange(6)}
    values = np.array([[1.5], [5.0]]) / axes["n_steps"] ** np.array([[1.0], [2.0]])
    data = {"bias": (tuple(axes), values), "bias_error": (tuple(axes), np.full((2, 6), 1e-13))}
    return _labelled(data, axes)


def searches(path):
    """A short search of every universal claim in a study file."""
    (study,) = (found.study for found in studies_in(ROOT / "studies" / path))
    with tempfile.TemporaryDirectory() as out:
        found = {
            u.name: us.falsify(study, claim=u.name, budget=40, out=out, executor=InProcess(), shrink=False)
            for u in study.universals
        }
        return xr.DataTree.from_dict({name: dataset.load() for name, dataset in found.items()})


BUILDERS |= {
    "universal_gaussians.search": lambda: searches("drift/study_universal_gaussians.py"),
    "universal_paths.search": lambda: searches("closed_form/study_universal_paths.py"),
    "learned_gradients": learned_gradients,
    "learned_descriptions": learned_descriptions,
    "learned_smoothing": learned_smoothing,
    "learned_network_gradients": learned_network_gradients,
    "learned_filter": learned_filter,
    "learned_sampling": learned_sampling,
    "tilting_floors": tilting_floors,
    "tilting_work": tilting_work,
    "tilting_step_size": tilting_step_size,
    "tilting_adjoint_dimension": tilting_adjoint_dimension,
}
