"""What the bytes behind the last LF of a log are: a line still being written, the rest of a crash, or damage.

A reader takes no lock, so it may see half of a line that somebody is writing at this moment; and a kill or a
power failure leaves the same half behind for good. Both are normal. Bytes that no line could begin with are not.

The question "could a line begin like this?" is put to the codec itself: the prefix is closed in the shortest way
(quotes, brackets, a 0 where a value is missing) and decoded. So the answer can never differ from what the codec
takes, duplicate keys, depth and length included.
"""

from __future__ import annotations

import codecs

from kitty_status.jsonl.codec import MAX_DEPTH, MAX_LINE_BYTES, LineDamagedError, decode

TAIL_NONE = "none"
TAIL_COMPLETE = "complete"
TAIL_CUT = "cut"
TAIL_DAMAGED = "damaged"

_BLANK = b" \t\r"
_QUOTE, _BACKSLASH = b'"\\'
_OPENING, _CLOSING, _SEPARATORS = b"{[", b"}]", b",:"
_TO_CLOSING = 2  # in ASCII a closing bracket stands two behind its opening one
_WORD = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."
_HEX = b"0123456789abcdefABCDEF"
_LITERALS = (b"true", b"false", b"null")
_ESCAPE_BYTES = 6  # \uXXXX
_FIRST_HALVES = (rb"\ud8", rb"\ud9", rb"\uda", rb"\udb")  # of a surrogate pair


def classify_tail(tail: bytes) -> str:
    r"""Return which of the four the bytes behind the last LF are. Never raises.

    - `TAIL_NONE`: nothing, or nothing but blanks (space, tab, CR), which carry no information.
    - `TAIL_COMPLETE`: a whole row; only its LF is missing.
    - `TAIL_CUT`: a line could begin like this. So could what a crash of the machine leaves: NUL bytes, alone or
      behind such a beginning, where the length had reached the disk and the contents had not.
    - `TAIL_DAMAGED`: no line begins like this.

    Every beginning of a line that `codec.encode` writes is `TAIL_CUT`. An escaped low surrogate that is itself cut
    (`\ude`) is accepted after anything, since nothing is lost by waiting for its end.
    """
    body = tail.rstrip(b"\0")
    if not body.strip(_BLANK):
        return TAIL_CUT if len(body) < len(tail) else TAIL_NONE
    if len(body) > MAX_LINE_BYTES:
        return TAIL_DAMAGED
    if _decodes(body):
        return TAIL_CUT if len(body) < len(tail) else TAIL_COMPLETE
    return TAIL_CUT if _can_continue(body) else TAIL_DAMAGED


def _decodes(line: bytes) -> bool:
    try:
        decode(line)
    except LineDamagedError:
        return False
    return True


def _can_continue(body: bytes) -> bool:
    awaited, last, string_start = _structure(body)
    if len(awaited) > MAX_DEPTH:
        return False
    in_object = awaited.endswith(b"}")
    in_key = in_object and last in b"{,"
    head = body
    if string_start >= 0:
        string = _close_string(body[string_start:])
        head = body[:string_start]
        if in_key:
            # A key that is cut may be any longer key, so it is tried alone: it must not meet its like in the object.
            if not _decodes(b"{" + string + b":0}"):
                return False
        else:
            head += string
    return _decodes(_complete_value(head.rstrip(_BLANK), in_object, in_key) + awaited[::-1])


def _structure(body: bytes) -> tuple[bytes, int, int]:
    """Return the closing brackets awaited, the last structural byte, and where an open string starts (or -1).

    Mistakes are passed over: the codec finds them afterwards.
    """
    awaited = bytearray()
    last = 0
    at = 0
    while at < len(body) and len(awaited) <= MAX_DEPTH:
        byte = body[at]
        if byte == _QUOTE:
            end = _string_end(body, at)
            if end < 0:
                return bytes(awaited), last, at
            at = end
        elif byte in _OPENING:
            awaited.append(byte + _TO_CLOSING)
            last = byte
        elif byte in _CLOSING:
            del awaited[-1:]
            last = byte
        elif byte in _SEPARATORS:
            last = byte
        at += 1
    return bytes(awaited), last, -1


def _string_end(body: bytes, start: int) -> int:
    end = body.find(b'"', start + 1)
    while end >= 0 and _is_escape(body, end - 1):
        end = body.find(b'"', end + 1)
    return end


def _is_escape(body: bytes, at: int) -> bool:
    """Say whether an escape begins at `at`: whether a backslash stands there that no other backslash escapes."""
    first = at
    while first >= 0 and body[first] == _BACKSLASH:
        first -= 1
    return (at - first) % 2 == 1


def _close_string(string: bytes) -> bytes:
    try:
        used = codecs.utf_8_decode(string, "strict", False)[1]  # not final: the last character may be cut
    except UnicodeDecodeError:
        return string + b'"'
    return _without_cut_escape(string[:used]) + b'"'


def _without_cut_escape(string: bytes) -> bytes:
    at = string.rfind(b"\\")
    if at >= 0 and _is_escape(string, at):
        escape = string[at:]
        if escape == b"\\" or (escape[1:2] == b"u" and len(escape) < _ESCAPE_BYTES and _is_hex(escape[2:])):
            string = string[:at]
    at = max(len(string) - _ESCAPE_BYTES, 0)
    if string[at : at + 4].lower() in _FIRST_HALVES and _is_escape(string, at) and _is_hex(string[at + 2 :]):
        return string[:at]
    return string


def _is_hex(digits: bytes) -> bool:
    return not digits.strip(_HEX)


def _complete_value(head: bytes, in_object: bool, in_key: bool) -> bytes:
    if head.endswith(b",") and in_object:
        before = head[:-1].rstrip(_BLANK)
        return head if before.endswith(b"{") else before
    if head.endswith((b",", b":")):
        return head + b"0"
    if head.endswith(b'"') and in_key:
        return head + b":0"
    stem = head.rstrip(_WORD)
    word = head[len(stem) :]
    if word and any(literal.startswith(word) for literal in _LITERALS):
        return stem + b"0"
    if word.endswith((b"-", b"+", b".", b"e", b"E")):
        return head + b"0"
    return head
