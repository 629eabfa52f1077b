import csv
import io

import matplotlib
import numpy as np

from unifiedscore.plotting.export import numbers, numbers_csv


def figure():
    matplotlib.use("agg")
    from matplotlib.figure import Figure

    drawn = Figure()
    axes = drawn.add_subplot(title="left")
    axes.plot([1, 2], [0.1, np.nan], label="median")
    axes.scatter([1, 2, 3], [4, 5, 6])
    axes.fill_between([0, 1], [0, 0], [1, 2], label="band")
    other = drawn.add_subplot(122, title="right")
    other.quiver([0, 1], [0, 1], [2, 3], [4, 5])
    other.pcolormesh([0, 1, 2], [0, 1], [[7, 8]])
    other.imshow([[1, 2], [3, 4]], extent=(0, 2, 0, 2), origin="lower")
    return drawn


def test_lines_points_bands_arrows_and_images_come_back_as_drawn():
    shown = numbers(figure())
    np.testing.assert_array_equal(shown["0 left/line median"], [[1, 0.1], [2, np.nan]])
    np.testing.assert_array_equal(shown["0 left/points #1"], [[1, 4], [2, 5], [3, 6]])
    assert shown["0 left/band band"].shape[1] == 2
    np.testing.assert_array_equal(shown["1 right/arrows #1"], [[0, 0, 2, 4], [1, 1, 3, 5]])
    np.testing.assert_array_equal(shown["1 right/cells #1"], [[0.5, 0.5, 7], [1.5, 0.5, 8]])
    np.testing.assert_array_equal(
        shown["1 right/image #1"], [[0.5, 0.5, 1], [1.5, 0.5, 2], [0.5, 1.5, 3], [1.5, 1.5, 4]]
    )


def test_csv_is_exact_and_leaves_what_is_not_there_empty():
    rows = list(csv.DictReader(io.StringIO(numbers_csv(figure()))))
    line = [row for row in rows if row["kind"] == "line"]
    assert float(line[0]["y"]) == 0.1 and line[0]["value"] == "" and line[0]["series"] == "median"
    assert [row["value"] for row in rows if row["kind"] == "cells"] == ["7.0", "8.0"]


def test_an_image_with_its_origin_above_has_its_first_row_on_top():
    from matplotlib.figure import Figure

    drawn = Figure()
    drawn.add_subplot().imshow([[1, 2], [3, 4]])
    (image,) = numbers(drawn).values()
    np.testing.assert_array_equal(image, [[0, 0, 1], [1, 0, 2], [0, 1, 3], [1, 1, 4]])
