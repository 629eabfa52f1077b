"""Learned fields: networks that are trained here or elsewhere, and what a trained denoiser is compared with.

A denoiser at the noise level h maps points x = y + h z, in the units of the data, to estimates of y. Descriptions,
rivals and samplers take it as a function of points and need NumPy alone; training and networks need the extra `torch`.
"""

from __future__ import annotations

from importlib import import_module

_HOME = {
    "adjoint": ["full_adjoint"],
    "generators.bandwidth": ["matched_kernel", "mean_preconditioner"],
    "generators.generator": ["OneStepGenerator", "new_generator"],
    "generators.loss": ["drift_loss"],
    "generators.training": ["train_generator"],
    "control": ["LearnedControl"],
    "copies": ["chance_copy_rate", "copy_rate"],
    "denoiser": ["LearnedDenoiser"],
    "describe": ["DenoiserDescription", "Fit", "describe_denoiser", "description_noise", "fit_family", "noisy_queries"],
    "diagnosis": ["diagnose_score"],
    "filters": ["FilterFit", "fit_filter", "gradient_flow_gains"],
    "gradients": ["PARAMETRISATIONS", "gradient_variance", "output_factor"],
    "hybrid": ["HybridWeight", "hybrid_weight"],
    "loss": ["NoiseLaw"],
    "loss_weights": ["LOSSES", "loss_weight"],
    "network_field": ["NetworkField"],
    "network_gradients": ["GradientVariances", "control_gradient_variance"],
    "precondition": ["Preconditioning"],
    "rivals": ["DensitySmoothedDenoiser", "GaussianDenoiser", "ScoreSmoothedDenoiser", "WiderKernelDenoiser"],
    "sample": ["SCHEMES", "gaussian_sampling_gain", "noise_levels", "sample_denoiser"],
    "stored": ["load_control", "load_network"],
    "tilt": ["ControlTraining", "train_control"],
    "tilt_targets": ["TILT_LOSSES", "reweighted_base"],
    "train": ["DenoiserTraining", "train_denoiser", "train_denoisers"],
    "split": ["ErrorSplit", "memorisation_step", "split_error"],
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str):
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'unifiedscore.learned' has no attribute {name!r}")
    value = getattr(import_module(f"unifiedscore.learned.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
