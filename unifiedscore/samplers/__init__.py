"""Samplers: particles moved by fields, with every setting stored beside the result."""

from unifiedscore.samplers.closed_form import ClosedFormSamples, sample_closed_form
from unifiedscore.samplers.manifold_chain import ChainState, ManifoldChain
from unifiedscore.samplers.moment_matched import MomentMatchedSamples, sample_moment_matched
from unifiedscore.samplers.noise import NOISE_POLICIES, NoisePolicy, draw_noise, policy_by_name
from unifiedscore.samplers.stiefel import CenteredStiefel

__all__ = [
    "NOISE_POLICIES",
    "CenteredStiefel",
    "ChainState",
    "ClosedFormSamples",
    "ManifoldChain",
    "MomentMatchedSamples",
    "NoisePolicy",
    "draw_noise",
    "policy_by_name",
    "sample_closed_form",
    "sample_moment_matched",
]
