"""Tensors in, tensors out: the fields and moments of `unifiedscore` for PyTorch, on any device, with gradients.

    import unifiedscore as us, unifiedscore.torch as ust

Kernels are those of `unifiedscore`; points are tensors. On the CPU, where no gradient is recorded, the compiled engine
computes on the memory of the tensors; elsewhere tiles of torch operations do. Needs the extra `torch`.
"""

from unifiedscore.extras import require_torch

# The sentence about the extra comes before an error of the imports below.
require_torch("unifiedscore.torch")

from unifiedscore.torch.batch import BatchDrift, batch_drift  # noqa: E402
from unifiedscore.torch.fields import (  # noqa: E402
    AbstractTensorField,
    Difference,
    Drift,
    KernelScore,
    MeanShift,
    ScoreDifference,
    SharpDrift,
    SharpScore,
    sharp_scale,
)
from unifiedscore.torch.loss import drift_loss, drift_target  # noqa: E402
from unifiedscore.torch.monitor import DriftMonitor  # noqa: E402
from unifiedscore.torch.posterior import (  # noqa: E402
    PosteriorMoments,
    PosteriorVectors,
    posterior_moments,
    posterior_vectors,
)
from unifiedscore.torch.profiles import AbstractProfile, profile_of  # noqa: E402
from unifiedscore.torch.samples import Samples  # noqa: E402
from unifiedscore.torch.sinkhorn import SinkhornDrift  # noqa: E402

__all__ = [
    "AbstractProfile",
    "AbstractTensorField",
    "BatchDrift",
    "Difference",
    "Drift",
    "DriftMonitor",
    "KernelScore",
    "MeanShift",
    "PosteriorMoments",
    "PosteriorVectors",
    "Samples",
    "ScoreDifference",
    "SharpDrift",
    "SharpScore",
    "SinkhornDrift",
    "batch_drift",
    "drift_loss",
    "drift_target",
    "posterior_moments",
    "posterior_vectors",
    "profile_of",
    "sharp_scale",
]
