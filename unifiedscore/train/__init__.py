"""One-step generators trained with the stop-gradient drift loss; needs the extra `train` (PyTorch)."""

from unifiedscore.train.generator import TrainedGenerator, train_generator

__all__ = ["TrainedGenerator", "train_generator"]
