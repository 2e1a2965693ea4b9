"""`doctor` prints what it finds as text and as JSON, and its exit code says whether that is worse than advice."""

from __future__ import annotations

from pathlib import Path

import pytest

from ailing import STATES, healthy
from commandline import SLUG, SNAPSHOT, ask, kitty, tree
from gitrepo import GitRepo

KEYS = {"code", "severity", "where", "observed", "expected", "explanation", "commands", "fixable"}


@pytest.fixture
def clone(tmp_path: Path) -> GitRepo:
    return healthy(tmp_path / "clone")


def test_a_healthy_clone_ends_with_nought_and_one_line(clone: GitRepo) -> None:
    answer = ask(clone.path, "doctor")
    assert (answer.code, answer.out, answer.err) == (0, "healthy: 0 blocking, 0 degraded, 0 advisory\n", "")


def test_advice_alone_is_no_reason_to_fail(clone: GitRepo) -> None:
    STATES["autostash-unset"].prepare(clone)
    answer = ask(clone.path, "doctor")
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "i advisory  autostash-unset",
        "  where     merge.autoStash",
        "  observed  it is not set",
        "  expected  merge.autoStash decided on",
        "  because   git refuses to merge over an uncommitted log unless it may set it aside",
        "  run       kitty-status install --autostash",
        "healthy: 0 blocking, 0 degraded, 1 advisory",
    ]
    assert ask(clone.path, "doctor", "--json").envelope["next"] == []


def test_a_finding_is_one_object_with_all_its_parts(clone: GitRepo) -> None:
    STATES["snapshot-drift"].prepare(clone)
    answer = ask(clone.path, "doctor", "--json")
    assert answer.code == 1
    assert answer.data["healthy"] is False
    [finding] = answer.data["findings"]
    assert finding.keys() == KEYS
    assert (finding["code"], finding["severity"], finding["fixable"]) == ("snapshot-drift", "degraded", True)
    assert answer.envelope["next"] == finding["commands"] == [f"kitty-status materialize {SLUG}"]
    assert (answer.data["fixed"], answer.data["would_fix"]) == ([], [])


def test_fix_with_dry_run_says_what_fix_does_and_writes_nothing(clone: GitRepo) -> None:
    STATES["snapshot-drift"].prepare(clone)
    STATES["driver-missing"].prepare(clone)
    before = tree(clone.path)
    planned = ask(clone.path, "doctor", "--fix", "--dry-run", "--json")
    assert planned.code == 1
    assert f"would fix: materialize {SLUG}\n" in ask(clone.path, "doctor", "--fix", "-n").out
    assert tree(clone.path) == before
    done = ask(clone.path, "doctor", "--fix", "--json")
    assert done.code == 0
    assert done.data["fixed"] == planned.data["would_fix"]
    assert done.data["healthy"] is True
    assert ask(clone.path, "doctor", "--fix").out == "healthy: 0 blocking, 0 degraded, 0 advisory\n"


def test_what_was_not_mended_is_a_warning_and_the_code_is_one(clone: GitRepo) -> None:
    STATES["driver-missing"].prepare(clone)
    clone.write(".git/config.lock", "")
    answer = ask(clone.path, "doctor", "--fix")
    assert answer.code == 1
    assert answer.err.startswith("warning: not fixed: install what is missing or outdated: ")
    assert len(ask(clone.path, "doctor", "--fix", "--json").envelope["warnings"]) == 1


def test_fixed_things_are_listed(clone: GitRepo) -> None:
    STATES["snapshot-drift"].prepare(clone)
    answer = ask(clone.path, "doctor", "--fix", "--check", "snapshot-drift")
    assert (answer.code, answer.out.splitlines()[0]) == (0, f"fixed: materialize {SLUG}")


def test_one_finding_can_be_asked_for(clone: GitRepo) -> None:
    STATES["snapshot-drift"].prepare(clone)
    STATES["driver-missing"].prepare(clone)
    assert ask(clone.path, "doctor", "--check", "log-damaged").code == 0
    only = ask(clone.path, "doctor", "--check", "snapshot-drift", "--check", "log-damaged", "--json")
    assert [finding["where"] for finding in only.data["findings"]] == [SNAPSHOT]


@pytest.mark.parametrize("args", [("--check", "nonsense"), ("--dry-run",)])
def test_a_call_that_makes_no_sense_is_refused(clone: GitRepo, args: tuple[str, ...]) -> None:
    answer = ask(clone.path, "doctor", *args, "--json")
    assert answer.code == 2
    assert answer.error["hint"]


def test_what_stands_in_files_is_made_visible(clone: GitRepo) -> None:
    clone.write("kitty-specs/\x1b[31mred/status.events.jsonl", "junk\n")
    out = ask(clone.path, "doctor").out
    assert "\x1b" not in out
    assert "\\x1b[31mred" in out


def test_where_the_terminal_has_no_such_signs_the_words_do(clone: GitRepo) -> None:
    STATES["snapshot-drift"].prepare(clone)
    answer = kitty(clone.path, "doctor", PYTHONIOENCODING="ascii")
    assert answer.out.startswith("degraded  snapshot-drift  [fixable]\n")


def test_install_ends_with_a_trial_merge_and_says_so(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    ask(repo.path, "init")
    answer = ask(repo.path, "install")
    assert (answer.code, "trial merge: passed" in answer.out) == (0, True)
    assert ask(repo.path, "install", "--json").data["trial"] == {"outcome": "passed", "troubles": []}


@pytest.mark.parametrize("option", ["--no-trial", "--dry-run"])
def test_install_tries_nothing_where_it_is_not_to(clone: GitRepo, option: str) -> None:
    clone.append(".git/info/attributes", "*.jsonl -merge\n")
    answer = ask(clone.path, "install", option, "--json")
    assert (answer.code, "trial" in answer.data) == (0, False)
    assert "trial merge" not in ask(clone.path, "install", option).out


def test_install_fails_where_the_trial_merge_does_and_names_what_is_wrong(clone: GitRepo) -> None:
    clone.append(".git/info/attributes", "*.jsonl -merge\n")
    answer = ask(clone.path, "install")
    assert answer.code == 1
    assert "trial merge: failed\n    the merged log holds 2 of 3 lines" in answer.out
    assert "`kitty-status doctor`" in answer.err
    told = ask(clone.path, "install", "--json")
    assert told.data["trial"]["outcome"] == "failed"
    assert "kitty-status doctor" in told.envelope["next"]
