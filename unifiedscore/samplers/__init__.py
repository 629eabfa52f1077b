"""Samplers: particles moved by fields, escorted Langevin with exact work identities, free energies."""

from unifiedscore.samplers.annealing import AnnealingPath, GaussianPath
from unifiedscore.samplers.closed_form import ClosedFormSamples, sample_closed_form
from unifiedscore.samplers.drifting_flow import DriftingFlow, DriftingPath, exponential_schedule
from unifiedscore.samplers.escorted import EscortedLangevin, WorkSample
from unifiedscore.samplers.free_energy import (
    CrooksHistogram,
    bennett,
    cmcd_losses,
    crooks_histogram,
    effective_sample_size,
    jarzynski,
    log_mean_exp,
    weighted_mean,
)
from unifiedscore.samplers.gaussian_tilt import GaussianTilt
from unifiedscore.samplers.manifold_chain import ChainState, ManifoldChain
from unifiedscore.samplers.moment_matched import MomentMatchedSamples, sample_moment_matched
from unifiedscore.samplers.noise import NOISE_POLICIES, NoisePolicy, draw_noise, policy_by_name
from unifiedscore.samplers.rate_form import (
    TiltedSample,
    escorted_jarzynski,
    nets_residual,
    tilted_crooks,
    tilted_jarzynski,
)
from unifiedscore.samplers.recursion import LinearStep, chain_of_fields, log_expectation
from unifiedscore.samplers.stiefel import CenteredStiefel

__all__ = [
    "NOISE_POLICIES",
    "AnnealingPath",
    "CenteredStiefel",
    "ChainState",
    "ClosedFormSamples",
    "CrooksHistogram",
    "DriftingFlow",
    "DriftingPath",
    "EscortedLangevin",
    "GaussianPath",
    "GaussianTilt",
    "LinearStep",
    "ManifoldChain",
    "MomentMatchedSamples",
    "NoisePolicy",
    "TiltedSample",
    "WorkSample",
    "bennett",
    "chain_of_fields",
    "cmcd_losses",
    "crooks_histogram",
    "draw_noise",
    "effective_sample_size",
    "escorted_jarzynski",
    "exponential_schedule",
    "jarzynski",
    "log_expectation",
    "log_mean_exp",
    "nets_residual",
    "policy_by_name",
    "sample_closed_form",
    "sample_moment_matched",
    "tilted_crooks",
    "tilted_jarzynski",
    "weighted_mean",
]
