"""Exact laws of moment-matched particle systems, without sampling: what a sampler must reproduce."""

from unifiedscore.exact.chains import CIRCLE_SCHEMES, chain_average
from unifiedscore.exact.factor_law import circle_law, transposed_law
from unifiedscore.exact.finite_particles import LineLaw, finite_average, finite_coefficient, line_law
from unifiedscore.exact.small_systems import four_particles, three_particles, triangles
from unifiedscore.exact.stiefel_law import (
    contraction,
    euler_contraction,
    fourth_moment,
    marginal_density,
    total_variation,
)

__all__ = [
    "CIRCLE_SCHEMES",
    "LineLaw",
    "chain_average",
    "circle_law",
    "contraction",
    "euler_contraction",
    "finite_average",
    "finite_coefficient",
    "four_particles",
    "fourth_moment",
    "line_law",
    "marginal_density",
    "three_particles",
    "total_variation",
    "transposed_law",
    "triangles",
]
