"""Particles in motion: several trajectories side by side, as an animation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.plotting.style import GREY, colour, new_figure, style, tidy, words
from unifiedscore.validate import integer, points, positive, real_array, shown

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation

TAIL = 0.04  # of a trajectory, drawn behind each particle
REST = 0.15  # of the time, in which the last frame stands still


def animate(
    trajectories,
    *,
    target=None,
    seconds: float = 6.0,
    frames: int = 90,
    axes: tuple[int, int] = (0, 1),
) -> FuncAnimation:
    """Particles moving from their start to their end, every set in a panel of its own, all in the same frame.

    Use when you want to see how particles move, or compare how different fields move them.

    Parameters
    ----------
    trajectories : (n_steps + 1, n, d) array, or mapping from names to such arrays
        Such as `DriftingFlow.run(..., trajectory=True).trajectory`, and those of `sample_closed_form` and
        `sample_moment_matched`. Sets of different numbers of steps begin and end together.
    target : (m, d) array, optional
        Points drawn in grey behind the particles.
    seconds : float
        Length of the animation.
    frames : int
        Pictures in it.
    axes : (int, int)
        The two coordinates shown.

    Returns
    -------
    FuncAnimation
        Write it with `.save("motion.webp", writer="pillow")` (or .gif), show it in a notebook with `.to_jshtml()`.

    Raises
    ------
    InputError
        Shapes that do not fit together, coordinates that do not exist.

    Examples
    --------
    >>> path = flow.run(start, n_steps=100, trajectory=True)  # doctest: +SKIP
    >>> animate({"drift": path.trajectory}).save("flow.webp", writer="pillow")  # doctest: +SKIP
    """
    from matplotlib.animation import FuncAnimation
    from matplotlib.collections import LineCollection

    sets = dict(trajectories) if isinstance(trajectories, Mapping) else {"": trajectories}
    if not sets:
        raise InputError("trajectories must hold at least one set of particles; got none")
    if len({str(name) for name in sets}) < len(sets):
        raise InputError(f"trajectories need different names; got {', '.join(map(str, sets))}")
    sets = {str(name): _planar(path, name, axes) for name, path in sets.items()}
    frames, seconds = integer(frames, "frames", low=2), positive(seconds, "seconds")
    behind = None if target is None else _shown(points(target, "target")[None], "target", axes)[0]
    low, high = _limits([*sets.values(), *([] if behind is None else [behind[None]])])
    with style():
        tall = np.clip((high[1] - low[1]) / (high[0] - low[0]), 0.4, 2.0)
        figure = new_figure(3.0 * len(sets), 2.7 * tall + 0.6, dpi=100)
        panels = []
        for position, (name, path) in enumerate(sets.items()):
            ax = figure.add_subplot(1, len(sets), position + 1)
            if behind is not None:
                ax.plot(*behind.T, ".", color="#c8c8c8", markersize=4, zorder=0)
            tails = ax.add_collection(LineCollection([], colors=colour(name), linewidths=0.6, alpha=0.35, zorder=1))
            (dots,) = ax.plot(*path[0].T, "o", color=colour(name), markersize=2.6, markeredgewidth=0, zorder=2)
            ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", title=words(name))
            step = ax.text(0.98, 0.02, "", transform=ax.transAxes, ha="right", va="bottom", fontsize=8, color=GREY)
            panels.append((path, tails, dots, step, tidy(ax, grid="")))

    def draw(frame: int):
        share = min(1.0, frame / max((frames - 1) * (1.0 - REST), 1.0))
        for path, tails, dots, step, _ in panels:
            last = round(share * (len(path) - 1))
            first = max(0, last - max(1, round(TAIL * (len(path) - 1))))
            dots.set_data(*path[last].T)
            tails.set_segments(np.swapaxes(path[first : last + 1], 0, 1) if last else [])
            step.set_text(f"step {last} of {len(path) - 1}")
        return [artist for _, *artists, _ in panels for artist in artists]

    return FuncAnimation(figure, draw, frames=frames, interval=1000.0 * seconds / frames, repeat=True)


def _planar(path, name, axes) -> np.ndarray:
    label = f"trajectory {name}".rstrip()
    path = real_array(path, label)
    if path.ndim != 3 or len(path) < 2 or path.shape[1] == 0:
        raise InputError(
            f"{label} must have shape (n_steps + 1, n, d), with a step and a particle; got shape {path.shape}"
        )
    return _shown(path, label, axes)


def _shown(path, label: str, axes) -> np.ndarray:
    """The two coordinates that are shown."""
    try:
        first, second = axes
    except (TypeError, ValueError):
        raise InputError(f"axes must be two coordinates, such as (0, 1); got {shown(axes)}") from None
    pair = [integer(axis, "axes", low=0) for axis in (first, second)]
    if pair[0] == pair[1] or max(pair) >= path.shape[2]:
        raise InputError(
            f"axes must be two different coordinates below the dimension {path.shape[2]} of {label}; got {shown(axes)}"
        )
    return path[..., pair]


def _limits(paths) -> tuple[np.ndarray, np.ndarray]:
    """A frame around everything that is ever shown, a little wider."""
    low = np.min([path.min((0, 1)) for path in paths], axis=0)
    high = np.max([path.max((0, 1)) for path in paths], axis=0)
    margin = 0.05 * np.where(high > low, high - low, np.maximum(1.0, np.abs(high)))
    return low - margin, high + margin
