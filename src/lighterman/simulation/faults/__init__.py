"""Every way in which things go wrong. `catalogue.py` is the list; a new fault is one entry in one of its parts.

Law: a fault turns levers of the world's parts and knows nothing of the bot's inside. What it does is
decided by its arguments, drawn with the plan, and by a stream of chance of its own. It says whether
it found something to act on; one that never does proves nothing.
"""
