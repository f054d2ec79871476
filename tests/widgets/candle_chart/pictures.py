"""Charts as arrays of pixels."""

import numpy as np
from PySide6.QtGui import QImage, QPixmap

from widgets.candle_chart.chart import CandleChart


def pixels(chart: CandleChart) -> np.ndarray:
    """Return the chart painted anew, rows by columns."""
    return _array(chart.grab())


def screen(chart: CandleChart) -> np.ndarray:
    """Return what the window shows: the backing store, without a new paint of everything."""
    return _array(chart.screen().grabWindow(chart.winId()))


def _array(picture: QPixmap) -> np.ndarray:
    image = picture.toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()).copy()
