"""Every command of the window, once: menus, palette, key editor, card and rehearsal derive from this table."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from market_agent_gui.translate import say


class Risk(StrEnum):
    """What a key may do to the book."""

    NONE = "none"
    ADDS = "adds"
    """Can open or enlarge a position: needs arming, a fresh quote and an agreed book."""
    REDUCES = "reduces"
    """Cancels or closes: works disarmed."""
    SAFETY = "safety"
    """STOP and its kin: works disarmed, in text fields and behind the lock."""


class Scope(StrEnum):
    """Where a key acts."""

    ANYWHERE = "anywhere"
    """In every window, text fields too."""
    WINDOW = "window"
    """Everywhere but in text fields."""
    STAGED = "staged"
    """While an order is staged, outside text fields."""
    CHART = "chart"
    """While the chart has the focus: elsewhere letters type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """One command. ``id`` is English, fixed, and stored in key maps; ``title`` is translated where it is shown."""

    id: str
    title: str
    group: str
    key: str = ""
    scope: Scope = Scope.WINDOW
    risk: Risk = Risk.NONE
    holds: bool = False
    """The key must be held for a second."""
    named: str = ""
    """Name of the preset it stages with."""


ORDER_GROUPS = ("Order", "Size", "Position", "Safety")
"""What matters to the book."""
GROUPS = (*ORDER_GROUPS, "View", "Chart", "Time", "Workspace", "Program")


def _sizes() -> tuple[ActionSpec, ...]:
    return tuple(
        ActionSpec(id=f"size_{n}", title=f"Size preset {n}", group="Size", key=str(n), scope=Scope.STAGED)
        for n in range(1, 10)
    )


