"""Keys and their nonces: protocol reference 4.7."""

from hypothesis import given
from hypothesis import strategies as st

from helpers.trading_floor import ALPHA, DropAll, numbered
from lighterman.matching.accounts import SKIP_NONCE_END, Key, nonce_fits
from lighterman.matching.requests import Request

transactions = st.builds(
    lambda nonce, skip_nonce: numbered(DropAll(account_index=ALPHA), nonce, skip_nonce=skip_nonce),
    st.integers(0, 8),
    st.booleans(),
)


def test_which_nonce_follows():
    """4.7: exactly the expected one, or with SkipNonce any later one below 2^47 - 1."""

    def fits(nonce: int, *, skip: bool) -> bool:
        return nonce_fits(numbered(DropAll(account_index=ALPHA), nonce, skip_nonce=skip), 7)

    assert [fits(nonce, skip=False) for nonce in (6, 7, 8)] == [False, True, False]
    assert [fits(nonce, skip=True) for nonce in (6, 7, 8)] == [False, True, True]
    assert [fits(SKIP_NONCE_END + n, skip=True) for n in (-1, 0)] == [True, False]


@given(st.integers(0, 4), st.lists(transactions))
def test_recounting_foretells_the_sequencer(expected: int, queue: list[Request]):
    """4.7 [A-42]: after a drop the next nonce is the one that the sequencer will expect in the end."""
    key = Key(bytes(40), 0)
    key.executed_nonce = expected
    key.queued.extend(queue)
    key.recount()
    foretold = key.next_nonce
    for request in queue:
        if nonce_fits(request, key.executed_nonce):
            key.executed_nonce = request.nonce + 1

    assert foretold == key.executed_nonce
