"""The configuration: read without a YAML library where it is plain, with the same meaning where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from kitty_status.errors import ConfigurationError
from kitty_status.git.configuration_keys import CONFIG_PATH
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.tracker.config import DEFAULTS, Config, _plain_section, load_config
from kitty_status.version import __version__

VALUES = [
    "auto",
    "nine-lane",
    '"nine-lane"',
    "'nine-lane'",
    "'nine-lane' # why",
    "nine-lane # why",
    "nine-lane#",
    "nine-lane ",
    "  nine-lane",
    '"nine\\x2dlane"',
    "'nine''lane'",
    "nine-lane:",
    "&a nine-lane",
    "!!str nine-lane",
    "|\n    nine-lane",
    ">-\n    nine-lane",
    "nine\n    lane",
    "[nine-lane]",
    "{a: b}",
    "*a",
    "",
    "~",
    "null",
    "-",
    "01",
    "0x1",
    "1",
    "1.0",
    "1_0",
    ">=0.1",
    '">=0.1"',
    "2026-01-01",
    "12:30",
    "nine-lane\r",
    "\tnine-lane",
    "nine-lane\t# tab",
    "%a",
    "@a",
    "`a`",
    "? a",
    "'a",
    "a'",
    '"',
]
FRAMES = [
    "status:\n  lanes: {}\n",
    "status:\n  lanes: {}",
    "# first\nother:\n  status: 1\nstatus: # here\n\n  # inside\n  lanes: {}\n  phase: 2\nmore: 1\n",
    "status:\n    lanes: {}\n",
    'other: "text"\nlist:\n  - status: 1\nstatus:\n  lanes: {}\n',
]
DOCUMENTS = [
    "",
    "# status\n",
    "other: 1\n",
    "status:\n",
    "status: {}\n",
    "status: {lanes: nine-lane, phase: 1}\n",
    '"status":\n  lanes: nine-lane\n',
    "'status': {lanes: nine-lane}\n",
    "status :\n  lanes: nine-lane\n",
    "? status\n: lanes: nine-lane\n",
    "{status: {lanes: nine-lane}}\n",
    "base: &base\n  lanes: nine-lane\nstatus: *base\n",
    "base: &base\n  lanes: nine-lane\nstatus:\n  <<: *base\n  phase: 1\n",
    "status: &own\n  lanes: nine-lane\n",
    "statuses:\n  lanes: nine-lane\n",
    "status-page:\n  lanes: nine-lane\nstatus:\n  lanes: seven-lane\n",
    "status:\nlanes: nine-lane\n",
    "status:\n  lanes: nine-lane\n  lanes: seven-lane\n",
    "status:\n  lanes: nine-lane\nstatus:\n  lanes: seven-lane\n",
    "status:\n  lanes: nine-lane\n   phase: 1\n",
    "status:\n  lanes: nine-lane\n phase: 1\n",
    "status:\n  - lanes\n",
    "status:\n  - lanes: nine-lane\n",
    "status: text\n",
    "status: 5\n",
    "- status\n",
    "text: |\n  status:\n    lanes: nine-lane\n",
    "---\nstatus:\n  lanes: nine-lane\n",
    "%YAML 1.1\n---\nstatus:\n  lanes: nine-lane\n",
    "status:\n  lanes: nine-lane\n...\n",
    "status:\n  lanes: nine-lane\n---\nstatus:\n  lanes: seven-lane\n",
    "status:\r\n  lanes: nine-lane\r\n  phase: 1\r\n",
    "status:\n\tlanes: nine-lane\n",
    "\ufeffstatus:\n  lanes: nine-lane\n",
    "status:\n  lanes: nine-lane\n\n\n  phase: 1\n# end",
    "status:\n  lanes : nine-lane\n",
    "status:\n  'lanes': nine-lane\n",
    "status:\n  lanes:nine-lane\n",
    "status: !own {lanes: nine-lane}\n",
    "when: 2026-99-99\nstatus: {lanes: nine-lane}\n",
    DEFAULTS,
]


def texts() -> list[str]:
    return DOCUMENTS + [frame.replace("{}", value) for frame in FRAMES for value in VALUES]


def with_config(root: Path, text: str | bytes) -> Path:
    path = root / CONFIG_PATH
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(root: Path, text: str | bytes) -> Config:
    with_config(root, text)
    return load_config(root)


def refusal(root: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(root, text)
    assert caught.value.hint
    return caught.value.message


def by_the_library(text: str) -> dict[str, str] | None:
    """Return the section as ruamel.yaml reads it; None where it reads none or the document is not valid."""
    try:
        document = YAML(typ="rt").load(text)
    except (YAMLError, ValueError):
        return None
    section = document.get("status") if isinstance(document, dict) else None
    section = {} if section is None else section
    if not isinstance(section, dict):
        return None
    return {str(key): "null" if value is None else str(value) for key, value in section.items()}


def test_the_plain_reader_never_answers_otherwise_than_the_library() -> None:
    plain = 0
    for text in texts():
        found = _plain_section(text)
        if found is not None:
            plain += 1
            assert {key: value for key, (value, _) in found.items()} == by_the_library(text), text
    assert plain > 25


def test_every_text_is_read_or_refused_in_words(tmp_path: Path) -> None:
    outcomes: set[object] = set()
    for text in texts():
        try:
            outcomes.add(read(tmp_path, text).profile)
        except ConfigurationError:
            outcomes.add("refused")
            assert str(tmp_path / CONFIG_PATH) in refusal(tmp_path, text)
    assert outcomes == {None, SEVEN_LANE, NINE_LANE, "refused"}


def test_what_init_writes_is_read_without_the_library() -> None:
    assert _plain_section(DEFAULTS) == {"lanes": ("auto", 3), "snapshot": ("auto", 5)}


def test_without_a_file_or_a_section_the_defaults_hold(tmp_path: Path) -> None:
    for text in (None, "other: 1\n", ""):
        config = load_config(tmp_path) if text is None else read(tmp_path, text)
        assert (config.profile, config.snapshot, config.requires) == (None, "auto", "")


@pytest.mark.parametrize(
    "text", ["status:\n  lanes: nine-lane\n  phase: 2\n", "status: {lanes: nine-lane, phase: 2}\n"]
)
def test_the_values_of_a_section_arrive(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).profile is NINE_LANE


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("# c\nstatus:\n  lanes: auto\n  colour: red\n", ":4: unknown key status.colour"),
        ("# c\nstatus: {lanes: auto,\n  colour: red}\n", ":3: unknown key status.colour"),
        ("status:\n  lanes: six-lane\n", ":2: status.lanes is 'six-lane'"),
        ("status: {snapshot: theirs}\n", ":1: status.snapshot is 'theirs'"),
        ('status:\n  requires: "0.1"\n', ":2: status.requires is '0.1'"),
        ('status:\n  requires: ">=new"\n', ":2: status.requires is '>=new'"),
        ('status:\n  requires: ">=²"\n', ":2: status.requires is '>=\\xb2'"),
        ("base: &b\n  colour: red\nstatus:\n  <<: *b\n", ": unknown key status.colour"),
    ],
)
def test_what_is_not_understood_is_refused_with_file_and_line(tmp_path: Path, text: str, place: str) -> None:
    assert place in refusal(tmp_path, text)
    assert refusal(tmp_path, text).startswith(str(tmp_path / CONFIG_PATH))


@pytest.mark.parametrize("text", ["status:\n  - lanes\n", "status: text\n", "status: 5\n"])
def test_a_section_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert "status is no mapping" in refusal(tmp_path, text)


def test_an_unquoted_requirement_is_refused_because_yaml_reads_it_as_a_block(tmp_path: Path) -> None:
    assert "block scalar" in refusal(tmp_path, "status:\n  requires: >=0.1\n")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert str(tmp_path / CONFIG_PATH) in refusal(tmp_path, b"status: \xff\n")
    (tmp_path / CONFIG_PATH).unlink()
    (tmp_path / CONFIG_PATH).mkdir()
    with pytest.raises(ConfigurationError):
        load_config(tmp_path)


def test_a_file_in_the_place_of_the_folder_counts_as_no_configuration(tmp_path: Path) -> None:
    (tmp_path / ".kittify").write_text("a file")
    assert load_config(tmp_path).requires == ""


@pytest.mark.parametrize("wanted", ["0", "0.0.9", __version__, f" {__version__}"])
def test_a_version_that_is_new_enough_may_write(tmp_path: Path, wanted: str) -> None:
    config = read(tmp_path, f'status:\n  requires: ">={wanted}"\n')
    config.check_may_write()
    assert config.requires == f">={wanted}"


def test_an_older_version_may_read_and_not_write(tmp_path: Path) -> None:
    config = read(tmp_path, 'status:\n  requires: ">=99.0"\n')
    with pytest.raises(ConfigurationError, match=rf"asks for kitty-status >=99\.0, and this is {__version__}"):
        config.check_may_write()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("status: [\n  lanes: x\n", ": it is no YAML: while parsing a flow"),
        ("status:\n  lanes: *x\n", ":2: it is no YAML: found undefined alias"),
        ("status:\n  lanes: {}\n  x: \0\n", ": it is no YAML: unacceptable character #x0000"),
    ],
)
def test_what_is_no_yaml_is_named_in_one_sentence_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    message = refusal(tmp_path, text)
    assert said in message.partition(CONFIG_PATH)[2]
    assert "\n" not in message
