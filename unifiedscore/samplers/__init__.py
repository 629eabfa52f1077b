"""Samplers: escorted Langevin with exact work identities, tilted escorted weights, free energies."""

from unifiedscore.samplers.annealing import AnnealingPath, GaussianPath
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
from unifiedscore.samplers.rate_form import (
    TiltedSample,
    escorted_jarzynski,
    nets_residual,
    tilted_crooks,
    tilted_jarzynski,
)
from unifiedscore.samplers.recursion import LinearStep, chain_of_fields, log_expectation

__all__ = [
    "AnnealingPath",
    "CrooksHistogram",
    "EscortedLangevin",
    "GaussianPath",
    "GaussianTilt",
    "LinearStep",
    "TiltedSample",
    "WorkSample",
    "bennett",
    "chain_of_fields",
    "cmcd_losses",
    "crooks_histogram",
    "effective_sample_size",
    "escorted_jarzynski",
    "jarzynski",
    "log_expectation",
    "log_mean_exp",
    "nets_residual",
    "tilted_crooks",
    "tilted_jarzynski",
    "weighted_mean",
]
