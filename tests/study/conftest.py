"""A small study in a file of its own, with a switch for everything the machinery must survive."""

import os
import sys
import textwrap

import pytest

from unifiedscore.study.discover import studies_in

collect_ignore = [] if sys.platform == "linux" else ["test_mpi.py"]  # where pip installs an MPI for the tests

SOURCE = '''
"""A small study."""
import os
import signal

import numpy as np

from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable


def measure(cell, rng):
    if cell["dimension"] == {failing}:
        raise ValueError("no such dimension")
    if cell["dimension"] == {deadly} and os.getpid() != {spared}:
        os.kill(os.getpid(), signal.SIGKILL)
    draws = rng.standard_normal((200, cell["dimension"]))
    moment = draws.T @ draws / len(draws)
    return {{"moment": np.trace(moment) / cell["dimension"], "profile": moment[0, :1].repeat(3)}}


study = Study(
    name="moments",
    title="Second moments of a normal law",
    grid=Grid(
        estimator=["a", "b"],
        dimension={dimensions},
        seed=range({seeds}),
        skip=lambda cell: cell["dimension"] == 2 and cell["seed"] > 1,
        paired=("estimator",),
    ),
    measure=measure,
    variables={{
        "moment": Variable("Second moment", symbol="m"),
        "profile": Variable("Profile", dims=("place",), coords={{"place": [1, 2, 3]}}),
    }},
    claims=[
        Claim(
            "moments.one",
            "the second moment is one",
            "elementary",
            "monte_carlo",
            "moment",
            Inside({low}, 1.5),
            where={{"estimator": "a", "dimension": 4}},
            control=Control("twice as large", test=Inside(1.9, 2.5)),
        )
    ],
    profiles={{"standard": {{"seed": range({seeds} + 2)}}}},
)
'''


@pytest.fixture
def write_study(tmp_path):
    """Write the study file with some of its numbers replaced; returns its path."""

    def write(folder="studies", **changes):
        values = {"failing": -1, "deadly": -1, "spared": -1, "dimensions": [2, 4], "seeds": 4, "low": 0.5} | changes
        path = tmp_path / folder / "study_moments.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(SOURCE).format(**values).lstrip())
        return path

    return write


@pytest.fixture
def make_study(write_study):
    """The study itself, imported from its file."""
    return lambda **changes: studies_in(write_study(**changes))[0].study


CLUSTER_SOURCE = '''
"""Moments, the threads there are, and once a death."""
import os
import signal
from pathlib import Path

import numba
import numpy as np
from threadpoolctl import threadpool_info

from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable

DEATH = Path(__file__).parent.parent / "death"


def measure(cell, rng):
    if cell["seed"] == 5:
        try:
            DEATH.unlink()
            os.kill(os.getppid(), signal.SIGKILL)  # the worker, which has this process for the cells alone
        except FileNotFoundError:
            pass
    if cell["seed"] == {failing}:
        raise ValueError("no such seed")
    draws = rng.standard_normal((60, 60))
    return {{
        "moment": (draws @ draws.T).trace() / 3600,
        "blas": max(library["num_threads"] for library in threadpool_info()),
        "numba": numba.get_num_threads(),
    }}


study = Study(
    name="shared",
    title="Moments",
    grid=Grid(dimension=[2, 3], seed=range(16)),
    measure=measure,
    variables={{name: Variable(name) for name in ("moment", "blas", "numba")}},
    claims=[
        Claim(
            "shared.one",
            "the second moment is one",
            "elementary",
            "monte_carlo",
            "moment",
            Inside(0.9, 1.1),
            where={{"dimension": 2}},
            control=Control("twice as large", test=Inside(1.9, 2.5)),
        )
    ],
)
'''


@pytest.fixture
def write_shared(tmp_path):
    """Write a study that a cluster shares; its first worker to come to seed 5 dies. Returns the project's folder."""

    def write(*, failing=-1):
        project = tmp_path / "project"
        (project / "studies").mkdir(parents=True)
        (project / "studies" / "study_shared.py").write_text(CLUSTER_SOURCE.format(failing=failing).lstrip())
        (project / "death").touch()
        return project

    return write


@pytest.fixture
def crowded_environment():
    """An environment in which a process without limits starts three threads of every library."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    return os.environ | dict.fromkeys(names, "3") | {"PYTHONDONTWRITEBYTECODE": "1"}
