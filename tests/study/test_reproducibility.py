"""The same numbers to the last bit: on any number of workers, in tasks of any size, from any point of resumption."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.posterior import tiled
from unifiedscore.study import job, run
from unifiedscore.study.dataset import VOLATILE, lasting_bytes
from unifiedscore.study.discover import studies_in
from unifiedscore.study.pool import InProcess, LocalPool
from unifiedscore.study.threads import limited_threads

SOURCE = '''
"""The tiled engine, LAPACK and a loop over draws: whatever could depend on threads or on what ran before."""
import numpy as np

import unifiedscore as us
from unifiedscore.study import Grid, Study, Variable


def measure(cell, rng):
    d = cell["dimension"]
    points, x = rng.standard_normal((600, d)), rng.standard_normal((200, d))
    moments = us.posterior_moments(us.Laplace(0.8), points, x)
    return {
        "score": np.linalg.norm(moments.score),
        "shift": moments.mean_shift.mean(0)[:2],
        "spectrum": np.linalg.svd(points, compute_uv=False)[:2],
    }


pair = dict(dims=("place",), coords={"place": [0, 1]})
study = Study(
    name="bits",
    title="Bits",
    grid=Grid(dimension=[3, 16, 48], seed=range(4)),
    measure=measure,
    variables={"score": Variable("S"), "shift": Variable("V", **pair), "spectrum": Variable("L", **pair)},
)
'''


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("bits") / "study_bits.py"
    path.write_text(SOURCE.lstrip())
    return studies_in(path)[0].study


@pytest.fixture(scope="module")
def reference(study, tmp_path_factory):
    dataset = run(study, out=tmp_path_factory.mktemp("reference"), executor=InProcess())
    assert (dataset["status"] == 0).all() and np.isfinite(dataset["score"]).all()
    return lasting_bytes(dataset)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_number_of_workers_changes_no_bit(study, reference, tmp_path, workers):
    with LocalPool(workers) as pool:
        pool.submit(os.getpid).result()  # warm, so that no cell is tried in this process first
        assert lasting_bytes(run(study, out=tmp_path, executor=pool)) == reference


def test_the_size_of_tasks_changes_no_bit(study, reference, tmp_path, monkeypatch):
    monkeypatch.setattr(job.Pace, "task_size", lambda self, remaining, parallelism: 5)
    assert lasting_bytes(run(study, out=tmp_path)) == reference


@pytest.mark.parametrize("kept", [0, 1, 5, 11])
def test_the_point_of_resumption_changes_no_bit(study, reference, tmp_path, kept):
    run(study, out=tmp_path, executor=InProcess())
    records = sorted(tmp_path.glob("cells/bits/*.json"))
    for path in np.random.default_rng(kept).permutation(records)[kept:]:
        path.unlink()
    assert lasting_bytes(run(study, out=tmp_path, executor=InProcess())) == reference


def test_only_the_volatile_attributes_differ_between_two_files(study, tmp_path):
    one, two = (run(study, out=tmp_path / name, executor=InProcess()) for name in ("one", "two"))
    assert {name for name in one.attrs if one.attrs[name] != two.attrs[name]} <= set(VOLATILE)
    two.attrs["history"] = "another day"
    assert lasting_bytes(one) == lasting_bytes(two)
    two.attrs["root_seed"] = 1
    assert lasting_bytes(one) != lasting_bytes(two)


def test_a_library_that_a_cell_loads_first_finds_the_same_thread_limit_as_in_a_worker(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with limited_threads(1):
        assert os.environ["OMP_NUM_THREADS"] == os.environ["OPENBLAS_NUM_THREADS"] == "1"
    assert os.environ["OMP_NUM_THREADS"] == "7" and "OPENBLAS_NUM_THREADS" not in os.environ


NAMES = ("log_normalizer", "mean_shift", "score", "preconditioner", "effective_samples")


def moments(d, kernel=None):
    rng = np.random.default_rng(1)
    return us.posterior_moments(
        kernel or us.Laplace(0.8), rng.standard_normal((3000, d)), rng.standard_normal((300, d))
    )


def assert_close(ours, theirs, rounding):
    """Agreement of sums of m terms of one sign (Z, alpha, N_eff) and of sums of vectors of norm up to 2 sqrt(d)."""
    for name in NAMES:
        gap = np.abs(getattr(ours, name) - getattr(theirs, name))
        largest = np.abs(getattr(theirs, name)).max()
        assert gap.max() <= rounding * max(1.0, largest), name


@pytest.mark.parametrize("d", [3, 16])
@pytest.mark.parametrize("kernel", [us.Gaussian(0.8), us.Laplace(0.8)], ids=repr)
@pytest.mark.parametrize(("queries", "samples"), [(7, 1024), (128, 100), (1000, 5000)])
def test_the_tiles_of_the_engine_change_sums_by_rounding_only(d, kernel, queries, samples, monkeypatch):
    before = moments(d, kernel)
    monkeypatch.setattr(tiled, "tile_shape", lambda *_: (queries, samples))
    after = moments(d, kernel)
    # Another order of 3000 terms: at most m eps = 7e-13 of the sum of their sizes; distances from a Gram matrix lose
    # eps (|x|^2 + |y|^2) / r^2, some tens of eps here.
    assert_close(after, before, 3000 * np.finfo(float).eps)
    monkeypatch.setattr(tiled, "tile_shape", lambda *_: (2 * queries, samples))
    if d < tiled._DIRECT:  # no matrix product: a query does not feel how queries are grouped
        again = moments(d, kernel)
        assert all(np.array_equal(getattr(after, name), getattr(again, name)) for name in NAMES)


def test_another_build_of_blas_changes_sums_by_rounding_only(tmp_path):
    code = f"""
        import sys
        import numpy as np
        import unifiedscore as us
        rng = np.random.default_rng(1)
        found = us.posterior_moments(us.Laplace(0.8), rng.standard_normal((3000, 16)), rng.standard_normal((300, 16)))
        np.savez(sys.argv[1], **{{name: getattr(found, name) for name in {NAMES}}})
    """
    path = tmp_path / "moments.npz"
    # The kernels of processors without AVX: other block sizes, no fused multiply-add. Ignored by other libraries.
    environment = os.environ | {"OPENBLAS_CORETYPE": "Nehalem"}
    subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(path)], env=environment, check=True)
    with np.load(path) as other:
        assert_close(type("Moments", (), dict(other)), moments(16), 3000 * np.finfo(float).eps)
