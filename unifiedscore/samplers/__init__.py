"""Samplers: particles moved by fields, with every setting stored beside the result."""

from unifiedscore.samplers.closed_form import ClosedFormSamples, sample_closed_form
from unifiedscore.samplers.noise import NOISE_POLICIES, NoisePolicy, draw_noise, policy_by_name

__all__ = [
    "NOISE_POLICIES",
    "ClosedFormSamples",
    "NoisePolicy",
    "draw_noise",
    "policy_by_name",
    "sample_closed_form",
]
