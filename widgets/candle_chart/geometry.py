"""Where everything is on the chart: one set of rectangles in logical pixels."""

from dataclasses import dataclass

from PySide6.QtCore import QRect

HEADER_PX = 24
ROW_PX = 18
"""A row of lines under the header's first one."""
TIME_AXIS_PX = 20
RAIL_PX = 20
PANE_PX = 84


@dataclass(frozen=True, slots=True)
class Geometry:
    """Rectangles of the header, the panes and the axes; `body` is all panes without the axes."""

    header: QRect
    header_line: int
    """Height of the header's first line: the bar's own values; rows of lines follow."""
    body: QRect
    price: QRect
    rail: QRect
    volume: QRect
    panes: tuple[QRect, ...]
    price_axis: QRect
    time_axis: QRect

    @property
    def plot_width(self) -> int:
        """Width of the panes."""
        return self.body.width()


def layout(
    width: int, height: int, axis_width: int, pane_count: int, volume: bool, rail: bool, scale: float, rows: int = 0
) -> Geometry:
    """Share the height: the price pane keeps at least half, the others shrink before they vanish.

    ``rows`` of lines stand in the header while they leave the rest three quarters of the height.
    """
    line_h, time_h = round(HEADER_PX * scale), round(TIME_AXIS_PX * scale)
    row_h = round(ROW_PX * scale)
    header_h = line_h + row_h * max(0, min(rows, (height // 4 - line_h) // row_h))
    rail_h = round(RAIL_PX * scale) if rail else 0
    plot_w = max(1, width - axis_width)
    body_h = max(1, height - header_h - time_h)
    below = pane_count + (1 if volume else 0)
    pane_h = min(round(PANE_PX * scale), int(body_h * 0.5 / below)) if below else 0
    if pane_h < 24:
        pane_h = 0
    price_h = max(1, body_h - rail_h - pane_h * below)
    y = header_h
    price = QRect(0, y, plot_w, price_h)
    y += price_h
    rail_rect = QRect(0, y, plot_w, rail_h)
    y += rail_h
    volume_rect = QRect(0, y, plot_w, pane_h if volume else 0)
    y += volume_rect.height()
    panes = []
    for _ in range(pane_count):
        panes.append(QRect(0, y, plot_w, pane_h))
        y += pane_h
    return Geometry(
        header=QRect(0, 0, width, header_h),
        header_line=line_h,
        body=QRect(0, header_h, plot_w, body_h),
        price=price,
        rail=rail_rect,
        volume=volume_rect,
        panes=tuple(panes),
        price_axis=QRect(plot_w, header_h, width - plot_w, body_h),
        time_axis=QRect(0, header_h + body_h, width, time_h),
    )
