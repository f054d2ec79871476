"""Answers of the engine as values of the widgets. Pure functions."""

from decimal import Decimal

from engine.api.commands import Receipt
from widgets.scan_table import ScanRow
from widgets.ticket_extras import Algo, AlgoParam


def algos(receipt: Receipt) -> tuple[Algo, ...]:
    """Read the algorithms of GetCapabilities."""
    found = receipt.data.get("algos")
    return tuple(
        Algo(
            name=str(row["name"]),
            title=str(row["title"]),
            params=tuple(
                AlgoParam(
                    name=str(param["name"]),
                    title=str(param["title"]),
                    about=str(param["description"]),
                    default=str(param["default"]),
                    least=Decimal(param["least"]),
                    most=Decimal(param["most"]),
                    choices=tuple(param["choices"]),
                )
                for param in row["params"]
            ),
        )
        for row in (found if isinstance(found, list | tuple) else ())
    )


def names(receipt: Receipt, key: str) -> tuple[str, ...]:
    """Read a list of words."""
    found = receipt.data.get(key)
    return tuple(str(word) for word in found) if isinstance(found, list | tuple) else ()


def scan_rows(receipt: Receipt) -> list[ScanRow]:
    """Read the rows of a scan."""
    found = receipt.data.get("rows")
    return [
        ScanRow(
            key=str(row["symbol"]),
            last=float(row["last"]),
            change=row["change"],
            values=tuple(row["values"]),
            texts=tuple(row["texts"]),
        )
        for row in (found if isinstance(found, list | tuple) else ())
    ]
