"""Files of PyTorch are read, and nothing in them is run."""

import numpy as np
import pytest

from unifiedscore.errors import FileError
from unifiedscore.measures import load_points

torch = pytest.importorskip("torch")
POINTS = torch.tensor(np.random.default_rng(0).normal(size=(5, 3)))


@pytest.mark.parametrize("ending", [".pt", ".pth"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.int64], ids=str)
def test_a_tensor_comes_back(ending, dtype, tmp_path):
    wanted = (10 * POINTS).to(dtype)
    torch.save(wanted, tmp_path / f"points{ending}")
    np.testing.assert_array_equal(load_points(tmp_path / f"points{ending}").points, wanted.double().numpy())


def test_a_key_selects_from_a_mapping(tmp_path):
    torch.save({"real": POINTS, "fake": POINTS + 1, "step": 3}, tmp_path / "points.pt")
    np.testing.assert_array_equal(load_points(tmp_path / "points.pt", key="fake").points, (POINTS + 1).numpy())
    with pytest.raises(FileError, match=r"expected one array; got 2 \('real', 'fake'\)"):
        load_points(tmp_path / "points.pt")


class Trap:
    def __reduce__(self):
        return print, ("run",)


def test_nothing_in_a_file_is_run(tmp_path, capsys):
    torch.save({"x": Trap()}, tmp_path / "trap.pt")
    with pytest.raises(FileError, match=r"trap\.pt"):
        load_points(tmp_path / "trap.pt")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("value", [3, [POINTS], POINTS.to_sparse(), torch.full((2, 2), torch.nan)])
def test_what_is_no_dense_finite_tensor_is_refused(value, tmp_path):
    torch.save(value, tmp_path / "points.pt")
    with pytest.raises(FileError, match=r"points\.pt"):
        load_points(tmp_path / "points.pt")
