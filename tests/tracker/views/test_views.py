"""Views: which files are rendered, how they get there, and what survives."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import row
from kitty_status import StatusEvent, append_event, reduce
from kitty_status.errors import WorkPackageFileError
from kitty_status.status.view_text import section_span
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Feature
from kitty_status.tracker.views.views import look_at_views, stage, views_of
from kitty_status.tracker.work_packages import frontmatter

if TYPE_CHECKING:
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.views.views import View

FILE = "---\nwork_package_id: WP01  # the id\nlane: planned\n---\n\n# WP01\n"


@pytest.fixture
def feature(tmp_path: Path) -> Feature:
    folder = tmp_path / "kitty-specs" / "034-login"
    (folder / "tasks").mkdir(parents=True)
    (folder / "tasks" / "WP01-form.md").write_text(FILE)
    (folder / "tasks" / "WP02-session.md").write_text(FILE.replace("WP01", "WP02"))
    (folder / "tasks.md").write_text("# Work packages\n")
    append_event(folder, StatusEvent.from_dict(row()))
    return Feature(folder, None)


def snapshot() -> Snapshot:
    return reduce([StatusEvent.from_dict(row())])


def drifted(views: list[View]) -> list[str]:
    return [view.path.name for view in views if view.drifted]


def identity(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def write(feature: Feature) -> None:
    with stage(views_of(feature, Config(), snapshot()), snapshot()) as staged:
        assert staged.commit() == []


def test_the_lane_and_the_section_are_written_and_what_has_no_event_is_left_alone(feature: Feature) -> None:
    views = views_of(feature, Config(), snapshot())
    assert drifted(views) == ["WP01-form.md", "tasks.md"]
    write(feature)
    assert (feature.folder / "tasks/WP01-form.md").read_text() == FILE.replace("planned", "claimed")
    assert (feature.folder / "tasks/WP02-session.md").read_text() == FILE.replace("WP01", "WP02")
    assert "| WP01 | claimed |" in (feature.folder / "tasks.md").read_text()
    assert drifted(views_of(feature, Config(), snapshot())) == []
    assert not list(feature.folder.rglob(".*.tmp"))


def test_views_are_written_where_spec_kitty_does_not_manage_the_feature_unless_the_configuration_says(
    feature: Feature,
) -> None:
    (feature.folder / "meta.json").write_text(json.dumps({"mission_slug": "034-login"}))
    assert views_of(feature, Config(), snapshot()) == []
    assert len(views_of(feature, Config({"views": "on"}), snapshot())) == 2
    (feature.folder / "meta.json").unlink()
    assert views_of(feature, Config({"views": "off"}), snapshot()) == []


def test_a_feature_whose_frontmatter_counts_has_no_views(feature: Feature) -> None:
    (feature.folder / "meta.json").write_text(json.dumps({"status_phase": 0}))
    assert views_of(feature, Config({"views": "on"}), snapshot()) == []


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_rendered(feature: Feature) -> None:
    (feature.folder / "tasks/WP01-form.md").write_text("---\na: &a x\nlane: planned\n---\n")
    views, problems = look_at_views(feature, Config(), snapshot())
    assert drifted(views) == ["tasks.md"]
    assert [str(problem).removeprefix(f"{feature.folder}/") for problem in problems] == [
        "tasks/WP01-form.md:2: the frontmatter holds an anchor (`&`)"
    ]
    with pytest.raises(WorkPackageFileError, match="an anchor"):
        views_of(feature, Config(), snapshot())


ODD = {
    "comments": b"# first\n---\n",
    "no frontmatter": b"# WP01\nlane: planned\n",
    "empty": b"",
    "an empty block": b"---\n---\n",
    "CRLF": b"---\r\n# a comment\r\nlane: planned # now\r\ntitle: x\r\n---\r\n\r\ntext\r\n",
    "no line end": b"---\nlane: planned\n---",
    "unicode": "---\ntitle: Žofie 🐈\u2028x\nlane: 'planned'\n---\n".encode(),
    "a BOM": b"\xef\xbb\xbf---\nlane: planned\n---\n",
    "no lane": b"---\ntitle: x\n---\n",
    "a lane without a word": b"---\nlane:\ntitle: x\n---\n",
    "unknown keys and odd spaces": b"---\nx-y :   [a,  'b' ]  \nlane:    planned   # c  \nz: {a: 1}\n---\n",
    "60 KiB": b"---\nnote: |\n" + b"  x" * 20_480 + b"\nlane: planned\n---\n",
    "60 KiB of plain keys": b"---\n" + b"".join(b"k%d: v\n" % each for each in range(5_000)) + b"lane: planned\n---\n",
    "a text that looks like a lane": b"---\nnote: >\n  lane: done\n\n  lane: done\nlane: planned\n---\nlane: x\n",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_files_get_their_lane_and_keep_every_other_byte(feature: Feature, name: str) -> None:
    path = feature.folder / "tasks/WP01-form.md"
    path.write_bytes(ODD[name])
    write(feature)
    found = path.read_bytes()
    if name == "no lane":
        assert found == b"---\ntitle: x\nlane: claimed\n---\n"
    elif name == "an empty block":
        assert found == b"---\nlane: claimed\n---\n"
    elif name == "a lane without a word":
        assert found == b"---\nlane: claimed\ntitle: x\n---\n"
    elif name in ("no frontmatter", "comments", "empty"):
        assert found == ODD[name]
    else:
        assert found == ODD[name].replace(b"planned", b"claimed")
    assert drifted(views_of(feature, Config(), snapshot())) == []


def test_keys_that_stand_there_twice_are_refused_by_whoever_would_change_the_lane(feature: Feature) -> None:
    path = feature.folder / "tasks/WP01-form.md"
    path.write_bytes(b"---\nlane: planned\ntitle: x\ntitle: y\n---\n")
    with pytest.raises(WorkPackageFileError, match=r"WP01-form\.md:4: .*twice"):
        views_of(feature, Config(), snapshot())
    path.write_bytes(b"---\nlane: claimed\ntitle: x\ntitle: y\n---\n")
    assert drifted(views_of(feature, Config(), snapshot())) == ["tasks.md"]


def test_only_files_that_change_are_written(feature: Feature) -> None:
    write(feature)
    paths = [feature.folder / name for name in ("tasks.md", "tasks/WP01-form.md", "tasks/WP02-session.md")]
    before = [identity(path) for path in paths]
    write(feature)
    assert [identity(path) for path in paths] == before
    paths[1].write_bytes(paths[1].read_bytes().replace(b"claimed", b"done"))
    write(feature)
    after = [identity(path) for path in paths]
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1] != before[1]


def test_a_file_keeps_its_mode_and_a_hard_link_its_contents(feature: Feature, tmp_path: Path) -> None:
    path = feature.folder / "tasks/WP01-form.md"
    path.chmod(0o600)
    (tmp_path / "link").hardlink_to(path)
    write(feature)
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "link").read_text() == FILE


def test_the_library_does_not_load_yaml_for_a_plain_block(feature: Feature, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontmatter, "import_module", lambda name: pytest.fail(f"{name} was loaded"))
    write(feature)
    assert b"lane: claimed" in (feature.folder / "tasks/WP01-form.md").read_bytes()


LINES = st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20), max_size=6).map("\n".join)


@given(LINES, LINES, st.sampled_from(["planned", "claimed", '"planned"', "'for_review' # now"]), st.booleans())
def test_whatever_people_write_around_the_generated_parts_survives(
    above: str, below: str, lane: str, is_crlf: bool
) -> None:
    newline = "\r\n" if is_crlf else "\n"
    with TemporaryDirectory() as place:
        folder = Path(place) / "kitty-specs" / "034-login"
        (folder / "tasks").mkdir(parents=True)
        before = newline.join(["---", "# a comment", f"lane: {lane}", "---", below]).encode()
        (folder / "tasks/WP01.md").write_bytes(before)
        (folder / "tasks.md").write_bytes(above.encode())
        feature = Feature(folder, None)
        views, problems = look_at_views(feature, Config(), snapshot())
        if "kitty-status:" in above:
            return
        assert problems == []
        write(feature)
        after = (folder / "tasks/WP01.md").read_bytes()
        word = lane.partition(" #")[0].strip("\"'").encode()
        assert after == before.replace(
            b"lane: " + lane.encode(), b"lane: " + lane.encode().replace(word, b"claimed"), 1
        )
        found = (folder / "tasks.md").read_bytes()
        assert found.startswith(above.encode())
        other = reduce([StatusEvent.from_dict(row(to_lane="blocked"))])
        again = views_of(feature, Config(), other)
        span, wanted = section_span(found), next(view.wanted for view in again if view.path.name == "tasks.md")
        assert span is not None
        assert wanted.startswith(found[: span[0]])
        assert wanted.endswith(found[span[1] :])
        assert len(views) == 2


def test_what_git_could_not_merge_is_refused_with_the_command_that_settles_it(feature: Feature) -> None:
    conflict = "<<<<<<< HEAD\n{0}\n=======\n{0}\n>>>>>>> theirs\n"
    block = conflict.format("lane: planned")
    (feature.folder / "tasks" / "WP01-form.md").write_text(f"---\ntitle: a\n{block}---\n")
    (feature.folder / "tasks.md").write_text(conflict.format("<!-- kitty-status:begin -->"))
    _, problems = look_at_views(feature, Config(), snapshot())
    assert "git left a conflict in the frontmatter" in problems[0].message
    assert [str(problem.context["file"]).rpartition("/")[2] for problem in problems] == ["WP01-form.md", "tasks.md"]
    assert all("`kitty-status resolve`" in problem.hint for problem in problems)
