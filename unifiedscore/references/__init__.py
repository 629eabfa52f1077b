"""Exact laws and chains, without sampling: what a sampler, a process or a study must reproduce."""

from unifiedscore.references.chains import CIRCLE_SCHEMES, chain_average, sampler_average
from unifiedscore.references.factor_law import circle_law, transposed_law
from unifiedscore.references.finite_particles import LineLaw, finite_average, finite_coefficient, line_law
from unifiedscore.references.gaussian_tilt import GaussianTilt
from unifiedscore.references.recursion import LinearStep, chain_of_fields, log_expectation
from unifiedscore.references.small_systems import four_particles, three_particles, triangles
from unifiedscore.references.stiefel_law import (
    contraction,
    euler_contraction,
    fourth_moment,
    marginal_density,
    total_variation,
)

__all__ = [
    "CIRCLE_SCHEMES",
    "GaussianTilt",
    "LineLaw",
    "LinearStep",
    "chain_average",
    "chain_of_fields",
    "circle_law",
    "contraction",
    "euler_contraction",
    "finite_average",
    "finite_coefficient",
    "four_particles",
    "fourth_moment",
    "line_law",
    "log_expectation",
    "marginal_density",
    "sampler_average",
    "three_particles",
    "total_variation",
    "transposed_law",
    "triangles",
]
