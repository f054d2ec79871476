"""Answers of the engine as values of the widgets. Pure functions."""

from engine.api.commands import Receipt
from widgets.scan_table import ScanRow


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
