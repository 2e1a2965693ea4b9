"""YAML blocks so plain that no library is needed to know what they say: most of those that people and tools write.

An unindented key to a line; below a key without a value a list of words, or of mappings that are as plain. Every line
stands for itself, so none can hold an anchor, an alias, a tag, or a text that goes on in the next. Whatever goes
beyond is for the library to judge; what is accepted here, the library reads alike.
"""

from __future__ import annotations

# What no unquoted text of YAML begins with is left out, and what begins something else.
_MAY_BEGIN = frozenset("_/.(")
_IN_A_LIST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
_IN_A_KEY = _IN_A_LIST - {"."}
_NO_TEXT = frozenset({"null", "Null", "NULL"})
_LONGEST_KEY = 128


class _NotPlainError(ValueError):
    """It takes the library to read this."""


def keys_of_plain_block(block: bytes) -> dict[str, str] | None:
    """Return the outermost keys of a plain block with the text behind each, without quotes; None for any other block.

    Where no text stands behind a key, it is "".
    """
    reader = _Reader()
    try:
        for line in block.decode("utf-8").split("\n"):
            reader.take(line.removesuffix("\r"))
    except (UnicodeDecodeError, _NotPlainError):
        return None
    return reader.keys


class _Reader:
    """Takes the lines of a block, one after the other."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}
        self._may_list = False
        self._indent: int | None = None
        self._item: set[str] | None = None

    def take(self, line: str) -> None:
        """Take one line; raise if it is not plain."""
        content = line.lstrip(" ")
        if not line.isprintable():
            raise _NotPlainError
        if not content or content.startswith("#"):
            return
        indent = len(line) - len(content)
        if content.startswith("- "):
            self._take_item(indent, content[2:])
        elif indent:
            if self._item is None or self._indent is None or indent != self._indent + 2:
                raise _NotPlainError
            self._take_key_of_item(content)
        else:
            name, value = _key_and_value(content)
            if name in self.keys:
                raise _NotPlainError
            self.keys[name] = value
            self._may_list = not content.partition(":")[2].partition(" #")[0].strip()
            self._indent = self._item = None

    def _take_item(self, indent: int, content: str) -> None:
        if not self._may_list or self._indent not in (None, indent) or content[:1] in ("", " ", "#"):
            raise _NotPlainError
        self._indent = indent
        self._item = None
        name, colon, rest = content.partition(":")
        if colon and _IN_A_KEY.issuperset(name) and rest[:1] in ("", " "):
            self._item = set()
            self._take_key_of_item(content)
        else:
            _text(content)

    def _take_key_of_item(self, content: str) -> None:
        name, _ = _key_and_value(content)
        if self._item is None or name in self._item:
            raise _NotPlainError
        self._item.add(name)


def _key_and_value(content: str) -> tuple[str, str]:
    name, colon, rest = content.partition(":")
    is_key = name[:1].isalpha() and _IN_A_KEY.issuperset(name) and name not in _NO_TEXT and len(name) <= _LONGEST_KEY
    if not (is_key and colon and rest[:1] in ("", " ")):
        raise _NotPlainError
    value = rest.strip(" ")
    return name, "" if not value or value.startswith("#") else _text(value)


def _text(value: str) -> str:
    """Return the text of a word, of a word in quotes, or of a list in brackets."""
    first = value[0]
    if first in "\"'[":
        end = value.find("]" if first == "[" else first, 1)
        body, behind = value[1:end], value[end + 1 :]
        if end < 0 or (behind and not behind.startswith(" ")) or behind.strip(" ")[:1] not in ("", "#"):
            raise _NotPlainError
        if first == "[":
            return _listed(body)
        if first == '"' and "\\" in body:
            raise _NotPlainError
        return body
    text = value.partition(" #")[0].rstrip(" ")
    if not (first.isalnum() or first in _MAY_BEGIN) or ": " in text or text.endswith(":"):
        raise _NotPlainError
    return text


def _listed(body: str) -> str:
    for each in body.split(",") if body.strip(" ") else ():
        word = each.strip(" ")
        if word[:1] in ("'", '"') and len(word) > 1 and word.endswith(word[0]):
            word = word[1:-1]
        if not word[:1].isalnum() or not _IN_A_LIST.issuperset(word):
            raise _NotPlainError
    return f"[{body}]"