def _bracket() -> tuple[ActionSpec, ...]:
    return tuple(
        ActionSpec(id=f"bracket_{id}", title=f"Whole bracket {words}", group="Order", key=key, risk=Risk.ADDS)
        for id, words, key in (
            ("up", "one tick up", "Alt+Up"),
            ("down", "one tick down", "Alt+Down"),
            ("up_ten", "ten ticks up", "Alt+PgUp"),
            ("down_ten", "ten ticks down", "Alt+PgDown"),
        )
    )


ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(id="stage_buy", title="Stage buy", group="Order", key="Ctrl+B"),
    ActionSpec(id="stage_sell", title="Stage sell", group="Order", key="Ctrl+S"),
    ActionSpec(id="send", title="Send", group="Order", key="Return", scope=Scope.STAGED, risk=Risk.ADDS),
    ActionSpec(id="price_up", title="Price one tick up", group="Order", key="Up", scope=Scope.STAGED),
    ActionSpec(id="price_down", title="Price one tick down", group="Order", key="Down", scope=Scope.STAGED),
    ActionSpec(id="price_up_ten", title="Price ten ticks up", group="Order", key="Shift+Up", scope=Scope.STAGED),
    ActionSpec(id="price_down_ten", title="Price ten ticks down", group="Order", key="Shift+Down", scope=Scope.STAGED),
    ActionSpec(id="marketable", title="Marketable price", group="Order", key="M", scope=Scope.STAGED),
    ActionSpec(id="next_leg", title="Arrows move: entry, stop, target", group="Order", key="L", scope=Scope.STAGED),
    ActionSpec(id="next_order", title="Next working order", group="Order", key="Tab", scope=Scope.STAGED),
    ActionSpec(id="previous_order", title="Previous working order", group="Order", key="Shift+Tab", scope=Scope.STAGED),
    ActionSpec(id="edit_order", title="Change a working order", group="Order", key="Ctrl+M"),
    *_bracket(),
    ActionSpec(id="drop", title="Drop the staged order", group="Order", key="Esc", scope=Scope.STAGED),
    *_sizes(),
    ActionSpec(id="size_risk", title="Size from risk to the stop", group="Size", key="R", scope=Scope.STAGED),
    ActionSpec(id="exit_all", title="Exit all", group="Position", key="Ctrl+0", risk=Risk.REDUCES),
    ActionSpec(id="exit_half", title="Exit ½", group="Position", key="Ctrl+5", risk=Risk.REDUCES),
    ActionSpec(id="exit_quarter", title="Exit ¼", group="Position", key="Ctrl+4", risk=Risk.REDUCES),
    ActionSpec(
        id="reverse",
        title="Reverse: close all, stage the other side",
        group="Position",
        key="Ctrl+Shift+R",
        scope=Scope.ANYWHERE,
        risk=Risk.REDUCES,
    ),
    ActionSpec(id="stop_even", title="Stop to break-even", group="Position", key="Ctrl+E", risk=Risk.REDUCES),
    ActionSpec(id="stop", title="STOP", group="Safety", key="Ctrl+.", scope=Scope.ANYWHERE, risk=Risk.SAFETY),
    ActionSpec(
        id="stop_hold",
        title="STOP, held 1 s",
        group="Safety",
        key="F12",
        scope=Scope.ANYWHERE,
        risk=Risk.SAFETY,
        holds=True,
    ),
    ActionSpec(id="cancel_last", title="Cancel last", group="Safety", key="Ctrl+Z", risk=Risk.REDUCES),
    ActionSpec(id="cancel_symbol", title="Cancel symbol", group="Safety", key="Ctrl+Backspace", risk=Risk.REDUCES),
    ActionSpec(
        id="cancel_all",
        title="Cancel all",
        group="Safety",
        key="Ctrl+Shift+Backspace",
        scope=Scope.ANYWHERE,
        risk=Risk.REDUCES,
    ),
    ActionSpec(
        id="flatten_symbol",
        title="Flatten symbol",
        group="Safety",
        key="Ctrl+Shift+F",
        scope=Scope.ANYWHERE,
        risk=Risk.REDUCES,
    ),
    ActionSpec(id="arm", title="Arm risk-adding keys", group="Safety", key="Ctrl+Shift+L"),
    ActionSpec(id="disarm", title="Disarm", group="Safety", key="Ctrl+L", scope=Scope.ANYWHERE),
    ActionSpec(id="rehearse", title="Rehearsal: what each key would send", group="View", key="F2"),
    ActionSpec(id="palette", title="All actions and symbols", group="View", key="Ctrl+K", scope=Scope.ANYWHERE),
    ActionSpec(id="symbol", title="Go to symbol", group="View", key="Ctrl+Space"),
    ActionSpec(id="acknowledge", title="Acknowledge the banner", group="View", key="F8", scope=Scope.ANYWHERE),
    ActionSpec(id="focus_suggestions", title="Suggestions", group="View", key="Ctrl+1"),
    ActionSpec(id="focus_why", title="Why", group="View", key="Ctrl+2"),
    ActionSpec(id="focus_depth", title="Depth", group="View", key="Ctrl+3"),
    ActionSpec(id="focus_chart", title="Chart", group="View", key="Ctrl+6"),
    ActionSpec(id="focus_watchlist", title="Watchlist", group="View", key="Ctrl+7"),
    ActionSpec(id="focus_ticket", title="Order ticket", group="View", key="Ctrl+8"),
    ActionSpec(id="save_table", title="Save all rows as CSV…", group="View"),
    ActionSpec(id="menu", title="Menu", group="View", key="F10"),
    ActionSpec(id="scan", title="Scan the universe by rules", group="View", key="Ctrl+Shift+S"),
    ActionSpec(id="bigger", title="Larger text", group="View", key="Ctrl++"),
    ActionSpec(id="smaller", title="Smaller text", group="View", key="Ctrl+-"),
    ActionSpec(id="new_chart", title="Another chart", group="Chart", key="Alt+N"),
    ActionSpec(id="indicators", title="Indicators…", group="Chart", key="I", scope=Scope.CHART),
    ActionSpec(id="indicators_everywhere", title="Use these indicators for every symbol", group="Chart"),
    ActionSpec(id="compare", title="Compare with…", group="Chart", key="C", scope=Scope.CHART),
    ActionSpec(id="interval_1m", title="Bars of 1 min", group="Chart", key="Alt+1"),
    ActionSpec(id="interval_5m", title="Bars of 5 min", group="Chart", key="Alt+2"),
    ActionSpec(id="interval_15m", title="Bars of 15 min", group="Chart", key="Alt+3"),
    ActionSpec(id="interval_1h", title="Bars of 1 h", group="Chart", key="Alt+4"),
    ActionSpec(id="interval_1d", title="Bars of 1 day", group="Chart", key="Alt+5"),
    ActionSpec(id="interval_1w", title="Bars of 1 week", group="Chart", key="Alt+6"),
    ActionSpec(id="next_style", title="Next bar style", group="Chart", key="S", scope=Scope.CHART),
    ActionSpec(id="style_candles", title="Candles", group="Chart"),
    ActionSpec(id="style_bars", title="Bars", group="Chart"),
    ActionSpec(id="style_line", title="Line", group="Chart"),
    ActionSpec(id="style_heikin_ashi", title="Heikin-Ashi", group="Chart"),
    ActionSpec(id="next_axis", title="Next price scale", group="Chart", key="P", scope=Scope.CHART),
    ActionSpec(id="axis_linear", title="Linear scale", group="Chart"),
    ActionSpec(id="axis_log", title="Logarithmic scale", group="Chart"),
    ActionSpec(id="axis_percent", title="Scale in percent", group="Chart"),
    ActionSpec(id="volume_profile", title="Volume profile on or off", group="Chart", key="V", scope=Scope.CHART),
    ActionSpec(id="draw_trend", title="Draw a trend line", group="Chart", key="T", scope=Scope.CHART),
    ActionSpec(id="draw_horizontal", title="Draw a horizontal line", group="Chart", key="H", scope=Scope.CHART),
    ActionSpec(id="draw_ray", title="Draw a ray", group="Chart", key="Y", scope=Scope.CHART),
    ActionSpec(id="draw_rectangle", title="Draw a rectangle", group="Chart", key="D", scope=Scope.CHART),
    ActionSpec(id="draw_fibonacci", title="Draw Fibonacci levels", group="Chart", key="F", scope=Scope.CHART),
    ActionSpec(id="draw_text", title="Write on the chart…", group="Chart", key="N", scope=Scope.CHART),
    ActionSpec(id="draw_nothing", title="Remove every drawing of the symbol", group="Chart"),
    ActionSpec(id="price_alert", title="Price alert…", group="Chart"),
    ActionSpec(id="time_pause", title="Pause simulated time, or go on", group="Time", key="Ctrl+P"),
    ActionSpec(id="time_step", title="Let one simulated minute pass", group="Time", key="Ctrl+Right"),
    ActionSpec(id="time_faster", title="Simulated time faster", group="Time", key="Ctrl+PgUp"),
    ActionSpec(id="time_slower", title="Simulated time slower", group="Time", key="Ctrl+PgDown"),
    ActionSpec(id="new_window", title="Float the focused pane", group="Workspace", key="Ctrl+Shift+D"),
    ActionSpec(id="next_screen", title="Focused pane to the next screen", group="Workspace", key="Ctrl+Shift+M"),
    ActionSpec(id="save_workspace", title="Save workspace as…", group="Workspace"),
    ActionSpec(id="delete_workspace", title="Delete a workspace…", group="Workspace"),
    ActionSpec(id="reset_workspace", title="Reset workspace", group="Workspace"),
    ActionSpec(id="export_workspace", title="Export workspace…", group="Workspace"),
    ActionSpec(id="import_workspace", title="Import workspace…", group="Workspace"),
    ActionSpec(id="restore_workspace", title="Restore the layout before the last crash", group="Workspace"),
    ActionSpec(id="resume", title="Resume trading…", group="Program"),
    ActionSpec(id="open_trading", title="Open trading…", group="Program"),
    ActionSpec(id="rearm", title="Arm again what a limit switched off…", group="Program"),
    ActionSpec(id="sign_mandate", title="Sign a mandate…", group="Program"),
    ActionSpec(id="end_mandate", title="End the mandate", group="Program"),
    ActionSpec(id="set_pin", title="Set or change the PIN…", group="Program"),
    ActionSpec(id="reconcile", title="Ask the broker now", group="Program", key="Ctrl+Shift+Q"),
    ActionSpec(id="lock", title="Lock the window", group="Program", key="Ctrl+Alt+L"),
    ActionSpec(id="key_card", title="Keys", group="Program", key="F1"),
    ActionSpec(id="edit_keys", title="Change keys…", group="Program"),
    ActionSpec(id="edit_sizes", title="Sizes and risk of the keys…", group="Program"),
    ActionSpec(id="edit_presets", title="Order presets…", group="Program"),
    ActionSpec(id="confirmations", title="What is confirmed…", group="Program"),
    ActionSpec(id="first_run", title="First steps…", group="Program"),
    ActionSpec(id="sounds", title="Sounds on or off", group="Program"),
    ActionSpec(id="global_stop", title="STOP held in any program: on or off", group="Program"),
    ActionSpec(id="settings_file", title="Open the settings file", group="Program"),
    ActionSpec(id="quit", title="Quit…", group="Program", key="Ctrl+Q"),
)

