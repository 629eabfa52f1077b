"""A study file that makes universal claims with a known answer, with a switch for each planted defect."""

import textwrap

import pytest

from unifiedscore.study.discover import studies_in

SOURCE = '''
"""Universal claims with a known answer."""
import math
import os

import mpmath

from unifiedscore.study import Choice, FalseVariant, Hypothesis, Integer, Many, Real, Space, Study, Universal

{body}
'''

BALL = '''
CENTRE = dict(x=0.5, y=-0.25, z=0.1)
space = Space(x=Real(-1, 1), y=Real(-1, 1), z=Real(-1, 1))


def value(instance):
    return {"value": 1 - sum((instance[n] - c) ** 2 for n, c in CENTRE.items()), "error": 1e-14}


def second(instance):
    """mpmath, 50 digits"""
    with mpmath.workdps(50):
        gap = sum((mpmath.mpf(instance[n]) - c) ** 2 for n, c in CENTRE.items())
    return {"value": float(1 - gap), "error": 1e-14}


both = dict(source="elementary", space=space, quantity=value, second=second, unit=1.0)
study = Study("ball", "A ball", universals=[
    Universal("ball.low", "The value is at most 0.999.", region=(-math.inf, 0.999), expect="refuted", **both),
    Universal("ball.high", "The value is at most 1.001.", region=(-math.inf, 1.001),
              control=FalseVariant("a bound of 0.98", region=(-math.inf, 0.98)), **both),
])
'''


@pytest.fixture
def write(tmp_path):
    """Write a study file; returns its path."""

    def write_file(body=BALL, name="ball"):
        path = tmp_path / "studies" / f"study_{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(SOURCE.replace("{body}", textwrap.dedent(body)).lstrip())
        return path

    return write_file


@pytest.fixture
def ball(write):
    """The study of the ball, from its file."""
    return studies_in(write())[0].study
