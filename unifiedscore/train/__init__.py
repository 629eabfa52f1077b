"""One-step generators trained with the stop-gradient drift loss; training needs the extra `torch`."""

from unifiedscore.train.bandwidth import matched_kernel, mean_preconditioner
from unifiedscore.train.generator import OneStepGenerator, new_generator
from unifiedscore.train.loss import drift_loss
from unifiedscore.train.training import train_generator

__all__ = [
    "OneStepGenerator",
    "drift_loss",
    "matched_kernel",
    "mean_preconditioner",
    "new_generator",
    "train_generator",
]
