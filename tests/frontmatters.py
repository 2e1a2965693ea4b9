"""Files of work packages as people and tools leave them: every one can be read, and says which lane it is in."""

from __future__ import annotations

_COMMENTED = """\
---
# The form itself
work_package_id: "WP01"   # quoted

title:    'The form: its fields'
zebra: 1
lane:   "planned"    # moved by hand
aardvark: {b: 2,   a: [1,  2]}   # not sorted
...odd: "---"
history:
- {timestamp: '2026-02-08T14:00:00Z', lane: planned, agent: system}   # seeded
---
# The form

lane: claimed

---
lane: done
---
"""
_HISTORY = "".join(
    f"- timestamp: '2026-02-{day:02}T{hour:02}:00:00Z'\n  lane: {lane}\n  agent: agent-{day}-{hour}\n  action: moved\n"
    for day in range(1, 29)
    for hour, lane in enumerate(["planned", "doing", "for_review"] * 8)
)
FILES: dict[str, tuple[bytes, str]] = {
    "comments, quotes, odd order and spacing": (_COMMENTED.encode(), "planned"),
    "line ends of Windows": (_COMMENTED.replace("\n", "\r\n").encode(), "planned"),
    "a byte order mark": (b"\xef\xbb\xbf" + _COMMENTED.encode(), "planned"),
    "no line end at the end": (b"---\nlane: doing\n---", "in_progress"),
    "nothing but the lane": (b"---\nlane: for_review\n---\n", "for_review"),
    "the lane spelled in capitals": (b"---\nlane: For_Review\n---\n", "for_review"),
    "letters of many scripts": (
        "---\nassignee: Žofie Nováková\nnote: '王 🐈 שלום \u2028 end'\nlane: claimed\n\u00fcber: ja\n---\n".encode(),
        "claimed",
    ),
    "composed and decomposed letters as two keys": (
        "---\n\u00e9: 1\ne\u0301: 2\nlane: blocked\n---\n".encode(),
        "blocked",
    ),
    "a tab inside a text": (b"---\nlane: done\nnote: 'a\tb'\n---\n", "done"),
    "text at the margin that looks like a lane": (b"---\nnote: 'it is\nlane: done\n'\nlane: claimed\n---\n", "claimed"),
    "text that looks like a lane": (b"---\nnote: |\n  lane: done\n  ---\nlane: claimed\n---\n", "claimed"),
    "60 KiB of one text": (b"---\nnote: |\n" + (b"  " + b"x" * 98 + b"\n") * 600 + b"lane: claimed\n---\n", "claimed"),
    "60 KiB of keys": (
        b"---\n" + b"".join(b"key%d: '%s'\n" % (number, b"y" * 48) for number in range(1000)) + b"lane: done\n---\n",
        "done",
    ),
    "60 KiB of history": (f"---\nlane: done\nhistory:\n{_HISTORY}---\n".encode(), "done"),
}
