"""Status events as msgspec decodes them from a line, with a closed set of keys each."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec

from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE, needs_nine_lanes

if TYPE_CHECKING:
    from typing import TypeAlias

_Text = Annotated[str, msgspec.Meta(min_length=1)]
if TYPE_CHECKING:
    _SevenLane: TypeAlias = str
    _AnyLane: TypeAlias = str
else:
    _SevenLane = Literal[SEVEN_LANE.lanes]
    _AnyLane = Literal[NINE_LANE.lanes]
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_Mode = Literal["worktree", "direct_repo"]
_Object = dict[str, Any] | None


class OwnEvent(msgspec.Struct, gc=False):
    """An event as kitty-status writes it, all twelve keys there; the last two fields are ours, not the line's.

    A key that could be absent would leave room in the count of quotes for one that stands twice.
    """

    event_id: _Text
    wp_id: str
    from_lane: _SevenLane
    to_lane: _SevenLane
    force: bool
    execution_mode: _Mode
    instant: _Instant = msgspec.field(name="at")
    slug: _Text = msgspec.field(name="feature_slug")
    shown_actor: _Text = msgspec.field(name="actor")
    reason: str | None
    review_ref: str | None
    evidence: _Object
    known_parents: list[str] | None = msgspec.field(name="parents", default=None)
    line: bytes = b""
    nine_lane: ClassVar[bool] = False
    review_result: ClassVar[None] = None

    @property
    def at(self) -> str:
        """The instant as the log spells it; asked for one event of thousands, so it is not kept."""
        return _decode_at(self.line).at


class WideEvent(OwnEvent, kw_only=True, gc=False):
    """The same with any text for a lane: whether it is one is asked afterwards, for a repository may define its own."""

    from_lane: str
    to_lane: str

    @property
    def nine_lane(self) -> bool:  # type: ignore[override]
        """Whether only nine lanes have one of these."""
        return needs_nine_lanes(self.from_lane, self.to_lane)


class TheirEvent(msgspec.Struct, gc=False):
    """An event as spec-kitty 3 writes it; `parents` where kitty-status added to its log."""

    event_id: _Text
    wp_id: str
    from_lane: _AnyLane
    to_lane: _AnyLane
    actor: str | dict[str, Any]
    force: bool
    execution_mode: _Mode
    mission_id: str
    instant: _Instant = msgspec.field(name="at")
    slug: _Text = msgspec.field(name="mission_slug")
    reason: str | None
    review_ref: str | None
    evidence: _Object
    policy_metadata: _Object
    review_result: _Object | msgspec.UnsetType = msgspec.UNSET
    known_parents: list[str] | None = msgspec.field(name="parents", default=None)
    shown_actor: str = ""
    line: bytes = b""
    nine_lane: ClassVar[bool] = True

    @property
    def at(self) -> str:
        """The instant as the log spells it."""
        return _decode_at(self.line).at


class _At(msgspec.Struct):
    at: str


decode_own = msgspec.json.Decoder(OwnEvent).decode
decode_wide = msgspec.json.Decoder(WideEvent).decode
decode_theirs = msgspec.json.Decoder(TheirEvent).decode
_decode_at = msgspec.json.Decoder(_At).decode
