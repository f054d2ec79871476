"""Under `warnings fail`, every library of the product can still be imported and started."""

import importlib

import pytest


@pytest.mark.parametrize(
    "name",
    [
        "httpx2", "ib_async", "keyring", "numba", "pandas", "pandas_ta_classic", "pyarrow.parquet",
        "pyqtgraph", "qasync", "sqlalchemy.ext.asyncio", "starlette.applications", "structlog", "uvicorn", "websockets",
    ],
)  # fmt: skip
def test_the_library_imports_without_a_warning(name: str) -> None:
    importlib.import_module(name)


def test_the_exchange_calendar_is_built_without_a_warning() -> None:
    assert importlib.import_module("exchange_calendars").get_calendar("XNYS").name == "XNYS"
