"""A small study in a file of its own, with a switch for everything the machinery must survive."""

import textwrap

import pytest

from unifiedscore.study.discover import studies_in

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
