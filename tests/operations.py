"""What people do with git: the rows of the tables in docs/guarantees.md.

Each operation prepares its history with the tool at hand, and then runs git in whatever clone is put to
the test. `matrix.py` says in words what it leaves there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from features import FEATURE, LOG, diverge, emit, event_line, record
from gitrepo import GitRepo
from kitty_status import materialize
from remotes import OTHER, partial, pushed, remote, shallow

if TYPE_CHECKING:
    from collections.abc import Callable

RENAMED = "kitty-specs/archive/034 it's over"
SIX = frozenset(range(1, 7))
OURS = frozenset({1, 2, 4, 6})
PRINTED = "the tree that git prints"
_ON_THEIRS = ("checkout -q theirs",)
_ALL_BUT_FIRST = "-c sequence.editor='sed -i.before 1d'"


class Operation(NamedTuple):
    """How to get to the point, the git command in question (others may come first), and where to look then.

    `events` are those that the log holds if the command does what is asked of it. `at` is the repository to
    look into, from the one that the command is run in; `revision` is the commit to look at there, the
    work tree where it is None. `target` is the commit whose files are asked for, byte for byte.
    `takes_out` says that the command is asked for a log without some of its lines.
    """

    prepare: Callable[[GitRepo], None]
    command: str
    events: frozenset[int] = SIX
    first: tuple[str, ...] = ()
    at: str = "."
    revision: str | None = None
    target: str | None = None
    takes_out: bool = False
    varies: bool = False


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
    record(repo, 8)
    repo.switch("theirs")
    repo.git("merge", "-q", "--no-edit", tip)
    record(repo, 7)
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


def _deleted_here(repo: GitRepo) -> None:
    _diverge(repo)
    repo.git("rm", "-q", "-r", FEATURE)
    repo.git("commit", "-q", "--no-verify", "-m", "delete")


def _event_in_a_merge(repo: GitRepo) -> None:
    """Record an event between the merge of another branch and its commit."""
    _diverge(repo)
    repo.git("checkout", "-q", "-b", "others", "main")
    record(repo, 8)
    repo.switch("ours")
    repo.git("merge", "-q", "--no-commit", "others")
    emit(repo, 7)
    repo.commit("merge")


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


def _without_attributes(repo: GitRepo) -> None:
    repo.git("rm", "-q", ".gitattributes")
    repo.commit("no attributes")
    _diverge(repo)


def _snapshot_on_one_side(repo: GitRepo) -> None:
    """Let their branch change the log alone, as a host or another tool does."""
    _diverge(repo)
    repo.git("checkout", "-q", "-B", "theirs", "main")
    repo.append(LOG, event_line(3) + event_line(5))
    repo.git("commit", "-q", "-a", "--no-verify", "-m", "the log alone")
    repo.switch("ours")


def _line_taken_out(repo: GitRepo) -> None:
    _diverge(repo)
    repo.write(LOG, repo.read(LOG).replace(event_line(4), b""))
    materialize(repo.path / FEATURE)


WITH_OLD = SIX - {1, 2} | set(range(10, 30))
OTHERS = SIX | set(range(10, 14))

# Two histories of one log come together.
MEETINGS = {
    "merge": Operation(_diverge, "merge --no-edit theirs"),
    "merge, the other way": Operation(_diverge_on_theirs, "merge --no-edit ours"),
    "merge --squash": Operation(_diverge, "merge --squash theirs"),
    "merge --no-commit": Operation(_diverge, "merge --no-commit theirs"),
    "merge --autostash": Operation(_uncommitted, "merge --autostash --no-edit theirs", SIX | {7}),
    "merge -X ours": Operation(_diverge, "merge --no-edit -X ours theirs"),
    "merge -X theirs": Operation(_diverge, "merge --no-edit -X theirs theirs"),
    "merge -s ours": Operation(_diverge, "merge --no-edit -s ours theirs", takes_out=True),
    "merge -s resolve": Operation(_diverge, "merge --no-edit -s resolve theirs", varies=True),
    "merge, criss-cross": Operation(_criss_cross, "merge --no-edit theirs", SIX | {7, 8}),
    "merge, feature added on both sides": Operation(diverge, "merge --no-edit theirs", SIX - {1, 2}),
    "merge, feature renamed here": Operation(_renamed_here, "merge --no-edit theirs", WITH_OLD),
    "merge, feature renamed there": Operation(_renamed_here, "merge --no-edit ours", WITH_OLD, _ON_THEIRS),
    "merge, feature deleted here": Operation(
        _deleted_here, "merge --no-edit theirs", frozenset({1, 2, 3, 5}), takes_out=True
    ),
    "merge, feature deleted there": Operation(
        _deleted_here, "merge --no-edit ours", frozenset({1, 2, 3, 5}), _ON_THEIRS, takes_out=True
    ),
    "merge, snapshot changed on one side only": Operation(_snapshot_on_one_side, "merge --no-edit theirs"),
    "merge, no `.gitattributes` committed": Operation(_without_attributes, "merge --no-edit theirs"),
    "merge, in a linked work tree": Operation(
        _diverge,
        "-C ../linked merge --no-edit ours",
        first=("worktree add -q ../linked theirs",),
        at="../linked",
    ),
    "merge, in a shallow clone": Operation(shallow, "merge --no-edit theirs", OTHERS),
    "merge, in a partial clone": Operation(partial, "merge --no-edit theirs", OTHERS),
    "merge-tree --write-tree": Operation(
        _diverge, "merge-tree --write-tree --name-only --no-messages -z ours theirs", revision=PRINTED
    ),
    "merge-tree --write-tree, bare repository": Operation(
        _diverge,
        "-C .git -c core.bare=true merge-tree --write-tree --name-only --no-messages -z ours theirs",
        revision=PRINTED,
        varies=True,
    ),
    "merge, octopus, one feature": Operation(_octopus, "merge --no-edit theirs others", SIX | {7}),
    "merge, octopus, a feature each": Operation(
        _octopus_of_features, "merge --no-edit theirs others", frozenset({1, 2, 3})
    ),
    "pull --rebase --autostash": Operation(_uncommitted, "pull --rebase --autostash . theirs", SIX | {7}),
    "rebase": Operation(_diverge, "rebase theirs"),
    "rebase --apply": Operation(_diverge, "rebase --apply theirs"),
    "rebase --autostash": Operation(_uncommitted, "rebase --autostash theirs", SIX | {7}),
    "rebase --onto, the last commit alone": Operation(_diverge, "rebase --onto theirs ours~1", SIX - {4}),
    "rebase, of a merge that has an event of its own": Operation(
        _event_in_a_merge, "rebase theirs", SIX | {8}, takes_out=True
    ),
    "rebase, feature added on both sides": Operation(diverge, "rebase theirs", SIX - {1, 2}),
    "rebase, feature renamed there": Operation(_renamed_here, "rebase ours", WITH_OLD, _ON_THEIRS),
    "rebase --interactive, a commit dropped": Operation(
        _diverge, f"{_ALL_BUT_FIRST} rebase -i main", OURS - {4}, takes_out=True
    ),
    "cherry-pick": Operation(_diverge, "cherry-pick theirs~1", SIX - {5}),
    "cherry-pick, its branch has earlier events": Operation(_diverge, "cherry-pick theirs", SIX - {3}),
    "cherry-pick, of a range": Operation(_diverge, "cherry-pick main..theirs"),
    "cherry-pick, feature renamed here": Operation(_renamed_here, "cherry-pick theirs", WITH_OLD - {3}),
    "revert, of an earlier commit": Operation(_diverge, "revert --no-edit HEAD~1", OURS),
    "revert, of the newest commit": Operation(_diverge, "revert --no-edit HEAD", OURS - {6}, takes_out=True),
    "stash pop": Operation(_stashed, "stash pop", OURS | {7}),
    "stash apply": Operation(_stashed, "stash apply", OURS | {7}),
    "checkout -m": Operation(_uncommitted, "checkout -m theirs", frozenset({1, 2, 3, 5, 7}), varies=True),
    "am -3": Operation(_as_mail, "am -3 .git/mail"),
}

# One history goes on, back, or elsewhere.
MOVES = {
    "commit --all": Operation(_uncommitted, "commit -q -a -m more", OURS | {7}, revision="HEAD"),
    "commit --all --amend": Operation(_uncommitted, "commit -q -a --amend -m more", OURS | {7}, revision="HEAD"),
    "commit, of the log without its snapshot": Operation(
        _uncommitted, "commit -q -m more -- '*.jsonl'", OURS | {7}, revision="HEAD"
    ),
    "commit --all, a line was taken out": Operation(
        _line_taken_out, "commit -q -a -m less", OURS - {4}, revision="HEAD", takes_out=True
    ),
    "commit --all --no-verify, a line was taken out": Operation(
        _line_taken_out, "commit -q -a --no-verify -m less", OURS - {4}, revision="HEAD", takes_out=True
    ),
    "merge, fast-forward": Operation(
        _diverge, "merge -q ours", OURS, first=("checkout -q -B behind main",), target="ours"
    ),
    "checkout, of a branch": Operation(_diverge, "checkout -q theirs", target="theirs"),
    "reset --hard, to an earlier commit": Operation(_diverge, "reset -q --hard HEAD~1", target="HEAD~1"),
    "reset --mixed, to an earlier commit": Operation(_diverge, "reset -q --mixed HEAD~1", OURS),
    "restore, from an earlier commit": Operation(_diverge, "restore --source=HEAD~1 kitty-specs", target="HEAD~1"),
    "clean -fdx": Operation(_diverge, "clean -q -fdx", OURS, target="HEAD"),
    "gc --prune=now": Operation(_diverge, "gc -q --prune=now", OURS, target="HEAD"),
    "worktree add": Operation(_diverge, "worktree add -q ../linked theirs", at="../linked", target="theirs"),
    "worktree remove": Operation(
        _diverge, "worktree remove ../linked", OURS, first=("worktree add -q ../linked theirs",), target="HEAD"
    ),
    "push": Operation(remote, "push -q origin ours", at=OTHER, revision="ours", target="ours"),
    "push --force, of an earlier commit": Operation(
        pushed, "push -q --force origin ours~1:ours", OURS - {6}, at=OTHER, revision="ours", takes_out=True
    ),
    "clone": Operation(_diverge, "clone -q . ../clone", at="../clone", target="HEAD"),
    "clone --depth 1": Operation(_diverge, "clone -q --no-local --depth 1 . ../clone", at="../clone", target="HEAD"),
    "clone --filter=blob:none": Operation(
        _diverge, "clone -q --no-local --filter=blob:none . ../clone", at="../clone", target="HEAD"
    ),
    "clone, with core.autocrlf": Operation(
        _diverge, "clone -q -c core.autocrlf=true . ../clone", at="../clone", target="HEAD"
    ),
    "bundle create, and a clone of the bundle": Operation(
        _diverge,
        "clone -q -b ours ../bundle ../clone",
        first=("bundle create -q ../bundle --all",),
        at="../clone",
        target="HEAD",
    ),
}
OPERATIONS = MEETINGS | MOVES
