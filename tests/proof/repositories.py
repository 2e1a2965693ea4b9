"""Random repositories: what git and `emit` do there, chosen by a seed, and what was acknowledged."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from features import blob, declare, install
from gitrepo import GitRepo
from kitty_status.errors import KittyStatusError
from kitty_status.git.repository import find_repository
from kitty_status.status.layout import SINGLE
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project
from kitty_status.tracker.journal.reconcile import reconcile
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SLUG = "001-feature"
FOLDER = f"kitty-specs/{SLUG}"
STEPS = 20
_LANES = ("claimed", "in_progress", "for_review", "blocked", "planned", "canceled")
_WORK_PACKAGES = 5
_BRANCHES = 5
_TREES = 3


class Story:
    """A repository, what was done in it so far, and the ids of the events that `emit` returned for."""

    def __init__(self, folder: Path, seed: int, layout: str = SINGLE) -> None:
        self.folder = folder
        self.seed = seed
        self.layout = layout
        self.commands: list[str] = []
        self.acknowledged: set[str] = set()
        self.refused: list[str] = []
        self._chance = random.Random(seed)  # noqa: S311  nothing secret
        self.main = GitRepo.init(folder / "main")
        self.trees = [self.main]
        self.branches = ["main"]
        declare(self.main)
        install(self.main)
        (self.main.path / FOLDER).mkdir(parents=True)
        while not self.acknowledged:
            self._emit(self.main)
        self._commit(self.main)

    def grow(self) -> None:
        """Do what the seed says, and after each step leave git in the middle of nothing."""
        self._branch(self.main)
        self._emit(self.main)
        actions: list[tuple[Callable[[GitRepo], None], int]] = [
            (self._emit, 10),
            (self._commit, 6),
            (self._merge, 5),
            (self._branch, 2),
            (self._switch, 3),
            (self._rebase, 2),
            (self._pick, 2),
            (self._stash, 2),
            (self._unstash, 2),
            (self._throw_away, 2),
            (self._add_tree, 2),
            (self._remove_tree, 1),
        ]
        for _ in range(STEPS):
            action = self._chance.choices([each for each, _ in actions], [weight for _, weight in actions])[0]
            action(self._chance.choice(self.trees))

    def unite(self) -> None:
        """Bring every branch to rest, with what the journal holds for it, and merge all of them into `main`."""
        for tree in self.trees[1:]:
            self._git(self.main, "worktree remove --force", str(tree.path))
        self._git(self.main, "stash clear")
        for branch in [*self.branches[1:], "main"]:
            self._git(self.main, "checkout -q -f", branch, check=True)
            self._reconcile()
            self._commit(self.main)
        for branch in self.branches[1:]:
            self._git(self.main, "merge -q --no-edit", branch, check=True)

    def told(self) -> str:
        """Return what it takes to see the same again."""
        return "\n".join([f"seed {self.seed}, {self.layout}:", *self.commands])

    def log_files(self, revision: str) -> dict[str, bytes]:
        """Return {path: content} of the files that the log consists of in a commit."""
        paths = self.main.git("ls-tree", "-r", "--name-only", revision, "--", FOLDER).splitlines()
        return {path: blob(self.main, path, revision) for path in paths if path.endswith(".jsonl")}

    def _git(self, tree: GitRepo, command: str, *args: str, check: bool = False) -> bool:
        self.commands.append(f"{tree.path.name}$ git {' '.join([command, *args])}")
        done = tree.run(*command.split(), *args)
        said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        if done.returncode:
            self.commands[-1] += f"  # {done.returncode}: {said}"
        if check:
            assert done.returncode == 0, self.told()
        return done.returncode == 0

    def _emit(self, tree: GitRepo) -> None:
        """Move a work package, against the rules more often than not, so that branches compete."""
        for _ in range(self._chance.randint(1, 2)):
            request = EmitRequest(
                wp_id=f"WP{self._chance.randrange(_WORK_PACKAGES):02}",
                to_lane=self._chance.choice(_LANES),
                actor=self._chance.choice(("ada", "ben")),
                force=self._chance.random() < 0.8,
                reason="whatever the seed says",
                feature=SLUG,
            )
            said = f"{tree.path.name}$ emit {request.wp_id} {request.to_lane} --actor {request.actor}"
            (tree.path / FOLDER).mkdir(parents=True, exist_ok=True)
            try:
                emitted = emit(Project(tree.path), Config({"layout": self.layout}), request)
            except KittyStatusError as error:
                self.refused.append(type(error).__name__)
                self.commands.append(f"{said}  # {error}")
            else:
                self.acknowledged.add(emitted.event["event_id"])
                self.commands.append(f"{said}  # {emitted.event['event_id']}")

    def _commit(self, tree: GitRepo) -> None:
        self._git(tree, "add -A")
        # A rebase leaves out merges, and what was amended into one goes with it: that is in docs/guarantees.md.
        is_merge = tree.run("rev-parse", "--quiet", "--verify", "HEAD^2").returncode == 0
        amends = self._chance.random() < 0.1 and len(self.branches) > 1 and not is_merge
        self._git(tree, "commit -q -m step" + (" --amend" if amends else ""))

    def _merge(self, tree: GitRepo) -> None:
        self._perhaps_commit(tree)
        options = self._chance.choice(("", " --autostash", " --squash", " --no-ff"))
        if not self._git(tree, f"merge -q --no-edit{options}", self._other(tree)):
            self._git(tree, "merge --abort")
        elif options == " --squash":
            self._git(tree, "commit -q -m squashed")

    def _rebase(self, tree: GitRepo) -> None:
        self._perhaps_commit(tree)
        backend = self._chance.choice(("", " --apply"))
        if not self._git(tree, f"rebase -q --autostash{backend}", self._other(tree)):
            self._git(tree, "rebase --abort")

    def _pick(self, tree: GitRepo) -> None:
        self._perhaps_commit(tree)
        commits = tree.git("rev-list", "--no-merges", "--branches", "--max-count=12").split()
        if not self._git(tree, "cherry-pick", self._chance.choice(commits)):
            self._git(tree, "cherry-pick --abort")

    def _branch(self, tree: GitRepo) -> None:
        if len(self.branches) < _BRANCHES:
            self.branches.append(f"branch-{len(self.branches)}")
            self._git(tree, "checkout -q -b", self.branches[-1], check=True)

    def _switch(self, tree: GitRepo) -> None:
        force = self._chance.choice(("", "", " --force", " --merge"))
        self._git(tree, f"checkout -q{force}", self._other(tree))
        self._leave_no_conflict(tree)

    def _stash(self, tree: GitRepo) -> None:
        self._git(tree, "stash push -q")

    def _unstash(self, tree: GitRepo) -> None:
        self._git(tree, self._chance.choice(("stash pop -q", "stash apply -q", "stash drop -q")))
        self._leave_no_conflict(tree)

    def _throw_away(self, tree: GitRepo) -> None:
        self._git(
            tree, self._chance.choice(("reset -q --hard", "checkout -q -- .", "clean -q -fdx", "gc -q --prune=now"))
        )

    def _add_tree(self, tree: GitRepo) -> None:
        if len(self.trees) < _TREES and len(self.branches) < _BRANCHES:
            self.branches.append(f"branch-{len(self.branches)}")
            self.trees.append(GitRepo(self.folder / f"tree-{len(self.branches)}"))
            new = [self.branches[-1], str(self.trees[-1].path)]
            self._git(tree, "worktree add -q -b", *new, check=True)

    def _remove_tree(self, _tree: GitRepo) -> None:
        if len(self.trees) > 1:
            self._git(self.main, "worktree remove --force", str(self.trees.pop().path), check=True)

    def _other(self, tree: GitRepo) -> str:
        own = tree.git("branch", "--show-current")
        return self._chance.choice([branch for branch in self.branches if branch != own])

    def _perhaps_commit(self, tree: GitRepo) -> None:
        """Commit first, more often than not: git refuses much of what follows over an uncommitted log."""
        if self._chance.random() < 0.7:
            self._commit(tree)

    def _leave_no_conflict(self, tree: GitRepo) -> None:
        if tree.git("ls-files", "-u"):
            self._git(tree, "add -A")
            self._git(tree, "commit -q -m as-it-stands")

    def _reconcile(self) -> None:
        repository = find_repository(str(self.main.path))
        assert repository
        found = reconcile(repository)
        self.commands.append(f"reconcile  # {len(found.settled)} settled, {len(found.restored)} brought back")
