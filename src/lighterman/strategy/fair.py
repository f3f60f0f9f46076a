"""Where the price fairly is, from the best levels of others. In ticks, as a float."""


def mid(bid_ticks: int, ask_ticks: int) -> float:
    """Return the middle of the best bid and ask."""
    return (bid_ticks + ask_ticks) / 2


def micro(bid_ticks: int, bid_lots: int, ask_ticks: int, ask_lots: int) -> float:
    """Return the size-weighted mid: nearer to the side with less size behind it.

    (P_b Q_a + P_a Q_b) / (Q_b + Q_a), market-making reference 2.4. Fit it before trusting it.
    """
    return (bid_ticks * ask_lots + ask_ticks * bid_lots) / (bid_lots + ask_lots)


def imbalance(bid_lots: int, ask_lots: int) -> float:
    """Return (bid - ask) / (bid + ask) of the sizes given, in [-1, 1]; 0 where there are none."""
    total = bid_lots + ask_lots
    return (bid_lots - ask_lots) / total if total else 0.0
