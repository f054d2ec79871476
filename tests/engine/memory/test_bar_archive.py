"""The archive gives back what it was given, and believes nothing that is damaged."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bus.errors import UserError
from engine.memory.bar_archive import ArchiveDamaged, BarArchive
from engine.memory.bar_archive_export import export_series
from engine.memory.bar_archive_format import DATA, SLOT, Kind, record_type

STEP = 60_000_000_000


def bars(first: int, count: int, price: float = 10.0) -> dict[str, np.ndarray]:
    steps = np.arange(count, dtype=np.float64)
    return {
        "ts_open": (first + np.arange(count, dtype=np.int64)) * STEP,
        "open": price + steps,
        "high": price + steps + 1,
        "low": price + steps - 1,
        "close": price + steps + 0.5,
        "volume": steps * 100,
    }


def the_file(folder: Path) -> Path:
    (path,) = folder.rglob("*.bars")
    return path


def test_what_was_appended_is_read_back_and_unknown_fields_are_nan(tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    assert archive.append("AAPL", 60, bars(0, 5), source="one").added == 5
    assert archive.append("AAPL", 60, bars(5, 3, 50.0), source="two").added == 3
    back = archive.read("AAPL", 60)
    assert back is not None
    assert back["open"].tolist() == [10, 11, 12, 13, 14, 50, 51, 52]
    assert back["ts_close"].tolist() == [(i + 1) * STEP for i in range(8)]
    assert np.isnan(back["vwap"]).all()
    (info,) = archive.list()
    assert (info.symbol, info.seconds, info.kind, info.count) == ("AAPL", 60, Kind.BAR, 8)
    assert (info.first_ns, info.last_ns, info.source) == (0, 7 * STEP, "one + two")


def test_a_span_is_half_open_and_the_last_bars_had_ended(tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    archive.append("AAPL", 60, bars(0, 10))
    assert archive.read("AAPL", 60, 2 * STEP, 5 * STEP)["open"].tolist() == [12, 13, 14]
    assert archive.last("AAPL", 60, 3)["open"].tolist() == [17, 18, 19]
    assert archive.last("AAPL", 60, 2, end_ns=5 * STEP)["open"].tolist() == [13, 14]
    assert archive.last("AAPL", 60, 2, end_ns=5 * STEP - 1)["open"].tolist() == [12, 13]
    assert archive.read("MSFT", 60) is None
    assert archive.last("AAPL", 300, 5) is None


def test_the_same_data_again_changes_nothing(tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    archive.append("AAPL", 60, bars(0, 5))
    before = the_file(tmp_path).read_bytes()
    result = archive.append("AAPL", 60, bars(0, 5))
    assert (result.added, result.replaced, result.unchanged) == (0, 0, 5)
    assert the_file(tmp_path).read_bytes() == before


def test_overlapping_data_replaces_what_was_there(tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    archive.append("AAPL", 60, bars(5, 5))
    result = archive.append("AAPL", 60, bars(3, 4, 90.0))
    assert (result.added, result.replaced, result.unchanged) == (2, 2, 0)
    assert archive.read("AAPL", 60)["open"].tolist() == [90, 91, 92, 93, 12, 13, 14]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12), st.integers(1, 99)), min_size=1, max_size=8))
def test_any_sequence_of_appends_equals_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[int, int, int]]
) -> None:
    archive = BarArchive(tmp_path_factory.mktemp("archive"))
    expected: dict[int, float] = {}
    for first, count, price in parts:
        block = bars(first, count, float(price))
        archive.append("X", 60, block, sync=False)
        expected.update(zip(block["ts_open"].tolist(), block["open"].tolist(), strict=True))
    back = archive.read("X", 60)
    assert dict(zip(back["ts_open"].tolist(), back["open"].tolist(), strict=True)) == dict(sorted(expected.items()))


def test_ticks_may_share_an_instant_and_replace_their_span(tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    ticks = {"ts": np.array([1, 1, 2, 5]), "price": np.array([1.0, 2.0, 3.0, 4.0])}
    archive.append("X", 0, ticks, kind=Kind.TRADE)
    assert archive.append("X", 0, ticks, kind=Kind.TRADE).unchanged == 4
    archive.append("X", 0, {"ts": np.array([2, 3]), "price": np.array([9.0, 9.5])}, kind=Kind.TRADE)
    assert archive.read("X", 0, kind=Kind.TRADE)["price"].tolist() == [1.0, 2.0, 9.0, 9.5, 4.0]


def test_wrong_columns_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    block = bars(0, 3)
    with pytest.raises(ValueError, match="without a column low"):
        archive.append("X", 60, {k: v for k, v in block.items() if k != "low"})
    with pytest.raises(ValueError, match="no column price"):
        archive.append("X", 60, {**block, "price": block["open"]})
    with pytest.raises(ValueError, match="column volume has 2 values"):
        archive.append("X", 60, {**block, "volume": block["volume"][:2]})
    with pytest.raises(ValueError, match="one occurs twice"):
        archive.append("X", 60, {**block, "ts_open": np.array([1, 1, 2])})
    assert list(tmp_path.rglob("*.bars")) == []


@pytest.mark.parametrize("symbol", ["../../etc/passwd", "BRK.B", "^GSPC", "EUR/USD", "CON", "a b", "Ü"])
def test_no_symbol_leaves_the_folder(tmp_path: Path, symbol: str) -> None:
    archive = BarArchive(tmp_path / "archive")
    archive.append(symbol, 60, bars(0, 2))
    assert [path.parent.parent.parent for path in tmp_path.rglob("*.bars")] == [tmp_path / "archive"]
    assert archive.list()[0].symbol == symbol
    assert archive.read(symbol, 60)["open"].tolist() == [10, 11]


def test_a_file_that_is_cut_off_is_set_aside_and_the_others_are_unaffected(tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    archive.append("AAPL", 60, bars(0, 50))
    path = the_file(tmp_path)
    archive.append("MSFT", 60, bars(0, 50))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ArchiveDamaged, match="cut off: 48 of 50"):
        archive.read("AAPL", 60)
    assert archive.read("AAPL", 60) is None
    assert len(archive.damaged()) == 1
    assert archive.read("MSFT", 60)["open"][0] == 10
    assert [info.symbol for info in archive.list()] == ["MSFT"]
    archive.append("AAPL", 60, bars(0, 2))
    assert archive.list()[0].count == 2


def test_every_changed_byte_of_a_record_is_noticed(tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    archive.append("AAPL", 60, bars(0, 3))
    path = the_file(tmp_path)
    whole = path.read_bytes()
    for at in range(DATA, len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
        with pytest.raises(ArchiveDamaged, match="is damaged"):
            archive.read("AAPL", 60)
    path.write_bytes(whole[:DATA] + bytes(len(whole) - DATA))
    assert len(archive.verify()) == 1


def test_damage_that_is_not_read_is_found_by_verify(tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    archive.append("AAPL", 60, bars(0, 100))
    path = the_file(tmp_path)
    whole = bytearray(path.read_bytes())
    whole[DATA + record_type(Kind.BAR).itemsize * 10 + 20] ^= 1
    path.write_bytes(bytes(whole))
    assert archive.last("AAPL", 60, 5)["open"].tolist() == [105, 106, 107, 108, 109]
    (fault,) = archive.verify()
    assert "record 10 is damaged" in fault
    assert archive.list() == ()


def test_a_crash_between_records_and_header_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    archive.append("AAPL", 60, bars(0, 5))
    path = the_file(tmp_path)
    with path.open("ab") as file:
        file.write(b"half a record of the append that was cut")
    assert len(archive.read("AAPL", 60)["open"]) == 5
    archive.append("AAPL", 60, bars(5, 2))
    assert len(archive.read("AAPL", 60)["open"]) == 7
    assert archive.verify() == ()


def test_a_torn_header_falls_back_to_the_one_before(tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    archive.append("AAPL", 60, bars(0, 5))
    archive.append("AAPL", 60, bars(5, 2))  # sequence 2: the first slot
    path = the_file(tmp_path)
    whole = bytearray(path.read_bytes())
    whole[20] ^= 0xFF
    path.write_bytes(bytes(whole))
    assert len(archive.read("AAPL", 60)["open"]) == 5
    whole[SLOT + 20] ^= 0xFF
    path.write_bytes(bytes(whole))
    with pytest.raises(ArchiveDamaged, match="header is damaged"):
        archive.read("AAPL", 60)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_is_exported_can_be_read_by_others(tmp_path: Path, form: str) -> None:
    import pandas as pd

    archive = BarArchive(tmp_path / "archive")
    archive.append("AAPL", 60, bars(1_000_000, 4))
    path = tmp_path / f"out.{form}"
    assert export_series(archive, "AAPL", 60, path) == 4
    table = pd.read_csv(path, parse_dates=["timestamp"]) if form == "csv" else pd.read_parquet(path)
    assert list(table.columns) == ["symbol", "timestamp", "end", "open", "high", "low", "close", "volume"]
    assert table["close"].tolist() == [10.5, 11.5, 12.5, 13.5]
    assert table["timestamp"].iloc[0] == pd.Timestamp(1_000_000 * STEP, unit="ns", tz="UTC")
    with pytest.raises(UserError, match=r"must end in \.csv or \.parquet"):
        export_series(archive, "AAPL", 60, tmp_path / "out.txt")
    with pytest.raises(UserError, match="there is no series MSFT"):
        export_series(archive, "MSFT", 60, path)
