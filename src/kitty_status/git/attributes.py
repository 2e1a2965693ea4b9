"""The marked block that kitty-status keeps in `.gitattributes`, in `info/attributes` and in `.gitignore`.

Everything here is about bytes in and bytes out. What adding a block changes, removing it changes
back exactly, so the markers note what the file was like before.
"""

from __future__ import annotations

from kitty_status.git.log_paths import LOG_PATTERNS, SNAPSHOT_PATTERN, VIEW_PATTERNS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# For everybody, whether or not they have kitty-status: no line of a log is lost, and a snapshot
# conflicts plainly instead of being filled with conflict markers. Both are compared byte for byte,
# so git is to leave their line ends alone. A log has its attributes in either layout, so that none
# is without them on the day on which it is divided.
COMMITTED = (
    *(f"{pattern} merge=union -text" for pattern in LOG_PATTERNS),
    f"{SNAPSHOT_PATTERN} merge=binary -text",
)
# Where spec-kitty 3 has declared a driver of its own for logs, that stays: it keeps every line, too.
SPEC_KITTY_DRIVER = "spec-kitty-event-log"
BESIDE_SPEC_KITTY = tuple(rule.replace(" merge=union", "") if rule == COMMITTED[0] else rule for rule in COMMITTED)
# For one clone that has the drivers. This file beats the committed one, and covers branches without it.
LOCAL_LOGS = tuple(f"{pattern} merge=kitty-status-log -text" for pattern in LOG_PATTERNS)
# Views are people's text: their line ends are not ours to say anything about, and a clone without the drivers is to
# merge them as any other text.
LOCAL = (
    *LOCAL_LOGS,
    f"{SNAPSHOT_PATTERN} merge=kitty-status-snapshot -text",
    *(f"{pattern} merge=kitty-status-view" for pattern in VIEW_PATTERNS),
)
# What `.gitignore` says where snapshots are not committed.
IGNORED = (SNAPSHOT_PATTERN,)

_BEGIN = b"# kitty-status: begin (this block is kept by kitty-status"
_END = b"# kitty-status: end"
_PLAIN = b")"
_NO_FINAL_NEWLINE = b"; the line above had no newline)"
_NO_FILE = b"; there was no file)"


def committed_rules(content: bytes | None) -> tuple[str, ...]:
    """Return what the committed file is to declare, by what others have written into it."""
    others = remove_block(content) or b""
    declared = (line.split() for line in others.split(b"\n") if b"status.events.jsonl" in line and line[:1] != b"#")
    has_theirs = any(f"merge={SPEC_KITTY_DRIVER}".encode() in words[1:] for words in declared)
    return BESIDE_SPEC_KITTY if has_theirs else COMMITTED


def add_block(content: bytes | None, rules: Sequence[str]) -> bytes:
    """Return `content` with a block of these rules, at the end or in place of the block that it has.

    `content` is None where there is no file. Doing it twice changes nothing more.
    """
    span = _find(content or b"")
    if content is None or span is None:
        return _append(content, rules)
    begin, end = span
    marker = content[begin:end].split(b"\n", 1)[0]
    newline = b"\r\n" if marker.endswith(b"\r") else b"\n"
    return content[:begin] + _block(marker.removesuffix(b"\r"), rules, newline) + content[end:]


def remove_block(content: bytes | None) -> bytes | None:
    """Return `content` as it was before `add_block`, plus what others have written around the block since.

    None means that no file is to be left: there was none before, and nothing was added to ours.
    """
    span = _find(content or b"")
    if content is None or span is None:
        return content
    begin, end = span
    before, after = content[:begin], content[end:]
    marker = content[begin:end].split(b"\n", 1)[0]
    newline = b"\r\n" if marker.endswith(b"\r") else b"\n"
    marker = marker.removesuffix(b"\r")
    if marker.endswith(_NO_FILE) and not before and not after:
        return None
    if marker.endswith(_NO_FINAL_NEWLINE) and not after:
        return before.removesuffix(newline)
    return before + after


def has_block(content: bytes | None) -> bool:
    """Whether `content` holds a block of any version."""
    return _find(content or b"") is not None


def _append(content: bytes | None, rules: Sequence[str]) -> bytes:
    if content is None:
        return _block(_BEGIN + _NO_FILE, rules, b"\n")
    first, line_feed, _ = content.partition(b"\n")
    newline = b"\r\n" if line_feed and first.endswith(b"\r") else b"\n"
    if content and not content.endswith(b"\n"):
        return content + newline + _block(_BEGIN + _NO_FINAL_NEWLINE, rules, newline)
    return content + _block(_BEGIN + _PLAIN, rules, newline)


def _block(marker: bytes, rules: Sequence[str], newline: bytes) -> bytes:
    lines = (marker, *(rule.encode("ascii") for rule in rules), _END)
    return b"".join(line + newline for line in lines)


def _find(content: bytes) -> tuple[int, int] | None:
    """Return where the last whole block begins and ends, or None. A lone marker is somebody's comment."""
    found = None
    begin = None
    at = 0
    for line in content.split(b"\n"):
        end = min(at + len(line) + 1, len(content))
        text = line.removesuffix(b"\r")
        if text.startswith(_BEGIN):
            begin = at
        elif text == _END and begin is not None:
            found = (begin, end)
            begin = None
        at = end
    return found
