"""CSV files: what DataFrame.to_csv, savetxt, R and spreadsheets write is read as what it means, or refused."""

import io

import numpy as np
import pandas as pd
import pytest

from unifiedscore.diagnosis import diagnose_command
from unifiedscore.errors import FileError
from unifiedscore.measures import load_points

X = np.random.default_rng(0).normal(size=(6, 3))
FRAME = pd.DataFrame(X, columns=["a", "b", "c"])
MULTI = pd.MultiIndex.from_product([[0, 1], [0, 1, 2]])


def csv(frame, **options):
    stream = io.StringIO()
    frame.to_csv(stream, **options)
    return stream.getvalue()


def read(folder, text, *, encoding="utf-8"):
    path = folder / "points.csv"
    path.write_bytes(text.encode(encoding))
    return load_points(path)


WRITTEN = {
    "frame": (csv(FRAME), "row numbers (0 to 5)"),
    "default names": (csv(pd.DataFrame(X)), "row numbers (0 to 5)"),
    "shuffled rows": (csv(FRAME.set_axis([3, 0, 5, 1, 2, 4])), "row numbers (0 to 5)"),
    "repeated rows": (csv(FRAME.set_axis([0, 1, 2, 0, 1, 2])), "row numbers (0 to 2)"),
    "two levels of rows": (csv(FRAME.set_axis(MULTI)), "row numbers (0 to 1)"),
    "two levels of names": (
        csv(FRAME.set_axis(pd.MultiIndex.from_tuples([("a", "x"), ("a", "y"), ("b", "x")]), axis=1)),
        "row numbers (0 to 5)",
    ),
    "written twice": (csv(FRAME.reset_index(names="Unnamed: 0"), index=False), "row numbers (0 to 5)"),
    "R write.csv": (
        '"","a","b","c"\n' + "".join(f'"{i + 1}",{",".join(map(repr, row))}\n' for i, row in enumerate(X.tolist())),
        "row numbers (1 to 6)",
    ),
    "R write.table": (
        '"a","b","c"\n' + "".join(f'"{i + 1}",{",".join(map(repr, row))}\n' for i, row in enumerate(X.tolist())),
        "row numbers (1 to 6)",
    ),
    "no index": (csv(FRAME, index=False), "skipped 1 header line"),
    "numbers as names, no index": (csv(pd.DataFrame(X), index=False), "taken as names of columns"),
    "no names": (csv(FRAME, index=False, header=False), ""),
    "windows": (csv(FRAME, index=False, header=False, lineterminator="\r\n"), ""),
    "old mac": (csv(FRAME, index=False, header=False, lineterminator="\r"), ""),
    "mixed line ends": ("".join(",".join(map(repr, r)) + e for r, e in zip(X.tolist(), ["\n", "\r\n", "\r"] * 2)), ""),  # noqa: B905
    "byte order mark": ("\ufeff" + csv(FRAME), "row numbers (0 to 5)"),
    "quoted": (csv(FRAME.astype(str), index=False, quoting=1), "skipped 1 header line"),
    "comments": ("# made by hand\n" + csv(FRAME, index=False) + "\n# end\n", "skipped 1 header line"),
    "a comma at the end": (csv(FRAME, index=False).replace("\n", ",\n"), "empty last column was dropped"),
    "a comma at the end, no names": (csv(FRAME, index=False, header=False).replace("\n", ",\n"), "was dropped"),
    "spaces": (csv(FRAME, index=False, header=False).replace(",", " , "), ""),
}  # fmt: skip


@pytest.mark.parametrize("case", WRITTEN)
def test_what_common_programs_write_comes_back_as_the_points(case, tmp_path):
    text, note = WRITTEN[case]
    loaded = read(tmp_path, text)
    np.testing.assert_array_equal(loaded.points, X)
    assert note in loaded.note and bool(note) == bool(loaded.note)


def test_a_series_and_a_single_column_keep_their_points(tmp_path):
    for text in (csv(FRAME["a"]), csv(pd.Series(X[:, 0])), csv(FRAME[["a"]]), csv(pd.Series(X[:, 0]), index=False)):
        np.testing.assert_array_equal(read(tmp_path, text).points, X[:, :1])


def test_a_counting_column_with_a_name_or_without_any_names_is_kept_and_mentioned(tmp_path):
    counted = FRAME.rename_axis("index").reset_index()
    for text in (csv(counted, index=False), csv(FRAME, header=False)):
        loaded = read(tmp_path, text)
        np.testing.assert_array_equal(loaded.points, counted)
        assert "the first column counts the lines from 0 and was kept" in loaded.note
    assert "counts" not in read(tmp_path, csv(FRAME)).note


