"""Vector fields in the plane: arrows or streamlines over their magnitude, and the angle between two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.plotting.style import INK, style, tidy
from unifiedscore.validate import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_field(
    x,
    y,
    u,
    v,
    *,
    ax: Axes | None = None,
    kind: Literal["stream", "quiver"] = "stream",
    limits: tuple[float, float] | None = None,
    every: int = 1,
    color: str = INK,
) -> Axes:
    """A vector field over the plane: its magnitude as colour, its direction as lines.

    Parameters
    ----------
    x : array (column,)
    y : array (row,)
    u, v : array (row, column)
        Components along x and y.
    kind : {"stream", "quiver"}
        Streamlines, or arrows of one length (colour tells the magnitude).
    limits : (low, high), optional
        Colour limits of the magnitude, to compare several fields.
    every : int
        Draw every so manyth arrow.

    Returns
    -------
    Axes
        The coloured mesh is `ax.collections[0]`, from which a colour bar can be made.

    Raises
    ------
    InputError
        The shapes do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> side = np.linspace(-1, 1, 8)
    >>> ax = plot_field(side, side, *np.meshgrid(-side, -side), kind="quiver")
    >>> ax.get_aspect()
    1.0
    """
    x, y, u, v = _check(x, y, u, v)
    if kind not in ("stream", "quiver"):
        raise InputError(f"kind must be 'stream' or 'quiver'; got {shown(kind)}")
    with style():
        ax = _axes(ax)
        size = np.hypot(u, v)
        mesh = ax.pcolormesh(x, y, size, cmap=_pale(), shading="nearest", rasterized=True, zorder=0)
        mesh.set_clim(*(limits or (0.0, float(np.nanmax(size)))))
        if kind == "stream":
            finite = np.isfinite(size)
            ax.streamplot(
                x,
                y,
                np.where(finite, u, 0.0),
                np.where(finite, v, 0.0),
                color=color,
                density=0.95,
                linewidth=0.75,
                arrowsize=0.75,
                zorder=2,
            )
        else:
            part = np.s_[every // 2 :: every]
            with np.errstate(invalid="ignore", divide="ignore"):
                unit = np.where(size > 0, u / size, 0.0), np.where(size > 0, v / size, 0.0)
            spacing = abs(x[-1] - x[0]) / max(len(x) - 1, 1) * every
            ax.quiver(
                x[part],
                y[part],
                unit[0][part, part],
                unit[1][part, part],
                color=color,
                angles="xy",
                scale_units="xy",
                scale=1 / (0.8 * spacing),
                pivot="mid",
                width=0.0042,
                zorder=2,
            )
        return _frame(ax, x, y)


def plot_angle(x, y, first, second, *, ax: Axes | None = None, most: float = 90.0) -> Axes:
    """The angle between two vector fields, in degrees: 0 where they are parallel, 180 where opposed.

    Parameters
    ----------
    x, y : array (column,), (row,)
    first, second : (u, v) pairs of arrays (row, column)
    most : float
        Upper colour limit in degrees.

    Returns
    -------
    Axes
        The coloured mesh is `ax.collections[0]`.

    Examples
    --------
    >>> import numpy as np
    >>> side, one = np.linspace(-1, 1, 4), np.ones((4, 4))
    >>> ax = plot_angle(side, side, (one, one), (one, 0 * one))
    >>> round(float(ax.collections[0].get_array().max()), 6)
    45.0
    """
    x, y, u, v = _check(x, y, *first)
    *_, a, b = _check(x, y, *second)
    angle = angle_between((u, v), (a, b))
    with style():
        ax = _axes(ax)
        mesh = ax.pcolormesh(x, y, angle, cmap="magma_r", shading="nearest", rasterized=True)
        mesh.set_clim(0.0, most)
        return _frame(ax, x, y)


def angle_between(first, second) -> np.ndarray:
    """Angle in degrees between two planar fields (u, v); NaN where one of them vanishes.

    atan2(|u x v|, u . v) keeps its accuracy for nearly parallel fields, where arccos of a cosine loses half the digits.
    """
    (u, v), (a, b) = first, second
    angle = np.degrees(np.arctan2(np.abs(u * b - v * a), u * a + v * b))
    return np.where((np.hypot(u, v) > 0) & (np.hypot(a, b) > 0), angle, np.nan)


def _pale():
    """Light to middle blue: lines stay readable on all of it."""
    import matplotlib
    from matplotlib.colors import ListedColormap

    return ListedColormap(matplotlib.colormaps["GnBu"](np.linspace(0.02, 0.72, 256)), name="pale")


def _check(x, y, u, v):
    x, y, u, v = (np.asarray(part, dtype=float) for part in (x, y, u, v))
    if x.ndim != 1 or y.ndim != 1 or u.shape != (y.size, x.size) or v.shape != u.shape:
        raise InputError(
            "a planar field needs x (column,), y (row,) and components (row, column); "
            f"got shapes {x.shape}, {y.shape}, {u.shape} and {v.shape}"
        )
    return x, y, u, v


def _axes(ax: Axes | None) -> Axes:
    if ax is None:
        from unifiedscore.plotting.style import new_figure

        ax = new_figure(4.2, 4.0).add_subplot()
    return ax


def _frame(ax: Axes, x: np.ndarray, y: np.ndarray) -> Axes:
    ax.set_aspect("equal")
    ax.set_xlim(x.min(), x.max())
    ax.set_ylim(y.min(), y.max())
    return tidy(ax, grid="")
