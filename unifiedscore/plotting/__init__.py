"""Plots of stored data sets. They take `ax=None`, return it, and never show or save.

Importing this package changes no setting of matplotlib, nor does it import matplotlib.
"""

from __future__ import annotations

from unifiedscore.plotting.field2d import plot_angle, plot_field
from unifiedscore.plotting.monitor import plot_monitor
from unifiedscore.plotting.motion import animate
from unifiedscore.plotting.scaling import Prediction, plot_scaling
from unifiedscore.plotting.style import colour, marker, style

__all__ = [
    "Prediction",
    "animate",
    "colour",
    "marker",
    "plot_angle",
    "plot_field",
    "plot_monitor",
    "plot_scaling",
    "style",
]
