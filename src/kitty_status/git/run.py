"""The one door to git processes.

The commit hook and the merge drivers come through here too, and git waits for them: on POSIX this
module loads nothing but C modules that are part of the interpreter, and starts git with
`posix_spawn`, which costs a fraction of what importing `subprocess` does.
"""

from __future__ import annotations

import os
import sys

from kitty_status.errors import GitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from typing import TypeAlias

    # Exit code, output and errors as they came: blobs are large, and a copy costs as much as what git does.
    Ended: TypeAlias = tuple[int, bytes | bytearray, bytes | bytearray]
    Found: TypeAlias = list[tuple[str, bytes] | None]

if sys.platform == "win32":
    import subprocess
else:
    import select

# Which repository, index and object store git works on. Hooks inherit these, and they would turn a
# question about one repository into a question about another.
_REPOSITORY = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE",
    "GIT_NAMESPACE",
    "GIT_CONFIG",
)
# What a person may have exported and what would change the meaning of our arguments or of git's answer.
_MISLEADING = (
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
)
_ALWAYS = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "KITTY_STATUS_INSIDE": "1"}
# git before 2.45 does not know the first and would fetch what a partial clone lacks; the second stops every version.
# The third has objects read as they were pushed, whatever has been put in their place in this clone alone.
_OFFLINE = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "GIT_NO_REPLACE_OBJECTS": "1"}

_CHUNK = 1 << 16  # larger pieces the allocator takes from the system one by one, which costs a fault for each page
_LOWEST_PRIVATE_DESCRIPTOR = 3
_TERMINATE = 15


class GitResult:
    """How git ended: exit code (negative: the signal), standard output and standard error."""

    __slots__ = ("code", "err", "out")

    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code = code
        self.out = out
        self.err = err


def run_git(
    args: Sequence[str],
    *,
    cwd: str,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    inherit_repository: bool = False,
    offline: bool = True,
) -> GitResult:
    """Run `git -C cwd args…` without a shell and return how it ended, whatever the exit code.

    git asks no questions, speaks English, reads `stdin` (by default nothing) and never talks to a
    remote. `environment` is laid over all that.

    Args:
        args: the arguments after `git`.
        cwd: where git works.
        stdin: what git reads.
        environment: variables to add for this run.
        inherit_repository: keep `GIT_DIR`, `GIT_INDEX_FILE` and their kin. Hooks and merge drivers
            need it, since git tells them so which index is being committed. They may be relative to
            the folder that git started the hook in, so `cwd` has to be that one.
        offline: pass False only to run something that starts other people's hooks, such as
            `git commit`: those may have reasons to reach a remote.

    Raises:
        GitError: git could not be started.
    """
    code, out, err = _run(["git", "-C", cwd, *args], _environment(environment, inherit_repository, offline), stdin)
    return GitResult(code, bytes(out), bytes(err))


def git(
    args: Sequence[str],
    *,
    cwd: str,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    inherit_repository: bool = False,
    offline: bool = True,
) -> bytes:
    """Run git as `run_git` does and return its standard output.

    Raises:
        GitError: git could not be started, or ended with another code than 0; its words are the message.
    """
    result = run_git(
        args, cwd=cwd, stdin=stdin, environment=environment, inherit_repository=inherit_repository, offline=offline
    )
    if result.code:
        raise _failure(args, cwd, result)
    return result.out


def read_blobs(names: Sequence[str], *, cwd: str, inherit_repository: bool = False, trees: bool = False) -> Found:
    """Return (object id, content) of each named blob, with `trees` of each tree too, None where there is none here.

    A name is an object id, `REVISION:path` or `:path` (the index). One git process answers for all.
    A blob that a partial clone has not fetched counts as absent: nothing is ever fetched.

    Raises:
        ValueError: a name holds a line break or a NUL, and so cannot be asked for.
        GitError: git could not be started or failed, for instance outside a repository.
    """
    wanted = [os.fsencode(name) for name in names]
    for name in wanted:
        if b"\n" in name or b"\r" in name or b"\0" in name:
            raise ValueError(f"not a name git can be asked for: {os.fsdecode(name)!r}")
    found: Found = []
    environment = _environment(None, inherit_repository, offline=True)
    while len(found) < len(wanted):
        rest = wanted[len(found) :]
        code, out, err = _run(["git", "-C", cwd, "cat-file", "--batch"], environment, b"\n".join([*rest, b""]))
        _parse_batch(out, rest, found, (b"blob", b"tree") if trees else (b"blob",))
        if len(found) < len(wanted):
            if b"promisor" not in err:
                raise _failure(["cat-file"], cwd, GitResult(code, b"", bytes(err)))
            # git gave up at the first object that it was not allowed to fetch: go on behind it.
            found.append(None)
    return found


