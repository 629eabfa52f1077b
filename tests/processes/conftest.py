"""The two families in which everything is known, and points to look at."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.processes import SCHEDULES

MEAN, VARIANCE, LINEAR, QUADRATIC = 0.3, 1.69, 0.7, 0.5


def gaussian_process(schedule="rectified_flow", quadratic=QUADRATIC):
    return us.TiltedProcess(us.GaussianMixture([[MEAN]], VARIANCE), us.QuadraticReward([LINEAR], quadratic), schedule)


def mixture_process(schedule="rectified_flow"):
    return us.TiltedProcess(us.GaussianMixture([[-1.5], [1.5]], 0.36), us.QuadraticReward([0.8], 0.3), schedule)


@pytest.fixture(params=SCHEDULES)
def schedule(request):
    return us.Schedule(request.param)


@pytest.fixture
def x():
    return np.linspace(-3, 3, 7)[:, None]


@pytest.fixture
def gaussian():
    """Builder of the Gaussian family: base N(0.3, 1.69), reward 0.7 x - 0.25 x^2."""
    return gaussian_process


@pytest.fixture
def mixture():
    """Builder of the mixture family: two components at -1.5 and 1.5, reward 0.8 x - 0.15 x^2."""
    return mixture_process


@pytest.fixture(params=[gaussian_process, mixture_process], ids=["gaussian", "mixture"])
def build(request):
    return request.param
