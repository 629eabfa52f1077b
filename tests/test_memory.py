"""What is over all pairs of points is refused by size, before any memory is asked for."""

import tracemalloc

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore import memory
from unifiedscore.errors import InputError
from unifiedscore.fields.drifts.batch import log_affinities
from unifiedscore.metrics import wasserstein2
from unifiedscore.metrics.normalisation import feature_scale

X, Y = np.zeros((300, 2)), np.ones((400, 2))
KERNEL = us.Gaussian(bandwidth=0.5)
CALLS = {
    "sinkhorn": (3, lambda: us.SinkhornDrift(KERNEL, target=X, model=Y)),
    "batch": (3, lambda: log_affinities(KERNEL, X, Y)),
    "scale": (2, lambda: feature_scale(X, Y)),
    "corrected": (4, lambda: us.CorrectedMeanShift(KERNEL, X)(Y)),
    "transport": (3, lambda: wasserstein2(X, Y)),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_bound_is_what_the_arrays_take(name, monkeypatch):
    arrays, call = CALLS[name]
    needed = 8 * arrays * len(X) * len(Y)
    monkeypatch.setattr(memory, "MOST_BYTES", needed - 1)
    with pytest.raises(InputError, match=r"300 x 400|400 x 300"):
        call()


def test_a_plan_between_mixtures_of_hundreds_of_gibibytes_is_refused_at_once():
    mixture = us.GaussianMixture(np.zeros((2, 3)), 1.0)
    tracemalloc.start()
    with pytest.raises(InputError, match=r"GiB of memory.*smaller order="):
        us.SinkhornDrift(KERNEL, target=mixture, model=mixture)
    assert tracemalloc.get_traced_memory()[1] < 2**28
    tracemalloc.stop()


def test_the_memory_of_a_small_machine_counts(monkeypatch):
    monkeypatch.setattr(memory, "_memory", lambda: 1000.0)
    memory.refuse_pairs(8, 7)
    with pytest.raises(InputError, match="8 x 8 pairs"):
        memory.refuse_pairs(8, 8)


@pytest.mark.parametrize(("numbers", "rows"), [(1, 5), (2, 2), (5, 1), (6, 1), (10**9, 1)])
def test_a_block_holds_whole_rows_and_at_least_one(numbers, rows):
    assert memory.rows_within(numbers, memory=40) == rows
