"""The exchange's own rules, pure: requests in, outputs out, time given.

The law of this room:

* It imports only `domain`; it reads no clock and draws no chance. Time is epoch microseconds.
* Everything is an integer: ticks, lots, micro-USDC (1e-6) and, for collateral, pico-USDC (1e-12).
* The same calls in the same order give the same outputs: nothing iterates over a set.
* `exchange.py` is the only door; `requests`, `outputs`, `views`, `rejects`, `rules` are its vocabulary.

What it does not do, and says so by refusing: trigger, TWAP and grouped orders, orders of size zero
("whole position"), isolated margin, spot markets, and transactions of other types than 14-17 and 20.
Signatures, rate limits, the volume quota and auth tokens belong to the server in front of it.
"""
