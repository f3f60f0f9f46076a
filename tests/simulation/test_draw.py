"""What a seed means: repeatable, different from seed to seed, and each kind of fault on its own."""

from lighterman.simulation.draw import draw_plan
from lighterman.simulation.faults.catalogue import FAULTS, kinds


def test_a_seed_means_one_plan():
    """The same seed gives the same plan; other seeds give others."""
    assert draw_plan(1) == draw_plan(1)
    assert 20 == len({str(draw_plan(seed)) for seed in range(20)})


def test_kinds_do_not_move_each_other():
    """A kind that is drawn alone has the times and arguments that it has among all others."""
    plan = draw_plan(8)
    for kind in {fault.kind for fault in plan.faults}:
        alone = draw_plan(8, only=[kind])
        assert [fault for fault in plan.faults if fault.kind == kind] == alone.faults


def test_only_the_named_kinds_occur():
    """Who names kinds gets each of them at least once, whether the seed has it on or not; `none` is none."""
    plan = draw_plan(3, only=["kill", "gap"], wire=False)

    assert {"kill", "gap"} == {fault.kind for fault in plan.faults}
    assert [] == draw_plan(3, only=["none"]).faults


def test_every_kind_is_drawn_sooner_or_later():
    """In some hundred seeds every kind of fault occurs, in worlds of messages and of bytes, during its phase."""
    plans = [draw_plan(seed) for seed in range(400)]
    drawn = {fault.kind for plan in plans for fault in plan.faults}

    assert set(FAULTS) == drawn
    assert {True, False} == {plan.options.wire for plan in plans}
    for plan in plans:
        first_ms, last_ms = plan.options.warm_up_ms, plan.options.warm_up_ms + plan.options.faults_ms
        assert all(first_ms <= fault.at_ms < last_ms for fault in plan.faults)
        assert all(fault.kind in kinds(wire=plan.options.wire) for fault in plan.faults)


def test_circumstances_vary():
    """One market or several, few levels or many, every tier, near the turn of an hour and far from it."""
    options = [draw_plan(seed).options for seed in range(200)]

    assert {1, 2, 3} == {len(each.symbols) for each in options}
    assert {1, 2, 3, 4} == {each.levels for each in options}
    assert {"standard", "premium", "premium-10k"} == {each.tier for each in options}
    assert all(len(each.tempo_ms) == len(each.symbols) for each in options)
    assert {1, 2} == {len(each.symbols) for each in options if each.tier == "standard"}


def test_options_can_be_named():
    """Who wants certain circumstances names them; the rest stays as drawn."""
    plan = draw_plan(5, symbols=["ETH"], tempo_ms=[200], faults_ms=5_000)

    assert (["ETH"], 5_000) == (plan.options.symbols, plan.options.faults_ms)
    assert draw_plan(5).options.start_us == plan.options.start_us
