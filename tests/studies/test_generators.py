"""The study of trained generators: nothing is trained in the quick profile, methods share all but their drift."""

import sys
from pathlib import Path

import numpy as np
import pytest

from unifiedscore.errors import MissingDependencyError
from unifiedscore.study.discover import load_module

MODULE = load_module(Path(__file__).parents[2] / "studies" / "drift" / "study_generators.py")
STUDY = MODULE.study
CELL = {"dataset": "digits", "drift": "laplace", "temperature": 0.2, "steps": 2, "seed": 0}


def cells(profile):
    grid = STUDY.profile_grid(profile)
    return [cell for cell in grid.cells() if not grid.skipped(cell)]


def test_the_quick_profile_trains_nothing_and_the_standard_one_thirty_two_seeds():
    assert cells("quick") == []
    standard = cells("standard")
    assert len(standard) == 26 * 32 and {cell["seed"] for cell in standard} == set(range(32))
    assert all(claim.profile == "standard" for claim in STUDY.claims)


def test_without_torch_measuring_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"unifiedscore\[torch\]"):
        STUDY.measure({**CELL, "dataset": "ring"}, np.random.default_rng(0))


@pytest.mark.parametrize(("name", "modes", "size"), [("digits", 10, 898), ("ring", 6, 2000), ("checkerboard", 8, 2000)])
def test_training_and_held_out_points_are_disjoint_and_all_modes_occur(name, modes, size):
    train, held, labels = MODULE.load(name, np.random.default_rng(0))
    assert len(train) == size and len(held) == len(labels)
    assert not {row.tobytes() for row in train} & {row.tobytes() for row in held}
    shares = np.bincount(labels)[np.unique(labels)] / len(labels)
    assert len(shares) == modes and shares.min() > 0.4 / modes


@pytest.mark.slow
def test_methods_of_a_seed_share_data_start_and_floor():
    stream = lambda cell: STUDY.grid.stream(cell, seed=0)  # noqa: E731
    found = [STUDY.measure(cell, stream(cell)) for cell in ({**CELL, "drift": d} for d in MODULE.PAIR)]
    for name in ("start", "floor", "distance", "coverage_floor", "mmd_floor"):
        assert len({out[name] for out in found}) == 1, name
    assert len({out["sliced_w2"] for out in found}) == 3
    laplace, equal, matched = (out["bandwidth"] for out in found)
    assert laplace == equal == 0.2 * found[0]["distance"]
    # On digits the measured scale is near rho tau, well above tau squared.
    assert 0.7 < matched**2 / (found[0]["distance"] * laplace) < 1.1
    assert set(STUDY.variables) <= set(found[0])
