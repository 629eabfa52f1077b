import numpy as np
import pytest
from PIL import Image

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.plotting import animate
from unifiedscore.samplers import DriftingFlow

TARGET = np.random.default_rng(0).normal(size=(40, 3))


def dots(animation):
    """What each panel shows of the particles."""
    return [ax.lines[-1].get_xydata() for ax in animation._fig.axes]


def test_every_set_begins_and_ends_with_the_animation():
    rng = np.random.default_rng(1)
    paths = {"drift": rng.normal(size=(11, 7, 3)), "score": rng.normal(size=(5, 9, 3))}
    animation = animate(paths, target=TARGET, frames=20, axes=(0, 2))
    animation._draw_was_started = True  # it is shown to nobody, which would be warned of
    for frame, state in ((0, 0), (19, -1)):
        animation._draw_frame(frame)
        for shown, path in zip(dots(animation), paths.values(), strict=True):
            np.testing.assert_array_equal(shown, path[state][:, [0, 2]])
    # No particle ever leaves the frame.
    for ax in animation._fig.axes:
        everything = np.concatenate([*(path.reshape(-1, 3) for path in paths.values()), TARGET])
        for (low, high), axis in zip((ax.get_xlim(), ax.get_ylim()), (0, 2), strict=True):
            assert low < everything[:, axis].min() and everything[:, axis].max() < high


def test_a_flow_animates_itself_into_a_file(tmp_path):
    flow = DriftingFlow(us.Gaussian(1.0), TARGET[:, :2], step=0.5)
    start = np.random.default_rng(2).normal(size=(20, 2)) + 3
    path = flow.run(start, n_steps=6, trajectory=True)
    assert path.trajectory.shape == (7, 20, 2)
    np.testing.assert_array_equal(path.trajectory[0], start)
    np.testing.assert_array_equal(path.trajectory[-1], path.particles)
    assert flow.run(start, n_steps=1).trajectory is None
    flow.animate(start, n_steps=6, frames=5).save(tmp_path / "flow.webp", writer="pillow")
    with Image.open(tmp_path / "flow.webp") as picture:
        assert picture.n_frames == 5


@pytest.mark.parametrize("size", [0.0, 1e20, 1e-20])
def test_particles_that_stand_still_have_a_frame(size):
    animation = animate(np.full((3, 2, 2), size), frames=2)
    animation._draw_was_started = True
    low, high = animation._fig.axes[0].get_xlim()
    assert low < size < high


@pytest.mark.parametrize(
    ("trajectories", "options", "message"),
    [
        ({}, {}, "at least one set"),
        ({1: np.zeros((4, 3, 2)), "1": np.zeros((4, 3, 2))}, {}, "different names"),
        (np.zeros((4, 2)), {}, "must have shape"),
        (np.zeros((1, 3, 2)), {}, "with a step and a particle"),
        (np.zeros((4, 3, 1)), {}, "below the dimension 1"),
        (np.zeros((4, 3, 2)), {"axes": (1, 1)}, "two different coordinates"),
        (np.zeros((4, 3, 2)), {"axes": 0}, "such as"),
        (np.zeros((4, 3, 2)), {"target": np.zeros((5, 1))}, "of target"),
        (np.zeros((4, 3, 2)), {"frames": 1}, "frames must be"),
    ],
)
def test_what_cannot_be_shown_is_refused(trajectories, options, message):
    with pytest.raises(InputError, match=message):
        animate(trajectories, **options)
