"""Which presenter makes which pane, in the order in which they are built after the first paint."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from market_agent_gui.docks import EXTRA_CHARTS, FIRST_CHART
from market_agent_gui.foreign.find import Found
from market_agent_gui.keys.arming import Arming
from market_agent_gui.presenters.approvals import ApprovalsPresenter
from market_agent_gui.presenters.chart import ChartPresenter
from market_agent_gui.presenters.console import ConsolePresenter, console_command
from market_agent_gui.presenters.depth import DepthPresenter, TapePresenter
from market_agent_gui.presenters.differences import DifferencesPresenter
from market_agent_gui.presenters.foreign import ForeignPresenter
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.presenters.scan import ScanPresenter
from market_agent_gui.presenters.strategies import StrategiesPresenter
from market_agent_gui.presenters.tables import (
    DenialsPresenter,
    FillsPresenter,
    LimitsPresenter,
    LogPresenter,
    NewsPresenter,
    OrdersPresenter,
    PositionsPresenter,
)
from market_agent_gui.presenters.ticket import TicketPresenter
from market_agent_gui.presenters.watchlist import WatchlistPresenter
from market_agent_gui.presenters.why import WhyPresenter
from market_agent_gui.services import Services


def make_presenters(
    services: Services,
    arming: Arming,
    profile: Path,
    docks: Iterable[str],
    engine_command: Sequence[str],
    foreign: Sequence[Found] = (),
) -> dict[str, PanePresenter]:
    """Make every presenter, by dock. Their panes are made later, one by one. ``docks``: what the window has."""
    approvals, why = ApprovalsPresenter(services), WhyPresenter(services)
    approvals.suggestion_shown.connect(why.show)
    approvals.evidence_wanted.connect(lambda _key: services.show_pane("why"))
    watchlist, scanner = WatchlistPresenter(services, profile), ScanPresenter(services, profile)
    scanner.add_to_watchlist = watchlist.add
    made: list[PanePresenter] = [
        ChartPresenter(services, FIRST_CHART),
        watchlist,
        TicketPresenter(services, arming),
        why,
        approvals,
        DepthPresenter(services),
        TapePresenter(services),
        PositionsPresenter(services),
        OrdersPresenter(services),
        FillsPresenter(services),
        DenialsPresenter(services),
        scanner,
        StrategiesPresenter(services),
        NewsPresenter(services),
        LimitsPresenter(services),
        DifferencesPresenter(services),
        LogPresenter(services),
        ConsolePresenter(services, profile, console_command(engine_command, profile)),
        *(ChartPresenter(services, name) for name in docks if name in EXTRA_CHARTS),
        *(ForeignPresenter(services, found) for found in foreign),
    ]
    return {presenter.dock: presenter for presenter in made}
