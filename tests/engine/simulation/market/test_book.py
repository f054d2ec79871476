"""The book: queues are kept, nothing crosses, nothing is lost, own orders take part."""

import numpy as np
import pytest

from engine.simulation.market.book import BookRefusal

SECOND = 1_000_000_000


def opened(market, symbol, second, day=0):
    book = market.book(symbol, day)
    book.advance(market.session(day).open_ns + second * SECOND)
    return book


@pytest.mark.parametrize("symbol", ["AAPL", "F", "BLK", "ZZTOP"])
def test_without_own_orders_the_book_is_the_tape(make_market, symbol):
    market = make_market()
    book = market.book(symbol, 0)
    row, open_ns = market.symbols.index(symbol), market.session(0).open_ns
    quotes = market.quotes(0, 0, 3600)
    for second in (1, 2, 10, 600, 601, 3600):
        book.advance(open_ns + second * SECOND)
        bids, asks = book.depth(1)
        assert bids[0, 0] == quotes.bid[row, second - 1]
        assert asks[0, 0] == quotes.ask[row, second - 1]
    tape, seen = market.trades(symbol, 0, 0, 3600), book.trades_since()
    for name in ("ts_ns", "price", "size", "side"):
        assert np.array_equal(getattr(tape, name), getattr(seen, name)), name
    assert len(book.trades_since().ts_ns) == 0


def test_steps_of_any_size_lead_to_the_same_book(make_market):
    market = make_market()
    one, many = opened(market, "AAPL", 500), market.book("AAPL", 0)
    rng = np.random.default_rng(1)
    for at in np.sort(rng.integers(0, 500 * SECOND, 3000)):
        many.advance(market.session(0).open_ns + int(at))
    many.advance(market.session(0).open_ns + 500 * SECOND)
    for a, b in zip(one.depth(12), many.depth(12), strict=True):
        assert np.array_equal(a, b)
    assert one.events == many.events


