"""Samplers: particles moved by fields, escorted Langevin with exact work identities, free energies.

Names are resolved on first use, so that a sampler does not wait for the others to load.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

_HOME = {
    "annealing": ["AnnealingPath", "GaussianPath"],
    "closed_form": ["ClosedFormSamples", "sample_closed_form"],
    "drifting_flow": ["DriftingFlow", "DriftingPath", "exponential_schedule"],
    "escorted": ["EscortedLangevin", "WorkSample"],
    "estimators": ["AbstractEstimator", "Dense", "Near", "Neighbours"],
    "free_energy": [
        "CrooksHistogram",
        "bennett",
        "cmcd_losses",
        "crooks_histogram",
        "effective_sample_size",
        "jarzynski",
        "log_mean_exp",
        "weighted_mean",
    ],
    "manifold_chain": ["ChainState", "ManifoldChain"],
    "moment_matched": ["MomentMatchedSamples", "sample_moment_matched"],
    "noise": ["NOISE_POLICIES", "Noise", "NoisePolicy", "draw_noise", "policy_by_name"],
    "rate_form": ["TiltedSample", "escorted_jarzynski", "nets_residual", "tilted_crooks", "tilted_jarzynski"],
    "stiefel": ["CenteredStiefel"],
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted(_MODULE_OF)

if TYPE_CHECKING:
    from unifiedscore.samplers.annealing import AnnealingPath, GaussianPath
    from unifiedscore.samplers.closed_form import ClosedFormSamples, sample_closed_form
    from unifiedscore.samplers.drifting_flow import DriftingFlow, DriftingPath, exponential_schedule
    from unifiedscore.samplers.escorted import EscortedLangevin, WorkSample
    from unifiedscore.samplers.estimators import AbstractEstimator, Dense, Near, Neighbours
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
    from unifiedscore.samplers.manifold_chain import ChainState, ManifoldChain
    from unifiedscore.samplers.moment_matched import MomentMatchedSamples, sample_moment_matched
    from unifiedscore.samplers.noise import NOISE_POLICIES, Noise, NoisePolicy, draw_noise, policy_by_name
    from unifiedscore.samplers.rate_form import (
        TiltedSample,
        escorted_jarzynski,
        nets_residual,
        tilted_crooks,
        tilted_jarzynski,
    )
    from unifiedscore.samplers.stiefel import CenteredStiefel


def __getattr__(name: str):
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'unifiedscore.samplers' has no attribute {name!r}")
    value = getattr(import_module(f"unifiedscore.samplers.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
