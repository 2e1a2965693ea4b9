"""The names that `kitty_status.eventstore` offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kitty_status import eventstore


@pytest.mark.parametrize("name", eventstore.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(eventstore, name) is not None
    assert name in dir(eventstore)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        eventstore.nothing  # noqa: B018  that is the point


def test_asking_for_one_name_loads_no_database() -> None:
    # What measures coverage may have loaded it before.
    program = (
        "import sys; before = set(sys.modules)\n"
        "from kitty_status.eventstore import NewEvent; print('sqlite3' in sys.modules.keys() - before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
