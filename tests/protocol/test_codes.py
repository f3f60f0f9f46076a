from hypothesis import given
from hypothesis import strategies as st

from lighterman.matching.rejects import Reject
from lighterman.protocol.codes import Code, Outcome, classify, text_of


def test_every_reason_of_the_exchange_core_has_a_code():
    """The exchange core and the table of codes call a reason by the same name."""
    names = Code.__members__

    assert [] == [reason.name for reason in Reject if reason.name not in names]


def test_an_unknown_code_surfaces_intact():
    """A code we have no text for is still a refusal, and its text is empty."""
    assert text_of(21999) == ""
    assert classify(21999) is Outcome.REFUSED


def test_only_code_200_is_accepted():
    """Code 200 with HTTP below 500 is the only acceptance."""
    assert classify(200) is Outcome.ACCEPTED
    assert classify(200, http_status=500) is Outcome.UNKNOWN


def test_answers_that_prove_nothing_are_unknown():
    """An invalid nonce, a server's failure, a missing code: the transaction may be alive."""
    for code in (None, Code.INVALID_NONCE, Code.INTERNAL_SERVER_ERROR, Code.PROCESS_TIMEOUT):
        assert classify(code, http_status=400) is Outcome.UNKNOWN
    assert classify(Code.INVALID_SIGNATURE, http_status=503) is Outcome.UNKNOWN


def test_an_exhausted_quota_is_known_by_its_text():
    """The quota's code is undocumented, so the word decides (A-3)."""
    assert classify(21998, "Volume Quota exhausted") is Outcome.RATE_LIMITED
    assert classify(Code.TOO_MANY_REQUESTS, http_status=429) is Outcome.RATE_LIMITED


@given(st.integers(), st.text(), st.integers(100, 599))
def test_every_answer_has_one_outcome(code, message, http_status):
    """Whatever a server says is classified, and never as accepted unless it says 200."""
    outcome = classify(code, message, http_status)

    assert outcome is not Outcome.ACCEPTED or (code == 200 and http_status < 500)
