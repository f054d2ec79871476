"""The live window gives the bits that history gives."""

import numpy as np
import pytest

from engine.features.kernel import features_history
from engine.features.names import FEATURE_COUNT, WINDOW
from engine.features.window import NEVER, WindowStore


def feed(store: WindowStore, columns: np.ndarray) -> np.ndarray:
    """Push bar after bar for every row; return (bars, rows, 93)."""
    rows = np.arange(columns.shape[1])
    out = np.empty((columns.shape[2], rows.size, FEATURE_COUNT))
    for t in range(columns.shape[2]):
        store.push_many(rows, np.full(rows.size, t), columns[:, :, t].T)
        store.features(out=out[t])
    return out


def differing(live: np.ndarray, columns: np.ndarray) -> int:
    """Count the cells where live and history differ in any bit."""
    return sum(
        int((features_history(*columns[:, k]).view(np.int64) != live[:, k].copy().view(np.int64)).sum())
        for k in range(columns.shape[1])
    )


def test_live_and_history_agree_in_every_bit(walks) -> None:
    columns = walks(60, 350, seed=11)
    columns[3, 5, 100] = np.nan  # an invalid bar
    columns[4, 6, 200] = np.nan
    columns[5, 7, 300:310] = np.nan
    assert differing(feed(WindowStore(60), columns), columns) == 0


@pytest.mark.long
def test_skew_1_live_and_history_agree_in_every_bit_of_500_symbols_and_350_bars(walks) -> None:
    columns = walks(500, 350, seed=12)
    live = feed(WindowStore(500), columns)
    assert live.size == 16_275_000
    assert differing(live, columns) == 0


def test_a_difference_of_one_bit_is_seen(walks) -> None:
    columns = walks(2, 30, seed=13)
    live = feed(WindowStore(2), columns)
    live[29, 1, 0] = np.nextafter(live[29, 1, 0], 1.0)
    assert differing(live, columns) == 1


@pytest.mark.parametrize("width", [1, 2, 5])
def test_the_window_is_always_the_last_bars_in_order_in_one_piece(width: int) -> None:
    store = WindowStore(2, width)
    for t in range(4 * width + 3):
        assert store.push(1, t, *(t * 10.0 + i for i in range(6)))
        window = store.window(1)
        expected = [[s * 10.0 + i for s in range(max(0, t + 1 - width), t + 1)] for i in range(6)]
        assert window.tolist() == expected
        assert window[0].flags.c_contiguous
        assert store.count(1) == min(t + 1, width)
    assert store.count(0) == 0


def test_a_bar_that_is_not_newer_is_refused_and_changes_nothing() -> None:
    store = WindowStore(1, 3)
    assert store.push(0, 10, 1, 1, 1, 1, 1, 1)
    before = store.window(0).copy()
    assert not store.push(0, 10, 2, 2, 2, 2, 2, 2)
    assert not store.push(0, 9, 2, 2, 2, 2, 2, 2)
    assert store.push_many(np.array([0, 0]), np.array([5, 11]), np.full((2, 6), 3.0)) == 1
    assert store.window(0)[:, 0].tolist() == before[:, 0].tolist()
    assert store.last_times().tolist() == [11]


def test_the_view_of_a_window_cannot_be_written() -> None:
    store = WindowStore(1, 3)
    store.push(0, 1, 1, 1, 1, 1, 1)
    with pytest.raises(ValueError, match="read-only"):
        store.window(0)[0, 0] = 5.0


def test_a_loaded_history_is_the_same_as_pushing_it(walks) -> None:
    columns = walks(1, 400, seed=14)
    pushed, loaded = WindowStore(1), WindowStore(2)
    feed(pushed, columns)
    loaded.push(1, 999, 1, 1, 1, 1, 1)
    loaded.load(1, np.arange(400), list(columns[:, 0]))
    assert loaded.window(1).tobytes() == pushed.window(0).tobytes()
    assert loaded.features(np.array([1])).tobytes() == pushed.features().tobytes()
    loaded.clear(1)
    assert loaded.count(1) == 0
    assert loaded.last_times()[1] == NEVER
    assert np.isnan(loaded.features()).all()


def test_stale_rows_are_told_from_fresh_ones() -> None:
    store = WindowStore(3, 2)
    store.push(0, 100, 1, 1, 1, 1, 1)
    store.push(1, 50, 1, 1, 1, 1, 1)
    assert store.fresh(100).tolist() == [True, False, False]


def test_wrong_shapes_and_rows_are_refused() -> None:
    store = WindowStore(2, WINDOW)
    with pytest.raises(IndexError, match="row 2 is outside"):
        store.push(2, 1, 1, 1, 1, 1, 1)
    with pytest.raises(IndexError, match="rows must lie inside"):
        store.push_many(np.array([-1]), np.array([1]), np.ones((1, 6)))
    with pytest.raises(IndexError, match="rows must lie inside"):
        store.features(np.array([2]))
    with pytest.raises(ValueError, match="bars must be"):
        store.push_many(np.array([0]), np.array([1]), np.ones((1, 5)))
    with pytest.raises(ValueError, match="out must be"):
        store.features(out=np.empty((1, FEATURE_COUNT)))
    with pytest.raises(ValueError, match="must rise"):
        store.load(0, np.array([2, 1]), [np.ones(2)] * 6)
    with pytest.raises(ValueError, match="a row needs open"):
        store.load(0, np.array([1, 2]), [np.ones(2)] * 5)
    with pytest.raises(ValueError, match="at least 1"):
        WindowStore(0)
