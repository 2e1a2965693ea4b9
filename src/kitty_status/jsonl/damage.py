"""What to do about a damaged line: the two policies, and the error that the strict one raises.

A policy is called as `policy(line number, line as read, why, is_json)` for each line that cannot be
used. The strict one raises at the first. The skipping one gives a sentence for each and goes on, so
nothing is ever passed over in silence. A last line that is still being written is no damage to
either.
"""

from __future__ import annotations

from kitty_status.errors import StoreError
from kitty_status.jsonl.codec import describe_damage
from kitty_status.jsonl.tail import TAIL_CUT, classify_tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    DamagePolicy: TypeAlias = Callable[[int, bytes, str, bool], None]


def strictly(path: Path, *, under_lock: bool = False) -> DamagePolicy:
    """Return the policy that raises a StoreError at the first damaged line of the log at `path`.

    Under the log's lock nobody is writing, so that a last line without LF is one that was cut short,
    whatever it holds: the append that is to follow moves it to the quarantine folder.
    """

    def refuse(number: int, line: bytes, why: str, is_json: bool) -> None:
        is_passed_over = not line.endswith(b"\n") if under_lock else is_in_flight(line)
        if not is_passed_over:
            raise StoreError(
                f"Line {number}: {describe_damage(line, why, is_json=is_json)}",
                hint=f"`kitty-status validate {path}` lists all damage and `kitty-status resolve {path}` mends it; "
                "nothing is written here before that",
                path=str(path),
                line=number,
                reason=why,
            )

    return refuse


def skipping(path: Path, warn: Callable[[str], None]) -> DamagePolicy:
    """Return the policy that gives `warn` one sentence for each damaged line of the log at `path`, and goes on."""

    def skip(number: int, line: bytes, why: str, is_json: bool) -> None:
        if not is_in_flight(line):
            warn(f"{path}:{number}: {describe_damage(line, why, is_json=is_json)}")

    return skip


def is_in_flight(line: bytes) -> bool:
    """Say whether a line that could not be read is one that is still being written, or that a crash cut short."""
    return not line.endswith(b"\n") and classify_tail(line) == TAIL_CUT
