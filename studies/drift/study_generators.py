"""One-step generators trained with the drift fields, at equal and at matched bandwidth, in the plane and on digits.

Every method of a seed sees the same points, starts from the same network and meets the same noise and positives. A
temperature is the Laplace bandwidth in units of the typical distance rho of the training points. The Gaussian beside
it has the same number as bandwidth (`gaussian_equal`), h^2 = E alpha measured between data and the untrained model
(`gaussian_matched`), or h^2 = rho tau (`gaussian_rho`). Training needs PyTorch and belongs to the profile "standard":
the quick profile trains for no step, that is not at all. Sizes were chosen on one seed with other random streams,
which had also shown the gap at equal bandwidth and the closeness at matched ones before the claims were written.
"""

from dataclasses import replace

import numpy as np

import unifiedscore as us
from unifiedscore.learned import matched_kernel, new_generator, train_generator
from unifiedscore.metrics import mode_coverage, sliced_wasserstein2, unbiased_mmd2
from unifiedscore.samplers import DriftingFlow
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable

COMMON = 0.2
PAIR = ["laplace", "gaussian_equal", "gaussian_matched"]
FIELDS = [*PAIR, "sharp", "batch", "sinkhorn"]
DRIFTS = [*FIELDS, "gaussian_rho", "reversed"]
TEMPERATURES = [0.1, 0.2, 0.4]
MARKS, SHOWN, PICTURES = [10, 30, 60, 100, 150, 200], 300, 10
GAP = float(np.log(20.91 / 7.97))  # the published one, of FID on CIFAR-10
SIZE = {"plane": {"latent": 4, "width": 64}, "digits": {"latent": 16, "width": 128}}


def skip(cell):
    if cell["steps"] == 0:
        return True
    if cell["drift"] in PAIR and cell["dataset"] == "digits":
        return False
    if cell["drift"] in ("reversed", "sharp") and cell["dataset"] == "digits":
        return True
    return cell["temperature"] != COMMON or (cell["drift"] == "gaussian_rho" and cell["dataset"] != "digits")


def load(name, rng):
    """Training points, held-out points and the mode of each of these."""
    if name == "digits":
        points = us.load_measure("digits").points
        modes = np.argmin(((points[:, None] - class_means()) ** 2).sum(2), axis=1)
        order = rng.permutation(len(points))
        half = len(points) // 2
        return points[order[:half]], points[order[half:]], modes[order[half:]]
    if name == "ring":
        law = us.load_pair("ring_mog", dimension=2)[0]
        train, held = law.sample(2000, rng), law.sample(2000, rng)
        return train, held, np.argmin(((held[:, None] - law.means) ** 2).sum(2), axis=1)
    train, held = (us.load_measure(name, n=2000, rng=rng).points for _ in range(2))
    cell = np.clip(np.floor(held + 2).astype(int), 0, 3)  # of a board of side 4
    return train, held, 4 * cell[:, 0] + cell[:, 1]


def class_means():
    """Mean images of the ten digits: a mode is what is nearest to one of them."""
    return np.stack([us.load_measure("digits", label=label).points.mean(0) for label in range(10)])


class Reversed:
    """The Laplace drift with the wrong sign."""

    def __init__(self, flow):
        self.flow, self.target = flow, flow.target

    def velocity(self, x, *, rng):
        return -self.flow.velocity(x, rng=rng)


def flow(method, train, start, temperature, rho, rng):
    """The flow of a method and the bandwidth of its kernel."""
    laplace, rule = us.Laplace(temperature * rho), method if method in ("sharp", "batch", "sinkhorn") else "drift"
    kernel = laplace
    if method in ("gaussian_matched", "sinkhorn"):
        model = start.sample(500, rng)
        kernel = matched_kernel(laplace, us.Gaussian(1.0), target=train[:500], model=model)
    elif method.startswith("gaussian"):
        kernel = us.Gaussian(laplace.bandwidth if method == "gaussian_equal" else rho * np.sqrt(temperature))
    made = DriftingFlow(kernel, train, rule=rule, batch=128, tolerance=1e-3)
    return (Reversed(made) if method == "reversed" else made), kernel.bandwidth


