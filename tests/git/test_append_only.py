"""Every line that a parent's logs hold stands in the child's: what real git makes of it, commit by commit."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from features import FEATURE, LOG, event_line, log_of, numbers_in
from gitrepo import GitRepo
from kitty_status.git import history as history_module
from kitty_status.git.append_only import Loss, Proof, mark_restored, prove
from kitty_status.git.history import History
from kitty_status.jsonl.codec import decode

if TYPE_CHECKING:
    from pathlib import Path

ARCHIVED = "kitty-specs/archive/034 it's over/status.events.jsonl"
OTHER = "kitty-specs/002-other/status.events.jsonl"


def proof_of(repo: GitRepo, *revisions: str) -> Proof:
    history = History(str(repo.path))
    proof = prove(history, history.steps(history.commits(revisions or ["HEAD"])))
    mark_restored(history, proof.losses, (revisions or ["HEAD"])[0])
    return proof


def losses(repo: GitRepo, *revisions: str) -> list[tuple[str, str, int]]:
    """Return (code, subject of the commit, event number or minus the number of lines) of all that is found."""
    return [
        (loss.code, repo.git("log", "-1", "--format=%s", loss.commit), number_of(loss))
        for loss in proof_of(repo, *revisions).losses
    ]


def number_of(loss: Loss) -> int:
    if not loss.line:
        return -loss.lines
    return int(decode(loss.line[:-1])["event_id"].removeprefix("01")) if loss.event_id else 0


def commit(repo: GitRepo, message: str, log: bytes, path: str = LOG) -> str:
    repo.write(path, log)
    return repo.commit(message)


@pytest.fixture
def grown(repo: GitRepo) -> GitRepo:
    """A log to which 1 and 2, and then 3 were added."""
    repo.commit_empty()
    commit(repo, "start", log_of(1, 2))
    commit(repo, "grow", log_of(1, 2, 3))
    return repo


def test_a_log_that_only_grew_is_clean(grown: GitRepo) -> None:
    assert losses(grown) == []


def test_without_commits_there_is_nothing_to_find(repo: GitRepo) -> None:
    assert prove(History(str(repo.path)), []).losses == []
    assert History(str(repo.path)).steps({}) == []


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (log_of(1, 3), [("line-removed", 2)]),
        (log_of(1, 2), [("line-removed", 3)]),
        (b"", [("line-removed", number) for number in (1, 2, 3)]),
        (log_of(1, 2, 3).replace(b"actor 2", b"mallory"), [("line-edited", 2)]),
        (log_of(1, 3) + event_line(2).replace(b"actor 2", b"mallory"), [("line-edited", 2)]),
        (log_of(1, 2, 3)[:-20], [("line-removed", 3)]),
        (log_of(3, 2, 1, 4), [("lines-reordered", -2)]),
        (log_of(1, 4, 2, 3), []),
        (log_of(1, 2, 2, 3, 3), []),
        (log_of(1, 2, 3)[:-1], []),
        (b"\n\n" + log_of(1, 2, 3) + b"\n", []),
        (log_of(1, 2, 3, 4).replace(b"\n", b"\r\n"), [("line-edited", number) for number in (1, 2, 3)]),
    ],
)
def test_what_a_commit_does_to_a_log_is_told_line_by_line(
    grown: GitRepo, log: bytes, found: list[tuple[str, int]]
) -> None:
    commit(grown, "change", log)

    expected = [(code, "change", number) for code, number in found]
    if b"\r" in log:
        # A line that ends in CR LF is damaged, so nobody can say whose event it is.
        expected = [("line-removed", subject, number) for _, subject, number in expected]
    assert losses(grown) == expected


def test_a_duplicate_that_goes_is_no_loss(grown: GitRepo) -> None:
    commit(grown, "twice", log_of(1, 2, 3, 2))
    commit(grown, "once", log_of(1, 2, 3))

    assert losses(grown) == []


def test_damage_may_be_taken_out_and_is_told(grown: GitRepo) -> None:
    commit(grown, "damage", log_of(1, 2, 3) + b'{"event_id": \n')
    commit(grown, "mend", log_of(1, 2, 3))

    assert losses(grown) == [("damage-removed", "mend", 0)]
    assert proof_of(grown).losses[0].severity == "warning"


def test_a_last_line_that_is_glued_to_the_next_is_removed(grown: GitRepo) -> None:
    commit(grown, "no end", log_of(1, 2, 3)[:-1])
    commit(grown, "glued", log_of(1, 2, 3)[:-1] + log_of(4))

    assert losses(grown) == [("line-removed", "glued", 3)]


def test_a_log_that_is_deleted_while_its_folder_stays_is_told(grown: GitRepo) -> None:
    grown.write(f"{FEATURE}/spec.md", "what to build")
    (grown.path / LOG).unlink()
    grown.commit("delete")

    assert losses(grown) == [("log-deleted", "delete", -3)]
    assert proof_of(grown).losses[0].severity == "error"


def test_a_feature_that_is_deleted_as_a_whole_is_a_warning(grown: GitRepo) -> None:
    grown.git("rm", "-rq", FEATURE)
    grown.commit("delete")

    assert losses(grown) == [("feature-deleted", "delete", -3)]
    assert proof_of(grown).losses[0].severity == "warning"


def test_a_link_in_place_of_the_log_holds_no_lines(grown: GitRepo) -> None:
    (grown.path / LOG).unlink()
    (grown.path / LOG).symlink_to("/etc/passwd")
    grown.commit("link")

    assert losses(grown) == [("log-deleted", "link", -3)]


@pytest.mark.parametrize("added", [(), (4,)])
def test_a_log_that_moves_is_followed(grown: GitRepo, added: tuple[int, ...]) -> None:
    (grown.path / ARCHIVED).parent.mkdir(parents=True)
    grown.git("mv", LOG, ARCHIVED)
    commit(grown, "move", log_of(1, 2, 3, *added), ARCHIVED)

    proof = proof_of(grown)
    assert proof.losses == []
    assert proof.moves == {(LOG, ARCHIVED)}


def test_a_log_that_loses_a_line_as_it_moves_is_told(grown: GitRepo) -> None:
    grown.git("rm", "-q", LOG)
    commit(grown, "move", log_of(1, 3) + event_line(2).replace(b"actor 2", b"mallory"), ARCHIVED)

    assert losses(grown) == [("line-edited", "move", 2)]


def test_lines_that_stood_elsewhere_before_are_there(grown: GitRepo) -> None:
    commit(grown, "copy", log_of(1, 2, 3), OTHER)
    grown.git("rm", "-rq", FEATURE)
    grown.commit("delete")

    assert losses(grown) == []


def test_a_log_that_stays_has_moved_only_if_all_of_it_is_elsewhere(grown: GitRepo) -> None:
    grown.write(OTHER, log_of(3))
    commit(grown, "some of it", log_of(1, 2))
    assert losses(grown) == [("line-removed", "some of it", 3)]

    grown.git("reset", "-q", "--hard", "HEAD~1")
    grown.write(OTHER, log_of(1, 2, 3))
    commit(grown, "all of it", log_of(4))
    assert losses(grown) == []


def test_a_merge_that_takes_one_side_only_is_told_of_against_the_other_parent(grown: GitRepo) -> None:
    grown.branch("theirs")
    commit(grown, "theirs", log_of(1, 2, 3, 4))
    grown.switch("main")
    commit(grown, "ours", log_of(1, 2, 3, 5))
    grown.git("merge", "-q", "-s", "ours", "-m", "merge", "theirs")

    assert losses(grown) == [("line-removed", "merge", 4)]
    history = History(str(grown.path))
    loss = proof_of(grown).losses[0]
    parents = history.commits(["HEAD"])[loss.commit]
    assert history.parent_with(parents, loss.change) == grown.git("rev-parse", "theirs")


def test_an_octopus_that_leaves_out_one_of_its_branches_is_told(repo: GitRepo) -> None:
    repo.commit_empty()
    for number, name in enumerate(("one", "two", "three"), start=1):
        repo.git("checkout", "-q", "-b", name, "main")
        commit(repo, name, log_of(number), f"kitty-specs/{name}/status.events.jsonl")
    repo.git("merge", "-q", "--no-edit", "one", "two")
    assert losses(repo) == []
    assert len(repo.git("rev-list", "--parents", "-1", "HEAD").split()) == 4

    # The same merge once more, with the feature of one branch left as an empty log.
    (repo.path / "kitty-specs/two/status.events.jsonl").write_bytes(b"")
    repo.git("commit", "-qa", "--amend", "-m", "octopus")

    assert losses(repo) == [("line-removed", "octopus", 2)]


def test_a_clean_merge_of_both_sides_is_clean_in_whatever_order(grown: GitRepo) -> None:
    grown.branch("theirs")
    commit(grown, "theirs", log_of(1, 2, 3, 4))
    grown.switch("main")
    commit(grown, "ours", log_of(1, 2, 3, 5))
    grown.run("merge", "--no-commit", "theirs")
    commit(grown, "merge", log_of(1, 2, 3, 4, 5))

    assert losses(grown) == []


def test_what_was_put_back_is_a_warning(grown: GitRepo) -> None:
    commit(grown, "tamper", log_of(1, 2, 3).replace(b"actor 2", b"mallory"))
    (tampered,) = proof_of(grown).losses
    assert (tampered.is_restored, tampered.severity) == (False, "error")
    grown.git("revert", "--no-edit", "HEAD")

    proof = proof_of(grown)

    assert [(loss.code, loss.is_restored, loss.severity) for loss in proof.losses] == [
        ("line-edited", True, "warning"),
        ("line-edited", True, "warning"),
    ]


def test_an_edit_that_comes_again_after_it_was_put_back_is_an_error(grown: GitRepo) -> None:
    for name in ("mallory", "actor 2", "mallory"):
        commit(grown, name, log_of(1, 2, 3).replace(b"actor 2", name.encode()))

    assert {loss.severity for loss in proof_of(grown).losses} == {"error"}


def test_a_deleted_log_that_was_put_back_is_a_warning(grown: GitRepo) -> None:
    grown.write(f"{FEATURE}/spec.md", "what to build")
    (grown.path / LOG).unlink()
    grown.commit("delete")
    commit(grown, "back", log_of(1, 2, 3, 4))

    assert [loss.severity for loss in proof_of(grown).losses] == ["warning"]


def test_objects_that_were_replaced_in_this_clone_are_taken_as_they_were(grown: GitRepo) -> None:
    tampered = commit(grown, "tamper", log_of(1, 3))
    sound = grown.git("rev-parse", f"{tampered}~1")
    grown.git("replace", f"{tampered}:{LOG}", f"{sound}:{LOG}")
    grown.git("replace", tampered, grown.git("commit-tree", f"{sound}^{{tree}}", "-p", sound, "-m", "sound"))
    assert numbers_in(grown.run("cat-file", "blob", f"HEAD:{LOG}").stdout) == [1, 2, 3]

    found = proof_of(grown).losses

    assert [(loss.code, loss.commit, number_of(loss)) for loss in found] == [("line-removed", tampered, 2)]


def test_files_that_are_no_logs_of_features_may_change_as_they_like(repo: GitRepo) -> None:
    paths = ("status.events.jsonl", "elsewhere/status.events.jsonl", "kitty-specs/1/my-status.events.jsonl")
    for path in paths:
        repo.write(path, "one\n")
    repo.commit()
    for path in paths:
        repo.write(path, "two\n")
    repo.commit()

    assert losses(repo) == []


def test_logs_of_projects_below_the_top_count(repo: GitRepo) -> None:
    path = f"packages/web/{LOG}"
    commit(repo, "start", log_of(1, 2), path)
    commit(repo, "tamper", log_of(2), path)

    assert losses(repo) == [("line-removed", "tamper", 1)]


def test_paths_with_line_breaks_and_odd_bytes_are_no_obstacle(repo: GitRepo) -> None:
    path = "kitty-specs/a\nb\udce9/status.events.jsonl"
    commit(repo, "start", log_of(1, 2), path)
    commit(repo, "tamper", log_of(2), path)

    assert losses(repo) == [("line-removed", "tamper", 1)]
    history = History(str(repo.path))
    loss = proof_of(repo).losses[0]
    assert history.parent_with(history.commits(["HEAD"])[loss.commit], loss.change) == repo.git("rev-parse", "HEAD~1")


def test_blobs_are_read_in_portions_and_nothing_is_missed(grown: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "_PORTION", 900)
    for number in range(4, 12):
        commit(grown, f"grow {number}", log_of(*range(1, number + 1)))
    commit(grown, "tamper", log_of(*range(2, 12)))

    assert losses(grown) == [("line-removed", "tamper", 1)]


def test_in_a_sha256_repository_it_is_the_same(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "sha256", object_format="sha256")
    commit(repo, "start", log_of(1, 2))
    commit(repo, "tamper", log_of(2))
    repo.git("rm", "-rq", "kitty-specs")
    repo.commit("delete")

    assert losses(repo) == [("feature-deleted", "delete", -1), ("line-removed", "tamper", 1)]


def test_a_partial_clone_says_what_it_could_not_read_and_fetches_nothing(grown: GitRepo, tmp_path: Path) -> None:
    commit(grown, "tamper", log_of(1, 3))
    grown.git("config", "uploadpack.allowFilter", "true")
    url = f"file://{grown.path}"
    subprocess.run(
        ["git", "clone", "-q", "--no-checkout", "--filter=blob:none", url, str(tmp_path / "part")], check=True
    )
    part = GitRepo(tmp_path / "part")

    proof = proof_of(part)

    assert (proof.losses, proof.unread) == ([], {LOG})
    assert part.git("rev-list", "--objects", "--missing=print", "HEAD").count("?") == 3
