import subprocess
import sys

import matplotlib
import pytest
import xarray as xr

from unifiedscore.plotting.style import (
    COLOURS,
    MARKERS,
    as_math,
    axis_label,
    balanced,
    colour,
    marker,
    number,
    shades,
    style,
)


def test_importing_the_plots_imports_no_matplotlib():
    code = "import sys, unifiedscore.plotting; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_style_lasts_for_its_block():
    before = dict(matplotlib.rcParams)
    with style():
        assert matplotlib.rcParams["axes.titlelocation"] == "left"
    assert dict(matplotlib.rcParams) == before


def test_estimators_have_colours_of_their_own_and_names_decide_alone():
    names = "population", "same_sample", "split_sample", "cross_fitted"
    assert len({colour(name) for name in names}) == 4
    assert colour("drift") != colour("score_difference")
    assert colour("my_own_field") == colour("my_own_field")
    assert colour("matern:1.5") == colour("matern") and marker("matern:1.5") == marker("matern")
    assert len(set(MARKERS.values())) == len(MARKERS)


def luminance(text):
    parts = [int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", sorted({*COLOURS.values(), *shades(5)}))
def test_every_colour_is_seen_on_white(name):
    assert 1.05 / (luminance(name) + 0.05) > 1.8


def test_labels_come_from_the_attributes():
    array = xr.DataArray([1.0], attrs={"long_name": "Energy", "symbol": "E|D|^2", "units": "m2"})
    assert axis_label(array) == "Energy, $E|D|^2$ [m2]"
    assert axis_label(xr.DataArray([1.0], name="same_sample")) == "same sample"
    long = xr.DataArray([1.0], attrs={"long_name": "word " * 14, "symbol": "kappa", "units": "1"})
    assert max(map(len, axis_label(long).splitlines())) <= 44 and axis_label(long).endswith(r"$\kappa$")


@pytest.mark.parametrize(
    ("symbol", "shown"),
    [
        ("kappa", r"$\kappa$"),
        ("C_th/R^2", "$C_{th}/R^2$"),
        ("E|delta_p - delta_q|^2", r"$E|\delta_p - \delta_q|^2$"),
        ("V/(tau^2 grad log p)", "V/(tau^2 grad log p)"),
        (r"\bar{x", r"\bar{x"),
        ("$x$", "$x$"),
    ],
)
def test_symbols_become_formulas_where_they_are_formulas(symbol, shown):
    assert as_math(symbol) == shown


def test_numbers_read_as_people_write_them():
    assert number(-1.003) == "\N{MINUS SIGN}1"
    assert number(0.00001234) == r"$1.23\times10^{-5}$"
    assert number(1e6) == "$10^{6}$"


@pytest.mark.parametrize("count", range(1, 9))
def test_no_line_of_a_label_holds_a_lone_word(count):
    text = "mean squared error of " * count
    lines = balanced(text, 44).splitlines()
    assert max(map(len, lines)) <= 44 and " ".join(lines) == text.strip()
    assert len(lines) == 1 or len(lines[-1].split()) > 1