def discrepancy(x, held):
    """Unbiased squared MMD to the held-out points, summed over three bandwidths."""
    widths = np.median(np.linalg.norm(held[:200, None] - held[None, :200], axis=-1)) * np.array([0.25, 0.5, 1.0])
    return float(unbiased_mmd2(x[:900], held[:900], bandwidths=widths).sum())


def pictures(x, train):
    """Generated digits beside their nearest training images."""
    nearest = np.argmin(((train[None] - x[:PICTURES, None]) ** 2).sum(2), axis=1)
    return np.stack([x[:PICTURES], train[nearest]])


def measure(cell, rng):
    data, first, match, order, last = rng.spawn(5)
    train, held, modes = load(cell["dataset"], data)
    digits, n = cell["dataset"] == "digits", min(len(train), len(held))
    rho = float(np.sqrt(2 * np.trace(np.cov(train.T))))
    start = new_generator(train, rng=first, **SIZE["digits" if digits else "plane"])
    field, bandwidth = flow(cell["drift"], train, start, cell["temperature"], rho, match)
    noise, directions = (int(seed) for seed in last.integers(2**31, size=2))

    draw = lambda model: model.sample(n, np.random.default_rng(noise))
    distance = lambda x: sliced_wasserstein2(x, held, n_directions=128, rng=np.random.default_rng(directions))
    curve = []

    def watch(model):
        if len(model.energy) in MARKS:
            curve.append(distance(draw(model)))

    trained = train_generator(field, n_steps=cell["steps"], rng=order, start=start, learning_rate=5e-3, watch=watch)
    x, untrained, floor = draw(trained), draw(start), distance(train[:n])
    after, before = distance(x), distance(untrained)
    mmd, mmd_start = discrepancy(x, held), discrepancy(untrained, held)
    return {
        "log_ratio": float(np.log(after / floor)),
        "log_progress": float(np.log(after / before)),
        "sliced_w2": after,
        "floor": floor,
        "start": before,
        "mmd": mmd,
        "mmd_start": mmd_start,
        "mmd_share": mmd / mmd_start,
        "mmd_floor": discrepancy(train, held),
        "coverage": mode_coverage(x, held, modes),
        "coverage_floor": mode_coverage(train[:n], held, modes),
        "bandwidth": bandwidth,
        "distance": rho,
        "energy": float(trained.energy[-50:].mean()),
        "curve": np.array(curve + [np.nan] * (len(MARKS) - len(curve))) / floor,
        "points": np.stack([train[:SHOWN, :2], x[:SHOWN, :2]]),
        "pictures": pictures(x, train) if digits else np.full((2, PICTURES, 64), np.nan),
    }


DRAWN = {"dims": ("law", "point", "coordinate"),
         "coords": {"law": ["data", "generator"], "point": list(range(SHOWN)), "coordinate": [0, 1]}}  # fmt: skip
IMAGES = {"dims": ("shown", "image", "pixel"),
          "coords": {"shown": ["generator", "nearest training"], "image": list(range(PICTURES)),
                     "pixel": list(range(64))}}  # fmt: skip
THEORY = "derived here (posterior scale of arXiv 2603.07514)"
trained = Theorem(None, None, THEORY, "monte_carlo", "log_ratio", profile="standard")
matched = replace(trained, id="generators.matched_bandwidth", test=Inside(-GAP / 5, GAP / 5),
                  minus={"drift": "laplace"})  # fmt: skip
trains = replace(trained, id="generators.fields_train", source="derived here", variable="log_progress",
                 test=Inside(-np.inf, float(np.log(0.7))))  # fmt: skip
