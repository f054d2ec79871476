"""Is this the account the profile means? Profile, port and account prefix must agree. Pure."""

from collections.abc import Sequence

PAPER_PORTS = frozenset({4002, 7497})
LIVE_PORTS = frozenset({4001, 7496})
_PAPER_PREFIXES = ("DU", "DF", "DI")


def is_paper(account: str) -> bool:
    """Whether an account code names a paper account: D before the letter of the real one."""
    return account.startswith(_PAPER_PREFIXES)


def mismatch(live: bool, port: int, account: str, managed: Sequence[str]) -> str:
    """Say why this gateway is not the one the profile means; empty when it is."""
    profile = "LIVE" if live else "PAPER"
    if not account:
        return "The account is not named in the settings (ibkr.account)."
    if is_paper(account) is live:
        kind = "a paper" if is_paper(account) else "a live"
        return f"Profile {profile}, but {_tail(account)} is {kind} account."
    if port in (PAPER_PORTS if live else LIVE_PORTS):
        kind = "paper" if live else "live"
        return f"Profile {profile}, but port {port} is the one for {kind} trading."
    if account not in managed:
        there = ", ".join(_tail(name) for name in managed) or "none"
        return f"The gateway is logged in to {there}, not to {_tail(account)}."
    return ""


def _tail(account: str) -> str:
    """Enough of an account code to recognise it, not enough to use it."""
    return f"{account[:2]}…{account[-4:]}" if len(account) > 6 else account
