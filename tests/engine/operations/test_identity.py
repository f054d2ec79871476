"""Whose money it is: profile, address and account must agree."""

import pytest

from engine.execution.brokers.ibkr.identity import mismatch
from engine.model.decision import Book
from engine.operations.identity import alpaca_witnesses, disagreement, ibkr_witnesses

PAPER, LIVE = Book.PAPER, Book.LIVE


@pytest.mark.parametrize(
    ("book", "port", "account", "fault"),
    [
        (PAPER, 4002, "DU1234567", ""),
        (PAPER, 7497, "DF1234567", ""),
        (PAPER, 4001, "DU1234567", "port 4001"),
        (PAPER, 7496, "DU1234567", "port 7496"),
        (PAPER, 4002, "U1234567", "account U1…4567"),
        (PAPER, 5000, "DU1234567", ""),
        (PAPER, 5000, "U1234567", "account U1…4567"),
        (LIVE, 4001, "U1234567", ""),
        (LIVE, 7496, "U1234567", ""),
        (LIVE, 4002, "U1234567", "port 4002"),
        (LIVE, 4001, "DU1234567", "account DU…4567"),
        (LIVE, 5000, "U1234567", "port 5000"),
        (LIVE, 4001, "", "(none)"),
        (PAPER, 5000, "", "port 5000"),
    ],
)
def test_ibkr_port_account_and_profile_must_agree(book: Book, port: int, account: str, fault: str) -> None:
    found = disagreement(book, ibkr_witnesses(port, account))
    assert bool(found) is bool(fault)
    assert fault in found


@pytest.mark.parametrize("book", [PAPER, LIVE])
@pytest.mark.parametrize("port", [4001, 4002, 7496, 7497])
@pytest.mark.parametrize("account", ["U1234567", "DU1234567", "DF1234567", "DI1234567"])
def test_the_link_at_the_gateway_and_the_watch_judge_alike(book: Book, port: int, account: str) -> None:
    at_the_link = mismatch(book is LIVE, port, account, (account,))
    assert bool(disagreement(book, ibkr_witnesses(port, account))) is bool(at_the_link)


@pytest.mark.parametrize(
    ("book", "host", "key", "account", "fault"),
    [
        (PAPER, "paper-api.alpaca.markets", "PKABC", "PA3ABCDEFG", ""),
        (PAPER, "Paper-API.alpaca.markets", "PKABC", "PA3ABCDEFG", ""),
        (PAPER, "api.alpaca.markets", "PKABC", "PA3ABCDEFG", "api.alpaca.markets"),
        (PAPER, "paper-api.alpaca.markets", "AKABC", "PA3ABCDEFG", "the key"),
        (PAPER, "paper-api.alpaca.markets", "PKABC", "123456789", "account 12…6789"),
        (LIVE, "api.alpaca.markets", "AKABC", "123456789", ""),
        (LIVE, "paper-api.alpaca.markets", "AKABC", "123456789", "paper-api"),
        (LIVE, "api.alpaca.markets", "PKABC", "123456789", "the key"),
        (LIVE, "api.alpaca.markets", "AKABC", "PA3ABCDEFG", "account PA…DEFG"),
        (LIVE, "127.0.0.1", "AKABC", "123456789", "127.0.0.1"),
        (LIVE, "api.alpaca.markets", "XXABC", "123456789", "the key"),
        (LIVE, "api.alpaca.markets.evil.example", "AKABC", "123456789", "evil.example"),
        (PAPER, "127.0.0.1", "", "PA3ABCDEFG", ""),
        (PAPER, "127.0.0.1", "", "", "127.0.0.1"),
    ],
)
def test_alpaca_address_key_account_and_profile_must_agree(
    book: Book, host: str, key: str, account: str, fault: str
) -> None:
    found = disagreement(book, alpaca_witnesses(host, key, account))
    assert bool(found) is bool(fault)
    assert fault in found


def test_neither_key_nor_whole_account_number_is_ever_said() -> None:
    found = disagreement(PAPER, alpaca_witnesses("paper-api.alpaca.markets", "AKSECRETSECRET", "PA3ABCDEFG"))
    found += disagreement(PAPER, ibkr_witnesses(4002, "U12345678"))
    assert "SECRET" not in found
    assert "U12345678" not in found


def test_a_replay_is_never_real_money() -> None:
    assert disagreement(Book.REPLAY, ibkr_witnesses(4001, "U1234567"))
    assert not disagreement(Book.REPLAY, ibkr_witnesses(4002, "DU1234567"))