@pytest.mark.parametrize("text", ["0,1\n1,0\n1,1\n", "0,1\n1.5,0\n", "0.0,1.0\n2.5,3.5\n", "1,2,3\n4.5,5.5,6.5\n"])
def test_a_first_point_that_may_be_a_point_is_kept(text, tmp_path):
    assert read(tmp_path, text).points.shape == (text.count("\n"), text.split("\n")[0].count(",") + 1)


REFUSED = {
    "underscores in the first line": ("1_000,2\n3,4\n", "'1_000', which is not a plain number"),
    "underscores later": ("1,2\n3,1_000\n", "line 2 is not a list of numbers"),
    "thousands": ('"1,234",5\n6,7\n', "'1,234', which is not a plain number"),
    "decimal commas": ("1,5;2,5\n3,5;4,5\n", "line 1 mixes.*separated by semicolons"),
    "decimal commas under names": ("x;y\n1,5;2,5\n", "line 2 mixes.*separated by semicolons"),
    "semicolons": ("1;2\n3;4\n", "no line of comma-separated numbers.*separated by semicolons"),
    "tabs": ("1\t2\n3\t4\n", "no line of comma-separated numbers.*separated by tabs"),
    "spaces": ("1 2\n3 4\n", "'1 2', which is not a plain number"),
    "percent": ("12%,3\n4,5\n", "'12%'"),
    "hexadecimal": ("0x1A,0x2B\n1,2\n", "'0x1A'"),
    "fortran": ("1D5,2\n3,4\n", "'1D5'"),
    "digits of another script": ("١,٢\n1,2\n", "line 1 holds .*not a plain number"),
    "a missing first point": ("NA,NA\n1,2\n", "line 1 has missing values"),
    "a missing cell first": ("1,NA\n1,2\n", "line 1 has missing values"),
    "a label in every line": ("setosa,5.1,3.5\nsetosa,4.9,3.0\n", "line 1 mixes numbers and text"),
    "a label under names": ("kind,x,y\nsetosa,5.1,3.5\n", "line 2 mixes numbers and text"),
    "an index of text": (csv(FRAME.set_axis(list("uvwxyz"))), "line 2 mixes numbers and text"),
    "an index of fractions": (csv(FRAME.set_axis(np.arange(6) / 2)), "the first column has no name"),
    "a missing cell": ("x,y\n1,2\n3,\n", "point 1, coordinate 1"),
    "a line of missing cells": ("x,y\n1,2\n,\n3,4\n", "point 1, coordinate 0"),
    "a missing point on the line": ('x\n1\n""\n2\n', "point 1, coordinate 0"),
    "inf": ("1,2\ninf,4\n", "finite numbers"),
    "nan": ("1,2\nnan,4\n", "finite numbers"),
    "names again": ("x,y\n1,2\nx,y\n3,4\n", "line 3 is not a list of numbers"),
    "a longer line": ("1,2\n3,4,5\n", "line 2 has 3 numbers"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_may_mean_something_else_is_refused_with_its_line(case, tmp_path):
    text, message = REFUSED[case]
    with pytest.raises(FileError, match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value) and "points.csv" in str(caught.value)


@pytest.mark.parametrize(("encoding", "text"), [("utf-16", "x,y\n1,2\n"), ("latin-1", "größe,y\n1,2\n")])
def test_another_encoding_is_named(encoding, text, tmp_path):
    with pytest.raises(FileError, match="UTF-8"):
        read(tmp_path, text, encoding=encoding)


def test_compressed_files_are_to_be_decompressed(tmp_path):
    with pytest.raises(FileError, match=r"got '\.gz'; decompress it first"):
        load_points(tmp_path / "points.csv.gz")


def test_the_command_drops_row_numbers_of_every_file_and_says_so(tmp_path, capsys):
    rng = np.random.default_rng(1)
    p, q, x = (pd.DataFrame(rng.normal(size=(n, 2))) for n in (80, 90, 30))
    for name, frame in {"p": p, "q": q, "x": x, "f": -x}.items():
        frame.to_csv(tmp_path / f"{name}.csv")
    path = lambda name: str(tmp_path / f"{name}.csv")  # noqa: E731
    diagnose_command(path("p"), path("q"), bandwidths=[1.0], queries=path("x"), field=path("f"))
    text = " ".join(capsys.readouterr().out.split())
    assert "dimension 2" in text and text.count("dropped the unnamed first column of row numbers") == 4
