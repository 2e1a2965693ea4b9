"""A clone in every state that doctor has a code for, made from a healthy one."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask
from commandline import emit as move
from events import line, ulid
from gitrepo import GitRepo
from kitty_status.git.drivers import interpreter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOG_DRIVER = "merge.kitty-status-log.driver"


def healthy(path: Path) -> GitRepo:
    """Return a clone in which doctor finds nothing, not even an advice: a copy of one that was made once."""
    pristine = path.parent.parent / "pristine clone"
    if not pristine.exists():
        _make(pristine)
    shutil.copytree(pristine, path, symlinks=True)
    return GitRepo(path)


def _make(path: Path) -> None:
    repo = GitRepo.init(path)
    (repo.path / FOLDER).mkdir(parents=True)
    ask(repo.path, "init")
    ask(repo.path, "install", "--no-trial", "--autostash")
    move(repo.path, "WP01", "claimed")
    repo.commit()


class Ailing(NamedTuple):
    """How to bring a healthy clone into a state, and what mends it: `--fix`, its commands, or a person."""

    prepare: Callable[[GitRepo], object]
    mended_by: str = "a person"


def _config(repo: GitRepo, text: str) -> None:
    repo.write(".kittify/config.yaml", text)


def _without_attributes(repo: GitRepo) -> None:
    repo.write(".gitattributes", "")
    repo.commit()


def _migrated(repo: GitRepo) -> None:
    block = "---\nlane: doing\ncreated_at: 2026-02-01\nassignee: Ada Lovelace\n---\n"
    repo.write(f"{FOLDER}/tasks/WP09.md", block)
    ask(repo.path, "migrate", SLUG)


def _uncommitted_attributes(repo: GitRepo) -> None:
    _without_attributes(repo)
    ask(repo.path, "init")


def _overridden(repo: GitRepo) -> None:
    repo.append(".gitattributes", "*.jsonl text\n")
    repo.commit()


def _gone_python(repo: GitRepo) -> None:
    command = repo.git("config", LOG_DRIVER)
    repo.git("config", LOG_DRIVER, command.replace(interpreter(), "/gone/python"))


def _foreign_hook(repo: GitRepo) -> None:
    _hook(repo, "#!/bin/sh\n")


def _hook(repo: GitRepo, content: str) -> None:
    hook = repo.write(".git/hooks/pre-commit", content)
    hook.chmod(0o755)


def _outdated_hook(repo: GitRepo) -> None:
    _hook(repo, "#!/bin/sh\n# kitty-status hook: pre-commit\n")


def _silent_hook(repo: GitRepo) -> None:
    hook = repo.path / ".git/hooks/pre-commit"
    _hook(repo, hook.read_text().replace("#!/bin/sh\n", "#!/bin/sh\necho 'something is wrong' >&2; exit 1\n", 1))


def _symlink(repo: GitRepo) -> None:
    (repo.path / LOG).rename(repo.path / "elsewhere")
    (repo.path / LOG).symlink_to(repo.path / "elsewhere")


def _conflict(repo: GitRepo, *, in_log: bool = True, in_snapshot: bool = True) -> None:
    """Merge two branches without drivers, as a plain clone whose attributes nobody declared."""
    repo.branch("theirs")
    move(repo.path, "WP02", "claimed", "--commit")
    repo.switch("main")
    move(repo.path, "WP03", "claimed", "--commit")
    attributes = repo.read(".git/info/attributes")
    text = ["*.jsonl merge=text\n" if in_log else "", "status.json merge=binary\n" if in_snapshot else ""]
    repo.append(".git/info/attributes", "".join(text))
    assert repo.merge("theirs") == 1
    repo.write(".git/info/attributes", attributes)


def _damaged_head(repo: GitRepo) -> None:
    repo.worktree(repo.path.parent / "linked", "side")
    repo.write(".git/worktrees/linked/HEAD", "garbage\n")


def _folder_as_snapshot(repo: GitRepo) -> None:
    (repo.path / SNAPSHOT).unlink()
    (repo.path / SNAPSHOT).mkdir()


def _edited_view(repo: GitRepo) -> None:
    repo.write(f"{FOLDER}/tasks.md", "# Work packages\n")
    repo.write(f"{FOLDER}/tasks/WP01.md", "---\nlane: done\n---\n")


def _unreadable_view(repo: GitRepo) -> None:
    repo.write(f"{FOLDER}/tasks.md", "<!-- kitty-status:begin -->\n")


def _crlf(repo: GitRepo) -> None:
    repo.write(LOG, repo.read(LOG).replace(b"\n", b"\r\n"))


def _ahead(repo: GitRepo) -> None:
    repo.append(LOG, line(event_id=ulid(7), at="2999-01-01T00:00:00+00:00", wp_id="WP07", parents=[]))
    ask(repo.path, "materialize", SLUG)


def _ignored(repo: GitRepo) -> None:
    repo.write(".gitignore", "kitty-specs/002-b/\n")
    repo.write("kitty-specs/002-b/status.events.jsonl", line(feature_slug="002-b"))
    ask(repo.path, "materialize", "002-b")


def _colliding(repo: GitRepo) -> None:
    repo.write(f"kitty-specs/{SLUG.upper()}/spec.md", "x")


def _sparse(repo: GitRepo) -> None:
    repo.git("update-index", "-q", "--refresh")
    repo.git("sparse-checkout", "set", "--no-cone", "/.gitattributes", "/.kittify")


def _partial(repo: GitRepo) -> None:
    repo.git("config", "remote.origin.promisor", "true")


def _vanished(repo: GitRepo) -> None:
    """Take away what git never had, past every hook."""
    before = repo.read(LOG), repo.read(SNAPSHOT)
    move(repo.path, "WP02", "claimed")
    repo.write(LOG, before[0])
    repo.write(SNAPSHOT, before[1])


def _waiting(repo: GitRepo) -> None:
    repo.git("checkout", "-q", "-b", "side")
    _vanished(repo)
    repo.git("checkout", "-q", "main", environment={"KITTY_STATUS": "0"})


def _quarantined(repo: GitRepo) -> None:
    for number in range(5):
        repo.write(f".git/kitty-status/quarantine/{number}.tail", "x")


def _half_a_rebase(repo: GitRepo) -> None:
    """Leave what git does when the work tree changes between its autostash and the beginning of the rebase."""
    repo.write("a", "x")
    repo.git("add", "a")
    repo.write(".git/rebase-merge/autostash", repo.git("stash", "create") + "\n")
    repo.git("rm", "-q", "--force", "a")


def _bare(repo: GitRepo) -> None:
    repo.git("config", "core.bare", "true")


def _elsewhere(repo: GitRepo) -> None:
    repo.git("config", "core.hooksPath", "tools/hooks")


def _append_events(repo: GitRepo, *lines: bytes) -> None:
    repo.append(LOG, b"".join(lines))
    ask(repo.path, "materialize", SLUG)


def _forgotten(repo: GitRepo) -> None:
    at = (datetime.now(UTC) - timedelta(days=8)).isoformat()
    _append_events(repo, line(event_id=ulid(5), at=at, wp_id="WP05", actor="ben", parents=[]))


def _competing(repo: GitRepo) -> None:
    at = datetime.now(UTC).isoformat()
    claims = [
        line(event_id=ulid(number), at=at, wp_id="WP05", actor=actor, parents=[])
        for number, actor in ((5, "ben"), (6, "eve"))
    ]
    _append_events(repo, *claims)


def _broken_chain(repo: GitRepo) -> None:
    at = datetime.now(UTC).isoformat()
    claim = line(event_id=ulid(5), at=at, wp_id="WP05", parents=[])
    later = {"from_lane": "in_progress", "to_lane": "for_review", "parents": [ulid(5)]}
    _append_events(repo, claim, line(event_id=ulid(6), at=at, wp_id="WP05", **later))


def _finished_tree(repo: GitRepo) -> None:
    repo.worktree(repo.path.parent / f"{SLUG}-WP01", "side")
    move(repo.path, "WP01", "canceled", "--force", "--reason", "not wanted", "--commit")


FIX, COMMANDS = "--fix", "its commands"
STATES = {
    "repository-unreadable": Ailing(lambda repo: repo.append(".git/config", "[bad\n")),
    "not-a-repository": Ailing(lambda repo: (repo.path / ".git").rename(repo.path / "was.git"), COMMANDS),
    "bare-repository": Ailing(_bare),
    "operation-in-progress": Ailing(lambda repo: repo.write(".git/MERGE_HEAD", repo.git("rev-parse", "HEAD"))),
    "rebase-left-behind": Ailing(_half_a_rebase, COMMANDS),
    "head-unreadable": Ailing(_damaged_head),
    "shallow-clone": Ailing(lambda repo: repo.write(".git/shallow", repo.git("rev-parse", "HEAD") + "\n")),
    "partial-clone": Ailing(_partial),
    "sparse-checkout": Ailing(_sparse),
    "autostash-unset": Ailing(lambda repo: repo.git("config", "--unset-all", "merge.autoStash"), COMMANDS),
    "configuration-unreadable": Ailing(lambda repo: _config(repo, "status:\n  nonsense: 1\n")),
    "newer-tool-required": Ailing(lambda repo: _config(repo, 'status:\n  requires: ">=99.0"\n')),
    "invalid-phase": Ailing(lambda repo: repo.write(f"{FOLDER}/meta.json", '{"status_phase": 3}')),
    "attributes-not-declared": Ailing(_without_attributes, COMMANDS),
    "attributes-not-committed": Ailing(_uncommitted_attributes, COMMANDS),
    "attributes-overridden": Ailing(_overridden),
    "local-attributes-missing": Ailing(lambda repo: (repo.path / ".git/info/attributes").unlink(), FIX),
    "local-attributes-overridden": Ailing(lambda repo: repo.append(".git/info/attributes", "*.jsonl -merge\n")),
    "driver-missing": Ailing(lambda repo: repo.git("config", "--remove-section", "merge.kitty-status-log"), FIX),
    "driver-without-command": Ailing(lambda repo: repo.git("config", "--unset", LOG_DRIVER), FIX),
    "driver-outdated": Ailing(lambda repo: repo.git("config", LOG_DRIVER, repo.git("config", LOG_DRIVER) + " "), FIX),
    "driver-not-runnable": Ailing(_gone_python, FIX),
    "trial-merge-failed": Ailing(lambda repo: repo.git("config", LOG_DRIVER, "false"), FIX),
    "trial-merge-degraded": Ailing(_gone_python, FIX),
    "hook-missing": Ailing(lambda repo: (repo.path / ".git/hooks/pre-commit").unlink(), FIX),
    "hook-not-executable": Ailing(lambda repo: (repo.path / ".git/hooks/pre-commit").chmod(0o644), FIX),
    "hook-foreign": Ailing(_foreign_hook, COMMANDS),
    "hook-outdated": Ailing(_outdated_hook, FIX),
    "hook-silent": Ailing(_silent_hook, FIX),
    "hooks-managed-elsewhere": Ailing(_elsewhere),
    "log-unsafe": Ailing(_symlink),
    "log-damaged": Ailing(lambda repo: repo.append(LOG, "junk\n{}\n")),
    "log-conflict-markers": Ailing(_conflict),
    "log-line-endings": Ailing(_crlf),
    "log-unmerged": Ailing(lambda repo: _conflict(repo, in_snapshot=False)),
    "snapshot-unmerged": Ailing(lambda repo: _conflict(repo, in_log=False), COMMANDS),
    "log-tail-torn": Ailing(lambda repo: repo.append(LOG, '{"event_id": "01'), FIX),
    "log-ahead-of-clock": Ailing(_ahead),
    "log-ignored": Ailing(_ignored),
    "snapshot-missing": Ailing(lambda repo: (repo.path / SNAPSHOT).unlink(), FIX),
    "snapshot-drift": Ailing(lambda repo: repo.write(SNAPSHOT, "{}"), FIX),
    "view-drift": Ailing(_edited_view, FIX),
    "view-unreadable": Ailing(_unreadable_view),
    "snapshot-unreadable": Ailing(_folder_as_snapshot),
    "snapshot-without-log": Ailing(lambda repo: (repo.path / LOG).unlink()),
    "feature-names-collide": Ailing(_colliding),
    "stale-claim": Ailing(_forgotten, COMMANDS),
    "migrated-claim": Ailing(_migrated, COMMANDS),
    "orphan-worktree": Ailing(_finished_tree),
    "orphan-workspace": Ailing(lambda repo: (repo.path / f".worktrees/{SLUG}-WP01").mkdir(parents=True)),
    "chain-break": Ailing(_broken_chain),
    "competing-moves": Ailing(_competing),
    "quarantine-not-empty": Ailing(_quarantined),
    "event-vanished": Ailing(_vanished, FIX),
    "event-waits": Ailing(_waiting),
    "journal-unreadable": Ailing(lambda repo: repo.write(f".git/kitty-status/journal/{SLUG}.jsonl", "no entry\n")),
}
"""{code: how to get there}; what takes more than a repository (no git, an old one, a switch) is tested apart."""
