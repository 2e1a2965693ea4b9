"""The YAML block at the top of a work package's file: read as a person wrote it, changed in one value only.

A lane is written by putting the new word in the old one's place among the bytes, so comments, the order of keys,
quotes and line ends survive. What comes out is read again before it is handed out: nothing but the lane may differ.

A file comes from whoever can push to the repository. So the block may be 64 KiB at most, and what could make it mean
more than it says is refused: anchors, aliases, merge keys, tags, directives, repeated keys, deep nesting.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kitty_status.errors import WorkPackageFileError
from kitty_status.jsonl.codec import CONFLICT_MARKERS
from kitty_status.status.view_text import block_span

if TYPE_CHECKING:
    from typing import TypeAlias

    # A scalar is the text that stands in the file, None where nothing stands there.
    Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"

MAX_BYTES = 64 * 1024
_MAX_DEPTH = 20
_LANE = "lane"
_MARKERS = tuple(marker.decode("ascii") for marker in CONFLICT_MARKERS)
_CORRECT = "correct the frontmatter; nothing was written"
_RESOLVE = "take out one side and the markers; where a log says the lane, `kitty-status resolve` does that"
_REFUSED_TOKENS = {
    "AnchorToken": "an anchor (`&`)",
    "AliasToken": "an alias (`*`)",
    "TagToken": "a tag (`!`)",
    "DirectiveToken": "a directive (`%`)",
}


class Frontmatter:
    """The block of one file. `values` are its keys; every scalar is text, as it stands there."""

    __slots__ = ("_end", "_file", "_lane_at", "_start", "_where", "values")

    def __init__(self, file: bytes, where: str, start: int, end: int) -> None:
        self._file = file
        self._where = where
        self._start = start
        self._end = end
        self.values, self._lane_at = _Reader(where, file.count(b"\n", 0, start)).read(file[start:end])

    @property
    def lane(self) -> str | None:
        """The lane that the file says, None where it says none."""
        value = self.values.get(_LANE)
        return value if isinstance(value, str) else None

    @property
    def lane_line(self) -> int:
        """The line of the file on which the lane stands; that of the block's end where it says none."""
        at = self._end if self._lane_at is None else self._start + self._lane_at[0]
        return self._file.count(b"\n", 0, at) + 1

    def with_lane(self, lane: str) -> bytes:
        """Return the whole file with another lane; a file that had none gets the key at the end of its block.

        Raises:
            WorkPackageFileError: the lane is no plain word there, or cannot be put in without changing anything else.
        """
        block = self._file[self._start : self._end]
        if self._lane_at is None:
            newline = b"\r\n" if b"\r\n" in self._file[: self._end] else b"\n"
            changed = block + (b"" if block.endswith(b"\n") or not block else newline)
            changed += f"{_LANE}: {lane}".encode("ascii") + newline
        else:
            first, last = self._lane_at
            old = block[first:last]
            quote = old[:1] if old[:1] in (b'"', b"'") and len(old) > 1 else b""
            space = b"" if old or block[first - 1 : first] in (b" ", b"\t") else b" "
            changed = block[:first] + space + quote + lane.encode("ascii") + quote + block[last:]
        result = self._file[: self._start] + changed + self._file[self._end :]
        again = parse(result, self._where)
        if again is None or again.values != {**self.values, _LANE: lane}:
            raise WorkPackageFileError(
                f"{self._where}: the lane cannot be written without changing more than it",
                hint=f"write the line `{_LANE}: {lane}` by hand",
                file=self._where,
            )
        return result


def parse(file: bytes, where: str) -> Frontmatter | None:
    """Return the block of a file whose path is `where`, None where it has none.

    Raises:
        WorkPackageFileError: the block is too large, no YAML mapping, or holds what is refused; it names the line.
    """
    span = check_size(file, where)
    return None if span is None else Frontmatter(file, where, *span)


