import numpy as np
import pytest
from matplotlib.figure import Figure

from unifiedscore.errors import InputError
from unifiedscore.plotting import plot_angle, plot_field
from unifiedscore.plotting.export import numbers
from unifiedscore.plotting.field2d import angle_between

X, Y = np.linspace(-2, 2, 9), np.linspace(-1, 1, 5)
GX, GY = np.meshgrid(X, Y)


def test_arrows_stand_where_they_belong_and_point_along_the_field():
    ax = plot_field(X, Y, -GX, 2 * GY, kind="quiver")
    arrows = next(data for name, data in numbers(ax.figure).items() if "arrows" in name)
    x, y, u, v = arrows.T
    np.testing.assert_allclose(u * 2 * y, v * -x, atol=1e-12)
    assert (u * -x >= 0).all() and (v * y >= 0).all()


@pytest.mark.parametrize("kind", ["stream", "quiver"])
def test_colour_is_the_magnitude(kind):
    ax = plot_field(X, Y, -GX, 2 * GY, kind=kind, limits=(0.0, 5.0))
    mesh = ax.collections[0]
    np.testing.assert_allclose(mesh.get_array().reshape(5, 9), np.hypot(GX, 2 * GY))
    assert mesh.get_clim() == (0.0, 5.0) and ax.get_aspect() == 1.0


def test_angles_are_exact_for_nearly_parallel_fields():
    turn = 1e-9
    angle = angle_between(
        (GX + 3, GY), (np.cos(turn) * (GX + 3) - np.sin(turn) * GY, np.sin(turn) * (GX + 3) + np.cos(turn) * GY)
    )
    np.testing.assert_allclose(angle, np.degrees(turn), rtol=1e-6)
    assert angle_between((1.0, 0.0), (-1.0, 0.0)) == 180.0
    assert angle_between((1.0, 0.0), (0.0, -2.0)) == 90.0
    assert np.isnan(angle_between((0.0, 0.0), (1.0, 0.0)))


def test_given_axes_are_drawn_on_and_returned():
    ax = Figure().add_subplot()
    assert plot_angle(X, Y, (GX, GY), (GY, GX), ax=ax) is ax
    assert plot_field(X, Y, GX, GY, ax=ax) is ax


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(InputError, match=r"\(9, 5\)"):
        plot_field(X, Y, GX.T, GY.T)
    with pytest.raises(InputError, match="'arrows'"):
        plot_field(X, Y, GX, GY, kind="arrows")
