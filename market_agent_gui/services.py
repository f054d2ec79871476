"""What every presenter may use; made once by the shell."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from market_agent_gui.bridge import EngineBridge
from market_agent_gui.charts import Charts
from market_agent_gui.commander import Commander
from market_agent_gui.keys.controller import KeyController
from market_agent_gui.links import LinkGroups
from market_agent_gui.preferences import PreferencesFile
from market_agent_gui.presenters.alerts import Alerts
from market_agent_gui.presenters.confirming import Confirming
from market_agent_gui.presenters.order_entry import OrderEntry
from market_agent_gui.presenters.presets import PresetsPresenter

if TYPE_CHECKING:
    from PySide6.QtWidgets import QDialog


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    bridge: EngineBridge
    commander: Commander
    links: LinkGroups
    entry: OrderEntry
    confirming: Confirming
    keys: KeyController
    preferences: PreferencesFile
    charts: Charts
    presets: PresetsPresenter
    alerts: Alerts
    say: Callable[[str, str], None]
    """Show a toast: severity (info, warn, bad) and one sentence."""
    show_pane: Callable[[str], None]
    open_dialog: "Callable[[QDialog], None]"
    """Open a dialog over the main window, framed like it, without a nested loop."""
