"""Two who emit at the same moment: both events are kept, and of two claims one wins."""

from __future__ import annotations

import json
import subprocess
from collections import Counter

from commandline import KITTY, LOG, SLUG, SNAPSHOT, answer_to, feature_in, wait_until_it_waits
from events import ulid
from gitrepo import GitRepo
from kitty_status.jsonl.lock import exclusive
from kitty_status.tracker.features import Project


def start(repo: GitRepo, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [KITTY, "emit", *args, "--feature", SLUG, "--json"],
        cwd=repo.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def all_at_once(repo: GitRepo, *calls: tuple[str, ...]) -> list[tuple[int, str, str]]:
    """Run the calls so that all of them stand at the lock before one gets it; return how each ended."""
    place = Project(repo.path).feature(SLUG).place
    with exclusive(place.lock):
        processes = [start(repo, *call) for call in calls]
        for process in processes:
            wait_until_it_waits(process, place.lock)
    ends = []
    for process in processes:
        out, err = process.communicate()
        answer_to(["--json"], process.returncode, out, err)
        ends.append((process.returncode, out, err))
    return ends


def test_of_events_emitted_at_once_none_is_lost_and_the_snapshot_is_that_of_all(repo: GitRepo) -> None:
    feature_in(repo)
    calls = [(f"WP0{number}", "--to", "claimed", "--actor", f"a{number}") for number in range(1, 5)]
    ends = all_at_once(repo, *calls)
    assert [code for code, _, _ in ends] == [0] * 4
    stored = {json.loads(line)["event_id"] for line in repo.read(LOG).splitlines()}
    assert stored == {json.loads(out)["data"]["event"]["event_id"] for _, out, _ in ends}
    snapshot = json.loads(repo.read(SNAPSHOT))
    assert snapshot["event_count"] == 4
    assert snapshot["log_oid"] == repo.git("hash-object", LOG)


def test_of_two_claims_one_wins_and_the_other_hears_of_it(repo: GitRepo) -> None:
    feature_in(repo)
    ends = all_at_once(repo, *(("WP01", "--to", "claimed", "--actor", name) for name in ("ada", "grace")))
    assert Counter(code for code, _, _ in ends) == {0: 1, 5: 1}
    winner = json.loads(repo.read(LOG))["actor"]
    error = next(json.loads(err) for code, _, err in ends if code)
    assert (error["code"], error["context"]["holder"]) == ("held-by-other", winner)


def test_of_a_call_and_its_retry_at_once_one_writes(repo: GitRepo) -> None:
    feature_in(repo)
    call = ("WP01", "--to", "claimed", "--actor", "ada", "--event-id", ulid(1))
    ends = all_at_once(repo, call, call)
    assert [code for code, _, _ in ends] == [0, 0]
    assert sorted(json.loads(out)["data"]["replayed"] for _, out, _ in ends) == [False, True]
    assert repo.read(LOG).count(b"\n") == 1
