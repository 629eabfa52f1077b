"""Diffusion processes with closed-form tilts: schedules, rewards, scores, controls, regression targets, lean adjoints."""

from unifiedscore.processes.process_field import ProcessField
from unifiedscore.processes.rewards import AbstractReward, CallableReward, QuadraticReward
from unifiedscore.processes.schedules import SCHEDULES, Schedule
from unifiedscore.processes.simulate import Paths, simulate
from unifiedscore.processes.tilted_process import TiltedProcess

__all__ = [
    "SCHEDULES",
    "AbstractReward",
    "CallableReward",
    "Paths",
    "ProcessField",
    "QuadraticReward",
    "Schedule",
    "TiltedProcess",
    "simulate",
]
