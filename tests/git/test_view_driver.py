"""Views in real merges: what is generated never conflicts, what people wrote conflicts as ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from features import FEATURE, record, uninstall
from viewed import (
    MARKER,
    OVERVIEW,
    WORK_PACKAGES,
    assert_both_texts,
    assert_committed_current,
    assert_current,
    conflicted,
    diverge,
    edit,
    edit_line,
    file_of,
    text_of,
    viewed_repo,
    views_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo


@pytest.fixture
def parted(tmp_path: Path) -> GitRepo:
    repo = viewed_repo(tmp_path / "repo", 1, 2)
    diverge(repo)
    return repo


def test_a_merge_commit_holds_the_exact_views_and_the_text_of_both_sides(parted: GitRepo) -> None:
    parted.git("merge", "-q", "--no-edit", "theirs")

    assert_committed_current(parted)
    assert_both_texts(parted)


def test_a_squashed_merge_stages_the_exact_views(parted: GitRepo) -> None:
    parted.git("merge", "-q", "--squash", "theirs")

    assert parted.git("diff", "--name-only") == ""
    assert_current(parted)
    assert_both_texts(parted)


@pytest.mark.parametrize("backend", ["--merge", "--apply"])
def test_a_rebase_does_not_stop_and_the_views_are_current_at_its_end(parted: GitRepo, backend: str) -> None:
    parted.git("rebase", "-q", backend, "theirs")

    assert_current(parted)
    assert_both_texts(parted)


def test_a_range_is_picked_without_a_stop(parted: GitRepo) -> None:
    parted.git("cherry-pick", "ours..theirs")

    assert_both_texts(parted)
    assert parted.run("rev-parse", "-q", "--verify", "CHERRY_PICK_HEAD").returncode


def test_a_stash_comes_back_without_a_conflict(parted: GitRepo) -> None:
    edit_line(parted, OVERVIEW, 6, "stashed")
    parted.git("stash", "push", "-q")
    record(parted, 8)
    parted.git("stash", "pop", "-q")

    assert b"line 6 stashed" in parted.read(OVERVIEW)
    assert_current(parted)


def test_a_revert_of_people_s_text_keeps_the_views(parted: GitRepo) -> None:
    record(parted, 8)
    parted.git("revert", "--no-edit", "HEAD~1")

    assert b"line 11 ours" not in parted.read(OVERVIEW)
    assert_committed_current(parted)


@pytest.mark.parametrize("style", ["merge", "diff3"])
def test_what_people_wrote_conflicts_as_ever_and_nothing_else(parted: GitRepo, style: str) -> None:
    edit(parted, OVERVIEW, "line 2\n", "line 2 ours\n")
    edit(parted, file_of("WP01"), "agent: nobody", "agent: ada")
    parted.commit("ours again")
    parted.switch("theirs")
    edit(parted, file_of("WP01"), "agent: nobody", "agent: grace")
    parted.commit("theirs again")
    parted.switch("ours")

    done = parted.run("-c", f"merge.conflictStyle={style}", "merge", "--no-edit", "theirs")

    assert done.returncode == 1
    assert conflicted(parted) == [OVERVIEW, file_of("WP01")]
    assert f"Merge conflict in {OVERVIEW}" in done.stdout.decode()
    base = b"||||||| merged common ancestors\nline 2\n" if style == "diff3" else b""
    expected = b"<<<<<<< HEAD\nline 2 ours\n" + base + b"=======\nline 2 theirs\n>>>>>>> theirs\n"
    data = parted.read(OVERVIEW)
    assert expected in data
    assert data.count(MARKER) == parted.read(file_of("WP01")).count(MARKER) == 1
    # With the markers gone, nothing more is to be done.
    parted.write(OVERVIEW, data.replace(expected, b"line 2 both\n"))
    parted.write(file_of("WP01"), parted.git("show", "theirs:" + file_of("WP01")) + "\n")
    parted.git("add", "-A")
    parted.git("commit", "-q", "--no-edit")
    for_all = parted.read(OVERVIEW)
    assert_current(parted)
    assert parted.read(OVERVIEW) == for_all


def test_git_s_own_merge_of_the_text_is_what_comes_out(parted: GitRepo) -> None:
    """The same text without anything generated, merged by git alone, is the same but for the generated parts."""
    parted.git("merge", "-q", "--no-edit", "theirs")
    merged = parted.read(OVERVIEW)

    expected = "".join(
        f"{line}{suffix}\n"
        for line, suffix in [
            ("# Work packages", ""),
            ("", ""),
            *((f"line {n}", {2: " theirs", 11: " ours"}.get(n, "")) for n in range(1, 13)),
        ]
    )
    assert merged.startswith(expected.encode() + b"\n<!-- kitty-status:begin -->\n")
    assert merged.endswith(b"<!-- kitty-status:end -->\n")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_files_that_both_sides_have_added_are_united(tmp_path: Path, newline: str) -> None:
    repo = viewed_repo(tmp_path / "repo", newline=newline)
    diverge(repo)
    assert b"begin" not in repo.run("show", f"main:{OVERVIEW}").stdout

    repo.git("merge", "-q", "--no-edit", "theirs")

    assert_committed_current(repo)
    assert_both_texts(repo)
    for data in views_of(repo).values():
        assert data.count(b"\r\n") in (0, data.count(b"\n"))


def test_the_file_of_a_work_package_that_both_sides_have_added_has_the_lane_of_the_log(tmp_path: Path) -> None:
    repo = viewed_repo(tmp_path / "repo", 1, 2)
    repo.git("rm", "-q", file_of("WP00"))
    repo.commit("no file")
    for name, event in (("theirs", 4), ("ours", 8)):
        repo.git("checkout", "-q", "-b", name, "main")
        repo.write(file_of("WP00"), text_of("WP00"))
        record(repo, event)
        assert repo.run("show", f"{name}:{file_of('WP00')}").stdout != text_of("WP00").encode()

    repo.git("merge", "-q", "--no-edit", "theirs")

    assert_committed_current(repo)


def test_a_lane_that_both_sides_have_added_and_no_event_speaks_of_is_people_s(tmp_path: Path) -> None:
    repo = viewed_repo(tmp_path / "repo", 1, 2)
    added = file_of("WP04")
    for name, lane, event in (("theirs", "claimed", 3), ("ours", "blocked", 4)):
        repo.git("checkout", "-q", "-b", name, "main")
        repo.write(added, text_of("WP04", lane))
        record(repo, event)
    # No event says anything of this one: its lane is what people wrote.
    assert repo.merge("theirs") == 1
    assert conflicted(repo) == [added]


def test_a_section_that_one_side_alone_has_conflicts_with_no_text_beside_it(tmp_path: Path) -> None:
    repo = viewed_repo(tmp_path / "repo")
    repo.branch("ours")
    record(repo, 4)
    repo.git("checkout", "-q", "-b", "theirs", "main")
    for path in (OVERVIEW, file_of("WP00")):
        edit_line(repo, path, 12, "theirs")
    repo.commit("the last line")

    for one, other in (("ours", "theirs"), ("theirs", "ours")):
        repo.git("checkout", "-q", "-B", "united", one)
        repo.git("merge", "-q", "--no-edit", other)

        assert b"line 12 theirs\n\n<!-- kitty-status:begin" in repo.read(OVERVIEW)
        assert_committed_current(repo)


def test_a_lane_that_one_side_has_added_conflicts_with_no_key_beside_it(tmp_path: Path) -> None:
    repo = viewed_repo(tmp_path / "repo")
    edit(repo, file_of("WP00"), "lane: planned\n", "")
    repo.commit("no lane")
    repo.branch("ours")
    record(repo, 4)
    repo.git("checkout", "-q", "-b", "theirs", "main")
    edit(repo, file_of("WP00"), "agent: nobody", "agent: grace")
    repo.commit("another agent")

    repo.git("merge", "-q", "--no-edit", "ours")

    assert b"agent: grace\nlane: blocked\n---\n" in repo.read(file_of("WP00"))
    assert_committed_current(repo)


def test_files_with_dos_line_ends_keep_them(tmp_path: Path) -> None:
    repo = viewed_repo(tmp_path / "repo", 1, 2, newline="\r\n")
    diverge(repo)

    repo.git("merge", "-q", "--no-edit", "theirs")

    assert_committed_current(repo)
    assert_both_texts(repo)
    for data in views_of(repo).values():
        assert data.count(b"\r\n") == data.count(b"\n")


def test_a_file_that_one_side_renamed_is_merged_under_its_new_name(parted: GitRepo) -> None:
    new = f"{FEATURE}/tasks/WP01-another title.md"
    parted.git("mv", file_of("WP01"), new)
    parted.commit("rename")

    parted.git("merge", "-q", "--no-edit", "theirs")

    assert not (parted.path / file_of("WP01")).exists()
    assert_committed_current(parted)
    assert_both_texts(parted)


@pytest.mark.parametrize("moved", ["kitty-specs/another", "kitty-specs/.archive/034"])
def test_a_feature_that_one_side_moved_is_merged_where_it_lies_now(tmp_path: Path, moved: str) -> None:
    parted = viewed_repo(tmp_path / "repo", 1, 2)
    for path in views_of(parted):
        # Of short files, git takes what is generated for so much that it sees no rename.
        parted.write(path, parted.read(path).replace(b"line 6\n", b"".join(b"further %d\n" % n for n in range(200))))
    parted.commit("long files")
    diverge(parted)
    (parted.path / moved).parent.mkdir(exist_ok=True)
    parted.git("mv", FEATURE, moved)
    parted.commit("move")

    done = parted.run("merge", "--no-edit", "theirs")

    # A short log is taken for another file; see the page about merging.
    assert [path for path in conflicted(parted) if path.endswith(".md")] == [], done.stdout
    for file in (parted.path / moved).rglob("*.md"):
        data = file.read_bytes()
        assert b"line 2 theirs" in data
        assert b"line 11 ours" in data
        assert MARKER not in data


def test_a_criss_cross_merge_is_clean_and_exact(parted: GitRepo) -> None:
    tip = parted.git("rev-parse", "ours")
    parted.git("merge", "-q", "--no-edit", "theirs")
    record(parted, 8)
    parted.switch("theirs")
    parted.git("merge", "-q", "--no-edit", tip)
    record(parted, 7)
    parted.git("merge", "-q", "--no-edit", "ours")

    assert_committed_current(parted)
    assert_both_texts(parted)


def test_a_merge_that_nobody_checks_out_has_no_conflict(parted: GitRepo) -> None:
    done = parted.run("merge-tree", "--write-tree", "--name-only", "ours", "theirs")

    assert done.returncode == 0, done.stdout
    tree = done.stdout.decode().split("\n")[0]
    assert MARKER not in parted.run("show", f"{tree}:{OVERVIEW}").stdout


def test_without_the_tool_both_sides_of_a_view_conflict_and_materialize_mends_that(parted: GitRepo) -> None:
    uninstall(parted)

    assert parted.merge("theirs") == 1
    assert OVERVIEW in conflicted(parted)
    assert b"line 2 theirs" in parted.read(OVERVIEW)
    assert b"line 11 ours" in parted.read(OVERVIEW)


def test_a_file_that_git_takes_for_binary_stays_ours_and_conflicts(parted: GitRepo) -> None:
    parted.append(OVERVIEW, b"\0")
    parted.commit("binary")

    done = parted.run("merge", "--no-edit", "theirs")

    assert conflicted(parted) == [OVERVIEW]
    assert b"Cannot merge binary files" in done.stderr
    assert parted.read(OVERVIEW).endswith(b"\0")


def test_markers_that_are_no_pair_are_people_s_text(parted: GitRepo) -> None:
    parted.append(OVERVIEW, "<!-- kitty-status:begin -->\n")
    parted.commit("a second marker")

    assert parted.merge("theirs") == 1
    assert conflicted(parted) == [OVERVIEW]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".kittify/config.yaml", "status:\n  views: off\n"),
        (".kittify/config.yaml", "status: {phase: 0}\n"),
        (f"{FEATURE}/meta.json", '{"status_phase": "0"}\n'),
        (f"{FEATURE}/meta.json", '{"mission_slug": "034"}\n'),
    ],
)
def test_where_lanes_are_what_people_wrote_they_conflict(tmp_path: Path, path: str, content: str) -> None:
    repo = viewed_repo(tmp_path / "repo", 1, 2)
    repo.write(path, content)
    repo.commit("setting")
    for name, lane in (("theirs", "blocked"), ("ours", "done")):
        repo.git("checkout", "-q", "-b", name, "main")
        edit(
            repo,
            file_of("WP01"),
            "lane: claimed" if b"claimed" in repo.read(file_of("WP01")) else "lane: blocked",
            f"lane: {lane} # {name}",
        )
        repo.commit(name)

    assert repo.merge("theirs") == 1
    assert conflicted(repo) == [file_of("WP01")]


def test_a_work_package_without_events_keeps_the_lane_that_one_side_wrote(parted: GitRepo) -> None:
    for name, old, new in (("ours", "title: about WP09", "title: more"), ("theirs", "lane: planned", "lane: blocked")):
        parted.switch("main")
        if name == "ours":
            parted.write(file_of("WP09"), text_of("WP09"))
            parted.commit("a further one")
        parted.git("checkout", "-q", "-b", f"{name} again".replace(" ", "-"))
        edit(parted, file_of("WP09"), old, new)
        parted.commit(name)

    parted.git("merge", "-q", "--no-edit", "ours-again")

    assert b"title: more\nlane: blocked\n" in parted.read(file_of("WP09"))


def test_every_work_package_of_these_tests_has_its_file(parted: GitRepo) -> None:
    assert len(views_of(parted)) == len(WORK_PACKAGES) + 1
