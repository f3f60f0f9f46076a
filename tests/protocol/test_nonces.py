import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from helpers.nonce_venue import NonceVenue, Reply
from lighterman.domain.errors import LocalProtocolError
from lighterman.protocol.nonces import NonceKeeper

LIFE_NS = 1_000_000_000
T0 = 1_700_000_000_000_000


def _taken(keeper, count, dead_ns=T0 + LIFE_NS):
    nonces = keeper.take(count, T0)
    keeper.leaves(nonces, dead_ns)
    return nonces


def _settled(keeper, reading, now_ns):
    """Read the same twice, which is what it takes to step back."""
    keeper.settle(reading, now_ns)
    return keeper.settle(reading, now_ns)


def test_nonces_are_given_out_in_sequence():
    """A new nonce is the last plus one."""
    keeper = NonceKeeper(7)

    assert range(7, 10) == keeper.take(3, T0)
    assert range(10, 11) == keeper.take(1, T0)


def test_a_refusal_at_the_end_gives_its_nonces_back():
    """A refused transaction has not used its nonce."""
    keeper = NonceKeeper(7)
    keeper.accepted(_taken(keeper, 2))
    keeper.refused(_taken(keeper, 3))

    assert range(9, 10) == keeper.take(1, T0)


def test_a_refusal_with_others_behind_it_freezes():
    """The counter never steps back past what is still on its way."""
    keeper = NonceKeeper(7)
    first, second = _taken(keeper, 1), _taken(keeper, 1)
    keeper.refused(first)

    assert keeper.is_frozen
    with pytest.raises(LocalProtocolError, match="frozen"):
        keeper.take(1, T0)

    keeper.denied(second)
    settled = _settled(keeper, 7, T0)

    assert [8] == settled.unused
    assert range(7, 8) == keeper.take(1, T0)


def test_an_unanswered_nonce_is_used_once_the_venue_has_moved_past_it():
    """`nextNonce` above the doubtful nonce proves that it was accepted."""
    keeper = NonceKeeper(7)
    keeper.unknown(_taken(keeper, 2), "no answer")
    settled = keeper.settle(9, T0)

    assert ([7, 8], [], False) == (settled.used, settled.unused, settled.is_foreign)
    assert not keeper.is_frozen
    assert keeper.next == 9


def test_an_unanswered_nonce_is_unused_only_when_its_transaction_is_dead():
    """While ExpiredAt has not passed, the transaction may still arrive; then it cannot."""
    keeper = NonceKeeper(7)
    keeper.unknown(_taken(keeper, 1), "no answer")

    early = keeper.settle(7, T0 + LIFE_NS - 1)
    assert ([], []) == (early.used, early.unused)
    assert keeper.is_frozen

    late = _settled(keeper, 7, T0 + LIFE_NS)
    assert ([], [7]) == (late.used, late.unused)
    assert range(7, 8) == keeper.take(1, T0 + LIFE_NS)


def test_a_queued_transaction_that_the_venue_dropped_is_found_unused():
    """Code 200 is no execution: a reading at or below its nonce, after its death, says it was dropped."""
    keeper = NonceKeeper(7)
    keeper.accepted(_taken(keeper, 1))
    keeper.denied(_taken(keeper, 1))

    assert [8] == _settled(keeper, 7, T0).unused
    assert keeper.is_frozen
    assert [7] == _settled(keeper, 7, T0 + LIFE_NS).unused
    assert keeper.next == 7


def test_a_nonce_we_never_gave_out_is_foreign():
    """Somebody else's transaction on our key shows by its nonce, in the stream and in `nextNonce`."""
    keeper = NonceKeeper(7)
    keeper.accepted(_taken(keeper, 1))

    assert keeper.executed(7)
    assert not keeper.executed(8)
    assert keeper.is_frozen
    assert keeper.settle(10, T0).is_foreign
    assert range(10, 11) == keeper.take(1, T0)


def test_a_nonce_used_before_its_transaction_has_left_is_foreign():
    """It was given out, but what was told of is not signed with it: somebody else has used it."""
    keeper = NonceKeeper(7)
    nonces = keeper.take(2, T0)

    assert not keeper.executed(7)
    assert keeper.is_frozen
    keeper.refused(nonces)  # they never leave us
    assert keeper.settle(8, T0).is_foreign
    assert range(8, 9) == keeper.take(1, T0)


def test_one_low_reading_proves_nothing():
    """`nextNonce` may be told from before what is on its way: stepping back takes the same number twice in a row."""
    keeper = NonceKeeper(7)
    keeper.accepted(_taken(keeper, 3))
    keeper.denied(_taken(keeper, 1))
    late_ns = T0 + 2 * LIFE_NS

    assert [] == keeper.settle(8, late_ns).unused
    assert [] == keeper.settle(10, late_ns).unused
    assert [10] == keeper.settle(10, late_ns).unused
    assert range(10, 11) == keeper.take(1, late_ns)


def test_what_was_executed_is_not_denied_by_a_stale_reading():
    """Below a nonce that the sequencer ran, no two readings are believed; many are, as the venue itself went back."""
    keeper = NonceKeeper(7)
    keeper.accepted(_taken(keeper, 3))
    keeper.executed(9)
    keeper.unknown(_taken(keeper, 1), "no answer")
    late_ns = T0 + 2 * LIFE_NS
    for _ in range(5):
        assert [] == keeper.settle(8, late_ns).unused
    assert keeper.is_frozen

    assert [10] == keeper.settle(8, late_ns).unused
    assert range(8, 9) == keeper.take(1, late_ns)


