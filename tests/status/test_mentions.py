"""Which work packages the name of a branch and the message of a commit stand for."""

from __future__ import annotations

import pytest

from kitty_status.status.mentions import (
    Person,
    Vocabulary,
    carried,
    merged_branch,
    reverted,
    reviewers,
    trailers,
)

LOGIN = "034-login"
FORM = "034-login-form"
PAY = "035-pay"
OID = "0123456789abcdef0123456789abcdef01234567"
NAMES = Vocabulary(
    {LOGIN: ["WP01", "WP1", "WP10", "WP011", "WP02"], FORM: ["WP01"], PAY: ["WP01", "WP07"], "empty": []},
    {"033-signin": LOGIN, "032-gone": "nowhere", PAY: LOGIN},
)


@pytest.mark.parametrize(
    ("name", "slug", "wp_ids"),
    [
        ("034-login-WP01", LOGIN, ("WP01",)),
        ("034-login-wp01", LOGIN, ("WP01",)),
        ("034-login-WP1", LOGIN, ("WP1",)),
        ("034-login-WP10", LOGIN, ("WP10",)),
        ("034-login-WP011", LOGIN, ("WP011",)),
        ("034-login-WP012", LOGIN, ()),
        ("034-login/WP02", LOGIN, ("WP02",)),
        ("feature/034-login-WP01-form-fields", LOGIN, ("WP01",)),
        ("WP02/034-login", LOGIN, ("WP02",)),
        ("origin/034-login-WP01", LOGIN, ("WP01",)),
        ("034-login-WP01-WP02", LOGIN, ("WP01", "WP02")),
        ("034-login-form-WP01", FORM, ("WP01",)),
        ("034-login", LOGIN, ()),
        ("kitty/mission-034-login", LOGIN, ()),
        ("kitty/mission-034-login-lane-a", LOGIN, ()),
        ("kitty/mission-034-login-01kw0n87-lane-b", LOGIN, ()),
        ("033-signin-WP01", LOGIN, ("WP01",)),
        ("035-pay-WP07", PAY, ("WP07",)),
        ("empty-WP01", "empty", ()),
    ],
)
def test_a_branch_is_for_the_feature_and_the_work_packages_in_its_name(
    name: str, slug: str, wp_ids: tuple[str, ...]
) -> None:
    assert NAMES.of_branch(name) == (slug, wp_ids)


@pytest.mark.parametrize(
    "name",
    [
        "main",
        "WP01",
        "1034-login-WP01",
        "x034-login-WP01",
        "034-loginx-WP01",
        "034-login-settings",
        "034-login_old-WP01",
        "my-034-login-WP01",
        "034-login/035-pay-WP01",
        "032-gone-WP01",
        "034-login-01kw0n8ilou",
        "",
    ],
)
def test_a_branch_whose_name_holds_no_slug_as_a_word_or_two_of_them_is_for_nothing(name: str) -> None:
    assert NAMES.of_branch(name) is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("034-login WP01: fields", {(LOGIN, "WP01")}),
        ("WP01 of 034-login", {(LOGIN, "WP01")}),
        ("feat(034-login/WP02): x", {(LOGIN, "WP02")}),
        ("034-login WP1", {(LOGIN, "WP1")}),
        ("034-login WP10", {(LOGIN, "WP10")}),
        ("034-login WP011", {(LOGIN, "WP011")}),
        ("034-login WP012", set()),
        ("034-login XWP01", set()),
        ("034-login WP01_x", set()),
        ("034-login WP01.5", set()),
        ("034-login WP01.", {(LOGIN, "WP01")}),
        ("034-login wp01", {(LOGIN, "WP01")}),
        ("WP01: fields", set()),
        ("034-login: fields", set()),
        ("034-login-form WP01", {(FORM, "WP01")}),
        ("034-login-form WP02", set()),
        ("fields\n\nThis is 034-login WP01.\n", {(LOGIN, "WP01")}),
        ("034-login WP01\n\nWP02 waits for it", {(LOGIN, "WP01")}),
        ("034-login WP01 and WP02", {(LOGIN, "WP01"), (LOGIN, "WP02")}),
        ("034-login/WP01 unblocks 035-pay/WP07", {(LOGIN, "WP01"), (PAY, "WP07")}),
        ("034-login and 035-pay: WP01", {(PAY, "WP01")}),
        ("034-login and 035-pay meet, WP01", set()),
        ("034-login/WP02 and 035-pay/WP02", {(LOGIN, "WP02")}),
        ("033-signin WP02", {(LOGIN, "WP02")}),
        ("", set()),
    ],
)
def test_a_message_names_work_packages_beside_their_feature_as_whole_words(
    message: str, expected: set[tuple[str, str]]
) -> None:
    assert NAMES.of_message(message) == (frozenset(expected), False, ())


def test_on_a_branch_of_the_feature_the_id_alone_is_enough() -> None:
    assert NAMES.of_message("WP01: fields", LOGIN).links == {(LOGIN, "WP01")}
    assert NAMES.of_message("WP01: fields", PAY).links == {(PAY, "WP01")}
    assert NAMES.of_message("WP01 of 035-pay", LOGIN).links == {(PAY, "WP01")}
    assert NAMES.of_message("WP01: fields", "nowhere").links == frozenset()


