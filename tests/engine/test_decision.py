"""A decision as a record."""

import msgspec

from helpers.scripted_venue import ScriptedVenue
from lighterman.domain.commands import QueryAccount
from lighterman.engine.decision import Decision, MarketVerdict
from lighterman.risk.gate import Refusal
from lighterman.risk.pnl import LossState


def test_a_decision_survives_the_journal():
    """A decision with orders, quotes and reasons comes back from its bytes as itself."""
    decision = ScriptedVenue().open()
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(decision), type=Decision)

    assert decision.approved
    assert decision == read


def test_an_empty_decision_says_nothing_of_any_kind():
    """A decision is empty only without orders, refusals, questions, verdicts and a state to save."""
    assert Decision(1, [], [], [], [], None).is_empty
    command = ScriptedVenue().open().approved
    for facts in (
        (command, [], [], [], None),
        ([], [Refusal(command[0].command, 0, "x")], [], [], None),
        ([], [], [QueryAccount()], [], None),
        ([], [], [], [MarketVerdict(0, None, "x")], None),
        ([], [], [], [], LossState()),
    ):
        assert not Decision(1, *facts).is_empty
