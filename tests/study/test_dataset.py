import json

import numpy as np
import pytest
import xarray as xr

from unifiedscore.cli import main
from unifiedscore.errors import FileError
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable, open_results, run
from unifiedscore.study.dataset import STATUS, assemble, git_state, read_dataset, write_dataset
from unifiedscore.study.discover import studies_in
from unifiedscore.study.records import Record


@pytest.fixture
def study():
    control = Control("two", test=Inside(1.9, 2.1))
    shared = dict(statement="s", source="Somebody 2020", evidence="quadrature", variable="mean", test=Inside(0.5, 1.5))
    return Study(
        name="small",
        title="Small",
        grid=Grid(shape=["round", "flat"], size=[1, 2], scale=[0.5, 2.0], skip=lambda cell: cell["size"] == 2),
        measure=lambda cell, rng: {},
        variables={
            "mean": Variable("Mean", units="m", symbol=r"\mu", error="bound"),
            "steps": Variable("Steps", dims=("step",), coords={"step": ["first", "last"]}),
        },
        claims=[Claim(id=name, control=control, **shared) for name in ("a.one", "a.two")],
    )


@pytest.fixture
def dataset(study, tmp_path):
    measured = [cell for cell in study.grid.cells() if cell["shape"] == "round" and cell["size"] == 1]
    shared = {"bound": np.inf, "steps": [1.0, -0.0]}
    records = {cell: Record("ok", {"mean": cell["scale"]} | shared) for cell in measured}
    records[next(iter(records))] = Record("failed", {}, "ValueError: no")
    return assemble(study, study.grid, records, profile="quick", seed=3, path=tmp_path / "study_small.py")


def test_every_cell_has_a_status_and_only_measured_ones_have_values(dataset):
    names = [STATUS[code] for code in dataset["status"].values.ravel()]
    assert names == ["failed", "ok", "skipped", "skipped", "not_run", "not_run", "skipped", "skipped"]
    assert np.isfinite(dataset["mean"]).values.ravel().tolist() == [False, True, *[False] * 6]
    assert dataset["mean"].dims == ("shape", "size", "scale") and dataset["steps"].dims[-1] == "step"
    assert float(dataset["mean"].sel(shape="round", size=1, scale=2.0)) == 2.0
    assert json.loads(dataset.attrs["failed_cells"]) == [
        {"cell": {"shape": "round", "size": 1, "scale": 0.5}, "message": "ValueError: no"}
    ]


def test_names_units_claims_and_provenance_are_stored(dataset):
    mean = dataset["mean"].attrs
    assert mean == {
        "long_name": "Mean",
        "units": "m",
        "symbol": r"\mu",
        "claims": "a.one a.two",
        "ancillary_variables": "bound status",
    }
    assert dataset["bound"].attrs["long_name"] == "Numerical error of Mean" and dataset["bound"].attrs["units"] == "m"
    assert dataset["status"].dtype == np.int8
    assert dataset["status"].attrs["flag_values"].tolist() == [0, 1, 2, 3]
    assert dataset["status"].attrs["flag_meanings"] == "ok skipped failed not_run"
    assert dataset.attrs["title"] == "Small" and dataset.attrs["references"] == "Somebody 2020"
    assert dataset.attrs["root_seed"] == 3 and dataset.attrs["profile"] == "quick"
    assert json.loads(dataset.attrs["config"])["axes"]["scale"] == [0.5, 2.0]
    assert set(json.loads(dataset.attrs["packages"])) >= {"python", "numpy", "numba", "xarray"}


def test_storing_and_reading_back_loses_nothing(dataset, tmp_path):
    write_dataset(dataset, tmp_path / "out" / "small.nc")
    back = read_dataset(tmp_path / "out" / "small.nc")
    xr.testing.assert_identical(dataset, back)
    assert back["status"].dtype == np.int8 and back["size"].dtype == np.int64
    assert np.signbit(back["steps"].values[0, 0, 1, 1])
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["small.nc"]


def test_a_failed_write_leaves_the_old_file(dataset, tmp_path, monkeypatch):
    path = tmp_path / "small.nc"
    write_dataset(dataset, path)
    content = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(FileError, match=r"cannot write .*small.nc: No space"):
        write_dataset(dataset, path)
    assert path.read_bytes() == content and list(tmp_path.iterdir()) == [path]


def test_results_open_as_a_tree_with_one_node_per_study(make_study, dataset, tmp_path):
    run(make_study(), out=tmp_path)
    write_dataset(dataset, tmp_path / "small.nc")
    (tmp_path / ".half.nc.1.partial").write_text("torn")
    tree = open_results(tmp_path)
    assert isinstance(tree, xr.DataTree) and list(tree.children) == ["moments", "small"]
    xr.testing.assert_identical(tree["small"].to_dataset(), dataset)
    assert list(open_results(tmp_path / "small.nc").children) == ["small"]


def test_missing_and_damaged_results_are_named(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        open_results(tmp_path / "nowhere")
    with pytest.raises(FileError, match="holds no data set"):
        open_results(tmp_path)
    (tmp_path / "torn.nc").write_bytes(b"\x89HDF\r\n\x1a\n torn")
    with pytest.raises(FileError, match=r"torn.nc is not a readable netCDF file"):
        open_results(tmp_path)


def test_git_state_is_unknown_outside_a_repository(tmp_path):
    assert git_state(tmp_path) == git_state(None) == ("unknown", "unknown")


def test_reasons_of_skipped_cells_are_kept_in_the_data_set_the_file_and_the_status(write_study, tmp_path, capsys):
    path, reason = write_study(), "two dimensions need no more seeds"
    path.write_text(path.read_text().replace('cell["seed"] > 1,', f'cell["seed"] > 1 and "{reason}",'))
    dataset = run(studies_in(path)[0].study, out=tmp_path / "out")
    skipped = dataset["status"].values == STATUS.index("skipped")
    assert skipped.sum() == 4
    assert (dataset["skip_reason"].values == np.where(skipped, reason, "")).all()
    xr.testing.assert_identical(read_dataset(tmp_path / "out" / "moments.nc"), dataset)
    capsys.readouterr()
    with pytest.raises(SystemExit, match="0"):
        main(["status", str(tmp_path / "out")])
    assert f"; 4 skipped: {reason}\n" in capsys.readouterr().out


def test_a_grid_that_gives_no_reason_stores_none(dataset):
    assert "skip_reason" not in dataset
