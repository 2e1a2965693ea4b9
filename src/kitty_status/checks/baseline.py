"""The baseline: findings that a repository has accepted, so that only new ones fail.

It is a committed file of one JSON object per line, sorted: the feature, the code and the event that a
finding is about, and how often where that is more than once. Line numbers are not in it, for they
change. Only findings about events can be accepted: what cannot be read, and the state of files, is
mended.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

from kitty_status.errors import ConfigurationError, NotFoundError
from kitty_status.jsonl.codec import LineDamagedError, decode, encode
from kitty_status.jsonl.replace import replace_file
from kitty_status.status.validation import DAMAGED_LINE, INVALID_EVENT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from kitty_status.checks.validate import Validation
    from kitty_status.status.validation import Finding

    Key: TypeAlias = tuple[str, str, str]

BASELINE_PATH = ".kittify/status-baseline.jsonl"
_KEYS = ("feature", "code", "event_id")
_NEVER = frozenset({DAMAGED_LINE, INVALID_EVENT})


class Baseline:
    """What has been accepted: how often each (feature, code, event id)."""

    def __init__(self, accepted: Counter[Key] | None = None) -> None:
        self.accepted: Counter[Key] = accepted or Counter()

    def set_aside(self, validation: Validation) -> int:
        """Take the findings that are accepted out of a validation, and return how many there were."""
        left = Counter(self.accepted)
        new: list[Finding] = []
        for finding in validation.findings:
            key = _key(validation.feature.slug, finding)
            if key is not None and left[key] > 0:
                left[key] -= 1
            else:
                new.append(finding)
        known = len(validation.findings) - len(new)
        validation.findings = new
        return known

    def stale(self, found: Baseline, looked_at: Collection[str] | None) -> list[str]:
        """Return what is accepted and was not `found` any more; of the features `looked_at` only, None for all."""
        gone = self.accepted - found.accepted
        return [
            f"{BASELINE_PATH}: {code} of {event_id} in {feature} is not found any more"
            for feature, code, event_id in sorted(gone)
            if looked_at is None or feature in looked_at
        ]

    def with_those_of(self, found: Baseline, looked_at: Collection[str] | None) -> Baseline:
        """Return what is `found`, and what was accepted of features that were not looked at."""
        kept = {key: count for key, count in self.accepted.items() if looked_at is not None and key[0] not in looked_at}
        return Baseline(Counter(kept) + found.accepted)

    def to_bytes(self) -> bytes:
        """Return the file, the same for the same findings in any order."""
        return b"".join(
            encode(dict(zip(_KEYS, key, strict=True)) | ({"count": count} if count > 1 else {}), json.dumps)
            for key, count in sorted(self.accepted.items())
        )

    def write(self, root: Path) -> None:
        """Write the file of the project at `root`, with the folder that it needs.

        Raises:
            OSError: the operating system refused; the file is as it was.
        """
        path = root / BASELINE_PATH
        path.parent.mkdir(exist_ok=True)
        replace_file(path, self.to_bytes())


def found_in(validations: Iterable[Validation]) -> Baseline:
    """Return what would have to be accepted for none of the findings about events to be new."""
    keys = (_key(each.feature.slug, finding) for each in validations for finding in each.findings)
    return Baseline(Counter(key for key in keys if key is not None))


def load_baseline(root: Path) -> Baseline:
    """Return the baseline of the project at `root`.

    Raises:
        NotFoundError: it has none.
        ConfigurationError: a line of it cannot be understood; the message names file and line.
        OSError: the operating system refused.
    """
    path = root / BASELINE_PATH
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(
            f"there is no {BASELINE_PATH}", hint="`kitty-status validate --all --write-baseline` writes one"
        ) from None
    accepted: Counter[Key] = Counter()
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            key, count = _entry(line, f"{path}:{number}")
            accepted[key] += count
    return Baseline(accepted)


def _entry(line: bytes, place: str) -> tuple[Key, int]:
    hint = "`kitty-status validate --all --write-baseline` writes it anew"
    try:
        row = decode(line)
    except LineDamagedError as error:
        raise ConfigurationError(f"{place}: {error}", hint=hint) from error
    feature, code, event_id = (row.get(key) for key in _KEYS)
    count = row.get("count", 1)
    if not (isinstance(feature, str) and isinstance(code, str) and isinstance(event_id, str)):
        raise ConfigurationError(f"{place}: an entry has {', '.join(_KEYS)}, each a text", hint=hint)
    if type(count) is not int or count < 1:
        raise ConfigurationError(f"{place}: count must be a number above 0", hint=hint)
    return (feature, code, event_id), count


def _key(slug: str, finding: Finding) -> Key | None:
    return None if finding.event_id is None or finding.code in _NEVER else (slug, finding.code, finding.event_id)