def test_an_order_waits_behind_what_was_there_first(make_market):
    market = make_market()
    book = opened(market, "AAPL", 600)
    best, shares = book.depth(1)[0][0]
    first, second = book.submit(1, best, 200, "me"), book.submit(1, best, 300, "me")
    assert book.ahead(first) == shares
    assert book.ahead(second) == shares + 200
    assert book.depth(1)[0][0, 1] == shares + 500
    ahead = [book.ahead(first)]
    for step in range(1, 40):
        book.advance(market.session(0).open_ns + 600 * SECOND + step * SECOND // 8)
        ahead.append(book.ahead(first))
        if book.resting(second) < 300:
            assert book.resting(first) == 0
    assert np.all(np.diff(ahead) <= 0)
    assert book.cancel(second) >= 0
    assert book.resting(second) == 0
    assert book.cancel(999) == 0


def test_a_market_order_walks_the_displayed_depth(make_market):
    market = make_market()
    book = opened(market, "AAPL", 900)
    asks = book.depth(5)[1]
    number = book.submit(1, None, int(asks[:3, 1].sum()), "me")
    fills = book.fills()
    assert {fill.order_id for fill in fills} == {number}
    got = {price: sum(fill.qty for fill in fills if fill.price == price) for price in asks[:3, 0]}
    assert got == dict(asks[:3].tolist())
    assert not any(fill.is_maker for fill in fills)
    assert book.depth(1)[1][0, 0] >= asks[3, 0]
    book.check()


def test_own_buying_moves_later_prices_up_and_fades(make_market):
    market, calm = make_market(), make_market()
    row, at = market.symbols.index("AAPL"), market.session(0).open_ns + 900 * SECOND
    adv = market.instruments[row].adv
    before = market.quotes(0, 0, 900)
    market.own_trade("AAPL", at, 0.002 * adv)
    push = market.quotes(0, 900, 5000).bid[row] - calm.quotes(0, 900, 5000).bid[row]
    assert np.array_equal(market.quotes(0, 0, 900).bid, before.bid)
    assert push[1] > 0.1
    assert push[1] > push[60] > push[600] > push[4000] > 0
    assert push[1] / calm.quotes(0, 900, 901).bid[row, 0] == pytest.approx(
        market.impact_of("AAPL", 0.002 * adv), rel=0.15
    )
    others = np.arange(len(market.symbols)) != row
    assert np.array_equal(market.quotes(0, 900, 950).bid[others], calm.quotes(0, 900, 950).bid[others])
    # Bars, prints and quotes still tell one story, and the next session has forgotten.
    assert np.array_equal(market.quotes(0, 0, 23_400).last[:, 59::60], market.intraday_bars(0, 60).close)
    assert market.daily_bars(1, 1).high[row, 0] == market.intraday_bars(0, 300).high[row].max()
    assert np.array_equal(market.quotes(1, 0, 10).bid, calm.quotes(1, 0, 10).bid)


def test_a_large_buy_cannot_be_sold_back_at_once_with_a_profit(make_market):
    market = make_market()
    for symbol in ("AAPL", "F", "MSFT", "KO"):
        for share in (1e-5, 1e-4, 1e-3):
            book = opened(market, symbol, 1200)
            qty = max(1, int(share * market.instruments[market.symbols.index(symbol)].adv))
            book.submit(1, None, qty, "me")
            paid = sum(fill.price * fill.qty for fill in book.fills())
            held = qty
            book.submit(-1, None, held, "me")
            earned = sum(fill.price * fill.qty for fill in book.fills())
            assert earned < paid, (symbol, share)


def test_working_four_times_as_much_costs_about_twice_per_share(make_market):
    costs = []
    for total in (0.006, 0.024):  # 22 and 90 minutes of work
        market = make_market("null")
        row, start = market.symbols.index("AAPL"), market.session(0).open_ns
        adv, sigma_price = market.instruments[row].adv, 190.0
        calm = market.quotes(0, 0, 23_400).bid[row]
        slices = int(total / 0.00004)
        paid = 0.0
        for i in range(slices):
            second = 1800 + i * 9
            if i:
                paid += market.quotes(0, second - 1, second).bid[row, 0] - calm[second - 1]
            market.own_trade("AAPL", start + second * SECOND, 0.00004 * adv)
        costs.append(paid / slices / sigma_price)
    assert 1.8 <= costs[1] / costs[0] <= 2.3
    assert 0.45 <= np.log(costs[1] / costs[0]) / np.log(4) <= 0.60


def test_passive_orders_fill_less_than_touching_says_and_against_the_tide(make_market):
    touched, filled, marks = 0, 0, []
    for symbol in ("AAPL", "KO", "XOM", "LMT"):
        market = make_market("null", symbols=(symbol,))
        book, open_ns = market.book(symbol, 0), market.session(0).open_ns
        quotes = market.quotes(0, 0, 23_400)
        mid, half = (quotes.bid[0] + quotes.ask[0]) / 2, np.median(quotes.ask[0] - quotes.bid[0]) / 2
        for second in range(300, 23_300, 60):
            book.advance(open_ns + second * SECOND)
            side = 1 if second // 60 % 2 else -1
            price = book.depth(1)[0 if side > 0 else 1][0, 0]
            book.trades_since()
            number = book.submit(side, price, 100, "me")
            book.advance(open_ns + (second + 59) * SECOND)
            prints = book.trades_since().price
            touched += bool(np.any(prints <= price) if side > 0 else np.any(prints >= price))
            filled += book.cancel(number) == 0
            for fill in book.fills():
                at = (fill.ts_ns - open_ns) // SECOND
                marks.append(side * (mid[min(at + 10, 23_399)] - fill.price) / half)
    assert touched / filled - 1 >= 0.08
    assert np.mean(marks) <= 0.5


def test_two_own_orders_never_trade_with_each_other(make_market):
    market = make_market()
    book = opened(market, "F", 300)
    ask = book.depth(1)[1][0, 0]
    resting = book.submit(-1, round(ask - 0.01 + 0.01, 2), 100, "me")
    book.submit(1, None, 10_000_000, "me")
    assert book.resting(resting) == 100
    assert resting not in {fill.order_id for fill in book.fills()}


@pytest.mark.parametrize(
    ("side", "price", "qty", "code"),
    [
        (1, 190.005, 1, "TICK"),
        (1, float("nan"), 1, "TICK"),
        (0, 190.0, 1, "SIDE"),
        (1, 190.0, 0, "QUANTITY"),
        (1, 1e6, 1, "PRICE"),
    ],
)
def test_a_wrong_order_is_refused_with_a_code(make_market, side, price, qty, code):
    book = opened(make_market(), "AAPL", 10)
    with pytest.raises(BookRefusal) as refusal:
        book.submit(side, price, qty, "me")
    assert refusal.value.code == code


def test_no_order_is_taken_in_a_halt(make_market):
    market = make_market("crash")
    symbol, start, _ = market.halts(1)[0]
    book = market.book(symbol, 1)
    book.advance(start + SECOND)
    assert book.is_halted
    with pytest.raises(BookRefusal, match="does not trade"):
        book.submit(1, None, 100, "me")


def busy_day(market, symbol, day, seed, seconds):
    """A book under a random stream of own orders; returns it after checking conservation on the way."""
    rng = np.random.default_rng(seed)
    book, open_ns, now = market.book(symbol, day), market.session(day).open_ns, 0
    submitted, filled, cancelled, numbers = {}, {}, {}, []
    while now < seconds * SECOND:
        now += int(rng.exponential(4.0) * SECOND)
        book.advance(open_ns + now)
        if book.is_halted:
            continue
        bids, asks = book.depth(1)
        side = int(rng.choice([-1, 1]))
        choice = rng.random()
        qty = int(rng.integers(1, 20) * 100)
        if choice < 0.15:
            number = book.submit(side, None, qty, "me")
            submitted[number] = qty
            cancelled[number] = None
        elif choice < 0.75:
            price = (bids[0, 0] if side > 0 else asks[0, 0]) + 0.01 * int(rng.integers(-3, 3))
            number = book.submit(side, round(price, 2), qty, "me")
            submitted[number] = qty
            numbers.append(number)
        elif numbers:
            number = numbers.pop(int(rng.integers(len(numbers))))
            cancelled[number] = book.cancel(number)
        for fill in book.fills():
            filled[fill.order_id] = filled.get(fill.order_id, 0) + fill.qty
    book.check()
    for number, qty in submitted.items():
        done = filled.get(number, 0)
        assert done <= qty
        if cancelled.get(number) is not None:
            assert done + cancelled[number] <= qty
            assert book.resting(number) == 0
    return book


@pytest.mark.parametrize("symbol", ["AAPL", "F", "BLK", "KO"])
def test_a_busy_book_loses_nothing_and_never_crosses(make_market, symbol):
    book = busy_day(make_market("crash"), symbol, 1, 7, 8000)
    assert book.crossed == 0
    assert book.events > 300_000


@pytest.mark.long
def test_no_book_crosses_in_ten_million_events(make_market):
    market = make_market("crash")
    events = 0
    for day in range(3):
        for symbol in market.symbols[:4]:
            book = busy_day(market, symbol, day, day, 23_000)
            assert book.crossed == 0
            events += book.events
    assert events > 10_000_000