@pytest.mark.parametrize(
    ("value", "branch", "expected"),
    [
        ("034-login/WP01", None, {(LOGIN, "WP01")}),
        ("034-login WP01, WP02", None, {(LOGIN, "WP01"), (LOGIN, "WP02")}),
        ("WP01", LOGIN, {(LOGIN, "WP01")}),
        ("WP02", None, {(LOGIN, "WP02")}),
        ("WP07", None, {(PAY, "WP07")}),
        ("WP07", LOGIN, set()),
    ],
)
def test_a_trailer_names_a_work_package_with_its_slug_or_by_its_branch_or_as_the_only_one(
    value: str, branch: str | None, expected: set[tuple[str, str]]
) -> None:
    mention = NAMES.of_message(f"034 fields\n\nwhy\n\nWork-Package: {value}\n", branch)
    assert mention.links == expected
    assert mention.by_trailer


def test_a_trailer_that_fits_no_one_work_package_is_unclear() -> None:
    assert NAMES.of_message("x\n\nWork-Package: WP01").unclear == ("WP01",)
    assert NAMES.of_message("x\n\nWork-Package: 034-login/WP99").unclear == ("WP99",)
    assert NAMES.of_message("x\n\nWork-Package: 034-login 035-pay WP01").unclear == ("WP01",)
    assert NAMES.of_message("034-login WP01\n\nWork-Package: none") == (frozenset(), True, ())


def test_trailers_decide_whatever_else_the_message_names_and_may_stand_in_what_a_host_squashed() -> None:
    squashed = "034-login WP02 (#7)\n\n* first\n\n    work-package: WP01\n\n---------\n\nCo-authored-by: B <b@x>\n"
    assert NAMES.of_message(squashed).links == {(LOGIN, "WP01")}
    both = "x\n\nWork-Package: 034-login/WP01\nWork-Package: 035-pay/WP07\n"
    assert NAMES.of_message(both).links == {(LOGIN, "WP01"), (PAY, "WP07")}


def test_trailers_are_the_last_paragraph_if_it_holds_nothing_else() -> None:
    assert trailers("subject\n\nReviewed-by: Ben <b@x>\nFixes: #7\n") == [
        ("reviewed-by", "Ben <b@x>"),
        ("fixes", "#7"),
    ]
    assert trailers("subject\r\n\r\nReviewed-by: Ben\r\n") == [("reviewed-by", "Ben")]
    assert trailers("subject\n\nReviewed-by: Ben\n  <b@x>\n") == [("reviewed-by", "Ben <b@x>")]
    assert trailers("subject\n\nthis was\nReviewed-by: Ben\n") == []
    assert trailers("subject\n\nReviewed-by: Ben\n\nand more") == []
    assert trailers("Reviewed-by: Ben") == []
    assert trailers("") == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Ben <ben@x>", [Person("Ben", "ben@x")]),
        ("Ben", [Person("Ben", "")]),
        ("<ben@x>", [Person("", "ben@x")]),
        ("Ben <ben@x> # twice", [Person("Ben", "ben@x")]),
        ("<>", []),
    ],
)
def test_reviewers_are_whom_the_trailers_name(value: str, expected: list[Person]) -> None:
    assert reviewers(f"subject\n\nReviewed-by: {value}\nAcked-by: Eve <e@x>") == expected


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("Merge branch '034-login-WP01'", "034-login-WP01"),
        ("Merge branch '034-login-WP01' into main\n\nbody", "034-login-WP01"),
        ("Merge remote-tracking branch 'origin/034-login-WP01'", "origin/034-login-WP01"),
        ("Merge pull request #7 from ada/034-login-WP01\n\nTitle", "034-login-WP01"),
        ("Merge pull request #7 from ada/feature/034-login-WP01", "feature/034-login-WP01"),
        ("Merge the fields", None),
        ("fields", None),
    ],
)
def test_a_merge_names_the_branch_that_it_brings(message: str, name: str | None) -> None:
    assert merged_branch(message) == name


def test_reverts_squashes_and_picks_name_the_commits_that_they_are_about() -> None:
    assert reverted(f'Revert "x"\n\nThis reverts commit {OID}.') == [OID]
    assert reverted(f'Revert "x"\n\nThis reverts commit {OID}, reversing\nchanges made to {OID}.') == [OID]
    assert carried(f"Squashed commit of the following:\n\ncommit {OID}\nAuthor: A <a@x>\n\n    commit it") == [OID]
    assert carried(f"x\n\n(cherry picked from commit {OID})\n") == [OID]
    assert carried(f"x\n\ncommit {OID * 2} is none") == []
    assert carried(f"x\n\ncommit {OID + OID[:24]}\n") == [OID + OID[:24]]
    assert reverted("nothing") == []


def test_a_project_without_features_knows_no_names() -> None:
    nothing = Vocabulary({})
    assert nothing.of_branch("034-login-WP01") is None
    assert nothing.of_message("034-login WP01\n\nWork-Package: WP01").links == frozenset()
