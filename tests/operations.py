"""What people do with git that brings two histories of a log together: the rows of the table of guarantees.

Each operation prepares its history with the tool at hand, and then runs git in whatever clone is put to
the test. `git/test_real_git.py` holds what each leaves in which clone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from features import FEATURE, diverge, emit, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitrepo import GitRepo

RENAMED = "kitty-specs/archive/034 it's over"
SIX = frozenset(range(1, 7))


class Operation(NamedTuple):
    """How to get to the point, the git command in which the histories meet, and which events must be there then."""

    prepare: Callable[[GitRepo], None]
    command: tuple[str, ...]
    events: frozenset[int] = SIX


def _diverge(repo: GitRepo) -> None:
    record(repo, 1, 2)
    diverge(repo)


def _diverge_on_theirs(repo: GitRepo) -> None:
    _diverge(repo)
    repo.switch("theirs")


def _uncommitted(repo: GitRepo) -> None:
    _diverge(repo)
    emit(repo, 7)


def _stashed(repo: GitRepo) -> None:
    _diverge_on_theirs(repo)
    emit(repo, 7)
    repo.git("stash", "push", "-q")
    repo.switch("ours")


def _as_mail(repo: GitRepo) -> None:
    _diverge(repo)
    repo.write(".git/mail", repo.run("format-patch", "--stdout", "main..theirs").stdout)


def _criss_cross(repo: GitRepo) -> None:
    """Merge both ways, so that the branches have two nearest common ancestors, and go on with each."""
    _diverge(repo)
    tip = repo.git("rev-parse", "ours")
    repo.git("merge", "-q", "--no-edit", "theirs")
    record(repo, 7)
    repo.switch("theirs")
    repo.git("merge", "-q", "--no-edit", tip)
    record(repo, 8)
    repo.switch("ours")
    assert len(repo.git("merge-base", "--all", "ours", "theirs").split()) == 2


def _long_ago_and_diverge(repo: GitRepo) -> None:
    record(repo, *range(10, 30))
    diverge(repo)


def _renamed_here(repo: GitRepo) -> None:
    _long_ago_and_diverge(repo)
    (repo.path / RENAMED).parent.mkdir()
    repo.git("mv", FEATURE, RENAMED)
    repo.commit("rename")


def _renamed_there(repo: GitRepo) -> None:
    _renamed_here(repo)
    repo.switch("theirs")


def _octopus(repo: GitRepo) -> None:
    _diverge(repo)
    repo.git("checkout", "-q", "-b", "others", "main")
    record(repo, 7)
    repo.switch("ours")


def _octopus_of_features(repo: GitRepo) -> None:
    repo.commit_empty()
    for number, name in enumerate(("ours", "theirs", "others"), start=1):
        repo.git("checkout", "-q", "-b", name, "main")
        record(repo, number, feature=f"kitty-specs/{name}")
    repo.switch("ours")


WITH_OLD = SIX - {1, 2} | set(range(10, 30))
OPERATIONS = {
    "merge": Operation(_diverge, ("merge", "--no-edit", "theirs")),
    "merge, the other way": Operation(_diverge_on_theirs, ("merge", "--no-edit", "ours")),
    "merge --squash": Operation(_diverge, ("merge", "--squash", "theirs")),
    "merge --autostash": Operation(_uncommitted, ("merge", "--autostash", "--no-edit", "theirs"), SIX | {7}),
    "merge -X ours": Operation(_diverge, ("merge", "--no-edit", "-X", "ours", "theirs")),
    "merge, criss-cross": Operation(_criss_cross, ("merge", "--no-edit", "theirs"), SIX | {7, 8}),
    "merge, feature added on both sides": Operation(diverge, ("merge", "--no-edit", "theirs"), SIX - {1, 2}),
    "merge, feature renamed here": Operation(_renamed_here, ("merge", "--no-edit", "theirs"), WITH_OLD),
    "merge, feature renamed there": Operation(_renamed_there, ("merge", "--no-edit", "ours"), WITH_OLD),
    "merge, octopus, one feature": Operation(_octopus, ("merge", "--no-edit", "theirs", "others"), SIX | {7}),
    "merge, octopus, a feature each": Operation(
        _octopus_of_features, ("merge", "--no-edit", "theirs", "others"), frozenset({1, 2, 3})
    ),
    "rebase": Operation(_diverge, ("rebase", "theirs")),
    "rebase --apply": Operation(_diverge, ("rebase", "--apply", "theirs")),
    "rebase --autostash": Operation(_uncommitted, ("rebase", "--autostash", "theirs"), SIX | {7}),
    "rebase, feature added on both sides": Operation(diverge, ("rebase", "theirs"), SIX - {1, 2}),
    "rebase, feature renamed there": Operation(_renamed_there, ("rebase", "ours"), WITH_OLD),
    "cherry-pick": Operation(_diverge, ("cherry-pick", "theirs~1"), SIX - {5}),
    "cherry-pick, its branch has earlier events": Operation(_diverge, ("cherry-pick", "theirs"), SIX - {3}),
    "cherry-pick, feature renamed here": Operation(_renamed_here, ("cherry-pick", "theirs"), WITH_OLD - {3}),
    "revert of an earlier commit": Operation(_diverge, ("revert", "--no-edit", "HEAD~1"), SIX - {3, 5}),
    "stash pop": Operation(_stashed, ("stash", "pop"), frozenset({1, 2, 4, 6, 7})),
    "checkout -m": Operation(_uncommitted, ("checkout", "-m", "theirs"), frozenset({1, 2, 3, 5, 7})),
    "am -3": Operation(_as_mail, ("am", "-3", ".git/mail")),
}
