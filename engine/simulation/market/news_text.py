"""Headlines and bodies of simulated news: typed templates, some of them kept apart for blind tests."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NewsKind:
    """A kind of news with the sign of its sentiment and its templates."""

    kind: str
    sign: int
    train: tuple[str, ...]
    blind: tuple[str, ...]
    body: str


NEWS_KINDS: tuple[NewsKind, ...] = (
    NewsKind(
        "earnings", 1,
        ("{name} beats quarterly estimates as margins widen", "{name} earnings top forecasts, revenue up {p}%",
         "{name} posts record quarter, profit rises {p}%", "Strong demand lifts {name} past profit expectations"),
        ("{name} quarter comes in well ahead of the Street", "Analysts surprised by {name}: profit jumps {p}%"),
        "{name} ({symbol}) reported earnings per share of ${eps}, {p}% above the average estimate.",
    ),
    NewsKind(
        "earnings", -1,
        ("{name} misses quarterly estimates on weak demand", "{name} profit falls {p}%, short of forecasts",
         "{name} posts surprise loss as costs climb", "Soft sales drag {name} below expectations"),
        ("{name} quarter disappoints across the board", "{name} results fall well short, shares under pressure"),
        "{name} ({symbol}) reported earnings per share of ${eps}, {p}% below the average estimate.",
    ),
    NewsKind(
        "guidance", 1,
        ("{name} raises full-year outlook", "{name} lifts revenue guidance by {p}%",
         "{name} sees stronger second half, raises forecast"),
        ("{name} now expects a better year than planned", "Upbeat {name} moves its targets higher"),
        "{name} ({symbol}) said it now expects annual revenue to grow {p}%, more than it planned three months ago.",
    ),
    NewsKind(
        "guidance", -1,
        ("{name} cuts full-year outlook", "{name} warns on profit, lowers guidance by {p}%",
         "{name} withdraws forecast amid weak orders"),
        ("{name} no longer expects to reach its targets", "Cautious {name} trims what it hopes to earn"),
        "{name} ({symbol}) said annual revenue would fall {p}% short of its earlier forecast.",
    ),
    NewsKind(
        "analyst", 1,
        ("{broker} upgrades {name} to buy", "{broker} raises {name} price target by {p}%",
         "{name} added to conviction list at {broker}"),
        ("{broker} turns bullish on {name}", "{name} wins a fan at {broker}"),
        "{broker} said {symbol} offers a favourable balance of risk and reward.",
    ),
    NewsKind(
        "analyst", -1,
        ("{broker} downgrades {name} to sell", "{broker} cuts {name} price target by {p}%",
         "{name} removed from conviction list at {broker}"),
        ("{broker} turns bearish on {name}", "{broker} loses patience with {name}"),
        "{broker} said expectations for {symbol} are too high.",
    ),
    NewsKind(
        "contract", 1,
        ("{name} wins {amount} supply contract", "{name} signs multi-year deal worth {amount}",
         "{name} selected as main supplier in {amount} project"),
        ("{name} lands order valued at {amount}", "Customer commits {amount} to {name}"),
        "The agreement with {symbol} runs for {n} years; terms were not disclosed.",
    ),
    NewsKind(
        "contract", -1,
        ("{name} loses {amount} supply contract", "Customer ends {amount} deal with {name}",
         "{name} passed over for {amount} project"),
        ("{amount} order slips away from {name}", "Large client walks away from {name}"),
        "The contract had contributed to {symbol}'s revenue for {n} years.",
    ),
    NewsKind(
        "legal", 1,
        ("Court dismisses lawsuit against {name}", "Regulator drops probe into {name}",
         "{name} settles long-running case for less than feared"),
        ("{name} cleared of wrongdoing", "Inquiry into {name} ends without charges"),
        "The case against {symbol} had been pending for {n} years.",
    ),
    NewsKind(
        "legal", -1,
        ("Regulator opens probe into {name}", "{name} sued over accounting practices",
         "{name} fined {amount} by regulator"),
        ("Prosecutors take interest in {name}", "{name} faces class action"),
        "{symbol} said it would cooperate and could not estimate possible losses.",
    ),
    NewsKind(
        "product", 1,
        ("{name} unveils new product to strong reviews", "{name} wins approval for key product",
         "{name} launch sells out within {n} days"),
        ("Early buyers praise the latest from {name}", "Green light for {name}'s most awaited product"),
        "Orders for the new {symbol} product were {p}% higher than for its predecessor.",
    ),
    NewsKind(
        "product", -1,
        ("{name} recalls product over safety concerns", "{name} delays launch of key product",
         "Trial setback for {name}'s leading product"),
        ("{name} halts shipments after complaints", "Defects force {name} to stop deliveries"),
        "{symbol} said the matter concerns {p}% of units sold this year.",
    ),
    NewsKind(
        "capital", 1,
        ("{name} announces {amount} share buyback", "{name} raises dividend by {p}%",
         "{name} completes refinancing at lower rates"),
        ("{name} to hand {amount} back to shareholders", "Bigger payout for {name} owners"),
        "The board of {symbol} approved the plan unanimously.",
    ),
    NewsKind(
        "capital", -1,
        ("{name} to sell {amount} of new shares", "{name} suspends dividend",
         "{name} debt rating cut to junk"),
        ("{name} asks shareholders for {amount}", "Lenders tighten terms for {name}"),
        "{symbol} cited the need for financial flexibility.",
    ),
    NewsKind(
        "management", 1,
        ("{name} names respected industry veteran as chief executive", "Founder returns to lead {name}",
         "{name} chief executive buys {amount} of shares"),
        ("New leadership at {name} welcomed by investors", "{name} insiders add to their holdings"),
        "The change at {symbol} takes effect in {n} weeks.",
    ),
    NewsKind(
        "management", -1,
        ("{name} chief executive resigns unexpectedly", "{name} finance chief departs amid review",
         "{name} insiders sell {amount} of shares"),
        ("Sudden exit at the top of {name}", "Boardroom dispute at {name} spills into the open"),
        "{symbol} said the search for a successor had begun.",
    ),
)  # fmt: skip

RUMOURS: dict[int, NewsKind] = {
    1: NewsKind(
        "rumour", 1,
        ("{name} said to be in talks to be acquired", "{name} explores sale, people familiar say",
         "Report: {name} close to {amount} partnership"),
        ("Whispers of a bid for {name}", "{name} may soon have a suitor, sources say"),
        "The people asked not to be named because the matter is private. {symbol} declined to comment.",
    ),
    -1: NewsKind(
        "rumour", -1,
        ("{name} said to be losing a major customer", "{name} weighs cutting forecast, people familiar say",
         "Report: regulators preparing action against {name}"),
        ("Whispers of trouble at {name}", "{name} may face a funding gap, sources say"),
        "The people asked not to be named because the matter is private. {symbol} declined to comment.",
    ),
}  # fmt: skip

CONFIRMED = NewsKind(
    "confirmation", 0,
    ("{name} confirms earlier report", "{name} says reports are accurate"),
    ("It is official: {name} acknowledges what was reported",),
    "{symbol} confirmed what had been reported in the previous session and gave no further details.",
)  # fmt: skip
DENIED = NewsKind(
    "denial", 0,
    ("{name} denies earlier report", "{name} says reports are without foundation"),
    ("Nothing to it: {name} rejects what was reported",),
    "{symbol} denied what had been reported in the previous session.",
)  # fmt: skip

BROKERS = ("Northgate Securities", "Alder & Finch", "Kestrel Capital", "Harbour Street Research", "Meridian Partners")
AMOUNTS = ("$120 million", "$350 million", "$800 million", "$1.4 billion", "$2.5 billion", "$6 billion")


def kinds_of(sign: int) -> tuple[NewsKind, ...]:
    """The kinds with this sentiment."""
    return tuple(kind for kind in NEWS_KINDS if kind.sign == sign)
