"""The figure of a generator: every dimension is drawn, images beside their nearest training images."""

import numpy as np
import pytest

from unifiedscore.plotting.generator import generator_figure, image_side

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("d", [1, 2, 3, 64])
def test_points_of_any_dimension_are_drawn(d):
    figure = generator_figure(RNG.normal(size=(50, d)), RNG.normal(size=(40, d)), np.geomspace(1, 0.1, 9))
    figure.draw_without_rendering()
    assert len(figure.axes) == 2


def test_images_stand_over_the_training_images_nearest_to_them():
    data = RNG.random((30, 64))
    figure = generator_figure(data, data[[7, 3]] + 1e-3, np.ones(3))
    drawn, nearest = (ax.images[0].get_array() for ax in figure.axes[2:])
    np.testing.assert_allclose(nearest[:, :8], data[7].reshape(8, 8))
    np.testing.assert_allclose(drawn[:, 9:17], data[3].reshape(8, 8) + 1e-3)


def test_only_square_sets_of_intensities_are_images():
    assert image_side(RNG.random((5, 64))) == 8 and image_side(RNG.random((5, 784))) == 28
    assert image_side(RNG.normal(size=(5, 64))) is None
    assert image_side(RNG.random((5, 63))) is None and image_side(RNG.random((5, 4))) is None
