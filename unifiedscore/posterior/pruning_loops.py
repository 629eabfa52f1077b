r"""The compiled loops of pruning: bounds on the sums over a tree, and the points that a cell of queries needs.

With k decreasing, the points of a node between the distances a and b of a box of queries add to $\sum_j w_j (k f)(r_j)$
at least their mass times $k(b) \min f$ and at most their mass times $k(a) \max f$, over $[a, b]$. Distances are cut
into bins; the sums over all nodes of the lower bounds, and of the upper bounds beyond a bin, say from which bin on
points may be left out.
"""

from __future__ import annotations

import numpy as np

from unifiedscore.compiled import njit

DEPTH = 64
"""Room for the nodes that wait for a visit: a tree has less than 64 levels."""


@njit(cache=True, nogil=True)
def _distances(box, other):
    """Squares of the least and largest distance between the points of two boxes."""
    near, far = 0.0, 0.0
    for k in range(box.shape[1]):
        gap = max(other[0, k] - box[1, k], box[0, k] - other[1, k], 0.0)
        reach = max(box[1, k] - other[0, k], other[1, k] - box[0, k])
        near += gap * gap
        far += reach * reach
    return near, far


@njit(cache=True, nogil=True)
def _point_distances(box, point):
    """Squares of the least and largest distance of a point to the points of a box."""
    near, far = 0.0, 0.0
    for k in range(box.shape[1]):
        gap = max(point[k] - box[1, k], box[0, k] - point[k], 0.0)
        reach = max(box[1, k] - point[k], point[k] - box[0, k])
        near += gap * gap
        far += reach * reach
    return near, far


@njit(cache=True, nogil=True)
def reaches(cells, points, starts, ends, boxes, leaves_one_out):
    """For each cell of queries three distances, (cells, 3).

    One within which there is no point; one within which all queries have a point, or two if one may be left out; and
    one within which all points are.
    """
    leaves, stack = boxes.shape[0] // 2, np.empty(DEPTH, np.int64)
    out = np.empty((cells.shape[0], 3))
    for c in range(cells.shape[0]):
        box = cells[c]
        all_within = _distances(box, boxes[1])[1]
        closest, first, second = np.inf, all_within, all_within
        size, stack[0] = 1, 1
        while size > 0:
            size -= 1
            node = stack[size]
            if _distances(box, boxes[node])[0] > (second if leaves_one_out else first):
                continue
            if node >= leaves:
                for p in range(starts[node], ends[node]):
                    near, far = _point_distances(box, points[p])
                    closest = min(closest, near)
                    second = min(second, max(first, far))
                    first = min(first, far)
                continue
            left = _distances(box, boxes[2 * node])[1]
            right = _distances(box, boxes[2 * node + 1])[1]
            # The nearer child comes off the stack first.
            stack[size] = 2 * node + (1 if left <= right else 0)
            stack[size + 1] = 2 * node + (0 if left <= right else 1)
            size += 2
        bound = second if leaves_one_out else first
        out[c, 0], out[c, 1], out[c, 2] = np.sqrt(closest), np.sqrt(bound), np.sqrt(all_within)
    return out


@njit(cache=True, nogil=True)
def _bin(r, edges, fine, per_length):
    """The bin of a distance: `fine` bins of equal width, then wider ones up to the largest distance."""
    at = (r - edges[0]) * per_length
    i = fine if at >= fine else int(max(at, 0.0))
    while i > 0 and r < edges[i]:
        i -= 1
    while i < len(edges) - 2 and r >= edges[i + 1]:
        i += 1
    return i


@njit(cache=True, nogil=True)
def _count(mass, heaviest, lighter, i, j, values, lows, leaves_one_out, sums):
    """Add a node that lies between the edges i and j + 1 to the lower bounds.

    `sums` are, for each function: the bound; with one point left out also what the heaviest point of any node counts,
    and the others of that node, neither of which is in the first one yet.
    """
    weight = values[0, j + 1]
    for f in range(sums.shape[1]):
        low = min(lows[f, i], lows[f, j + 1])
        # The value of a kernel at a point that is left out may be infinite in units of that of the next one.
        low = low * weight if low > 0.0 else 0.0
        if leaves_one_out and heaviest * low > sums[1, f]:
            sums[0, f] += sums[1, f] + sums[2, f]
            sums[1, f], sums[2, f] = heaviest * low, lighter * low
        else:
            sums[0, f] += mass * low


