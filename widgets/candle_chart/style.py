"""The theme as the chart needs it: colours blended once, fonts made once."""

from dataclasses import dataclass, field

from PySide6.QtGui import QColor, QFont

from widgets.candle_chart.labels import Labels
from widgets.theme import Theme


@dataclass(frozen=True, slots=True)
class ChartStyle:
    """Colours, fonts and measures of one theme."""

    theme: Theme
    ground: QColor
    session: QColor
    grid: QColor
    grid_session: QColor
    hair: QColor
    up: QColor
    down: QColor
    up_dim: QColor
    down_dim: QColor
    volume: QColor
    caption: QColor
    text: QColor
    small: QFont
    axis: QFont
    axis_bold: QFont
    tag: QFont
    legend: QFont
    legend_bold: QFont
    labels: Labels = field(compare=False)
    _roles: dict[str, QColor] = field(default_factory=dict, compare=False)

    def role(self, name: str) -> QColor:
        """Return the colour of a role, parsed once."""
        colour = self._roles.get(name)
        if colour is None:
            colour = self._roles[name] = self.theme.color(name)
        return colour

    @property
    def scale(self) -> float:
        """Size of the design, 1 to 2."""
        return self.theme.scale

    def px(self, pixels: float) -> int:
        """Scale a length."""
        return max(1, round(pixels * self.theme.scale))

    def axis_width(self, longest: str) -> int:
        """Return the width of the price axis for its longest label."""
        return max(self.px(64), self.labels.width(self.axis_bold, longest) + self.px(16))

    @staticmethod
    def of(theme: Theme) -> "ChartStyle":
        """Make the style of a theme."""
        weight = QFont.Weight
        return ChartStyle(
            theme=theme,
            ground=theme.color("bg1"),
            session=theme.color("session"),
            grid=theme.blend("hair", theme.grid_alpha, "bg1"),
            grid_session=theme.blend("hair", theme.grid_alpha, "session"),
            hair=theme.color("hair"),
            up=theme.color("up"),
            down=theme.color("down"),
            up_dim=theme.blend("up", 0.55, "session"),
            down_dim=theme.blend("down", 0.55, "session"),
            volume=theme.blend("t3", 0.6),
            caption=theme.color("t3"),
            text=theme.color("t1"),
            small=theme.font(11),
            axis=theme.font(11),
            axis_bold=theme.font(12, weight.DemiBold),
            tag=theme.font(12, weight.Medium),
            legend=theme.font(12),
            legend_bold=theme.font(12, weight.DemiBold),
            labels=Labels(theme.color("bg1"), theme.color("t1")),
        )