PRESET_BUY, PRESET_SELL = "preset_buy:", "preset_sell:"
"""Ids of the actions that stage with a preset, before its name."""


class _Table(dict[str, ActionSpec]):
    """Actions by id. Those of presets are made of their names: a key map may outlive a preset."""

    def __missing__(self, id: str) -> ActionSpec:
        for prefix, title in ((PRESET_BUY, "Stage buy with preset"), (PRESET_SELL, "Stage sell with preset")):
            if id.startswith(prefix) and len(id) > len(prefix):
                name = id.removeprefix(prefix)
                return ActionSpec(id=id, title=f"{title} {name}", group="Order", named=name)
        raise KeyError(id)

    def __contains__(self, id: object) -> bool:
        return super().__contains__(id) or (isinstance(id, str) and _names_preset(id))


def _names_preset(id: str) -> bool:
    return any(id.startswith(prefix) and len(id) > len(prefix) for prefix in (PRESET_BUY, PRESET_SELL))


BY_ID: dict[str, ActionSpec] = _Table({spec.id: spec for spec in ACTIONS})


def in_order(ids: Iterable[str]) -> list[ActionSpec]:
    """Return actions in the table's order, those of presets last by name."""
    wanted = set(ids)
    named = sorted(id for id in wanted if _names_preset(id))
    return [*(spec for spec in ACTIONS if spec.id in wanted), *(BY_ID[id] for id in named)]


def words(spec: ActionSpec) -> str:
    """Return the title in the person's language."""
    if not spec.named:
        return say(spec.title)
    if spec.id.startswith(PRESET_BUY):
        return say("Stage buy with preset {name}", name=spec.named)
    return say("Stage sell with preset {name}", name=spec.named)


_META = {"win32": "Win", "darwin": "Control"}.get(sys.platform, "Super")
"""What people call the key that Qt calls Meta."""


def key_text(key: str) -> str:
    """Return a key as people read it: ``Ctrl+Shift+⌫``."""
    shown = {"Backspace": "⌫", "Return": "Enter", "Up": "↑", "Down": "↓", "Meta": _META}
    if key.endswith("+") and len(key) > 1:
        return key
    return "+".join(shown.get(part, part) for part in key.split("+"))
