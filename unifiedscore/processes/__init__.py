"""Diffusion processes with closed-form tilts: schedules, rewards, scores, controls, targets, lean adjoints."""

from unifiedscore.processes.adjoint import (
    adjoint_energy,
    gaussian_factor,
    lean_adjoint,
    logconcave_factor,
    mixture_energy_factor,
    mixture_factor,
)
from unifiedscore.processes.floors import best_sampling_moment, integrate_time, loss_floor
from unifiedscore.processes.process_field import ProcessField
from unifiedscore.processes.rewards import AbstractReward, CallableReward, QuadraticReward
from unifiedscore.processes.schedules import SCHEDULES, Schedule
from unifiedscore.processes.simulate import Paths, simulate
from unifiedscore.processes.targets import (
    RegressionTarget,
    adjoint_target,
    conditional_target,
    novel_target,
    sampling_target,
    target_target,
)
from unifiedscore.processes.tilted_process import TiltedProcess

__all__ = [
    "SCHEDULES",
    "AbstractReward",
    "CallableReward",
    "Paths",
    "ProcessField",
    "QuadraticReward",
    "RegressionTarget",
    "Schedule",
    "TiltedProcess",
    "adjoint_energy",
    "adjoint_target",
    "best_sampling_moment",
    "conditional_target",
    "gaussian_factor",
    "integrate_time",
    "lean_adjoint",
    "logconcave_factor",
    "loss_floor",
    "mixture_energy_factor",
    "mixture_factor",
    "novel_target",
    "sampling_target",
    "simulate",
    "target_target",
]
