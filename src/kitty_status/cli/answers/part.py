"""What every part of an answer has in common: it has the keys that its model names, and no others."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

NOT_ALWAYS: Any = None
"""The default of a key that is left out where there is nothing to say. It is no value: such a key is never null."""


class Part(BaseModel):
    """An object of an answer. A key without a default is always there."""

    model_config = ConfigDict(extra="forbid")
