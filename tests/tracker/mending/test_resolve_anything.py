"""Whatever git was asked for, however it failed and whatever happened to the file then: no event is lost."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from features import SNAPSHOT, event_line, numbers_in
from gitrepo import GitRepo
from wrecks import (
    DAMAGE,
    HOWS,
    LAYOUTS,
    committed_files,
    damaged,
    log_files,
    numbers,
    originals,
    resolve,
    snapshot_of,
    two_branches,
)

pytestmark = pytest.mark.usefixtures("any_slug")


MISSING = "missing"
COMMANDS = (
    ("merge", "--no-edit", "theirs"),
    ("merge", "--squash", "theirs"),
    ("cherry-pick", "theirs"),
    ("rebase", "theirs"),
    ("revert", "--no-edit", "HEAD~1"),
)


def known_to_git(repo: GitRepo, command: tuple[str, ...]) -> set[int]:
    """Return the events that must be there, by what each command is for."""
    own = {1, 2, 4, 6}
    if command[0] == "merge":
        return own | {3, 5}
    if command[0] == "rebase":
        head = {number for data in committed_files(repo).values() for number in numbers_in(data)}
        picked = repo.git("log", "-1", "--format=%s", "REBASE_HEAD").removeprefix("events (").removesuffix(",)")
        return head | ({int(picked)} if picked.isdecimal() else set())
    return own | ({5} if command[0] == "cherry-pick" else set())


def damage_files(repo: GitRepo, accidents: list[tuple[int, str]]) -> None:
    """Let accidents happen to lines of the log's files, each to another line."""
    for place, accident in accidents:
        files = log_files(repo)
        path = list(files)[place % len(files)]
        lines = files[path].splitlines(keepends=True)
        if accident == MISSING:
            (repo.path / path).unlink()
            if len(files) == 1:
                return
            continue
        at = place % len(lines) if lines else 0
        if lines and lines[at].startswith(b"{") and lines[at].endswith(b"}\n") and lines[at].count(b"event_id") == 1:
            lines[at] = damaged(lines[at], accident)
            repo.write(path, b"".join(lines))


# Without shrinking: a case is small enough to be read, and each takes a second of git.
@settings(max_examples=30, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    st.tuples(st.sampled_from(HOWS), st.sampled_from(COMMANDS)),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from([MISSING, *sorted(DAMAGE)])), max_size=3),
    st.booleans(),
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_event_that_git_knows_or_the_files_hold_is_lost_whatever_happened(
    tmp_path_factory: pytest.TempPathFactory,
    layout: str,
    wreck: tuple[str, tuple[str, ...]],
    is_staged: bool,
    accidents: list[tuple[int, str]],
    is_written_to: bool,
) -> None:
    how, command = wreck
    repo = two_branches(tmp_path_factory.mktemp("any") / "repo", how, layout=LAYOUTS[layout])
    ended = repo.run(*command).returncode
    assert ended or layout != "one file"
    must = known_to_git(repo, command) if ended else set()
    if is_staged:
        repo.git("add", "-A")
    damage_files(repo, accidents)
    if is_written_to and log_files(repo):
        repo.append(list(log_files(repo))[-1], event_line(50))
    before = log_files(repo)
    everything = b"".join(before.values())
    standing = {number for number in (*range(1, 7), 50, 90) if event_line(number)[:-1] in everything}

    done = resolve(repo)

    after = log_files(repo)
    assert must | standing <= set(numbers(repo)) <= set(range(1, 7)) | {50, 90}
    assert all(
        everything.count(event_line(each)[:-1]) >= count for each, count in Counter(numbers(repo)).items() if count > 1
    )
    assert before.keys() <= after.keys()
    assert all(data == after[path] or data in originals(repo) for path, data in before.items())
    if ended and done["is_needed"] and 50 not in standing:
        assert committed_files(repo, "") == after
        assert repo.read(SNAPSHOT) == snapshot_of(after, tmp_path_factory.mktemp("reduced") / "repo")
