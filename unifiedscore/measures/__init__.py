"""Probability measures: weighted samples, Gaussian mixtures in any dimension, named data sets and files."""

from unifiedscore.measures.files import LoadedPoints, load_points
from unifiedscore.measures.gaussian_mixture import GaussianMixture
from unifiedscore.measures.library import load_measure, load_pair, measure_names, pair_names
from unifiedscore.measures.reduced import ReducedMixture
from unifiedscore.measures.samples import Samples, as_samples
from unifiedscore.measures.whitening import Whitening, whiten

__all__ = [
    "GaussianMixture",
    "LoadedPoints",
    "ReducedMixture",
    "Samples",
    "Whitening",
    "as_samples",
    "load_measure",
    "load_pair",
    "load_points",
    "measure_names",
    "pair_names",
    "whiten",
]