def _parse_batch(out: bytes | bytearray, names: list[bytes], found: Found, kinds: Container[bytes]) -> None:
    """Append the answers of `git cat-file --batch` to `found`, stopping where the output is cut short."""
    at, view = 0, memoryview(out)
    for name in names:
        end = out.find(b"\n", at)
        if end < 0:
            return
        header = bytes(view[at:end])
        at = end + 1
        if header in (name + b" missing", name + b" ambiguous"):
            found.append(None)
            continue
        oid, kind, size = header.split(b" ")
        data = bytes(view[at : at + int(size)])
        at += int(size) + 1
        if at > len(out):
            return
        found.append((oid.decode("ascii"), data) if kind in kinds else None)


def _environment(extra: Mapping[str, str] | None, inherit_repository: bool, offline: bool) -> dict[str, str]:
    environment = dict(os.environ)
    for name in _MISLEADING if inherit_repository else _MISLEADING + _REPOSITORY:
        environment.pop(name, None)
    environment.update(_ALWAYS)
    if offline:
        environment.update(_OFFLINE)
    if extra:
        environment.update(extra)
    return environment


def _failure(args: Sequence[str], cwd: str, result: GitResult) -> GitError:
    words = os.fsdecode(result.err).strip() or f"it ended with code {result.code} and said nothing"
    return GitError(f"git {args[0] if args else ''} failed in {cwd}: {words}", exit_status=result.code)


def _not_started(error: OSError) -> GitError:
    if isinstance(error, FileNotFoundError):
        return GitError("git is not on PATH", hint="install git, or add its folder to PATH")
    return GitError(f"git could not be started: {error.strerror or error}", hint="check the git that PATH names")


if sys.platform == "win32":

    def _run(argv: list[str], environment: dict[str, str], stdin: bytes) -> Ended:
        try:
            done = subprocess.run(argv, input=stdin, capture_output=True, env=environment, check=False)
        except OSError as error:
            raise _not_started(error) from error
        return done.returncode, done.stdout, done.stderr

else:

    def _run(argv: list[str], environment: dict[str, str], stdin: bytes) -> Ended:
        ours: list[int] = []
        theirs: list[int] = []
        try:
            actions = _plumb(ours, theirs, feeds=bool(stdin))
            try:
                process = os.posix_spawnp(argv[0], argv, environment, file_actions=actions)
            except OSError as error:
                raise _not_started(error) from error
            finally:
                _close(theirs)
            return _attend(process, ours, stdin)
        finally:
            _close(ours)

    def _plumb(ours: list[int], theirs: list[int], *, feeds: bool) -> list[tuple[int, ...]]:
        """Open the pipes, ours in the order output, errors, input, and say how the child gets its ends."""
        actions: list[tuple[int, ...]] = []
        for descriptor in (1, 2):
            readable, writable = _pipe()
            ours.append(readable)
            theirs.append(writable)
            actions.append((os.POSIX_SPAWN_DUP2, writable, descriptor))
        if feeds:
            readable, writable = _pipe()
            ours.append(writable)
            theirs.append(readable)
            actions.append((os.POSIX_SPAWN_DUP2, readable, 0))
        else:
            actions.append((os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0))  # type: ignore[arg-type]
        return actions

    def _pipe() -> tuple[int, int]:
        """Return a pipe whose ends the dup2 calls in the child cannot overwrite, even where 0-2 are closed here."""
        readable, writable = os.pipe()
        return _lift(readable), _lift(writable)

    def _lift(descriptor: int) -> int:
        if descriptor >= _LOWEST_PRIVATE_DESCRIPTOR:
            return descriptor
        try:
            return _lift(os.dup(descriptor))
        finally:
            os.close(descriptor)

    def _close(descriptors: list[int]) -> None:
        while descriptors:
            os.close(descriptors.pop())

    def _attend(process: int, ours: list[int], stdin: bytes) -> Ended:
        """Feed and read `process` until it is done, and collect it whatever happens."""
        try:
            out, err = _converse(ours, stdin)
        except BaseException:
            os.kill(process, _TERMINATE)
            os.waitpid(process, 0)
            raise
        _, status = os.waitpid(process, 0)
        return os.waitstatus_to_exitcode(status), out, err

    def _converse(ours: list[int], stdin: bytes) -> tuple[bytearray, bytearray]:
        """Write and read as the pipes allow, so that neither side can wait for the other for ever."""
        poll = select.poll()
        out, err = bytearray(), bytearray()
        read = {ours[0]: out, ours[1]: err}
        rest = memoryview(stdin)
        for descriptor in ours:
            poll.register(descriptor, select.POLLIN if descriptor in read else select.POLLOUT)
            os.set_blocking(descriptor, False)
        while ours:
            for descriptor, _ in poll.poll():
                if descriptor in read:
                    data = os.read(descriptor, _CHUNK)
                    read[descriptor] += data
                    finished = not data
                else:
                    rest = rest[_write(descriptor, rest) :]
                    finished = not rest
                if finished:
                    poll.unregister(descriptor)
                    ours.remove(descriptor)
                    os.close(descriptor)
        return out, err

    def _write(descriptor: int, data: memoryview) -> int:
        try:
            return os.write(descriptor, data[:_CHUNK])
        except BrokenPipeError:
            # git stopped reading: its exit code and words say why.
            return len(data)
