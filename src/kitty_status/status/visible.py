"""Text from files that anybody may have written, as a terminal may be given it.

The hooks use this too: nothing is loaded.
"""

from __future__ import annotations

# Characters that move the cursor, hide or reorder text, or stand for nothing: from, to. Those that only join letters
# and emoji, and the format characters of scripts that draw them, are none.
_INVISIBLE = (
    (0x00, 0x1F),
    (0x7F, 0x9F),
    (0xAD, 0xAD),
    (0x061C, 0x061C),
    (0x180E, 0x180E),
    (0x200B, 0x200B),
    (0x200E, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0xD800, 0xDFFF),
    (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB),
    (0xE0000, 0xE007F),
)


def visible(text: object) -> str:
    """Return a text with every character spelled out that could move the cursor, hide or reorder text."""
    shown = str(text)
    return shown if shown.isprintable() else "".join(map(_spelled_out, shown))


def _spelled_out(char: str) -> str:
    is_hidden = not char.isprintable() and any(first <= ord(char) <= last for first, last in _INVISIBLE)
    return ascii(char)[1:-1] if is_hidden else char