by_mmd = replace(trains, id="generators.fields_train_mmd", variable="mmd_share", test=Inside(-np.inf, 0.5))
EQUAL = Control("equal bandwidth", where={"drift": "gaussian_equal"})
MASKED = ["laplace", "gaussian_matched", "batch"]
MEASURED_TWICE = [
    ("plane", "ring", "On a ring of Gaussians", FIELDS, "every field"),
    ("checkerboard", "checkerboard", "On the checkerboard", FIELDS, "every field"),
    ("digits", "digits", "On digits", MASKED, "every field with a masked self term"),
]
BACKWARDS = Control("the Laplace drift with the wrong sign", where={"drift": "reversed"})
# On the ring one of 32 generators escapes late, and the mean of such replicates has no interval.
ON_BOARD = Control("the Laplace drift with the wrong sign, on the checkerboard",
                   where={"dataset": "checkerboard", "drift": "reversed"})  # fmt: skip
study = Study(
    name="generators", title="One-step generators trained with the drift fields",
    grid=Grid(dataset=["digits", "ring"], drift=DRIFTS, temperature=TEMPERATURES, steps=[0], seed=[0],
              skip=skip, paired=("drift", "temperature")),
    profiles={
        "standard": {"dataset": ["digits", "ring", "checkerboard"], "steps": [200], "seed": range(32)},
        "full": {"dataset": ["digits", "ring", "checkerboard"], "temperature": [0.05, 0.1, 0.2, 0.4, 0.8],
                 "steps": [1000], "seed": range(16)},
    },
    measure=measure,
    variables={
        "log_ratio": Variable("Logarithm of sliced W2 to held-out points over the floor of a true sample"),
        "log_progress": Variable("Logarithm of sliced W2 after training over sliced W2 before"),
        "sliced_w2": Variable("Sliced W2 between generator and held-out points"),
        "floor": Variable("Sliced W2 between two true samples of the same size"),
        "start": Variable("Sliced W2 of the untrained generator"),
        "mmd": Variable("Unbiased squared MMD between generator and held-out points"),
        "mmd_start": Variable("Unbiased squared MMD between the untrained generator and held-out points"),
        "mmd_share": Variable("Unbiased squared MMD after training over that before"),
        "mmd_floor": Variable("Unbiased squared MMD between training and held-out points"),
        "coverage": Variable("Mass of all modes that the generator holds"),
        "coverage_floor": Variable("Mass of all modes that a true sample holds"),
        "bandwidth": Variable("Bandwidth of the kernel", units="data units"),
        "distance": Variable("Typical distance of training points", units="data units", symbol="rho"),
        "energy": Variable("Mean squared drift over the last fifty steps"),
        "curve": Variable("Sliced W2 over the floor of a true sample", dims=("step",), coords={"step": MARKS}),
        "points": Variable("Points of data and generator (two coordinates)", **DRAWN),
        "pictures": Variable("Digits of the generator and their nearest training images", **IMAGES),
    },
    claims=[
        matched.claim(regime="digits", where={"dataset": "digits", "drift": "gaussian_matched"}, control=EQUAL,
                      statement="On digits at matched bandwidth the sliced W2 of Laplace and Gaussian differ by less "
                                "than a fifth of the published gap of log FID, at every temperature."),
        matched.claim(regime="rho tau", control=EQUAL,
                      where={"dataset": "digits", "drift": "gaussian_rho", "temperature": COMMON},
                      statement="On digits the sliced W2 of Laplace and of the Gaussian with h^2 = rho tau differ by "
                                "less than a fifth of the published gap of log FID.",
                      finding="with 16 seeds the control was refuted at root seed 0 (.45) and undecided at root seed "
                              "1 (.37, about 25 seeds would do), the claim itself supported at both: hence 32 seeds."),
        matched.claim(regime="plane", control=ON_BOARD,
                      where={"dataset": "ring", "drift": "gaussian_matched", "temperature": COMMON},
                      source="Lai et al. 2026, arXiv 2603.07514, Fig. 7 (caption: nearly identical)",
                      statement="In the plane, where no theorem says so, the sliced W2 of Laplace and matched "
                                "Gaussian differ by less than a fifth of the published gap of log FID."),
        trained.claim(id="generators.equal_bandwidth_gap",
                      where={"dataset": "digits", "drift": "gaussian_equal", "temperature": 0.1},
                      minus={"drift": "laplace"}, test=Inside(GAP, np.inf),
                      statement="On digits a mismatch alone makes a gap as large as the published one: at h = tau = "
                                ".1 rho the Gaussian, ten times colder than the Laplace kernel, is worse by more than "
                                "log(20.91/7.97).",
                      control=Control("matched bandwidth", where={"drift": "gaussian_matched"})),
        trained.claim(id="generators.equal_bandwidth_sign",
                      where={"dataset": "digits", "drift": "gaussian_equal", "temperature": 0.4},
                      minus={"drift": "laplace"}, test=Inside(-np.inf, 0.0),
                      statement="On digits at h = tau = .4 rho, the wide side, the Gaussian is better, which is the "
                                "published sign.",
                      control=Control("on the narrow side, .1 rho", where={"temperature": 0.1})),
        matched.claim(regime="checkerboard", control=BACKWARDS,
                      where={"dataset": "checkerboard", "drift": "gaussian_matched", "temperature": COMMON},
                      statement="On the checkerboard the sliced W2 of Laplace and matched Gaussian differ by less "
                                "than a fifth of the published gap of log FID."),
        matched.claim(id="generators.matched_bandwidth_mmd", regime="checkerboard", control=BACKWARDS,
                      where={"dataset": "checkerboard", "drift": "gaussian_matched", "temperature": COMMON},
                      variable="mmd_share", test=Inside(-0.1, 0.1),
                      statement="On the checkerboard the squared MMD of Laplace and matched Gaussian differ by less "
                                "than a tenth of that of the untrained generator."),
        *(by_mmd.claim(regime=name, control=ON_BOARD if name == "digits" else BACKWARDS,
                       where={"dataset": dataset, "drift": fields, "temperature": COMMON},
                       statement=f"{where} {which} at least halves the squared MMD, beside sliced W2.")
          for name, dataset, where, fields, which in MEASURED_TWICE),
        trains.claim(regime="checkerboard", control=BACKWARDS,
                     where={"dataset": "checkerboard", "drift": FIELDS, "temperature": COMMON},
                     statement="On the checkerboard every field lowers sliced W2 by at least 30 %."),
        trains.claim(regime="plane", where={"dataset": "ring", "drift": FIELDS, "temperature": COMMON},
                     statement="In the plane every field lowers sliced W2 by at least 30 %.", control=ON_BOARD),
        trains.claim(regime="digits", control=ON_BOARD,
                     where={"dataset": "digits", "drift": MASKED,
                            "temperature": COMMON},
                     statement="On digits every field with a masked self term lowers sliced W2 by at least 30 %."),
        trained.claim(id="generators.sinkhorn_self_term",
                      where={"dataset": "digits", "drift": "sinkhorn", "temperature": COMMON},
                      minus={"drift": "gaussian_matched"}, test=Inside(GAP / 5, np.inf),
                      source="derived here (self term, arXiv 2603.12366)",
                      statement="Where a batch is sparse the self term of the Sinkhorn plan within the model shrinks "
                                "the model: on digits it ends farther than the masked drift of the same kernel, by a "
                                "fifth of the gap.",
                      finding="planned with the ring as control: there a batch is dense and the difference was "
                              "expected to vanish; it is .12 (16 seeds, root seed 0), between 0 and the margin, and "
                              "the check had no power. Algorithm 2 on digits, which shares all but the self term, "
                              "replaced it; judged again with root seed 1.",
                      control=Control("Algorithm 2: both sides normalised too, but the self term masked",
                                      where={"drift": "batch"})),
    ],
)  # fmt: skip
