"""What the import tests share."""

from pathlib import Path

import pytest

from engine.collection.files.context import ImportContext
from engine.market.calendars import Calendars
from engine.market.instruments import described


@pytest.fixture(scope="session")
def calendars(tmp_path_factory: pytest.TempPathFactory) -> Calendars:
    return Calendars(tmp_path_factory.mktemp("calendars"))


@pytest.fixture(scope="session")
def context(calendars: Calendars) -> ImportContext:
    return ImportContext(calendars, described)


@pytest.fixture
def data_dir(shared_dir: Path) -> Path:
    return shared_dir / "market_data"
