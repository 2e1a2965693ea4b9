"""The block in an attributes file is added, replaced and removed without touching another byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitty_status.git.attributes import (
    BESIDE_SPEC_KITTY,
    COMMITTED,
    LOCAL,
    LOCAL_LOGS,
    add_block,
    committed_rules,
    has_block,
    remove_block,
)

if TYPE_CHECKING:
    from gitrepo import GitRepo

BEGIN = b"# kitty-status: begin (this block is kept by kitty-status)"
END = b"# kitty-status: end"

pieces = st.sampled_from(
    [b"*.py text", b"\n", b"\r\n", b"\r", b"", b" ", b"\0", b"\xe9", BEGIN, END + b" x", b"# kitty-status: en"]
)
files = st.none() | st.binary() | st.lists(pieces).map(b"".join)


@given(files)
def test_removing_what_was_added_restores_every_byte(before: bytes | None) -> None:
    after = add_block(before, COMMITTED)

    assert has_block(after)
    assert not has_block(before)
    assert remove_block(after) == before


@given(files)
def test_adding_twice_changes_nothing_more(before: bytes | None) -> None:
    once = add_block(before, LOCAL)

    assert add_block(once, LOCAL) == once


@given(files)
def test_an_older_block_is_replaced_where_it_stands(before: bytes | None) -> None:
    old = add_block(before, ("old rule",))

    assert add_block(old + b"mine\n", COMMITTED) == add_block(before, COMMITTED) + b"mine\n"


@given(files, st.binary(min_size=1))
def test_what_others_wrote_below_the_block_stays(before: bytes | None, later: bytes) -> None:
    rest = remove_block(add_block(before, COMMITTED) + later)

    assert rest is not None
    assert rest.startswith(before or b"")
    assert rest.endswith(later)


@given(files)
def test_removing_from_a_file_without_a_block_changes_nothing(before: bytes | None) -> None:
    assert remove_block(before) == before


def test_the_last_line_of_a_file_without_final_newline_is_not_glued_to_what_follows() -> None:
    assert remove_block(add_block(b"mine", COMMITTED) + b"later\n") == b"mine\nlater\n"


def test_a_file_with_windows_line_endings_keeps_to_them() -> None:
    after = add_block(b"*.py text\r\n*.md text", COMMITTED)

    assert after.count(b"\n") == after.count(b"\r\n")


def test_a_file_converted_to_windows_line_endings_keeps_its_block() -> None:
    converted = add_block(b"mine\n", COMMITTED).replace(b"\n", b"\r\n")

    assert add_block(converted, COMMITTED) == converted
    assert remove_block(converted) == b"mine\r\n"


def test_a_file_of_ours_that_got_other_rules_is_not_removed() -> None:
    assert remove_block(add_block(None, COMMITTED) + b"mine\n") == b"mine\n"


def asks(repo: GitRepo, path: str, attribute: str) -> str:
    return repo.git("check-attr", attribute, "--", path).rsplit(": ", 1)[1]


LOGS = ("status.events.jsonl", "status.events.d/shared.jsonl", "status.events.d/ada é-0a1b.jsonl")
FOLDERS = ["kitty-specs", "kitty-specs/a", "kitty-specs/a b/é", "apps/web/kitty-specs/x"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_git_applies_the_committed_rules(repo: GitRepo, folder: str) -> None:
    repo.write(".gitattributes", add_block(b"* text=auto\n*.jsonl merge=binary", COMMITTED))

    for log in LOGS:
        assert asks(repo, f"{folder}/{log}", "merge") == "union"
        assert asks(repo, f"{folder}/{log}", "text") == "unset"
    assert asks(repo, f"{folder}/status.json", "merge") == "binary"
    assert asks(repo, f"{folder}/status.json", "text") == "unset"


@pytest.mark.parametrize("folder", FOLDERS)
def test_views_are_ours_in_the_clone_alone_and_keep_their_line_ends(repo: GitRepo, folder: str) -> None:
    repo.write(".gitattributes", add_block(None, COMMITTED))
    views = [f"{folder}/{name}" for name in ("tasks.md", "tasks/WP01-a title.md", "tasks/wp02.md")]
    assert {asks(repo, view, "merge") for view in views} == {"unspecified"}
    repo.write(".git/info/attributes", add_block(None, LOCAL))

    assert {asks(repo, view, "merge") for view in views} == {"kitty-status-view"}
    assert {asks(repo, view, "text") for view in views} == {"unspecified"}
    for name in ("spec.md", "tasks/README.md", "tasks/WP01.txt", "my-tasks.md", "tasks.md/x", "tasks/below/WP01.md"):
        assert asks(repo, f"{folder}/{name}", "merge") == "unspecified", name


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_rules_of_the_clone_beat_the_committed_ones(repo: GitRepo, folder: str) -> None:
    repo.write(".gitattributes", add_block(None, COMMITTED))
    repo.write(".git/info/attributes", add_block(None, LOCAL))

    for log in LOGS:
        assert asks(repo, f"{folder}/{log}", "merge") == "kitty-status-log"
        assert asks(repo, f"{folder}/{log}", "text") == "unset"
    assert asks(repo, f"{folder}/status.json", "merge") == "kitty-status-snapshot"
    assert asks(repo, f"{folder}/status.json", "text") == "unset"


def test_snapshots_can_be_left_to_the_committed_rule(repo: GitRepo) -> None:
    repo.write(".gitattributes", add_block(None, COMMITTED))
    repo.write(".git/info/attributes", add_block(None, LOCAL_LOGS))

    assert {asks(repo, f"kitty-specs/a/{log}", "merge") for log in LOGS} == {"kitty-status-log"}
    assert asks(repo, "kitty-specs/a/status.json", "merge") == "binary"


@pytest.mark.parametrize(
    "path",
    [
        "status.json",
        "kitty-specs/a/other.json",
        "x-kitty-specs/status.json",
        "kitty-specs/a/status.json.orig",
        "kitty-specs/a/status.events.d/notes.md",
        "kitty-specs/a/status.events.d/below/ada.jsonl",
        "kitty-specs/a/other.d/ada.jsonl",
        "status.events.d/ada.jsonl",
    ],
)
def test_other_files_are_left_alone(repo: GitRepo, path: str) -> None:
    repo.write(".gitattributes", add_block(None, COMMITTED))
    repo.write(".git/info/attributes", add_block(None, LOCAL))

    assert asks(repo, path, "merge") == "unspecified"


THEIRS = b"kitty-specs/**/status.events.jsonl merge=spec-kitty-event-log\n"


@pytest.mark.parametrize(
    ("content", "rules"),
    [
        (None, COMMITTED),
        (b"", COMMITTED),
        (THEIRS, BESIDE_SPEC_KITTY),
        (THEIRS.replace(b"\n", b"\r\n"), BESIDE_SPEC_KITTY),
        (b"# " + THEIRS, COMMITTED),
        (THEIRS.replace(b"status.events", b"decisions.events"), COMMITTED),
        (add_block(THEIRS, COMMITTED), BESIDE_SPEC_KITTY),
        (add_block(None, COMMITTED), COMMITTED),
    ],
)
def test_the_driver_that_spec_kitty_has_declared_for_logs_stays(content: bytes | None, rules: tuple[str, ...]) -> None:
    assert committed_rules(content) == rules
    written = add_block(content, rules)
    assert (b"events.jsonl merge=union" in written) is (rules is COMMITTED)
    assert committed_rules(written) == rules
    assert sum(rule.endswith("-text") for rule in rules) == len(rules)