@njit(cache=True, nogil=True)
def _cut(values, beyond, across, shares, least):
    """The first bin from which on points may be left out.

    `beyond` is the mass of nodes that begin in a bin, `across` of those that begin before its edge and end beyond.
    """
    bins, functions = len(beyond), len(least)
    tail, top, cut = np.zeros(functions), np.zeros(functions), bins
    for i in range(bins - 1, -1, -1):
        for f in range(functions):
            most = values[0, i] * max(values[1 + f, i], values[1 + f, i + 1])
            top[f] = max(top[f], most)
            # An empty bin may have a value that is not finite.
            tail[f] += beyond[i] * most if beyond[i] > 0.0 else 0.0
            lost = tail[f] + (across[i] * top[f] if across[i] > 0.0 else 0.0)
            if not lost <= shares[f] * least[f]:
                return cut
        cut = i
    return cut


@njit(cache=True, nogil=True)
def choose(
    cells, points, weights, starts, ends, boxes, mass, heaviest, lighter, edges, values, lows, fine, bounds, shares,
    leaves_one_out, counts,
):  # fmt: skip
    """Return the points that the queries of each cell need, cell after cell in increasing order; fill their `counts`.

    `edges` (cells, bins + 1) are distances from the least to the largest, `values` (cells, 1 + f, bins + 1) the kernel
    and the functions f at them, `lows` (cells, f, bins + 1) functions whose least value over an interval is at one of
    its ends, and not above that of f, `shares` (f,) what may be neglected of each sum over k f. Within `bounds` points
    count one by one, which makes the lower bounds sharp. With `leaves_one_out` any one point may be missing.
    """
    room, total = np.empty(max(4096, len(points)), np.int64), 0
    # The nodes at which the visit stopped cover all points.
    covered = np.empty((512, 3), np.int64)
    for c in range(len(cells)):
        covered, at, cut = _cover(
            cells[c], points, weights, starts, ends, boxes, mass, heaviest, lighter, edges[c], values[c], lows[c],
            fine, bounds[c], shares, leaves_one_out, covered,
        )  # fmt: skip
        if total + len(points) > len(room):
            room = _larger(room, total, 2 * len(room) + len(points))
        counts[c] = _collect(cells[c], points, starts, ends, covered[:at], cut, edges[c, cut] ** 2, room[total:])
        total += counts[c]
    return room[:total].copy()


@njit(cache=True, nogil=True)
def _larger(room, used, size):
    wider = np.empty(size, np.int64)
    wider[:used] = room[:used]
    return wider


@njit(cache=True, nogil=True)
def _cover(
    box, points, weights, starts, ends, boxes, mass, heaviest, lighter, edges, values, lows, fine, bound, shares,
    leaves_one_out, covered,
):  # fmt: skip
    """Fill `covered` with nodes that cover all points, and the bins where they begin and end.

    Returns the array, which may have grown, the number of nodes and the first bin that may be left out.
    """
    bins, leaves = len(edges) - 1, boxes.shape[0] // 2
    # No difference of sums is taken anywhere: it would not see a small weight beside a large one.
    beyond, across, sums = np.zeros(bins), np.zeros(bins), np.zeros((3, len(shares)))
    stack, at = np.empty(DEPTH, np.int64), 0
    limit = edges[fine]
    per_length = fine / (limit - edges[0])
    size, stack[0] = 1, 1
    while size > 0:
        size -= 1
        node = stack[size]
        near, far = _distances(box, boxes[node])
        near, far = np.sqrt(near), np.sqrt(far)
        i, j = _bin(near, edges, fine, per_length), _bin(far, edges, fine, per_length)
        if node < leaves and near < limit and i < j:
            stack[size], stack[size + 1] = 2 * node + 1, 2 * node
            size += 2
            continue
        if at == len(covered):
            wider = np.empty((2 * at, 3), np.int64)
            wider[:at] = covered
            covered = wider
        covered[at, 0], covered[at, 1], covered[at, 2] = node, i, j
        at += 1
        beyond[i] += mass[node]
        for e in range(i + 1, j + 1):
            across[e] += mass[node]
        if near > bound or i == j:
            _count(mass[node], heaviest[node], lighter[node], i, j, values, lows, leaves_one_out, sums)
            continue
        for p in range(starts[node], ends[node]):
            least, most = _point_distances(box, points[p])
            a = _bin(np.sqrt(least), edges, fine, per_length)
            b = _bin(np.sqrt(most), edges, fine, per_length)
            _count(weights[p], weights[p], 0.0, a, b, values, lows, leaves_one_out, sums)
    return covered, at, _cut(values, beyond, across, shares, sums[0] + sums[2])


@njit(cache=True, nogil=True)
def _collect(box, points, starts, ends, covered, cut, radius2, chosen):
    """Fill `chosen` with the points of the nodes that begin before the bin `cut` and lie within the radius."""
    count = 0
    for a in range(len(covered)):
        node, i, j = covered[a, 0], covered[a, 1], covered[a, 2]
        if j < cut:
            for p in range(starts[node], ends[node]):
                chosen[count] = p
                count += 1
        elif i < cut:
            for p in range(starts[node], ends[node]):
                chosen[count] = p
                count += _point_distances(box, points[p])[0] < radius2
    return count
