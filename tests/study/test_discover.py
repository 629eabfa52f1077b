import pytest

from unifiedscore.errors import FileError, InputError, StudyError, UnknownNameError
from unifiedscore.study.discover import discover, figure_in, find_files, found_by_default, load_module, studies_in


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")


def test_files_are_found_by_pattern_below_their_folders(tmp_path):
    touch(tmp_path, "studies/study_a.py", "studies/deep/study_b.py", "mine/studies/study_c.py", "study_top.py")
    touch(tmp_path, "derivations/derive_a.py", "figures/fig_a.py", "studies/other.py", "studies/_study_help.py")
    touch(tmp_path, "tests/study_fixture.py", "studies/fig_misplaced.py")
    found = find_files([tmp_path])
    names = {kind: [path.relative_to(tmp_path).as_posix() for path in paths] for kind, paths in found.items()}
    assert names["studies"] == [
        "mine/studies/study_c.py",
        "studies/deep/study_b.py",
        "studies/study_a.py",
        "study_top.py",
    ]
    assert names["derivations"] == ["derivations/derive_a.py"] and names["figures"] == ["figures/fig_a.py"]


def test_hidden_folders_and_environments_are_never_entered(tmp_path):
    never = (".venv", ".git", "node_modules", "lib/site-packages", "build")
    touch(tmp_path, *(f"{folder}/studies/study_{number}.py" for number, folder in enumerate(never)))
    touch(tmp_path, "env/studies/study_x.py", "env/pyvenv.cfg")
    assert find_files([tmp_path]) == {"studies": [], "derivations": [], "figures": []}
    with pytest.raises(InputError, match="nothing found below"):
        discover([tmp_path])


def test_a_file_given_by_name_counts_once(tmp_path):
    touch(tmp_path, "tests/study_fixture.py", "studies/study_a.py")
    given = [tmp_path / "tests/study_fixture.py", tmp_path / "studies", tmp_path / "studies/study_a.py"]
    assert len(find_files(given)["studies"]) == 2
    touch(tmp_path, "other.py")
    with pytest.raises(InputError, match="must be called"):
        find_files([tmp_path / "other.py"])
    with pytest.raises(FileError, match="does not exist"):
        find_files([tmp_path / "nowhere"])


def test_studies_are_imported_by_path_and_named(write_study, tmp_path, monkeypatch):
    write_study()
    monkeypatch.chdir(tmp_path)
    found = discover()
    assert found.study("moments").path == tmp_path / "studies/study_moments.py"
    assert found.claim_ids() == {"moments.one"}
    with pytest.raises(UnknownNameError, match=r"unknown study 'moment'.*moments"):
        found.study("moment")


def test_two_studies_of_one_name_are_refused(write_study, tmp_path):
    write_study()
    write_study(folder="more/studies")
    with pytest.raises(StudyError, match=r"the study 'moments' stands in .* and in .*; rename one"):
        discover([tmp_path])


def test_an_edited_file_is_imported_again_and_an_old_content_found_again(write_study):
    first = studies_in(write_study())[0].study
    assert studies_in(write_study())[0].study is first
    second = studies_in(write_study(seeds=5))[0].study
    assert second.grid.shape[-1] == 5


def test_private_helpers_beside_a_file_are_its_own(tmp_path):
    for name in ("one", "two"):
        touch(tmp_path, f"{name}/study_a.py", f"{name}/_help.py")
        (tmp_path / name / "_help.py").write_text(f"value = {name!r}\n")
        (tmp_path / name / "study_a.py").write_text("from _help import value\n")
    assert [load_module(tmp_path / name / "study_a.py").value for name in ("one", "two")] == ["one", "two"]


def test_a_file_that_cannot_be_imported_names_the_line(tmp_path):
    path = tmp_path / "study_bad.py"
    path.write_text("x = 1\ny = x / 0\n")
    with pytest.raises(StudyError, match=r"study_bad.py: ZeroDivisionError: division by zero \(study_bad.py, line 2\)"):
        load_module(path)
    path.write_text("def broken(:\n")
    with pytest.raises(StudyError, match="SyntaxError"):
        load_module(path)
    path.write_text("x = 1\n")
    with pytest.raises(StudyError, match="defines no study"):
        studies_in(path)


FIGURE = '"""A title.\n\nMore."""\nstudy = {study!r}\nclaims = "a.b"\ndef figure(dataset):\n    return None\n'


def test_a_figure_names_its_studies_and_claims(tmp_path):
    path = tmp_path / "fig_one.py"
    path.write_text(FIGURE.format(study=("a", "b")))
    found = figure_in(path)
    assert (found.name, found.title, found.studies, found.claims) == ("one", "A title.", ("a", "b"), ("a.b",))
    path.write_text(FIGURE.format(study=()))
    with pytest.raises(StudyError, match="must name the studies it shows"):
        figure_in(path)
    path.write_text("study = 'a'\n")
    with pytest.raises(StudyError, match="defines no function figure"):
        figure_in(path)


def test_a_title_of_its_own_is_the_title_of_a_figure(tmp_path):
    path = tmp_path / "fig_one.py"
    path.write_text(FIGURE.format(study="a") + "title = 'Another title'\n")
    assert figure_in(path).title == "Another title"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", 'has no line such as study = "mine"'),
        ("study = 3", "study must be a name or a tuple of names"),
        ("study = ('a', None)", "study must be a name or a tuple of names"),
        ("study = ()", "study names none"),
        ("study = 'a'; title = 3", "title must be a text"),
        ("study = 'a'; claims = {'a.b': 1}", "claims must be a name or a tuple of names"),
        ("study = 'a'; profile = 'quik'", "quick"),
    ],
)
def test_what_is_wrong_with_a_figure_file_is_said(tmp_path, line, message):
    path = tmp_path / "fig_one.py"
    path.write_text(f"{line}\ndef figure(dataset):\n    return None\n")
    with pytest.raises(StudyError, match=message) as caught:
        figure_in(path)
    assert "fig_one.py" in str(caught.value) and "got ()" not in str(caught.value)


@pytest.mark.parametrize("code", ["import sys; sys.exit(0)", "raise SystemExit"])
def test_a_file_that_exits_is_an_error(tmp_path, code):
    path = tmp_path / "study_exits.py"
    path.write_text(code)
    with pytest.raises(StudyError, match=r"SystemExit.*study_exits\.py, line 1"):
        discover([path])


def test_what_a_command_without_paths_finds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"study_a.py": True, "studies/study_a.py": True, "deep/studies/more/study_a.py": True}
    names |= {"other/study_a.py": False, ".hidden/studies/study_a.py": False, "figures/study_a.py": False}
    for name, found in names.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
        assert found_by_default(tmp_path / name) is found, name
    assert {path for path, found in names.items() if found} == {
        path.relative_to(tmp_path).as_posix() for path in find_files(kinds=("studies",))["studies"]
    }
    assert not found_by_default(tmp_path.parent / "study_a.py")
