"""Whatever git was asked for, however it failed and whatever happened to the file then: no event is lost."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from features import LOG, SNAPSHOT, blob, event_line, numbers_in, reduction
from gitrepo import GitRepo
from wrecks import DAMAGE, HOWS, conflict, damaged, numbers, originals, resolve, two_branches

pytestmark = pytest.mark.usefixtures("any_slug")


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
        head = set(numbers_in(blob(repo, LOG)))
        return head | {4, 6} & {int(repo.git("log", "-1", "--format=%s", "REBASE_HEAD")[len("events (") : -2])}
    return own | ({5} if command[0] == "cherry-pick" else set())


# Without shrinking: a case is small enough to be read, and each takes a second of git.
@settings(max_examples=30, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    st.sampled_from(HOWS),
    st.sampled_from(COMMANDS),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(sorted(DAMAGE))), max_size=3),
    st.data(),
)
def test_no_event_that_git_knows_or_the_file_holds_is_lost_whatever_happened(
    tmp_path_factory: pytest.TempPathFactory,
    how: str,
    command: tuple[str, ...],
    is_staged: bool,
    accidents: list[tuple[int, str]],
    data: st.DataObject,
) -> None:
    repo = two_branches(tmp_path_factory.mktemp("any") / "repo", how)
    conflict(repo, *command)
    must = known_to_git(repo, command)
    if is_staged:
        repo.git("add", "-A")
    lines = repo.read(LOG).splitlines(keepends=True)
    torn: set[bytes] = set()
    for place, accident in accidents:
        at = place % len(lines)
        if lines[at].startswith(b"{") and lines[at].endswith(b"}\n") and lines[at].count(b"event_id") == 1:
            torn |= {lines[at]} if accident == "torn" else set()
            lines[at] = damaged(lines[at], accident)
    lines += [event_line(50)] if data.draw(st.booleans()) else []
    standing = {number for number in (*range(1, 7), 50, 90) if event_line(number)[:-1] in b"".join(lines)}
    repo.write(LOG, b"".join(lines))

    resolve(repo)

    assert must | standing <= set(numbers(repo)) <= set(range(1, 7)) | {50, 90}
    assert len(numbers(repo)) == len(set(numbers(repo)))
    assert b"".join(lines) in originals(repo) or repo.read(LOG) == b"".join(lines)
    if 50 not in standing:
        assert blob(repo, LOG, "") == repo.read(LOG)
        assert repo.read(SNAPSHOT) == reduction(repo.read(LOG), repo.path.parent / "reduced")
