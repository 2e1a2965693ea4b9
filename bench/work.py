"""What worker processes do: `work.py decode|reduce|decode-all|reduce-all PATH`, once for each line on stdin.

Decoding is the floor: each line into its type, nothing checked beyond that and nothing kept. Reducing
is the whole way: read strictly, hold every event to the rules, and say where the work packages stand.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import msgspec
from bench.answering import answer

from kitty_status.jsonl.codec import decode as decode_strictly
from kitty_status.jsonl.damage import strictly
from kitty_status.status.fast_events import decode_own, decode_theirs
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.layout import EVENTS_FILENAME
from kitty_status.status.rows import is_foreign
from kitty_status.status.validation import Judge
from kitty_status.tracker.feature_log import FeatureLog
from kitty_status.tracker.log import reduce_log

if TYPE_CHECKING:
    from collections.abc import Callable

    Decode = Callable[[bytes], Any]

_BUFFER = 1 << 18
_decode_row: Decode = msgspec.json.Decoder(dict[str, Any]).decode


def decode_log(log: Path) -> None:
    """Decode every line of one of our own logs into its type."""
    decode = decode_own
    with log.open("rb", buffering=_BUFFER) as file:
        for line in file:
            decode(line)


def reduce_one(log: Path) -> None:
    """Read, check and reduce one of our own logs."""
    judge = Judge(SEVEN_LANE, log.parent.name)
    reduce_log(FeatureLog(log.parent), SEVEN_LANE, strictly(log), judge=judge)
    if judge.found or judge.ignored:
        raise AssertionError(f"{log} breaks the rules, so finding that out was measured, too")


def decode_all(decoders: dict[Path, list[Decode]]) -> None:
    """Decode every line of many logs into the type that was found to fit it before."""
    for log, own in decoders.items():
        with log.open("rb", buffering=_BUFFER) as file:
            for line, decode in zip(file, own, strict=True):
                decode(line)


def decoder_for(line: bytes) -> Decode:
    """Return the decoder of the type that a line fits."""
    if is_foreign(decode_strictly(line.removesuffix(b"\n"))):
        return _decode_row
    for decode in (decode_own, decode_theirs):
        try:
            decode(line)
        except msgspec.DecodeError:
            continue
        return decode
    return _decode_row


def reduce_all(logs: list[Path]) -> None:
    """Read, check and reduce many logs, whoever wrote them and however well they kept to the rules."""
    total = sum(log.stat().st_size for log in logs)
    for log in logs:
        judge = Judge(NINE_LANE, log.parent.name)
        reduce_log(FeatureLog(log.parent), None, strictly(log), bytes_to_read=total, judge=judge)


def work_on(task: str, path: Path) -> Callable[[], object]:
    """Return the work that is asked for, prepared as far as it is not to be measured."""
    if task == "decode":
        return partial(decode_log, path)
    if task == "reduce":
        return partial(reduce_one, path)
    logs = sorted(path.glob(f"*/{EVENTS_FILENAME}"))
    if task == "reduce-all":
        return partial(reduce_all, logs)
    decoders = {}
    for log in logs:
        with log.open("rb") as file:
            decoders[log] = [decoder_for(line) for line in file]
    return partial(decode_all, decoders)


if __name__ == "__main__":
    answer(work_on(sys.argv[1], Path(sys.argv[2])))
