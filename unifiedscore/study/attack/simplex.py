"""Adaptive Nelder-Mead in a unit cube, one point at a time.

SciPy's `minimize` cannot be stepped from outside; here every point is yielded and its rank received, so that several
searches advance side by side and their evaluations run at the same time.

References
----------
[Gao and Han 2012, Implementing the Nelder-Mead simplex algorithm with adaptive parameters]
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from unifiedscore.study.attack.yardstick import Rank

COLLAPSED = 1e-9  # longest edge of a simplex that goes nowhere any more


def nelder_mead(start: np.ndarray, rank: Rank, *, edge: float, free: np.ndarray) -> Generator[np.ndarray, Rank, None]:
    """Climb from `start`, whose rank is known, in the coordinates that `free` marks; ends when the simplex collapses.

    Beyond its surface the cube is continued by its mirror image, so that a best point on the surface is the top of a
    ridge: moving points to the surface instead would flatten the simplex there, and worst cases mostly lie on bounds.
    """
    axes = np.flatnonzero(free)
    n = max(len(axes), 2)  # the adaptive parameters would collapse a simplex of two points at once
    expansion, contraction, shrinkage = 1 + 2 / n, 0.75 - 1 / (2 * n), 1 - 1 / n
    points, ranks = [start], [rank]
    for axis in axes:
        corner = start.copy()
        corner[axis] += edge if corner[axis] + edge <= 1 else -edge
        points.append(corner)
        ranks.append((yield folded(corner)))
    while max(np.abs(point - points[0]).max() for point in points) > COLLAPSED:
        order = sorted(range(len(points)), key=lambda i: ranks[i], reverse=True)
        points, ranks = [points[i] for i in order], [ranks[i] for i in order]
        centre = np.mean(points[:-1], axis=0)

        def along(step: float, centre=centre, worst=points[-1]) -> np.ndarray:
            return centre + step * (centre - worst)

        reflected = along(1.0)
        found = yield folded(reflected)
        if found > ranks[0]:
            expanded = along(expansion)
            further = yield folded(expanded)
            points[-1], ranks[-1] = (expanded, further) if further > found else (reflected, found)
        elif found > ranks[-2]:
            points[-1], ranks[-1] = reflected, found
        else:
            contracted = along(contraction if found > ranks[-1] else -contraction)
            inner = yield folded(contracted)
            if inner > max(found, ranks[-1]):
                points[-1], ranks[-1] = contracted, inner
                continue
            for i in range(1, len(points)):
                points[i] = points[0] + shrinkage * (points[i] - points[0])
                ranks[i] = yield folded(points[i])


def folded(point: np.ndarray) -> np.ndarray:
    """The point of the unit cube that a point anywhere is a mirror image of."""
    return 1.0 - np.abs(np.mod(point, 2.0) - 1.0)
