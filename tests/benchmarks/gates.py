"""Measured ratios against what we ask of ourselves, printed as one table; a figure counts beside a peer's only."""

import argparse
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gate:
    """Ours by a peer's figure of the same run: at most `limit`, better at most `stretch`. None: not measured."""

    name: str
    ratio: float | None
    limit: float
    stretch: float


def ratio(ours: float | None, peer: float | None) -> float | None:
    """Return ours by the peer's; None when either is missing."""
    return ours / peer if ours is not None and peer else None


def fraction(value: float) -> str:
    """Write a small ratio as 1/n."""
    return f"1/{1 / value:.1f}" if 0 < value < 0.5 else f"{value:.2f}"


def verdict(gate: Gate) -> str:
    """Say whether a gate is met."""
    if gate.ratio is None:
        return "not measured"
    if gate.ratio <= gate.stretch:
        return "met, stretch too"
    return "met" if gate.ratio <= gate.limit else "MISSED"


def show(gates: list[Gate]) -> None:
    """Print the gates."""
    print(f"\n{'ours by the other, same run':<62}{'measured':>10}{'gate':>10}{'stretch':>10}  verdict")
    for gate in gates:
        measured = "-" if gate.ratio is None else fraction(gate.ratio)
        print(f"{gate.name:<62}{measured:>10}{fraction(gate.limit):>10}{fraction(gate.stretch):>10}  {verdict(gate)}")


def no_other(doc: str | None, beside: str) -> None:
    """Take `--peer` where no other product is measured, and say so, with what stands beside ours instead."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--peer", help="taken and not used: there is no other product to run here")
    parser.parse_args()
    print(f"peers: none to run here; {beside}")
