"""What several tests of the tracker ask for."""

from __future__ import annotations

import pytest


@pytest.fixture
def any_slug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a path lead to a feature whose slug needs quoting everywhere, which no new feature may have."""
    monkeypatch.setattr("kitty_status.cli.targets.check_name", lambda _name, _what: None)
