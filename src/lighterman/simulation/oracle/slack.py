"""How much later than the truth a bot may know and act: every allowance of the oracle, with its reason.

Anything wider would hide defects, anything narrower would blame the bot for the speed of light.
"""

from lighterman.simulation.oracle.records import NS_PER_MS, NS_PER_S

# A decision leaves after it was made: it is signed and waits for its turn at the rate limiter.
LEAVE_NS = 500 * NS_PER_MS
# Marks are told about once a second (protocol reference 3.5) and travel; then the decision leaves.
MARK_NS = 1_500 * NS_PER_MS + LEAVE_NS
# The bot may value a position at its mid; the mark is at most 0.5 % off the index, and so is a sound mid.
TOTAL_NOTIONAL_PPM = 1_010_000
# Own orders taken out of the book or not, the middle is elsewhere; and the collar's edge is rounded to ticks.
COLLAR_BPS = 20
# What a frame has told is in the bot's books after that long and that many decisions, pauses included:
# replies are read several at a time before they are believed, and all anew when one of them fails.
TOLD_NS = 5 * NS_PER_S
REREAD_NS = 30 * NS_PER_S
TOLD_BELIEFS = 5
# Without any frame the client asks after a few seconds, and gives up a few seconds later (N2, I6).
PRIVATE_SILENCE_NS = 10 * NS_PER_S
# Orders are reconciled every 30 s, and the answer may fail once before it comes.
UNTOLD_ORDER_NS = 90 * NS_PER_S
# A bot that has sent nothing for so long is not quoting anew; less than `TOLD_NS`, in which it may stop.
QUOTES_NS = NS_PER_S
# A position that was right once is no proof that the last trades are in it, but in the long run it is.
CHANCE_NS = 60 * NS_PER_S
# Cash moves by rows that may be lost; the reconciliation puts it right, twice over.
CASH_NS = 65 * NS_PER_S
# The budget is kept when a transaction is approved, a little before it leaves.
MINUTE_NS = 60 * NS_PER_S - LEAVE_NS
# A loss that lasted so long before the eyes of a healthy bot was seen, and stays seen for the day.
LOSS_SEEN_NS = 10 * NS_PER_S
LOSS_NS = MARK_NS + NS_PER_S
LOSS_PPM = 1_050_000  # the mark at which the day began is not the same to the tick
