"""Instants: one meaning for every ISO 8601 spelling with a zone, and one spelling to write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitty_status.status.instants import (
    BEGINNING_OF_TIME,
    format_instant,
    hours_between,
    microsecond_after,
    parse_instant,
)

NOON = datetime(2026, 3, 4, 12, 5, 6, tzinfo=UTC)
_decode = msgspec.json.Decoder(datetime).decode


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-04T12:05:06Z",
        "2026-03-04T12:05:06z",
        "2026-03-04t12:05:06z",
        "2026-03-04 12:05:06Z",
        "2026-03-04T12:05:06+00:00",
        "2026-03-04T12:05:06-00:00",
        "2026-03-04T12:05:06+0000",
        "2026-03-04T12:05:06+00",
        "2026-03-04T14:05:06+02:00",
        "2026-03-04T06:35:06-05:30",
        "2026-03-05T12:04:06+23:59",
        "20260304T120506Z",
        "2026-W10-3T12:05:06Z",
        "2026-03-04T12:05:06.000000+00:00",
        "2026-03-04T12:05:06.0Z",
    ],
)
def test_every_spelling_of_an_instant_means_the_same(text: str) -> None:
    assert parse_instant(text) == NOON


@pytest.mark.parametrize(
    ("fraction", "microseconds"),
    [
        (".1", 100_000),
        (",1", 100_000),
        (".12", 120_000),
        (".123", 123_000),
        (".1234", 123_400),
        (".12345", 123_450),
        (".123456", 123_456),
        (".1234564", 123_456),
        (".1234565", 123_457),
        (",1234565", 123_457),
        (".12345649", 123_456),
        (".12345650", 123_457),
        (".123456499", 123_456),
        (".123456500", 123_457),
        (".999999499", 999_999),
        (".999999500", 1_000_000),
        (".000000500", 1),
    ],
)
def test_a_fraction_of_any_length_is_rounded_half_up_to_a_microsecond(fraction: str, microseconds: int) -> None:
    for zone in ("Z", "+00:00", "z"):
        assert parse_instant(f"2026-03-04T12:05:06{fraction}{zone}") == NOON + timedelta(microseconds=microseconds)


def test_a_spelling_that_is_as_long_as_our_own_is_rounded_all_the_same() -> None:
    assert parse_instant("2026-03-04T120506.12345678+00:00") == NOON + timedelta(microseconds=123_457)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-03-04",
        "2026-03-04T12:05:06",
        "2026-03-04T12:05:06.123456",
        "2026-03-04T25:00:00Z",
        "2026-03-04T12:60:00Z",
        "2026-03-04T12:05:61Z",
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "9999-12-31T23:59:59.9999995Z",
        "2026-03-04T12:05:06+24:00",
        "2026-03-04T12:05:06 UTC",
        "1772625906",
        "2026-03-04T12:05:06.000000+00:00 ",
        "XXXX-03-04T12:05:06.000000+00:00",
        "\u0662\u0660\u0662\u0666-03-04T12:05:06Z",
    ],
)
def test_what_names_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("yesterday", "'yesterday' is no ISO 8601 instant"),
        ("2026-13-04T12:05:06Z", "'2026-13-04T12:05:06Z' is no ISO 8601 instant: month must be in 1..12"),
        ("2026-03-04T12:61:06.000000+00:00", "instant: minute must be in 0..59"),
    ],
)
def test_what_is_wrong_is_said_of_the_text_as_it_was_given(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"{words}$"):
        parse_instant(text)


def test_the_hour_24_is_refused() -> None:
    with pytest.raises(ValueError, match="hour"):
        parse_instant("2026-03-04T24:00:00Z")


def test_a_missing_zone_is_named_as_the_reason() -> None:
    with pytest.raises(ValueError, match="names no time zone"):
        parse_instant("2026-03-04T12:05:06")


def test_instants_compare_as_time_where_their_spellings_would_not() -> None:
    early, late = "2026-03-04T19:05:48Z", "2026-03-04T19:05:48.300166+00:00"
    assert late < early
    assert parse_instant(early) < parse_instant(late)


_ZONES = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_MOMENTS = st.datetimes(
    min_value=BEGINNING_OF_TIME.replace(year=2, tzinfo=None),
    max_value=NOON.replace(year=9998, tzinfo=None),
    timezones=_ZONES,
)


@settings(max_examples=500)
@given(_MOMENTS)
def test_what_is_written_reads_back_as_the_same_instant(moment: datetime) -> None:
    text = format_instant(moment)
    assert parse_instant(text) == moment
    assert len(text) == 32
    assert text[10] == "T"
    assert text.endswith("+00:00")
    assert format_instant(parse_instant(text)) == text


@settings(max_examples=500)
@given(_MOMENTS, _MOMENTS)
def test_instants_as_we_write_them_sort_as_text_in_their_order(one: datetime, other: datetime) -> None:
    assert (format_instant(one) < format_instant(other)) == (one < other)


@settings(max_examples=2000)
@given(_MOMENTS, st.text("0123456789", max_size=9), st.sampled_from(["Z", "z", "+00:00", "own"]), st.booleans())
def test_rfc_3339_texts_mean_what_msgspec_reads(moment: datetime, fraction: str, zone: str, lower: bool) -> None:
    own = moment.replace(microsecond=0).isoformat()
    text = (own[:19] if fraction == "" else f"{own[:19]}.{fraction}") + (own[19:] if zone == "own" else zone)
    text = text.lower() if lower else text
    assert parse_instant(text) == _decode(f'"{text}"'.encode())


def test_the_next_instant_is_a_microsecond_later() -> None:
    assert microsecond_after(NOON) == NOON + timedelta(microseconds=1)


def test_the_calendar_ends() -> None:
    with pytest.raises(ValueError, match="last instant of the calendar"):
        microsecond_after(datetime.max.replace(tzinfo=UTC))


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_an_instant_whose_year_in_utc_is_outside_the_calendar_cannot_be_written(text: str) -> None:
    with pytest.raises(ValueError, match="beyond the calendar"):
        format_instant(parse_instant(text))


def test_nothing_that_can_be_written_lies_before_the_beginning_of_time() -> None:
    assert format_instant(BEGINNING_OF_TIME) == "0001-01-01T00:00:00.000000+00:00"


def test_hours_between_two_instants_are_counted_with_their_sign() -> None:
    assert hours_between(NOON, NOON + timedelta(minutes=90)) == 1.5
    assert hours_between(NOON + timedelta(days=1), NOON) == -24
