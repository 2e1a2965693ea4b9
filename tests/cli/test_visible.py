"""What events say reaches a terminal with everything spelled out that could move, hide or reorder text."""

from __future__ import annotations

import json
import unicodedata

import pytest

from commandline import SLUG, ask, feature_in
from events import instant, line, ulid
from gitrepo import GitRepo
from kitty_status.status.visible import visible

# They join letters and emoji, and neither move, hide nor reorder anything; Arabic and other scripts have
# format characters that are drawn.
HARMLESS = {0x200C, 0x200D}
HOSTILE = 'evil\x1b[2J\x07\x9b\u202e\u2066\u200f\r\n\u2028\x00\U000e0041"'


def is_drawn(code: int) -> bool:
    name = unicodedata.name(chr(code), "")
    return name.startswith(("ARABIC ", "SYRIAC ", "KAITHI ", "EGYPTIAN ", "SHORTHAND ", "MUSICAL ")) and code != 0x061C


def test_every_code_point_that_is_not_drawn_is_spelled_out_and_every_other_one_is_kept() -> None:
    for code in range(0x110000):
        kind = unicodedata.category(chr(code))
        hidden = kind in ("Cc", "Cf", "Cs", "Zl", "Zp") and code not in HARMLESS and not is_drawn(code)
        shown = visible(chr(code))
        if hidden:
            assert shown.isascii(), hex(code)
            assert shown.isprintable(), hex(code)
            assert len(shown) >= 2, hex(code)
        else:
            assert shown == chr(code) or kind == "Cn", hex(code)


def test_the_spelling_is_that_of_python() -> None:
    assert visible("a\tb\r\n\x1b\x85\u202e\U000e0041é🐈") == "a\\tb\\r\\n\\x1b\\x85\\u202e\\U000e0041é🐈"
    assert visible(7) == "7"


@pytest.mark.parametrize("command", [("show", SLUG), ("log", SLUG), ("validate", SLUG)])
def test_no_command_lets_what_events_say_reach_the_terminal(repo: GitRepo, command: tuple[str, ...]) -> None:
    hostile = {"actor": HOSTILE, "reason": HOSTILE, "review_ref": HOSTILE, "force": True, "feature_slug": HOSTILE}
    first = line(event_id=HOSTILE, at=instant(1), parents=[], **hostile)
    second = line(event_id=ulid(2), at=instant(2), to_lane="blocked", parents=[HOSTILE], **hostile)
    third = line(event_id=ulid(3), at=instant(3), to_lane="canceled", parents=[HOSTILE], **hostile)
    feature_in(repo, first + second + third)
    answer = ask(repo.path, *command)
    assert "evil\\x1b[2J\\x07\\x9b\\u202e\\u2066\\u200f\\r\\n\\u2028\\x00\\U000e0041" in answer.out
    for text in (answer.out, answer.err):
        assert all(char.isprintable() for char in text.replace("\n", ""))
    answer = ask(repo.path, *command, "--json")
    assert answer.out.isascii()
    assert "evil\x1b[2J" in str(json.loads(answer.out)["data"]).replace("\\x1b", "\x1b")


def test_damage_is_shown_with_its_bytes_spelled_out(repo: GitRepo) -> None:
    feature_in(repo, b"\x1b]0;title\x07\xe2\x80\xae oops\n")
    for command in (("show", SLUG), ("validate", SLUG), ("log", SLUG), ("show",)):
        answer = ask(repo.path, *command)
        said = answer.out + answer.err
        assert "\\x1b]0;title\\x07\\u202e oops" in said
        assert all(char.isprintable() for char in said.replace("\n", ""))


def test_what_a_caller_typed_is_spelled_out_too(repo: GitRepo) -> None:
    feature_in(repo)
    for args in (["show", "\x1b[31m"], ["emit", "WP01", "--to", "\x1b[31m", "-f", SLUG], ["validate", "a/\x1b"]):
        answer = ask(repo.path, *args)
        assert answer.code in (2, 4)
        assert "\\x1b" in answer.err
        assert "\x1b" not in answer.err
