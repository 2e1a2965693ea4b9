"""A merged snapshot that cannot be known exactly is not guessed: ours stays, and `materialize` is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from events import line, ulid
from features import event_line, log_of, reduction
from gitrepo import GitRepo
from kitty_status.git import log_driver, snapshot_driver
from kitty_status.jsonl.codec import decode
from kitty_status.status.merging import merge_logs

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = "kitty-specs/034-login/status.json"
Change = dict[str, Any]


@pytest.fixture
def _in_a_merge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_driver, "environ", {b"GITHEAD_0123": b"theirs"})


@pytest.fixture
def snapshot_of(repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bytes]:
    """Put a log into the repository and return its snapshot, with these keys changed (None takes one away)."""
    monkeypatch.chdir(repo.path)

    def make(log: bytes, **changes: Any) -> bytes:
        repo.run("hash-object", "-w", "--stdin", stdin=log)
        if not changes:
            return reduction(log, tmp_path / "reduced")
        content = {**json.loads(reduction(log, tmp_path / "reduced")), **changes}
        return json.dumps({key: value for key, value in content.items() if value is not None}).encode()

    return make


def merge(base: bytes, ours: bytes, theirs: bytes) -> tuple[int, bytes]:
    for name, content in (("base", base), ("ours", ours), ("theirs", theirs)):
        Path(name).write_bytes(content)
    code = snapshot_driver.main(["base", "ours", "theirs", PATH])
    return code, Path("ours").read_bytes()


BASE, OURS, THEIRS = log_of(1, 3), log_of(1, 4), log_of(1, 3, 5)


def test_a_pick_adds_one_commit_and_a_merge_adds_a_branch(
    snapshot_of: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = snapshot_of(BASE), snapshot_of(OURS), snapshot_of(THEIRS)

    assert merge(*sides) == (0, reduction(log_of(1, 4, 5), tmp_path / "reduced"))

    monkeypatch.setattr(log_driver, "environ", {b"GITHEAD_0123": b"theirs"})
    assert merge(*sides) == (0, reduction(log_of(1, 3, 4, 5), tmp_path / "reduced"))


def test_a_log_that_only_one_side_changed_is_taken_from_that_side(
    snapshot_of: Callable[..., bytes], tmp_path: Path
) -> None:
    # As git does, without sorting what a driver would sort.
    base, changed = log_of(5, 3), log_of(5, 3, 1)

    assert merge(snapshot_of(base), snapshot_of(base), snapshot_of(changed))[1] == snapshot_of(changed)
    assert merge(snapshot_of(base), snapshot_of(changed), snapshot_of(base))[1] == snapshot_of(changed)
    assert merge(b"", snapshot_of(changed), snapshot_of(changed)) == (0, reduction(changed, tmp_path / "reduced"))


def test_a_feature_added_on_both_sides_has_no_base(snapshot_of: Callable[..., bytes]) -> None:
    assert merge(b"", snapshot_of(log_of(2)), snapshot_of(log_of(1))) == (0, snapshot_of(log_of(1, 2)))


def test_a_line_that_a_picked_commit_repeats_stands_in_the_log_that_the_snapshot_names(
    snapshot_of: Callable[..., bytes],
) -> None:
    base, ours, theirs = log_of(1, 2), log_of(1, 2, 4), log_of(1, 2, 1)
    for name, content in (("b", base), ("o", ours), ("t", theirs)):
        Path(name).write_bytes(content)
    assert log_driver.main(["b", "o", "t", PATH]) == 0

    code, merged = merge(snapshot_of(base), snapshot_of(ours), snapshot_of(theirs))

    assert (code, merged) == (0, snapshot_of(Path("o").read_bytes()))


@pytest.mark.usefixtures("_in_a_merge")
@pytest.mark.parametrize("base", [b"<<<<<<< ours\n{}\n=======\n", b"[]", b"[" * 100_000, b"\xff", b'{"log_oid": 7}'])
def test_a_base_that_says_nothing_matters_to_no_merge(snapshot_of: Callable[..., bytes], base: bytes) -> None:
    assert merge(base, snapshot_of(OURS), snapshot_of(THEIRS)) == (0, snapshot_of(log_of(1, 3, 4, 5)))


def test_lanes_that_only_spec_kitty_has_are_counted_where_either_side_has_them(
    snapshot_of: Callable[..., bytes],
) -> None:
    approved = line(event_id=ulid(5), from_lane="in_review", to_lane="approved", wp_id="WP09")
    merged, _ = merge_logs(OURS, log_of(1) + approved, decode)

    for one, other in ((OURS, log_of(1) + approved), (log_of(1) + approved, OURS)):
        code, snapshot = merge(snapshot_of(log_of(1)), snapshot_of(one), snapshot_of(other))
        assert (code, snapshot) == (0, snapshot_of(merged))
        assert json.loads(snapshot)["summary"]["approved"] == 1


REFUSED: dict[str, tuple[tuple[bytes, Change], tuple[bytes, Change], tuple[bytes, Change], str]] = {
    "ours names no log": ((BASE, {}), (OURS, {"log_oid": None}), (THEIRS, {}), "ours does not name the log"),
    "theirs names no log": ((BASE, {}), (OURS, {}), (THEIRS, {"log_oid": None}), "theirs does not name the log"),
    "theirs names a number": ((BASE, {}), (OURS, {}), (THEIRS, {"log_oid": 7}), "theirs does not name the log"),
    "theirs names a path": ((BASE, {}), (OURS, {}), (THEIRS, {"log_oid": "HEAD:x\ny"}), "theirs does not name the log"),
    "ours names what is not there": ((BASE, {}), (OURS, {"log_oid": "1" * 40}), (THEIRS, {}), "is not in this repo"),
    "theirs names what is not there": ((BASE, {}), (OURS, {}), (THEIRS, {"log_oid": "1" * 40}), "is not in this repo"),
    "theirs names a commit": ((BASE, {}), (OURS, {}), (THEIRS, {"log_oid": "main"}), "(main) is not in this repo"),
    "ours counts other events": ((BASE, {}), (OURS, {"event_count": 9}), (THEIRS, {}), "ours counts 9 events"),
    "theirs counts nothing": ((BASE, {}), (OURS, {}), (THEIRS, {"event_count": None}), "theirs counts None events"),
    "a line of theirs is damaged": ((BASE, {}), (OURS, {}), (b"{\n", {"event_count": 0}), "line 1 of a log is damaged"),
    "a common line is no event": (
        (BASE, {}),
        (b"{}\n" + OURS, {"event_count": 2}),
        (b"{}\n" + THEIRS, {"event_count": 3}),
        "line 1 of a log is damaged",
    ),
    "one id has two contents": (
        (BASE, {}),
        (OURS, {}),
        (log_of(1) + event_line(4).replace(b"actor 4", b"actor 5"), {}),
        "do not merge cleanly",
    ),
}


@pytest.mark.usefixtures("_in_a_merge")
@pytest.mark.parametrize(("base", "ours", "theirs", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_ours_stays_and_materialize_is_named_where(
    snapshot_of: Callable[..., bytes],
    capsys: pytest.CaptureFixture[str],
    base: tuple[bytes, Change],
    ours: tuple[bytes, Change],
    theirs: tuple[bytes, Change],
    why: str,
) -> None:
    GitRepo(Path.cwd()).commit_empty()
    sides = [snapshot_of_damaged(snapshot_of, log, changes) for log, changes in (base, ours, theirs)]

    assert merge(*sides) == (1, sides[1])

    said = capsys.readouterr().err
    assert why in said
    assert said.startswith(f"kitty-status: {PATH}: ")
    assert "; ours stays. When the log is merged, run `kitty-status materialize 034-login` and `git add " in said


def snapshot_of_damaged(snapshot_of: Callable[..., bytes], log: bytes, changes: Change) -> bytes:
    """Return the snapshot of a log; of one that cannot be reduced what a broken tool may have written."""
    if log.startswith(b"{") and not log.startswith((b"{\n", b"{}")):
        return snapshot_of(log, **changes)
    repo = GitRepo(Path.cwd())
    oid = repo.run("hash-object", "-w", "--stdin", stdin=log).stdout.decode().strip()
    return json.dumps({"log_oid": oid, "summary": {}, **changes}).encode()


@pytest.mark.parametrize("side", ["ours", "theirs"])
@pytest.mark.parametrize("content", [b"", b"<<<<<<< HEAD\n", b"[]", b"\xff", b"[" * 100_000])
def test_a_side_that_is_no_snapshot_is_named(
    snapshot_of: Callable[..., bytes], capsys: pytest.CaptureFixture[str], side: str, content: bytes
) -> None:
    sides = {"ours": snapshot_of(OURS), "theirs": snapshot_of(THEIRS), side: content}

    assert merge(snapshot_of(BASE), sides["ours"], sides["theirs"]) == (1, sides["ours"])
    assert f"{side} is no snapshot (" in capsys.readouterr().err


@pytest.mark.parametrize("base", [{"log_oid": None}, {"log_oid": "1" * 40}, {"log_oid": "a b"}, {"event_count": 1}])
def test_what_one_commit_added_is_not_guessed_where_the_log_before_it_is_unknown(
    snapshot_of: Callable[..., bytes], capsys: pytest.CaptureFixture[str], base: Change
) -> None:
    ours = snapshot_of(OURS)

    assert merge(snapshot_of(BASE, **base), ours, snapshot_of(THEIRS)) == (1, ours)
    assert "the base " in capsys.readouterr().err


def test_a_damaged_base_is_not_taken_for_no_base_where_one_commit_is_picked(snapshot_of: Callable[..., bytes]) -> None:
    ours = snapshot_of(OURS)

    assert merge(b"<<<<<<< ours\n", ours, snapshot_of(THEIRS)) == (1, ours)


def test_outside_a_repository_ours_stays(
    snapshot_of: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = snapshot_of(BASE), snapshot_of(OURS), snapshot_of(THEIRS)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert merge(*sides) == (1, sides[1])


def test_files_that_cannot_be_read_are_a_conflict(capsys: pytest.CaptureFixture[str]) -> None:
    assert snapshot_driver.main(["missing", "missing", "missing", PATH]) == 1
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["only", "three", "words"]])
def test_a_call_that_git_does_not_make_is_answered_with_the_usage(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert snapshot_driver.main(arguments) == 3
    assert "%O %A %B %P" in capsys.readouterr().err
