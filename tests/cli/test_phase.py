"""`phase`, and what the other commands make of a feature in phase 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, emit, tree
from events import instant, line, ulid
from gitrepo import GitRepo
from unlogged import CONFIG, META, file_of, lanes_in, path_of, phase, unlogged

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "002-other"


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = unlogged(tmp_path / "repo", WP01="planned", WP02="doing", WP03="done")
    file_of(repo, "WP02", "lane: doing\nassignee: Ada L\nagent: claude\n")
    return repo


def with_log(repo: GitRepo, lane: str = "blocked") -> bytes:
    """Give the feature a log that says another lane than its file; return its bytes."""
    log = line(event_id=ulid(1), at=instant(1), wp_id="WP01", to_lane=lane)
    repo.write(LOG, log)
    return log


@pytest.mark.parametrize(
    ("number", "meaning"), [(0, "the frontmatter of"), (1, "the views are written"), (2, "the log alone counts")]
)
def test_it_says_which_phase_what_says_so_and_what_it_means(repo: GitRepo, number: int, meaning: str) -> None:
    phase(repo, number)
    answer = ask(repo.path, "phase", SLUG)
    first, second = answer.out.splitlines()
    assert first == f"{SLUG}: phase {number} (.kittify/config.yaml:2)"
    assert meaning in second
    repo.write(META, f'{{"status_phase": "{2 - number}"}}')
    assert ask(repo.path / FOLDER, "phase").out.startswith(f"{SLUG}: phase {2 - number} (meta.json of the feature)\n")


def test_the_default_is_named_as_that(repo: GitRepo) -> None:
    (repo.path / CONFIG).unlink()
    assert ask(repo.path, "phase", SLUG).out.startswith(f"{SLUG}: phase 1 (default)\n")


def test_what_was_passed_over_is_a_warning_and_the_command_succeeds(repo: GitRepo) -> None:
    repo.write(META, '{"status_phase": "\\u001b[2J"}')
    repo.write(CONFIG, "status:\n  phase: x\n")
    answer = ask(repo.path, "phase", SLUG, "--json")
    (row,) = answer.data
    assert (answer.code, row["phase"], row["source"]) == (0, 1, "default")
    assert row["warnings"] == answer.envelope["warnings"]
    assert len(row["warnings"]) == 2
    plain = ask(repo.path, "phase", SLUG)
    assert plain.err.count("warning: ") == 2
    assert "\x1b" not in plain.err + plain.out


def test_all_features_are_one_line_each_and_what_is_of_the_repository_is_said_once(repo: GitRepo) -> None:
    repo.write(f"kitty-specs/{OTHER}/meta.json", '{"status_phase": 2}')
    repo.write("kitty-specs/.archive/000-old/meta.json", "{}")
    repo.write("kitty-specs/003-more/tasks/x", "")
    repo.write(CONFIG, "status:\n  phase: 9\n")
    answer = ask(repo.path, "phase", "--all")
    assert answer.out.splitlines() == [
        f"{SLUG}: phase 1 (default)",
        f"{OTHER}: phase 2 (meta.json of the feature)",
        "003-more: phase 1 (default)",
        "000-old: phase 1 (default)",
    ]
    assert answer.err.count("status.phase is '9'") == 1


@pytest.mark.parametrize(("args", "code"), [((SLUG, "--all"), 2), (("009",), 4), (("a/b",), 2), ((), 2)])
def test_a_call_that_cannot_be_understood_is_refused(repo: GitRepo, args: tuple[str, ...], code: int) -> None:
    assert ask(repo.path, "phase", *args, "--json").code == code


def test_show_tells_the_lanes_of_the_files_and_says_so(repo: GitRepo) -> None:
    answer = ask(repo.path, "show", SLUG)
    assert answer.out.splitlines() == [
        f"{SLUG}: 1 planned, 1 in_progress, 1 done",
        "  phase 0 (.kittify/config.yaml:2): as the frontmatter says; no log is read",
        "  WP01  planned",
        "  WP02  in_progress  Ada L, claude",
        "  WP03  done",
    ]
    data = ask(repo.path, "show", SLUG, "--json").data
    assert (data["phase"], data["phase_source"], data["profile"]) == (0, ".kittify/config.yaml:2", "seven-lane")
    assert data["work_packages"]["WP02"] == {
        "lane": "in_progress",
        "names": ["Ada L", "claude"],
        "path": path_of("WP02"),
    }


def test_show_says_the_phase_of_a_feature_with_a_log_too(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    phase(repo, 2)
    data = ask(repo.path, "show", SLUG, "--json").data
    assert (data["phase"], data["phase_source"]) == (2, ".kittify/config.yaml:2")
    repo.write(META, "[]")
    assert "holds a JSON array" in ask(repo.path, "show", SLUG).err


def test_show_names_the_files_that_cannot_be_understood_and_shows_the_others(repo: GitRepo) -> None:
    file_of(repo, "WP03", "lane: nowhere\n")
    repo.write(f"{FOLDER}/tasks/WP03-twice.md", "")
    file_of(repo, "WP04", "lane: nowhere\n")
    answer = ask(repo.path, "show", SLUG)
    assert answer.code == 7
    assert "WP02  in_progress" in answer.out
    assert f"warning: {path_of('WP04')}:2: 'nowhere' is no lane of seven-lane" in answer.err
    assert "are both files of WP03" in answer.err
    (row,) = ask(repo.path, "show", "--json").data
    assert "are both files of WP03" in row["damaged"]


def test_the_overview_counts_the_lanes_of_the_files(repo: GitRepo) -> None:
    repo.write(f"kitty-specs/{OTHER}/meta.json", '{"status_phase": 1}')
    answer = ask(repo.path, "show")
    assert answer.out.splitlines() == [
        f"{SLUG}  1 planned, 1 in_progress, 1 done  (phase 0)",
        f"{OTHER}    nothing yet",
    ]
    assert [row["phase"] for row in ask(repo.path, "show", "--json").data] == [0, 1]


def test_commands_that_show_logs_say_that_none_counts(repo: GitRepo) -> None:
    with_log(repo)
    repo.commit()
    for args in (("log", SLUG), ("show", SLUG, "--worktrees"), ("show", SLUG, "--at", "HEAD")):
        assert f"{SLUG} is in phase 0 (.kittify/config.yaml:2): its frontmatter counts" in ask(repo.path, *args).err
    assert f"{LOG} is not read" in ask(repo.path, "show", SLUG).err


def test_lanes_go_by_the_files(repo: GitRepo) -> None:
    with_log(repo)
    assert ask(repo.path, "lanes", SLUG).out.startswith(f"seven-lane (detected from the files of {SLUG})\n")
    file_of(repo, "WP03", "lane: in_review\n")
    repo.write(path_of("WP04"), "---\nlane: [\n---\n")
    assert ask(repo.path, "lanes", SLUG).out.startswith(f"nine-lane (detected from the files of {SLUG})\n")


def test_materialize_writes_nothing_and_says_why(repo: GitRepo) -> None:
    before = tree(repo.path)
    for args in ((SLUG,), (SLUG, "--check")):
        answer = ask(repo.path, "materialize", *args)
        assert (answer.code, answer.out) == (0, "")
        assert "its frontmatter counts, and no log does" in answer.err
    with_log(repo)
    answer = ask(repo.path, "materialize", "--all", "--json")
    assert answer.data == []
    assert "is in phase 0" in answer.envelope["warnings"][0]
    (repo.path / LOG).unlink()
    assert tree(repo.path) == before


def test_validate_looks_at_the_files_and_at_no_snapshot(repo: GitRepo) -> None:
    repo.commit()
    repo.write(SNAPSHOT, "{}")
    answer = ask(repo.path, "validate", SLUG)
    assert (answer.code, answer.out) == (0, "1 feature, 0 events: 0 errors, 0 warnings\n")
    file_of(repo, "WP01", "title: a\nlane: nowhere\n")
    repo.write(path_of("WP02"), "text")
    repo.write(path_of("WP03"), "---\nwork_package_id: WP09\n---\n")
    findings = ask(repo.path, "validate", SLUG, "--json").data[0]["findings"]
    assert [(each["code"], each["severity"], each["path"], each["line"]) for each in findings] == [
        ("unreadable-work-package", "error", path_of("WP01"), 3),
        ("unreadable-work-package", "error", path_of("WP02"), 1),
        ("unreadable-work-package", "error", path_of("WP03"), None),
    ]
    assert findings[0]["message"] == "'nowhere' is no lane of seven-lane"
    assert ask(repo.path, "validate", SLUG).code == 1


def test_validate_reports_a_log_that_is_not_read_and_where_it_disagrees(repo: GitRepo) -> None:
    with_log(repo)
    answer = ask(repo.path, "validate", SLUG, "--json")
    ((finding,),) = (each["findings"] for each in answer.data)
    assert (finding["code"], finding["severity"], finding["path"]) == ("log-not-read", "warning", LOG)
    assert finding["message"].endswith("that is not read: WP01 is in planned by its file and in blocked by the log")
    file_of(repo, "WP01", "lane: blocked\n")
    ((finding,),) = (each["findings"] for each in ask(repo.path, "validate", SLUG, "--json").data)
    assert finding["message"].endswith("has a log of 1 events that is not read")
    repo.append(LOG, "junk\n")
    assert ask(repo.path, "validate", SLUG).code == 1


def test_an_invalid_phase_is_a_warning_of_validate_once_for_the_repository(repo: GitRepo) -> None:
    repo.write(f"kitty-specs/{OTHER}/meta.json", "{")
    repo.write("kitty-specs/000-first/meta.json", '{"status_phase": 1}')
    repo.write(CONFIG, "# c\nstatus:\n  phase: -1\n")
    data = ask(repo.path, "validate", "--all", "--json").data
    found = [(each["feature"], finding["path"], finding["line"]) for each in data for finding in each["findings"]]
    assert found == [(SLUG, CONFIG, 3), (OTHER, f"kitty-specs/{OTHER}/meta.json", None)]
    assert {finding["code"] for each in data for finding in each["findings"]} == {"invalid-phase"}
    assert all(each["passed"] for each in data)
    assert "status.phase is '-1', which is no phase" in ask(repo.path, "validate", SLUG).out


def test_doctor_reports_an_invalid_phase_where_it_stands_and_once(repo: GitRepo) -> None:
    repo.write(META, '{"status_phase": []}')
    repo.write(f"kitty-specs/{OTHER}/tasks/x", "")
    repo.write(CONFIG, "status:\n  phase: 5\n")
    found = ask(repo.path, "doctor", "--check", "invalid-phase", "--json").data["findings"]
    assert sorted(each["where"] for each in found) == [CONFIG, META]
    assert {each["severity"] for each in found} == {"degraded"}
    assert ["kitty-status phase --all"] in [each["commands"] for each in found]


def test_doctor_looks_at_no_snapshot_and_no_claims_where_no_log_counts(repo: GitRepo) -> None:
    claim = line(event_id=ulid(1), at="2020-01-01T00:00:00+00:00", wp_id="WP01", to_lane="claimed", actor="ada")
    repo.write(LOG, claim)
    repo.write(SNAPSHOT, "{}")
    codes = ("stale-claim", "snapshot-drift")
    args = [word for code in codes for word in ("--check", code)]
    assert ask(repo.path, "doctor", *args, "--json").data["findings"] == []
    phase(repo, 1)
    found = ask(repo.path, "doctor", *args, "--json").data["findings"]
    assert {each["code"] for each in found} == set(codes)


def test_reconcile_proposes_from_the_files_and_records_nothing(repo: GitRepo) -> None:
    repo.write("src/a", "x")
    repo.commit("Begin\n\nWork-Package: 001-feature/WP01")
    repo.git("commit", "-q", "--allow-empty", "-m", "WP01 001-feature: more")
    for args in ((), ("--apply",)):
        before = {path: data for path, data in tree(repo.path).items() if not path.startswith(".git/")}
        answer = ask(repo.path, "reconcile", SLUG, "--json", *args)
        assert answer.code == 1
        (row,) = [each for each in answer.data["work_packages"] if each["wp_id"] == "WP01"]
        assert row["lane"] == "planned"
        assert row["moves"][0]["to_lane"] == "claimed"
        assert "is in phase 0" in row["refused"]
        assert row["events"] == []
        assert {path: data for path, data in tree(repo.path).items() if not path.startswith(".git/")} == before
    file_of(repo, "WP01", "lane: nowhere\n")
    assert ask(repo.path, "reconcile", SLUG).code == 7


def test_reconcile_goes_by_the_file_and_not_by_a_log_beside_it(repo: GitRepo) -> None:
    file_of(repo, "WP01", "lane: done\n")
    with_log(repo, "planned")
    repo.write("src/a", "x")
    repo.commit("WP01 001-feature: begin")
    (row,) = ask(repo.path, "reconcile", SLUG, "--json").data["work_packages"]
    assert (row["lane"], row["moves"], row["drift"]) == ("done", [], False)


def test_cleanup_keeps_the_work_trees_of_a_feature_that_no_log_says_is_finished(tmp_path: Path) -> None:
    repo = unlogged(tmp_path / "main", WP01="done")
    emit_log = line(event_id=ulid(1), at=instant(1), wp_id="WP01", to_lane="canceled")
    repo.write(LOG, emit_log)
    repo.commit()
    repo.worktree(tmp_path / f"{SLUG}-WP01", f"{SLUG}-WP01")
    answer = ask(repo.path, "cleanup", "--dry-run")
    assert f"{SLUG} is in phase 0, where no log says what is finished" in answer.out
    phase(repo, 1)
    assert "would be removed" in ask(repo.path, "cleanup", "--dry-run").out


def test_a_team_goes_from_0_to_1_to_2_and_back(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="doing", WP02="planned")
    emit(repo.path, "WP02", "claimed", actor="ben")
    assert ask(repo.path, "show", SLUG).out.startswith(f"{SLUG}: 1 claimed, 1 in_progress\n")
    repo.commit()

    migrated = ask(repo.path, "migrate", "--all")
    assert f"{SLUG} is in phase 0 (.kittify/config.yaml:2): its log counts once it is in phase 1" in migrated.err
    answer = ask(repo.path, "validate", "--all")
    assert (answer.code, answer.out.count("log-not-read"), "by its file" in answer.out) == (0, 1, False)
    emit(repo.path, "WP02", "in_progress", actor="ben")
    assert "WP02 is in in_progress by its file and in claimed by the log" in ask(repo.path, "validate", "--all").out

    phase(repo, 1)
    emit(repo.path, "WP02", "in_progress", "--force", "--reason", "moved in phase 0", actor="ben")
    answer = ask(repo.path, "validate", "--all")
    assert (answer.code, answer.out) == (0, "1 feature, 3 events: 0 errors, 0 warnings\n"), answer
    emit(repo.path, "WP01", "for_review")
    assert lanes_in(repo) == {"WP01": "for_review", "WP02": "in_progress"}
    file_of(repo, "WP01", "lane: done\n")
    answer = ask(repo.path, "validate", "--all")
    assert (answer.code, "warning: view-drift" in answer.out) == (0, True)
    assert "1 for_review" in ask(repo.path, "show", SLUG).out

    phase(repo, 2)
    answer = ask(repo.path, "validate", "--all")
    assert (answer.code, "error: view-drift" in answer.out) == (1, True)
    ask(repo.path, "materialize", "--all")
    assert ask(repo.path, "validate", "--all").code == 0
    assert lanes_in(repo)["WP01"] == "for_review"

    phase(repo, 0)
    log = repo.read(LOG)
    emit(repo.path, "WP01", "done", "--reviewer", "ben", "--verdict", "approved", "--reference", "PR 7")
    assert lanes_in(repo)["WP01"] == "done"
    assert repo.read(LOG) == log
    phase(repo, 1)
    again = ask(repo.path, "migrate", "--all", "--dry-run")
    assert "its frontmatter says done, and the log for_review" in again.err


def test_a_feature_outside_git_has_a_phase_as_well(tmp_path: Path) -> None:
    (tmp_path / FOLDER / "tasks").mkdir(parents=True)
    (tmp_path / FOLDER / "tasks/WP01.md").write_text("---\nlane: planned\n---\n")
    (tmp_path / META).write_text('{"status_phase": 0}')
    assert ask(tmp_path, "phase", SLUG).out.startswith(f"{SLUG}: phase 0 (meta.json of the feature)")
    emit(tmp_path, "WP01", "claimed", actor="ada")
    assert "1 claimed" in ask(tmp_path, "show", SLUG).out


@pytest.mark.parametrize("command", ["emit", "release", "take-over", "revert", "reconcile", "migrate", "materialize"])
def test_whoever_writes_by_a_phase_hears_what_was_passed_over_for_it(repo: GitRepo, command: str) -> None:
    repo.write(CONFIG, "status:\n  phase: 1\n")
    event = emit(repo.path, "WP01", "claimed", "--json").data["event"]["event_id"]
    repo.write(META, '{"status_phase": 7}')
    repo.commit("a mission")
    options = {
        "emit": ["WP01", "--to", "blocked", "--actor", "ada", "--feature", SLUG],
        "release": ["WP01", "--actor", "ada", "--feature", SLUG],
        "take-over": ["WP01", "--actor", "ben", "--force", "--reason", "she is ill", "--feature", SLUG],
        "revert": [event, "--actor", "ada"],
    }
    warnings = ask(repo.path, command, *options.get(command, [SLUG]), "--json").envelope["warnings"]
    assert [warning for warning in warnings if "status_phase is 7" in warning] == [
        f"{META}: status_phase is 7, which is no phase (0, 1 or 2), and was passed over"
    ]
