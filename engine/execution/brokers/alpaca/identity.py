"""Is this the account the profile means? Profile, address and account number must agree. Pure."""

from urllib.parse import urlsplit

from engine.execution.brokers.alpaca.settings import AlpacaSettings

_PAPER_HOST = "paper-api.alpaca.markets"
_LIVE_HOST = "api.alpaca.markets"


def is_paper(account: str) -> bool:
    """Whether an account number names a paper account."""
    return account.startswith("PA")


def mismatch(live: bool, settings: AlpacaSettings, account_number: str | None = None) -> str:
    """Say why this is not the account the profile means; empty when it is. ``account_number`` is the login's own."""
    profile = "LIVE" if live else "PAPER"
    if not settings.account:
        return "The account is not named in the settings (alpaca.account)."
    if is_paper(settings.account) is live:
        kind = "a paper" if is_paper(settings.account) else "a live"
        return f"Profile {profile}, but {_tail(settings.account)} is {kind} account."
    for url in (settings.base_url, settings.stream_url):
        host = urlsplit(url).hostname or ""
        if host == (_PAPER_HOST if live else _LIVE_HOST):
            return f"Profile {profile}, but {host} is the address for {'paper' if live else 'live'} trading."
        if live and host != _LIVE_HOST:
            return f"Profile LIVE, but {host} is not {_LIVE_HOST}; keys for real money are sent nowhere else."
        if urlsplit(url).scheme in ("http", "ws") and host not in ("127.0.0.1", "::1", "localhost"):
            return f"{host} would be reached without encryption; keys are not sent there."
    if account_number is not None and account_number != settings.account:
        return f"The key belongs to {_tail(account_number)}, not to {_tail(settings.account)}."
    return ""


def _tail(account: str) -> str:
    """Enough of an account number to recognise it, not enough to use it."""
    return f"{account[:2]}…{account[-4:]}" if len(account) > 6 else account
