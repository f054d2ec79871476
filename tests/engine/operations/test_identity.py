"""Whose money it is: at every venue profile, address and account must agree, or nothing is connected."""

import pytest

from engine.execution.brokers.alpaca.identity import mismatch as alpaca
from engine.execution.brokers.alpaca.settings import LIVE_STREAM, LIVE_URL, PAPER_STREAM, PAPER_URL, AlpacaSettings
from engine.execution.brokers.ibkr.identity import mismatch as ibkr

PAPER, LIVE = False, True


@pytest.mark.parametrize("account", ["U1234567", "DU1234567", "DF1234567", "DI1234567", ""])
@pytest.mark.parametrize("port", [4001, 4002, 7496, 7497])
@pytest.mark.parametrize("live", [PAPER, LIVE], ids=["paper", "live"])
def test_at_ibkr_only_the_one_agreement_of_profile_port_and_account_connects(live, port, account) -> None:
    says = {live, port in (4001, 7496), not account.startswith("D")}
    agrees = bool(account) and len(says) == 1
    assert (ibkr(live, port, account, (account,)) == "") is agrees


def test_at_ibkr_the_login_must_hold_the_account_that_is_named() -> None:
    assert "logged in to" in ibkr(PAPER, 4002, "DU1234567", ("DU7654321",))
    assert "logged in to none" in ibkr(PAPER, 4002, "DU1234567", ())


@pytest.mark.parametrize("account", ["PA3ABCDEFG", "123456789", ""])
@pytest.mark.parametrize("stream", [PAPER_STREAM, LIVE_STREAM])
@pytest.mark.parametrize("base", [PAPER_URL, LIVE_URL])
@pytest.mark.parametrize("live", [PAPER, LIVE], ids=["paper", "live"])
def test_at_alpaca_only_the_one_agreement_of_profile_addresses_and_account_connects(live, base, stream, account):
    settings = AlpacaSettings(base_url=base, stream_url=stream, account=account)
    says = {live, base == LIVE_URL, stream == LIVE_STREAM, not account.startswith("PA")}
    agrees = bool(account) and len(says) == 1
    assert (alpaca(live, settings, account) == "") is agrees


@pytest.mark.parametrize("host", ["api.alpaca.markets.example.org", "example.org", "127.0.0.1"])
def test_keys_for_real_money_go_to_the_broker_and_nowhere_else(host: str) -> None:
    elsewhere = AlpacaSettings(base_url=f"https://{host}", stream_url=LIVE_STREAM, account="123456789")
    assert f"{host} is not api.alpaca.markets" in alpaca(LIVE, elsewhere)


def test_at_alpaca_the_key_must_belong_to_the_account_that_is_named() -> None:
    settings = AlpacaSettings(account="PA3ABCDEFG")
    assert "The key belongs to PA…WXYZ" in alpaca(PAPER, settings, "PA9STUVWXYZ")
    assert alpaca(PAPER, settings, "PA3ABCDEFG") == ""


@pytest.mark.parametrize("account", ["U12345678", "DU12345678"])
def test_a_whole_account_number_is_never_said(account: str) -> None:
    said = [ibkr(live, port, account, ("U99999999",)) for live in (PAPER, LIVE) for port in (4001, 4002)]
    said += [alpaca(live, AlpacaSettings(account="PA3ABCDEFG"), "PA9STUVWXYZ") for live in (PAPER, LIVE)]
    assert any(said)
    assert not [line for line in said if account in line or "PA9STUVWXYZ" in line or "PA3ABCDEFG" in line]
