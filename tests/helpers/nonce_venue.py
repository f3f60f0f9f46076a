"""A venue that knows nothing but nonces (protocol reference 4.7, 9.1, 9.2), as a model to test against."""

import enum


class Reply(enum.Enum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    INVALID_NONCE = "invalid nonce"


class NonceVenue:
    """One key: an API that counts what is queued, and a sequencer that runs or drops it."""

    def __init__(self, next_nonce=0):
        self.next = next_nonce
        self.queue = []
        self.executed = []

    def receive(self, transactions, now_ns, *, is_bad=False):
        """Take a batch of (nonce, dead_ns, identity): all of it or nothing."""
        if [nonce for nonce, _, _ in transactions] != list(range(self.next, self.next + len(transactions))):
            return Reply.INVALID_NONCE
        if is_bad or any(dead_ns <= now_ns for _, dead_ns, _ in transactions):
            return Reply.REFUSED
        self.queue += transactions
        self.next += len(transactions)
        return Reply.ACCEPTED

    def run_one(self, now_ns):
        """Run what was queued first, or drop it with all that stands behind it; return its nonce if it ran."""
        if not self.queue:
            return None
        nonce, dead_ns, identity = self.queue.pop(0)
        if dead_ns <= now_ns:
            self.next = nonce
            self.queue.clear()
            return None
        self.executed.append(identity)
        return nonce
