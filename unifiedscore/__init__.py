"""Theorems about generative transport fields, put to the test.

Kernels           Gaussian, Laplace, Matern, RationalQuadratic, StudentT, KernelSum, kernel_by_name
Measures          GaussianMixture, Samples, load_measure, load_pair
Fields            MeanShift, KernelScore, CorrectedMeanShift, SharpScore, Barycenter, Smoothed, as_field,
                  posterior_moments, PosteriorMoments, posterior_vectors, TimeField
Drifts            Drift, ScoreDifference, SharpDrift, DivergenceDrift, WitnessGradient, SmoothedKLGradient,
                  SinkhornDrift, MultiTemperatureDrift, BatchDriftTarget, batch_drift
Closed form       ClosedFormScore, SmoothedClosedFormScore, ClosedFormVelocity
Moment matching   SmoothedScore, solve_tilt, MomentMatchedTilt, CenteredStiefel
Processes         Schedule, QuadraticReward, CallableReward, TiltedProcess, simulate, lean_adjoint
Samplers          sample_closed_form, sample_moment_matched, DriftingFlow
Networks          LearnedDenoiser, load_network, diagnose_score
Their settings    Noise, Dense, Near, Neighbours
Studies           run, falsify, judge, open_results, ledger
Your own data     diagnose, whiten
Your own fields   testing
Errors            UnifiedScoreError

Each of them has a docstring with an example, such as `help(unifiedscore.Drift)`. The subpackages hold the rest, as in
`unifiedscore.study.Claim`: `unifiedscore.metrics` compares fields (global_cosine, cross_fitted_cosine, ...) and samples
(wasserstein2, unbiased_mmd2, ...), `unifiedscore.plotting` draws data sets, `unifiedscore.torch` takes tensors. All
names are resolved on first use (PEP 562), so that importing the package stays fast.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from unifiedscore import sources as _sources  # at once: it binds what the engine's files are

__version__ = "0.1.0"

_HOME = {
    "kernels": ["Gaussian", "KernelSum", "Laplace", "Matern", "RationalQuadratic", "StudentT", "kernel_by_name"],
    "measures": ["GaussianMixture", "Samples", "load_measure", "load_pair", "whiten"],
    "posterior": ["PosteriorMoments", "posterior_moments", "posterior_vectors"],
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
        "MultiTemperatureDrift",
        "ScoreDifference",
        "SharpDrift",
        "SharpScore",
        "SinkhornDrift",
        "Smoothed",
        "SmoothedClosedFormScore",
        "SmoothedKLGradient",
        "SmoothedScore",
        "TimeField",
        "WitnessGradient",
        "as_field",
        "batch_drift",
        "solve_tilt",
    ],
    "processes": ["CallableReward", "QuadraticReward", "Schedule", "TiltedProcess", "lean_adjoint", "simulate"],
    "samplers": [
        "CenteredStiefel",
        "Dense",
        "DriftingFlow",
        "Near",
        "Neighbours",
        "Noise",
        "sample_closed_form",
        "sample_moment_matched",
    ],
    "learned": ["LearnedDenoiser", "diagnose_score", "load_network"],
    "study": ["falsify", "judge", "open_results", "run"],
    "diagnosis": ["diagnose"],
    "errors": ["UnifiedScoreError"],
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

_SUBPACKAGES = (
    "diagnosis",
    "fields",
    "inference",
    "kernels",
    "learned",
    "ledger",
    "measures",
    "metrics",
    "plotting",
    "posterior",
    "processes",
    "references",
    "samplers",
    "study",
    "testing",
    "torch",
    "train",
    "verify",
)

# A star import leaves out the other subpackages: some of them are slow to load.
__all__ = ["__version__", "ledger", "testing", *_MODULE_OF]

if TYPE_CHECKING:
    from unifiedscore import (
        diagnosis,
        fields,
        inference,
        kernels,
        learned,
        ledger,
        measures,
        metrics,
        plotting,
        posterior,
        processes,
        references,
        samplers,
        study,
        testing,
        torch,
        train,
        verify,
    )
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
        MultiTemperatureDrift,
        ScoreDifference,
        SharpDrift,
        SharpScore,
        SinkhornDrift,
        Smoothed,
        SmoothedClosedFormScore,
        SmoothedKLGradient,
        SmoothedScore,
        TimeField,
        WitnessGradient,
        as_field,
        batch_drift,
        solve_tilt,
    )
    from unifiedscore.kernels import Gaussian, KernelSum, Laplace, Matern, RationalQuadratic, StudentT, kernel_by_name
    from unifiedscore.learned import LearnedDenoiser, diagnose_score, load_network
    from unifiedscore.measures import GaussianMixture, Samples, load_measure, load_pair, whiten
    from unifiedscore.posterior import PosteriorMoments, posterior_moments, posterior_vectors
    from unifiedscore.processes import CallableReward, QuadraticReward, Schedule, TiltedProcess, lean_adjoint, simulate
    from unifiedscore.samplers import (
        CenteredStiefel,
        Dense,
        DriftingFlow,
        Near,
        Neighbours,
        Noise,
        sample_closed_form,
        sample_moment_matched,
    )
    from unifiedscore.study import falsify, judge, open_results, run


def __getattr__(name: str):
    if name in _SUBPACKAGES:
        return import_module(f"unifiedscore.{name}")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'unifiedscore' has no attribute {name!r}")
    value = getattr(import_module(f"unifiedscore.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    # What cannot be loaded is not offered: tools that look at every name would stumble on it.
    return sorted({*__all__, *_SUBPACKAGES} - ({"torch"} if find_spec("torch") is None else set()))
