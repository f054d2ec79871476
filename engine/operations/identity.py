"""Paper or live: profile, address and account must say the same, or nothing is traded. Pure, but for the watch."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from engine.model.decision import Book, Mode
from engine.operations.lamps import Lamps
from engine.operations.ports import Modes

CODE = "IDENTITY"
IBKR_PAPER_PORTS, IBKR_LIVE_PORTS = frozenset({4002, 7497}), frozenset({4001, 7496})
IBKR_PAPER_ACCOUNTS = ("DU", "DF", "DI")
ALPACA_HOSTS = {"paper-api.alpaca.markets": Book.PAPER, "api.alpaca.markets": Book.LIVE}
ALPACA_KEYS = {"PK": Book.PAPER, "AK": Book.LIVE}
ALPACA_PAPER_ACCOUNT = "PA"


class Witness(NamedTuple):
    """One thing that tells whose money it is. ``says`` None: it follows no convention and tells nothing."""

    what: str
    says: Book | None


def ibkr_witnesses(port: int, account: str) -> tuple[Witness, ...]:
    """TWS and Gateway: the port by convention, the account's first letters by rule."""
    by_port = Book.PAPER if port in IBKR_PAPER_PORTS else Book.LIVE if port in IBKR_LIVE_PORTS else None
    by_account = Book.PAPER if account.startswith(IBKR_PAPER_ACCOUNTS) else Book.LIVE
    return Witness(f"port {port}", by_port), Witness(f"account {tail(account)}", by_account if account else None)


def alpaca_witnesses(host: str, key_id: str, account: str) -> tuple[Witness, ...]:
    """Alpaca: the host, the first letters of the key, the first letters of the account's number."""
    by_account = Book.PAPER if account.startswith(ALPACA_PAPER_ACCOUNT) else Book.LIVE
    return (
        Witness(f"address {host}", ALPACA_HOSTS.get(host.lower())),
        Witness("the key", ALPACA_KEYS.get(key_id[:2])),
        Witness(f"account {tail(account)}", by_account if account else None),
    )


def disagreement(book: Book, witnesses: Sequence[Witness]) -> str:
    """Say which witness contradicts the profile; empty when none does and at least one speaks.

    With real money every witness must speak: an address that follows no convention could be anybody's.
    """
    profile = "LIVE" if book is Book.LIVE else "PAPER"
    meant = Book.LIVE if book is Book.LIVE else Book.PAPER
    for witness in witnesses:
        if witness.says is not None and witness.says is not meant:
            return f"Profile {profile}, but {witness.what} is for {witness.says.value} trading."
    silent = [witness.what for witness in witnesses if witness.says is None]
    if silent and (meant is Book.LIVE or len(silent) == len(witnesses)):
        return f"Profile {profile}, but it cannot be told whose money {silent[0]} is."
    return ""


def tail(account: str) -> str:
    """Enough of an account's number to recognise it, not enough to use it."""
    return f"{account[:2]}…{account[-4:]}" if len(account) > 6 else account or "(none)"


class IdentityWatch:
    """Whatever the venue says at connect: when it is not what the profile means, the engine only observes."""

    name = "identity"

    def __init__(self, fault: Callable[[], str], modes: Modes, lamps: Lamps) -> None:
        """``fault``: the disagreement as a sentence, empty while there is none; the broker's link knows it."""
        self._fault, self._modes, self._lamps = fault, modes, lamps

    def start(self) -> None:
        self.look()

    def stop(self) -> None:
        return

    def look(self) -> None:
        fault = self._fault()
        if not fault:
            self._lamps.over(CODE, "Profile, address and account agree.")
            return
        self._modes.lower(Mode.OBSERVE, self.name, fault)
        self._lamps.light(
            CODE,
            "red",
            fault,
            "It was disconnected; the engine only observes.",
            "Correct the settings or log in to the account that is meant, then start again.",
        )
