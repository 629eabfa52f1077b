"""One variable across named alternatives: every seed, and the interval of the mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference import SUPPORT_LEVEL, Inside
from unifiedscore.inference.inside import ESTIMANDS_OF
from unifiedscore.plotting.series import pick
from unifiedscore.plotting.style import BLUE, INK, axis_label, new_figure, style, tidy, words

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes


def plot_ranking(
    dataset: xr.Dataset,
    variable: str,
    among: str,
    *,
    where: Mapping[str, Any] | None = None,
    colors: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    transform: Literal["none", "log", "atanh"] = "none",
    level: float = SUPPORT_LEVEL,
) -> Axes:
    """Draw a row for each label of `among` that was measured: seeds as dots, the t interval of their mean as a bar.

    Parameters
    ----------
    dataset : xarray.Dataset
        Every axis other than `among` and `seed` is fixed by `where`.
    variable, among : str
    where : mapping, optional
    colors : mapping, optional
        Colour of a label.
    ax : Axes, optional
    transform : {"none", "log", "atanh"}
        In which the interval is taken, as of the claim's `Inside`.
    level : float
        Of the interval.

    Raises
    ------
    InputError
        An axis is left over, or nothing is finite.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> data = xr.Dataset({"w2": (("sampler", "seed"), [[1.0, 2.0], [3.0, 5.0]])}, {"sampler": ["a", "b"]})
    >>> [text.get_text() for text in plot_ranking(data, "w2", "sampler").get_yticklabels()]
    ['a', 'b']
    """
    rows = {}
    for label in np.ravel(dataset[among].values):
        array = pick(dataset, {**(where or {}), among: label})[variable]
        left = [axis for axis in array.dims if axis != "seed" and array.sizes[axis] > 1]
        if left:
            raise InputError(f"{variable} still varies along {left}; fix them with where={{axis: label}}")
        values = np.ravel(array.values).astype(float)
        if np.isfinite(values).any():
            rows[str(label)] = values[np.isfinite(values)]
    if not rows:
        raise InputError(f"{variable} has no finite value along {among} at {dict(where or {})}")
    with style():
        ax = new_figure(5.6, 3.6).subplots() if ax is None else ax
        for position, (name, values) in enumerate(rows.items()):
            spread = position + np.linspace(-0.2, 0.2, len(values))
            color = (colors or {}).get(name, BLUE)
            ax.plot(values, spread, "o", color=color, alpha=0.35, markersize=3, label=f"{words(name)}: seeds")
            estimate = Inside(-np.inf, 0.0, transform=transform, of=ESTIMANDS_OF.get(transform, (None,))[0]).estimate(
                values, level=level
            )
            ends = [[estimate.value - estimate.low], [estimate.high - estimate.value]]
            ax.errorbar([estimate.value], [position], xerr=ends, fmt="D", color=INK, markersize=4.5, capsize=3)
            ax.plot([estimate.value], [position], "D", color=INK, markersize=4.5, label=f"{words(name)}: mean")
        ax.set_yticks(range(len(rows)), [words(name) for name in rows])
        ax.invert_yaxis()
        ax.set_xlabel(axis_label(dataset[variable], variable))
        ax.set_ylabel(words(among))
        tidy(ax, grid="x")
    return ax
