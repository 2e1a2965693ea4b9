"""A feature whose log is divided by writer, in a real repository: its files are written byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events import records_in
from features import FEATURE, LOG, SNAPSHOT, blob, declare, log_of, numbers_in
from gitrepo import GitRepo
from kitty_status.git.attributes import LOCAL, add_block
from kitty_status.git.blobs import blob_oid, tree_oid
from kitty_status.git.drivers import driver_sections
from kitty_status.status.layout import SHARDS_FOLDER, SHARED_SHARD
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.snapshot import to_bytes

if TYPE_CHECKING:
    from pathlib import Path

SHARDS = f"{FEATURE}/{SHARDS_FOLDER}"
SHARED = f"{SHARDS}/{SHARED_SHARD}"


def shard(writer: str) -> str:
    """Return the path of a writer's file."""
    return f"{SHARDS}/{writer}.jsonl"


def write(repo: GitRepo, writer: str, *numbers: int) -> None:
    """Append events to a writer's file and write the snapshot that belongs to it."""
    repo.append(shard(writer), log_of(*numbers))
    refresh(repo)


def record(repo: GitRepo, writer: str, *numbers: int) -> str:
    """Append events to a writer's file, write the snapshot and commit; return the commit's id."""
    write(repo, writer, *numbers)
    return repo.commit(f"{writer} writes {numbers}")


def logs_in_work_tree(repo: GitRepo) -> dict[str, bytes]:
    """Return {path: content} of the log files of the feature that lie in the work tree."""
    folder = repo.path / SHARDS
    found = {LOG: repo.read(LOG)} if (repo.path / LOG).exists() else {}
    return found | {f"{SHARDS}/{path.name}": path.read_bytes() for path in sorted(folder.glob("*.jsonl"))}


def refresh(repo: GitRepo) -> None:
    """Write the snapshot of the log files as they lie in the work tree."""
    object_format = repo.git("rev-parse", "--show-object-format")
    logs = logs_in_work_tree(repo)
    oids = {path.rpartition("/")[2]: blob_oid(data, object_format) for path, data in logs.items()}
    if LOG not in logs:
        oid: str | None = tree_oid(oids, object_format)
    else:
        oid = blob_oid(logs[LOG], object_format) if len(logs) == 1 else None
    repo.write(SNAPSHOT, snapshot_of(logs, oid))


def snapshot_of(logs: dict[str, bytes], oid: str | None) -> bytes:
    """Return the snapshot of all lines of these log files."""
    return to_bytes(reduce_events(unique_events(records_in(b"".join(logs.values())))), oid)


def shards_at(repo: GitRepo, revision: str = "HEAD") -> dict[str, bytes]:
    """Return {path: content} of the shards that a commit or a tree holds."""
    paths = repo.git("ls-tree", "-z", "--name-only", revision, f"{SHARDS}/").split("\0")[:-1]
    return {path: blob(repo, path, revision) for path in paths}


def assert_merged(repo: GitRepo, revision: str = "HEAD") -> list[int]:
    """Hold a commit to the promise: the exact snapshot of the shards, which names their tree. Return the events."""
    shards = shards_at(repo, revision)
    expected = snapshot_of(shards, repo.git("rev-parse", f"{revision}:{SHARDS}"))
    assert blob(repo, SNAPSHOT, revision) == expected
    return sorted({number for data in shards.values() for number in numbers_in(data)})


def convert(repo: GitRepo) -> None:
    """Make the one file the file of all writers until then, and commit."""
    (repo.path / SHARDS).mkdir()
    repo.git("mv", LOG, SHARED)
    refresh(repo)
    repo.commit("divide the log")


def put_together(repo: GitRepo) -> None:
    """Write the lines of all shards into the one file, without a commit."""
    data = b"".join(logs_in_work_tree(repo).values())
    repo.git("rm", "-q", "-r", SHARDS)
    repo.write(LOG, data)
    refresh(repo)


def install_drivers(repo: GitRepo) -> None:
    """Have git ask our drivers here, and no hook."""
    for section, values in driver_sections().items():
        for key, value in values.items():
            repo.git("config", f"{section}.{key}", value)
    info = repo.path / ".git/info/attributes"
    info.parent.mkdir(exist_ok=True)
    info.write_bytes(add_block(info.read_bytes() if info.exists() else None, LOCAL))


def divided_repo(folder: Path, *, object_format: str = "sha1", drivers: bool = True) -> GitRepo:
    """Return a repository whose feature holds the events 1 and 2 in the shard of `ada é`."""
    repo = GitRepo.init(folder, object_format=object_format)
    declare(repo)
    if drivers:
        install_drivers(repo)
    record(repo, "ada é", 1, 2)
    return repo
