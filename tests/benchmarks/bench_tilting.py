"""Speed of controlled paths and escorted work.

    python tests/benchmarks/bench_tilting.py [--paths 1000000]

Targets: a million controlled paths of 100 steps in one dimension under 10 s on two cores. Medians of three runs after a
warm-up.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

import unifiedscore as us
from unifiedscore.samplers import EscortedLangevin, GaussianPath, tilted_jarzynski


def seconds(call: Callable, repeats: int = 3) -> float:
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def rows(n: int) -> list[tuple[str, float, float]]:
    """Name, seconds, target."""
    rng, times = np.random.default_rng(0), np.linspace(0.02, 1, 101)
    base, reward = us.GaussianMixture([[-1.5], [1.5]], 0.36), us.QuadraticReward([0.8], 0.3)
    narrow = us.TiltedProcess(base, reward, "rectified_flow")
    means = rng.standard_normal((10, 16))
    wide = us.TiltedProcess(
        us.GaussianMixture(means, np.stack([0.3 * np.eye(16) + 0.01] * 10)), us.QuadraticReward(means[0]), "vp_cosine"
    )
    path = GaussianPath([[0.0], [2.0]], (1.0, 0.5)).path()
    sampler = EscortedLangevin(path, steps=100, diffusivity=0.8, escort=lambda x, t: np.sin(x))
    return [
        (
            f"{n} controlled paths, 100 steps, d = 1, 2 components",
            seconds(lambda: us.simulate(narrow, n, rng, times=times), 1),
            10.0,
        ),
        (
            f"{n // 50} controlled paths, 100 steps, d = 16, 10 full covariances",
            seconds(lambda: us.simulate(wide, n // 50, rng, times=times)),
            10.0,
        ),
        (f"{n // 10} escorted paths, 100 steps, d = 1", seconds(lambda: sampler.run_forward(n // 10, rng)), 10.0),
        (
            f"{n // 50} tilted Jarzynski paths, 100 steps, d = 1",
            seconds(lambda: tilted_jarzynski(narrow, n // 50, rng, steps=100, diffusivity=0.5)),
            10.0,
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", type=int, default=1_000_000)
    arguments = parser.parse_args()
    print("| what | seconds | target |\n|---|---|---|")
    for name, value, target in rows(arguments.paths):
        print(f"| {name} | {value:.2f} | {target:.1f}{'' if value <= target else ' (missed)'} |")


if __name__ == "__main__":
    main()
