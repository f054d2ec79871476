"""A chart on an offscreen window."""

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.widgets.candle_chart.sample import Columns
from widgets.candle_chart.chart import CandleChart
from widgets.candle_chart.layers import ChartInstrument
from widgets.theme import apply_theme


@pytest.fixture
def make_chart(qtbot: QtBot, qapp: QApplication) -> Callable[..., CandleChart]:
    """Return a maker of shown charts without throttling."""
    apply_theme(qapp, "dark")

    def make(bars: Columns | None = None, width: int = 800, height: int = 500, **options: int) -> CandleChart:
        chart = CandleChart(repaint_ms=0, legend_ms=0, **options)
        qtbot.addWidget(chart)
        chart.set_instrument(ChartInstrument(symbol="AAPL"))
        chart.resize(width, height)
        if bars is not None:
            chart.set_bars(*bars.all())
        chart.show()
        qtbot.waitExposed(chart)
        qapp.processEvents()
        return chart

    return make
