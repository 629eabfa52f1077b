"""unifiedscore: theorems about generative transport fields, put to the test.

Public names are resolved on first use (PEP 562), so that importing the package stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from unifiedscore import sources as _sources  # at once: it binds what the engine's files are

__version__ = "0.1.0"

_HOME = {
    "kernels": ["Gaussian", "Laplace", "Matern", "RationalQuadratic", "StudentT", "kernel_by_name"],
    "measures": ["GaussianMixture", "Samples", "load_measure", "load_pair", "whiten"],
    "posterior": ["PosteriorMoments", "posterior_moments"],
    "fields": [
        "Barycenter",
        "BatchDriftTarget",
        "ClosedFormScore",
        "ClosedFormVelocity",
        "CorrectedMeanShift",
        "DivergenceDrift",
        "Drift",
        "KernelScore",
        "MeanShift",
        "MomentMatchedTilt",
        "ScoreDifference",
        "SharpDrift",
        "SharpScore",
        "SinkhornDrift",
        "Smoothed",
        "SmoothedClosedFormScore",
        "SmoothedKLGradient",
        "SmoothedScore",
        "WitnessGradient",
        "as_field",
        "batch_drift",
        "solve_tilt",
    ],
    "processes": ["CallableReward", "QuadraticReward", "Schedule", "TiltedProcess", "lean_adjoint", "simulate"],
    "samplers": ["CenteredStiefel", "DriftingFlow", "sample_closed_form", "sample_moment_matched"],
    "study": ["judge", "open_results", "run"],
    "diagnosis": ["diagnose"],
    "errors": ["UnifiedScoreError"],
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

_SUBPACKAGES = ("ledger", "testing")

__all__ = ["__version__", *_SUBPACKAGES, *_MODULE_OF]

if TYPE_CHECKING:
    from unifiedscore import ledger, testing
    from unifiedscore.diagnosis import diagnose
    from unifiedscore.errors import UnifiedScoreError
    from unifiedscore.fields import (
        Barycenter,
        BatchDriftTarget,
        ClosedFormScore,
        ClosedFormVelocity,
        CorrectedMeanShift,
        DivergenceDrift,
        Drift,
        KernelScore,
        MeanShift,
        MomentMatchedTilt,
        ScoreDifference,
        SharpDrift,
        SharpScore,
        SinkhornDrift,
        Smoothed,
        SmoothedClosedFormScore,
        SmoothedKLGradient,
        SmoothedScore,
        WitnessGradient,
        as_field,
        batch_drift,
        solve_tilt,
    )
    from unifiedscore.kernels import Gaussian, Laplace, Matern, RationalQuadratic, StudentT, kernel_by_name
    from unifiedscore.measures import GaussianMixture, Samples, load_measure, load_pair, whiten
    from unifiedscore.posterior import PosteriorMoments, posterior_moments
    from unifiedscore.processes import CallableReward, QuadraticReward, Schedule, TiltedProcess, lean_adjoint, simulate
    from unifiedscore.samplers import CenteredStiefel, DriftingFlow, sample_closed_form, sample_moment_matched
    from unifiedscore.study import judge, open_results, run


def __getattr__(name: str):
    if name in _SUBPACKAGES:
        return import_module(f"unifiedscore.{name}")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'unifiedscore' has no attribute {name!r}")
    value = getattr(import_module(f"unifiedscore.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