def check_size(file: bytes, where: str) -> tuple[int, int] | None:
    """Return where the block of a file whose path is `where` begins and ends, None where it has none.

    Raises:
        WorkPackageFileError: the block is too large, or has no end.
    """
    span = block_span(file)
    if span is None:
        return None
    start, end = span
    if end < 0:
        hint = "close it with a line `---`"
        raise WorkPackageFileError(f"{where}:1: the frontmatter has no end", hint=hint, file=where, line=1)
    if end - start > MAX_BYTES:
        raise WorkPackageFileError(
            f"{where}:1: the frontmatter has {end - start} bytes, and at most {MAX_BYTES} are read",
            hint="move what is long into the text below it",
            file=where,
            line=1,
        )
    return span


class _Reader:
    """Reads one block, and says of what it refuses on which line of the file it stands."""

    def __init__(self, where: str, lines_before: int) -> None:
        self._where = where
        self._lines_before = lines_before

    def read(self, block: bytes) -> tuple[dict[str, Value], tuple[int, int] | None]:
        """Return the values of a block, and from which byte to which the lane stands in it."""
        try:
            text = block.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._refused(f"the frontmatter is not UTF-8 ({error.reason})") from error
        node = self._compose(text)
        if node is None:
            return {}, None
        if not hasattr(node, "flow_style") or not str(node.tag).endswith(":map"):
            raise self._refused("the frontmatter is no mapping of keys to values", node.start_mark)
        values = self._mapping(node, 0)
        key, lane = next(((key, value) for key, value in node.value if key.value == _LANE), (None, None))
        if key is None or lane is None:
            if node.flow_style:
                raise self._refused("the frontmatter is written in braces, where no lane can be added", node.start_mark)
            return values, None
        first, last = lane.start_mark.index, lane.end_mark.index
        if first == last:
            # A value that is not there is marked where the next thing begins.
            first = last = text.index(":", key.end_mark.index) + 1
        if not isinstance(values[_LANE], str | None) or "\n" in text[first:last].rstrip():
            raise self._refused("the lane is no plain word", lane.start_mark)
        first_byte = len(text[:first].encode("utf-8"))
        return values, (first_byte, first_byte + len(text[first:last].encode("utf-8")))

    def _compose(self, text: str) -> Any:
        # Loaded by name: a file whose lane stays as it is pays nothing for the library.
        yaml: Any = import_module("ruamel.yaml")
        try:
            for token in yaml.YAML(pure=True).scan(text):
                what = _REFUSED_TOKENS.get(type(token).__name__)
                if what:
                    raise self._refused(f"the frontmatter holds {what}", token.start_mark)
            return yaml.YAML(pure=True).compose(text)
        except yaml.error.MarkedYAMLError as error:
            if any(line.startswith(_MARKERS) for line in text.splitlines()):
                raise self._refused("git left a conflict in the frontmatter", error.problem_mark, _RESOLVE) from error
            raise self._refused(f"the frontmatter is no YAML: {error.problem}", error.problem_mark) from error
        except (yaml.error.YAMLError, ValueError, RecursionError) as error:
            raise self._refused(f"the frontmatter is no YAML: {str(error).splitlines()[0]}") from error

    def _refused(self, why: str, mark: Any = None, hint: str = _CORRECT) -> WorkPackageFileError:
        line = self._lines_before + 1 + (mark.line if mark is not None else 0)
        return WorkPackageFileError(f"{self._where}:{line}: {why}", hint=hint, file=self._where, line=line)

    def _mapping(self, node: Any, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for key, value in node.value:
            name = self._plain(key, depth + 1)
            if not isinstance(name, str):
                raise self._refused("a key is no plain text", key.start_mark)
            if name == "<<":
                raise self._refused("the frontmatter holds a merge key (`<<`)", key.start_mark)
            if name in found:
                raise self._refused(f"the key {name} stands there twice", key.start_mark)
            found[name] = self._plain(value, depth + 1)
        return found

    def _plain(self, node: Any, depth: int) -> Value:
        if depth > _MAX_DEPTH:
            raise self._refused("the frontmatter is nested too deeply", node.start_mark)
        if isinstance(node.value, str):
            is_nothing = node.style is None and str(node.tag).endswith(":null")
            return None if is_nothing else node.value
        if str(node.tag).endswith(":map"):
            return self._mapping(node, depth)
        return [self._plain(each, depth + 1) for each in node.value]
