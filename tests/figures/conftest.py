"""Data sets with the shape of the studies', filled with the asymptotic laws that their figures are to show."""

import numpy as np
import pytest
import xarray as xr

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
    rng, cases = np.random.default_rng(2), ["temperature", "overlap", "overlap_short", "modes", "neighbours"]
    means = {"temperature_euler": 1.0, "temperature_matthews": 1.0, "temperature_one": 1.13, "overlap": 0.02,
             "mode_gap_4": 0.05, "mode_gap_40": 0.003}  # fmt: skip
    data = {name: (("case", "seed"), mean + 0.01 * rng.standard_normal((5, 16))) for name, mean in means.items()}
    return _labelled(data, {"case": cases, "seed": np.arange(16)})


def moment_matched_quality():
    rng = np.random.default_rng(3)
    axes = {
        "dataset": ["circle", "digits"], "smoothing": [0.2, 0.4, 0.8], "seed": np.arange(2),
        "method": ["moment_matched", "kernel_density", "gaussian_fit", "untilted", "closed_form"],
        "particle": np.arange(20), "coordinate": [0, 1], "shown": ["sample", "nearest training"],
        "image": np.arange(16), "pixel": np.arange(64),
    }  # fmt: skip

    def draw(*names):
        return names, rng.random([len(axes[name]) for name in names])

    cell = ("dataset", "smoothing", "seed")
    data = {"distance": draw(*cell, "method"), "samples": draw(*cell, "method", "particle", "coordinate"),
            "images": draw(*cell, "shown", "image", "pixel")}  # fmt: skip
    return _labelled(data, axes)


def _labelled(data, axes):
    dataset = xr.Dataset(data, {name: np.asarray(labels) for name, labels in axes.items()})
    for name in dataset.coords:
        dataset[name].attrs["long_name"] = str(name).replace("_", " ")
    return dataset


BUILDERS = {
    "laplace_alignment": alignment,
    "laplace_mechanism": mechanism,
    "low_temperature": low_temperature,
    "concentration": concentration,
    "fields_2d": fields,
    "moment_matched_smoothing": moment_matched_smoothing,
    "moment_matched_limit": moment_matched_limit,
    "moment_matched_steps": moment_matched_steps,
    "moment_matched_particles": moment_matched_particles,
    "moment_matched_quality": moment_matched_quality,
}


@pytest.fixture(scope="session")
def datasets():
    return {name: build() for name, build in BUILDERS.items()}
