"""Lines of a log, whole and mistreated, for tests that hold two readers against each other.

Everything is drawn from one `Random`, so thousands of lines cost little. A mistreated line is nearly
right: keys that fall out, stand twice or are new, values of the wrong kind, quotes that are escaped
in one place and missing in another, and bytes that were changed afterwards.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from events import APPROVAL, KEYS, SPELLINGS, row, their_row, ulid
from kitty_status.status.lanes import ALL_LANES

if TYPE_CHECKING:
    from random import Random

NUMBERS = ["0", "-0", "1.5", "1e5", "1e999", "-1e999", "NaN", "Infinity", "01", "1.", "9" * 25, "9" * 4400, "1E400"]
TEXTS = [
    '""',
    '"WP01"',
    '"x"',
    '"a\\"b"',
    '"\\u0022"',
    '"\\u0022\\u0022"',
    '"\\\\u0022"',
    '"\\u005c"',
    '"\\u005cu0022"',
    '"\\\\"',
    '"\\/"',
    '"\\ud83d\\udc08"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\u00e9\u2028"',
    '"\ud7ff"',
    '"\\u0000"',
    '"tab\there"',
    '"\x7f"',
    '"../x"',
    '"claude"',
    '" "',
]
DEEP = ["[" * depth + "]" * depth for depth in (29, 30, 31, 32, 33, 2000)]
DEEP += ['{"a":' * depth + "1" + "}" * depth for depth in (29, 30, 31, 32, 33)]
NESTED = [
    "[]",
    "{}",
    "[[]]",
    '["x"]',
    '["x", "y"]',
    "[1]",
    '["x", null]',
    '{"a": 1, "a": 1}',
    '{"a": "b"}',
    '{"a\\"": "\\""}',
    '{"tool": "claude"}',
    '{"tool": ""}',
    '{"role": "reviewer", "tool": null}',
    '{"review": null}',
    '{"review": 7}',
    '{"review": {"verdict": 7}}',
    '{"review": {"verdict": "approved", "verdict": "approved"}}',
    json.dumps(APPROVAL),
    '{"n": 1e999}',
    '{"n": 1e5, "m": -0.0}',
    '{"n": ' + "9" * 25 + "}",
    '{"n": ' + "9" * 4400 + "}",
    '{"n": NaN}',
]
VALUES = ["null", "true", "false", "7", *NUMBERS, *TEXTS, *NESTED, *DEEP]
INSTANTS = [
    *SPELLINGS,
    "2026-01-01T00:00:00",
    "2026-01-01 00:00:00Z",
    "2026-01-01_00:00:00Z",
    "2026-01-01t00:00:00z",
    "20260101T000000Z",
    "2026-01-01T000000.12345678+00:00",
    "2026-W01-1T00:00:00Z",
    "2026-01-01T00:00:00,5Z",
    "2026-01-01T00:00:00.Z",
    "2026-01-01T00:00:00.1234567891234Z",
    "2026-01-01T00:00:00.9999999Z",
    "2026-01-01T00:00:00+0100",
    "2026-01-01T00:00:00+01",
    "2026-01-01T00:00:00-00:00",
    "2026-01-01T00:00:00+01:00:30",
    "2026-01-01T00:00:00+23:59",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T24:00:00Z",
    "2026-01-01T23:59:60Z",
    "2026-02-30T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    "9999-12-31T23:59:59.9999999Z",
    "10000-01-01T00:00:00Z",
    " 2026-01-01T00:00:00Z",
    "",
]
NEW_KEYS = [
    *KEYS,
    "mission_slug",
    "mission_id",
    "policy_metadata",
    "review_result",
    "parents",
    "line",
    "nine_lane",
    "shown_actor",
    "instant",
    "known_parents",
    "slug",
    "line_number",
    "kind",
    "type",
    "event_type",
    "event_name",
    "x",
    "f\\u006frce",
    "\\u0022",
    "",
]
BYTES = [b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\r", b" ", b"\t", b"\0", b"0", b"u", b"\\u0022", b'\\"']
BYTES += [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xc2\xa0", b'""', b"null", b"1e999", b"NaN", b"\x0b"]
ENDS = [b"\n"] * 12 + [b"", b"\r\n", b"\r", b" \n", b"\t\r\n", b"\r \n", b"}\n", b" {}\n", b"x\n", b'"\n', b"\0\n"]
STARTS = [b""] * 12 + [b" ", b"\t", b"\r", b"\xef\xbb\xbf", b"{}", b"\x0b", b"\xa0", b","]


def sound_row(chance: Random) -> dict[str, Any]:
    """Return a row of any of the shapes that logs hold, with nothing wrong."""
    changes: dict[str, Any] = {
        "event_id": ulid(chance.randrange(5)),
        "wp_id": chance.choice(["WP01", "WP01", "WP02", "WP.3"]),
        "from_lane": chance.choice(sorted(ALL_LANES)),
        "to_lane": chance.choice(["claimed", *sorted(ALL_LANES)]),
        "at": chance.choice(SPELLINGS),
        "force": chance.random() < 0.3,
        "reason": chance.choice([None, None, "why", 'he said "no"', "caf\u00e9 \U0001f408", "back\\slash", ""]),
        "review_ref": chance.choice([None, "PR 7"]),
        "evidence": chance.choice([None, None, APPROVAL, {"note": [1, 'a "b"', {}]}, {}]),
    }
    kind = chance.random()
    if kind < 0.3:
        changes["actor"] = chance.choice(["ada", {"tool": "claude", "role": "reviewer", "model": None}, {"id": "1"}])
        changes["policy_metadata"] = chance.choice([None, {"gate": {"runs": ["a", 'b"']}}])
        changes["review_result"] = chance.choice([None, {}, {"verdict": "approved"}])
        content = their_row(**changes)
        if chance.random() < 0.3:
            del content["review_result"]
    elif kind < 0.45:
        content = {chance.choice(["kind", "event_type", "type"]): "x", "at": 7, "payload": changes, "wp_id": None}
    else:
        content = row(**changes)
    if chance.random() < 0.3:
        content["parents"] = chance.choice([[], [ulid(1)], [ulid(1), "x"]])
    return content


def pairs_of(chance: Random, content: dict[str, Any]) -> list[tuple[str, str]]:
    as_ascii = chance.random() < 0.7
    pairs = [(key, json.dumps(value, ensure_ascii=as_ascii)) for key, value in content.items()]
    if chance.random() < 0.8:
        pairs.sort()
    else:
        chance.shuffle(pairs)
    return pairs


def written(chance: Random, pairs: list[tuple[str, str]]) -> bytes:
    comma, colon = chance.choice([(", ", ": "), (", ", ": "), (",", ":"), (" ,\t", "\r: ")])
    return ("{" + comma.join(f'"{key}"{colon}{value}' for key, value in pairs) + "}").encode("utf-8", "surrogatepass")


def sound_line(chance: Random) -> bytes:
    return written(chance, pairs_of(chance, sound_row(chance))) + b"\n"


def mistreated_line(chance: Random) -> bytes:
    pairs = pairs_of(chance, sound_row(chance))
    for _ in range(chance.choice([0, 1, 1, 2, 2, 3])):
        _mistreat_a_key(chance, pairs)
    line = written(chance, pairs)
    for _ in range(chance.choice([0, 0, 0, 1, 1, 2])):
        place = chance.randrange(len(line) + 1)
        line = line[:place] + chance.choice([b"", *BYTES]) + line[place + chance.choice([0, 0, 1, 2]) :]
    return chance.choice(STARTS) + line + chance.choice(ENDS)


def _mistreat_a_key(chance: Random, pairs: list[tuple[str, str]]) -> None:
    place = chance.randrange(len(pairs)) if pairs else 0
    what = chance.random()
    if what < 0.3 and pairs:
        del pairs[place]
    elif what < 0.5 and pairs:
        pairs.insert(chance.randrange(len(pairs) + 1), (pairs[place][0], chance.choice([pairs[place][1], *VALUES])))
    elif what < 0.7:
        pairs.insert(place, (chance.choice(NEW_KEYS), chance.choice(VALUES)))
    elif what < 0.85 and pairs:
        pairs[place] = (pairs[place][0], chance.choice(VALUES))
    else:
        instant = json.dumps(chance.choice(INSTANTS))
        pairs[:] = [(key, instant if key == "at" else value) for key, value in pairs]