def test_an_acceptance_ends_the_doubt():
    """The same bytes were sent again and queued: venue and keeper count alike."""
    keeper = NonceKeeper(7)
    nonces = _taken(keeper, 2)
    keeper.unknown(nonces, "no answer")
    keeper.accepted(nonces)

    assert range(9, 10) == keeper.take(1, T0)


def test_what_was_accepted_long_ago_is_forgotten():
    """The memory of accepted nonces is bounded even if nobody reports their execution."""
    keeper = NonceKeeper(0)
    for turn in range(1000):
        now_ns = T0 + turn * LIFE_NS
        nonces = keeper.take(15, now_ns)
        keeper.leaves(nonces, now_ns + LIFE_NS)
        keeper.accepted(nonces)

    assert repr(keeper).count("accepted") < 2000


class KeeperBesideVenue(RuleBasedStateMachine):
    """A keeper, a venue, and a network between them that loses, delays, forgets to answer and tells of before."""

    def __init__(self):
        super().__init__()
        self.keeper = NonceKeeper(3)
        self.venue = NonceVenue(3)
        self.now_ns = T0
        self.sent = {}  # nonces -> identities, awaiting an answer
        self.travelling = []  # requests given up, which may still arrive
        self.is_stale = False  # the last reading was one of before
        self.identity_of = {}
        self.ended = set()  # identities we believe can never be executed
        self.count = 0

    def _send(self, count):
        nonces = self.keeper.take(count, self.now_ns)
        self.keeper.leaves(nonces, self.now_ns + LIFE_NS)
        batch = [(nonce, self.now_ns + LIFE_NS, self.count + place) for place, nonce in enumerate(nonces)]
        self.count += count
        self.identity_of.update((nonce, identity) for nonce, _, identity in batch)
        return nonces, batch

    def _ends(self, nonces):
        self.ended.update(self.identity_of[nonce] for nonce in nonces)

    @precondition(lambda self: not self.keeper.is_frozen)
    @rule(count=st.integers(1, 3))
    def send(self, count):
        nonces, batch = self._send(count)
        self.sent[nonces] = batch

    @precondition(lambda self: self.sent)
    @rule(is_bad=st.booleans(), is_answered=st.booleans())
    def arrive(self, is_bad, is_answered):
        nonces = next(iter(self.sent))
        reply = self.venue.receive(self.sent.pop(nonces), self.now_ns, is_bad=is_bad)
        if not is_answered:
            self.keeper.unknown(nonces, "the answer was lost")
        elif reply is Reply.ACCEPTED:
            self.keeper.accepted(nonces)
        elif reply is Reply.REFUSED:
            self.keeper.refused(nonces)
            self._ends(nonces)
        else:
            self.keeper.denied(nonces)

    @precondition(lambda self: self.sent)
    @rule()
    def give_up(self):
        nonces = next(iter(self.sent))
        self.travelling.append(self.sent.pop(nonces))
        self.keeper.unknown(nonces, "no answer")

    @precondition(lambda self: self.travelling)
    @rule(place=st.integers(0, 9))
    def arrive_late(self, place):
        self.venue.receive(self.travelling.pop(place % len(self.travelling)), self.now_ns)

    @precondition(lambda self: self.travelling and self.keeper.is_frozen and not self.sent)
    @rule(place=st.integers(0, 9))
    def send_again(self, place):
        batch = self.travelling[place % len(self.travelling)]
        nonces = range(batch[0][0], batch[-1][0] + 1)
        if self.venue.receive(batch, self.now_ns) is Reply.ACCEPTED:
            self.keeper.accepted(nonces)

    @precondition(lambda self: self.travelling)
    @rule()
    def lose(self):
        self.travelling.pop()

    @rule(is_told=st.booleans())
    def run(self, is_told):
        nonce = self.venue.run_one(self.now_ns)
        if nonce is not None and is_told:
            assert self.keeper.executed(nonce)

    @rule(ns=st.sampled_from([1, 400_000_000, LIFE_NS]))
    def wait(self, ns):
        self.now_ns += ns

    @precondition(lambda self: self.keeper.is_frozen and not self.sent)
    @rule()
    def settle(self):
        self._read(self.venue.next)

    @precondition(lambda self: self.keeper.is_frozen and not self.sent and not self.is_stale)
    @rule(back=st.integers(1, 3))
    def settle_with_a_stale_reading(self, back):
        self._read(self.venue.next - back)
        self.is_stale = True

    def _read(self, next_nonce):
        self.is_stale = False
        settled = self.keeper.settle(next_nonce, self.now_ns)
        assert not settled.is_foreign
        self._ends(settled.unused)

    @invariant()
    def what_ended_was_never_executed(self):
        assert not self.ended.intersection(self.venue.executed)

    def teardown(self):
        while self.sent:
            self.arrive(is_bad=False, is_answered=True)
        self.travelling.clear()
        self.now_ns += LIFE_NS
        while self.venue.queue:
            self.venue.run_one(self.now_ns)
        for _ in range(20):
            nonces, batch = self._send(1) if not self.keeper.is_frozen else (None, None)
            if nonces:
                self.sent[nonces] = batch
                self.arrive(is_bad=False, is_answered=True)
            if self.keeper.is_frozen:
                self.settle()
        assert not self.keeper.is_frozen
        assert self.keeper.next == self.venue.next
        self.what_ended_was_never_executed()


def test_keeper_and_venue_agree_after_every_doubt():
    """A nonce called unused is never executed, and once the network is well keeper and venue count alike."""
    run_state_machine_as_test(
        KeeperBesideVenue, settings=settings(max_examples=150, stateful_step_count=40, deadline=None)
    )
