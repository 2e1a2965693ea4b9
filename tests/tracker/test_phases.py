"""Which phase a feature is in: by its meta.json, else by the configuration, else by default."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from kitty_status.git.configuration_keys import CONFIG_PATH
from kitty_status.tracker.config import Config, load_config
from kitty_status.tracker.features import Feature, feature_at
from kitty_status.tracker.meta import MAX_META_BYTES, META_FILENAME
from kitty_status.tracker.phases import BY_DEFAULT, phase_of

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.tracker.phases import Phase

BY_META = "meta.json of the feature"
IN_CONFIG = f"{CONFIG_PATH}:2"


@pytest.fixture
def feature(tmp_path: Path) -> Feature:
    folder = tmp_path / "kitty-specs" / "034-login"
    folder.mkdir(parents=True)
    return feature_at(folder)


def phase(feature: Feature, meta: str | bytes | None = None, config: str | None = None) -> Phase:
    if meta is not None:
        (feature.folder / META_FILENAME).write_bytes(meta.encode() if isinstance(meta, str) else meta)
    if config is None:
        return phase_of(feature, Config())
    path = feature.root / CONFIG_PATH
    path.parent.mkdir(exist_ok=True)
    path.write_text(config)
    return phase_of(feature, load_config(feature.root))


def test_where_nothing_says_anything_the_phase_is_one(feature: Feature) -> None:
    assert phase(feature) == (1, BY_DEFAULT, [])
    assert phase(feature, '{"mission_slug": "034-login"}', "status:\n  lanes: auto\n") == (1, BY_DEFAULT, [])


@pytest.mark.parametrize("spelling", ["{}", '"{}"', "{} # why", "!!int {}"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_configuration_says_it_for_all_features(feature: Feature, number: int, spelling: str) -> None:
    text = f"status:\n  phase: {spelling.format(number)}\n"
    assert phase(feature, config=text) == (number, IN_CONFIG, [])
    assert phase(feature, config=f"# c\nstatus: {{lanes: auto,\n  phase: {number}}}\n") == (
        number,
        f"{CONFIG_PATH}:3",
        [],
    )


@pytest.mark.parametrize("spelling", ["{}", '"{}"', ' {},\n"other": [null] '])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_feature_says_it_for_itself(feature: Feature, number: int, spelling: str) -> None:
    meta = f'\n{{"status_phase": {spelling.format(number)}}}\r\n'
    assert phase(feature, meta, f"status:\n  phase: {2 - number}\n") == (number, BY_META, [])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("3", "3"),
        ("-1", "-1"),
        ("1.0", "1.0"),
        ("1e0", "1.0"),
        ('"1.5"', "'1.5'"),
        ('"02"', "'02'"),
        ('" 2"', "' 2'"),
        ('"\\u0662"', "'\\u0662'"),
        ('""', "''"),
        ("true", "true"),
        ("false", "false"),
        ("null", "null"),
        ("[]", "a list"),
        ("[2]", "a list"),
        ("{}", "an object"),
        ('"\\u001b[2J"', "'\\x1b[2J'"),
        ("9" * 50, "9" * 40 + "..."),
    ],
)
def test_what_is_no_phase_in_meta_json_is_warned_of_and_passed_over(feature: Feature, value: str, shown: str) -> None:
    found = phase(feature, f'{{"status_phase": {value}}}', "status:\n  phase: 2\n")
    assert found[:2] == (2, IN_CONFIG)
    (warning,) = found.warnings
    assert warning.endswith(f"meta.json: status_phase is {shown}, which is no phase (0, 1 or 2), and was passed over")


@pytest.mark.parametrize(
    ("meta", "why"),
    [
        (b"", "does not begin with a JSON value"),
        (b"{", "no JSON"),
        (b"null", "holds a JSON null, not an object"),
        (b"[2]", "holds a JSON array, not an object"),
        (b'{"status_phase": 2, "status_phase": 0}', "the key 'status_phase' stands twice"),
        (b'{"status_phase": 2} {}', "more stands after"),
        (b'{"a": NaN, "status_phase": 2}', "NaN is not a JSON value"),
        (b'{"a": "\xff"}', "is not UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"<<<<<<< ours\n", "conflict marker"),
        (b'{"a": ' + b"[" * 100_000, "nested deeper than 32"),
        (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "nested deeper than 32"),
        (b'{"a": ' + b"9" * 5000 + b"}", "digits"),
        (b'{"a": "' + b"x" * MAX_META_BYTES + b'"}', "longer than 1024 KiB"),
    ],
)
def test_a_meta_json_that_cannot_be_read_is_warned_of_and_passed_over(feature: Feature, meta: bytes, why: str) -> None:
    found = phase(feature, meta, "status:\n  phase: 0\n")
    assert found[:2] == (0, IN_CONFIG)
    (warning,) = found.warnings
    assert why in warning
    assert META_FILENAME in warning


def test_a_meta_json_that_is_no_regular_file_is_not_opened(feature: Feature, tmp_path: Path) -> None:
    path = feature.folder / META_FILENAME
    (tmp_path / "other").write_text('{"status_phase": 2}')
    path.symlink_to(tmp_path / "other")
    assert "is a symbolic link" in phase(feature).warnings[0]
    path.unlink()
    path.mkdir()
    assert "is not a regular file" in phase(feature).warnings[0]
    path.rmdir()
    os.mkfifo(path)
    assert "is not a regular file" in phase(feature).warnings[0]
    assert phase(feature)[:2] == (1, BY_DEFAULT)


def test_a_meta_json_that_the_system_does_not_open_is_warned_of(
    feature: Feature, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("kitty_status.tracker.meta.open_log", refuse)
    found = phase(feature)
    assert found[:2] == (1, BY_DEFAULT)
    assert found.warnings[0].endswith("meta.json: Permission denied; its status_phase was passed over")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("3", "'3'"),
        ("-1", "'-1'"),
        ("1.5", "'1.5'"),
        ("2.0", "'2.0'"),
        ("true", "'true'"),
        ("null", "'null'"),
        ("", "'null'"),
        ("~", "'null'"),
        ("[]", "'list'"),
        ("{a: 1}", "'dict'"),
        ("two", "'two'"),
        ("auto", "'auto'"),
        ("x" * 50, "'" + "x" * 39 + "..."),
        ("0x" + "f" * 5000, "'0x" + "f" * 37 + "..."),
        ("9" * 50, "'" + "9" * 39 + "..."),
    ],
)
def test_what_is_no_phase_in_the_configuration_is_warned_of_and_passed_over(
    feature: Feature, value: str, shown: str
) -> None:
    found = phase(feature, config=f"status:\n  phase: {value}\n")
    assert found[:2] == (1, BY_DEFAULT)
    assert found.warnings == [
        f"{CONFIG_PATH}:2: status.phase is {shown}, which is no phase (0, 1 or 2), and was passed over"
    ]


def test_both_may_be_passed_over_and_both_are_named(feature: Feature) -> None:
    found = phase(feature, '{"status_phase": 3}', "status:\n  phase: 4\n")
    assert found[:2] == (1, BY_DEFAULT)
    assert [META_FILENAME in each for each in found.warnings] == [True, False]


def test_a_configuration_that_is_not_asked_is_not_warned_of(feature: Feature) -> None:
    assert phase(feature, '{"status_phase": 0}', "status:\n  phase: 4\n") == (0, BY_META, [])


@pytest.mark.parametrize(("number", "keeps_log", "is_error"), [(0, False, False), (1, True, False), (2, True, True)])
def test_what_a_phase_means_for_log_and_views(feature: Feature, number: int, keeps_log: bool, is_error: bool) -> None:
    found = phase(feature, f'{{"status_phase": {number}}}')
    assert (found.keeps_log, found.drift_is_error) == (keeps_log, is_error)
