"""A real git repository for a test to work in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class GitRepo:
    """A work tree at `path`. What a test does to it, it does with the real git."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def init(cls, path: Path, *, branch: str = "main", bare: bool = False, object_format: str = "sha1") -> GitRepo:
        """Make a new repository at `path`, which is created if need be."""
        path.mkdir(parents=True, exist_ok=True)
        repo = cls(path)
        options = ["--bare"] if bare else []
        repo.git("init", "-q", "-b", branch, f"--object-format={object_format}", *options)
        return repo

    def run(
        self, *args: str, environment: dict[str, str] | None = None, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """Run git here and return how it ended, whatever the code."""
        return subprocess.run(
            ["git", *args],
            cwd=self.path,
            input=stdin,
            capture_output=True,
            check=False,
            env={**os.environ, **(environment or {})},
        )

    def git(self, *args: str, check: bool = True, environment: dict[str, str] | None = None) -> str:
        """Run git here and return what it printed, without the final newline.

        With `check`, any other code than 0 fails the test with git's own words.
        """
        done = self.run(*args, environment=environment)
        if check and done.returncode:
            said = (done.stdout + done.stderr).decode("utf-8", "replace")
            raise AssertionError(f"git {' '.join(args)} ended with {done.returncode}:\n{said}")
        return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def write(self, path: str, content: str | bytes) -> Path:
        """Write a file of the work tree, byte for byte, with the folders it needs."""
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return target

    def append(self, path: str, content: str | bytes) -> Path:
        """Write to the end of a file of the work tree."""
        target = self.path / path
        before = target.read_bytes() if target.exists() else b""
        return self.write(path, before + (content.encode("utf-8") if isinstance(content, str) else content))

    def read(self, path: str) -> bytes:
        """Return the bytes of a file of the work tree."""
        return (self.path / path).read_bytes()

    def commit(self, message: str = "a commit", *, check: bool = True) -> str:
        """Stage everything, commit it and return the commit's id."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message, check=check)
        return self.git("rev-parse", "HEAD")

    def commit_empty(self, message: str = "an empty commit") -> str:
        """Commit nothing, for a history to begin with, and return the commit's id."""
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str) -> None:
        """Make a branch here and switch to it."""
        self.git("checkout", "-q", "-b", name)

    def switch(self, name: str) -> None:
        """Switch to a branch that exists."""
        self.git("checkout", "-q", name)

    def merge(self, name: str) -> int:
        """Merge a branch into the one checked out and return git's exit code."""
        return self.run("merge", "-q", "--no-edit", name).returncode

    def worktree(self, path: Path, branch: str) -> GitRepo:
        """Add a linked work tree at `path` with a new branch checked out."""
        self.git("worktree", "add", "-q", "-b", branch, str(path))
        return GitRepo(path)
