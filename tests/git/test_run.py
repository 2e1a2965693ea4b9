"""git is run without a shell, without questions, without a network, and without deadlock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gitrepo import GitRepo
from kitty_status import errors
from kitty_status.git.blobs import blob_oid
from kitty_status.git.run import _parse_batch, git, read_blobs, run_git

SOURCE = str(Path(errors.__file__).parent.parent)


def test_a_run_returns_code_output_and_errors(repo: GitRepo) -> None:
    good = run_git(["rev-parse", "--is-inside-work-tree"], cwd=str(repo.path))
    bad = run_git(["rev-parse", "--verify", "nothing"], cwd=str(repo.path))

    assert (good.code, good.out, good.err) == (0, b"true\n", b"")
    assert bad.code == 128
    assert b"Needed a single revision" in bad.err


def test_a_failure_says_what_git_said(repo: GitRepo) -> None:
    with pytest.raises(errors.GitError, match=r"rev-parse failed in .*Needed a single revision"):
        git(["rev-parse", "--verify", "nothing"], cwd=str(repo.path))


def test_a_failure_without_words_names_the_code(repo: GitRepo) -> None:
    with pytest.raises(errors.GitError, match="code 1"):
        git(["config", "--get", "no.such"], cwd=str(repo.path))


def test_a_missing_git_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(errors.GitError, match="not on PATH") as caught:
        run_git(["version"], cwd=str(tmp_path))

    assert "install git" in caught.value.hint


def test_a_git_that_cannot_be_executed_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "git").write_bytes(b"")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(errors.GitError, match="could not be started"):
        run_git(["version"], cwd=str(tmp_path))


def test_large_input_and_output_pass_at_the_same_time(repo: GitRepo) -> None:
    ids = [repo.run("hash-object", "-w", "--stdin", stdin=bytes([n]) * 300_000).stdout for n in range(20)]
    asked = b"".join(ids) * 10

    result = run_git(["cat-file", "--batch"], cwd=str(repo.path), stdin=asked)

    assert result.code == 0
    assert len(result.out) > 20 * 10 * 300_000


def test_a_git_that_does_not_read_its_input_is_no_error(repo: GitRepo) -> None:
    assert run_git(["version"], cwd=str(repo.path), stdin=b"x" * 5_000_000).code == 0


def test_without_input_git_reads_nothing(repo: GitRepo) -> None:
    assert git(["hash-object", "--stdin"], cwd=str(repo.path)).strip().decode() == blob_oid(b"", "sha1")


def test_the_repository_of_a_surrounding_hook_is_not_inherited(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = GitRepo.init(tmp_path / "other")
    for name, value in {"GIT_DIR": other.path / ".git", "GIT_WORK_TREE": other.path, "GIT_INDEX_FILE": "x"}.items():
        monkeypatch.setenv(name, str(value))
    asked = ["rev-parse", "--show-toplevel"]

    assert git(asked, cwd=str(repo.path)).decode().strip() == str(repo.path)
    assert git(asked, cwd=str(repo.path), inherit_repository=True).decode().strip() == str(other.path)


def test_settings_that_bend_the_meaning_of_paths_are_dropped(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("a/b.txt", "x")
    repo.commit()
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")

    assert git(["ls-files", "a/*"], cwd=str(repo.path)) == b"a/b.txt\n"


def test_git_asks_nothing_and_speaks_english(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    repo.git("config", "alias.show-env", "!env")

    lines = git(["show-env"], cwd=str(repo.path), environment={"MINE": "yes"}).decode().splitlines()

    assert {"GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "GIT_NO_LAZY_FETCH=1", "GIT_OPTIONAL_LOCKS=0", "MINE=yes"} < set(lines)
    assert "GIT_ALLOW_PROTOCOL=none" not in git(["show-env"], cwd=str(repo.path), offline=False).decode()


def test_an_argument_is_never_seen_by_a_shell(repo: GitRepo) -> None:
    assert git(["rev-parse", "--sq-quote", "$(id) ; é"], cwd=str(repo.path)).decode() == " '$(id) ; é'\n"


def test_git_killed_by_a_signal_ends_with_its_negative_number(repo: GitRepo) -> None:
    repo.git("config", "alias.die", "!kill -9 $PPID")

    assert run_git(["die"], cwd=str(repo.path)).code == -signal.SIGKILL


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_signals_that_are_handled_do_not_disturb_a_run(repo: GitRepo) -> None:
    repo.git("config", "alias.nap", "!sleep 0.3; echo done")
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    try:
        assert git(["nap"], cwd=str(repo.path)) == b"done\n"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupted_run_leaves_no_process_and_no_descriptor_behind(repo: GitRepo) -> None:
    repo.git("config", "alias.nap", "!exec sleep 5")
    descriptors = len(os.listdir("/dev/fd"))  # noqa: PTH208
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    begun = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        run_git(["nap"], cwd=str(repo.path))

    signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - begun < 4
    assert len(os.listdir("/dev/fd")) == descriptors  # noqa: PTH208
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_many_threads_may_run_git_at_once(repo: GitRepo) -> None:
    answers: list[bytes] = []

    def ask(number: int) -> None:
        text = str(number).encode() * 50_000
        answers.append(git(["hash-object", "--stdin"], cwd=str(repo.path), stdin=text))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    expected = {blob_oid(str(number).encode() * 50_000, "sha1") for number in range(16)}
    assert {answer.decode().strip() for answer in answers} == expected


@pytest.mark.skipif(sys.platform == "win32", reason="the descriptors of POSIX")
def test_git_can_be_run_where_the_standard_descriptors_are_closed(repo: GitRepo) -> None:
    program = (
        f"import os, sys; sys.path.insert(0, {SOURCE!r}); from kitty_status.git.run import git\n"
        "for descriptor in range(3): os.close(descriptor)\n"
        "answer = git(['hash-object', '--stdin'], cwd='.', stdin=b'x')\n"
        "open('answer', 'wb').write(answer)\n"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", program], cwd=repo.path, check=True)

    assert repo.read("answer").decode().strip() == blob_oid(b"x", "sha1")


def test_blobs_are_read_by_id_by_revision_and_from_the_index(repo: GitRepo) -> None:
    repo.write("a b/é.txt", "one\n")
    repo.commit()
    repo.write("a b/é.txt", "two\n\n")
    repo.git("add", "-A")
    one, two = blob_oid(b"one\n", "sha1"), blob_oid(b"two\n\n", "sha1")

    found = read_blobs(["HEAD:a b/é.txt", ":a b/é.txt", "HEAD:no", "f" * 40, one, "HEAD:a b", ""], cwd=str(repo.path))

    assert found == [(one, b"one\n"), (two, b"two\n\n"), None, None, (one, b"one\n"), None, None]


@pytest.mark.parametrize("length", range(52))
def test_an_answer_that_was_cut_short_is_never_taken_for_a_blob(length: int) -> None:
    whole = b"%s blob 3\nabc\n" % (b"f" * 40)
    found: list[tuple[str, bytes] | None] = []

    _parse_batch(whole[:length], [b"HEAD:a"], found, [b"blob"])

    assert found == []
    _parse_batch(whole, [b"HEAD:a"], found, [b"blob"])
    assert found == [("f" * 40, b"abc")]


def test_no_names_need_no_git(tmp_path: Path) -> None:
    assert read_blobs([], cwd=str(tmp_path / "nowhere")) == []


@pytest.mark.parametrize("name", ["a\nb", "a\r", "a\0b"])
def test_a_name_that_git_would_misread_is_refused(repo: GitRepo, name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        read_blobs(["HEAD:x", name], cwd=str(repo.path))


def test_reading_blobs_outside_a_repository_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(errors.GitError, match="not a git repository"):
        read_blobs(["HEAD:x"], cwd=str(tmp_path))


def test_the_staged_blobs_of_a_hook_come_from_its_own_index(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("a", "one")
    repo.commit()
    index = str(repo.path / "other-index")
    repo.write("a", "two")
    repo.git("add", "a", environment={"GIT_INDEX_FILE": index})
    monkeypatch.setenv("GIT_INDEX_FILE", index)

    [ours] = read_blobs([":a"], cwd=str(repo.path), inherit_repository=True)
    [theirs] = read_blobs([":a"], cwd=str(repo.path))

    assert ours == (blob_oid(b"two", "sha1"), b"two")
    assert theirs == (blob_oid(b"one", "sha1"), b"one")


def test_what_a_partial_clone_lacks_is_absent_and_not_fetched(repo: GitRepo, tmp_path: Path) -> None:
    repo.write("a", "a")
    repo.write("b", "b")
    repo.commit()
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    source = repo.path.as_uri()
    repo.git("clone", "-q", "--filter=blob:none", "--no-checkout", source, str(tmp_path / "part"))
    part = GitRepo(tmp_path / "part")
    part.git("cat-file", "-p", "HEAD:b")

    found = read_blobs(["HEAD:a", "HEAD:b", "HEAD:none", "HEAD:a"], cwd=str(part.path))

    assert found == [None, (blob_oid(b"b", "sha1"), b"b"), None, None]


def test_a_blob_id_is_what_git_says(repo: GitRepo, tmp_path: Path) -> None:
    new = GitRepo.init(tmp_path / "new", object_format="sha256")
    for each, form in ((repo, "sha1"), (new, "sha256")):
        for data in (b"", b"a\0b\n", b"x" * 100_000):
            assert blob_oid(data, form) == each.run("hash-object", "--stdin", stdin=data).stdout.decode().strip()


def test_an_unknown_object_format_is_refused() -> None:
    with pytest.raises(ValueError, match="md5"):
        blob_oid(b"", "md5")


@pytest.mark.skipif(sys.platform == "win32", reason="subprocess is needed there")
def test_the_processes_that_git_waits_for_load_nothing_expensive() -> None:
    program = (
        f"import sys; sys.path.insert(0, {SOURCE!r})\n"
        "import kitty_status.git.run, kitty_status.git.repository\n"
        "print(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)

    expensive = "re typing enum subprocess pathlib collections dataclasses contextlib tempfile selectors json hashlib"
    assert not set(done.stdout.split()) & set(expensive.split())
