"""The bot of a simulation: settings as an operator writes them, a journal written in virtual time."""

import asyncio

import pytest

from lighterman.journal.settings import JournalSettings
from lighterman.simulation.bot import MARKETS, LoopScribe, settings_of
from lighterman.simulation.draw import draw_plan
from lighterman.simulation.virtual import VirtualLoop, run


@pytest.mark.parametrize("seed", range(10))
def test_settings_fit_the_circumstances(seed):
    """Every plan's markets and levels become settings that are accepted like an operator's."""
    options = draw_plan(seed).options
    settings = settings_of(options)

    assert options.symbols == [market.symbol for market in settings.engine.markets]
    assert {options.levels} == {market.quote.levels for market in settings.engine.markets}
    assert set(options.symbols) <= set(MARKETS)
    assert isinstance(settings.journal, JournalSettings)


class Writer:
    """Stands for a journal's writer."""

    def __init__(self):
        self.pending, self.written = 3, 0

    def flush(self):
        if self.pending:
            self.pending -= 1
            self.written += 1
        return self.pending > 0


def test_the_scribe_writes_a_little_later():
    """Nothing is written in the turn that asks for it; errands come before records; the end writes everything."""
    writer, errands = Writer(), []

    async def world():
        scribe = LoopScribe(writer)
        scribe.start()
        scribe.submit(lambda: errands.append(writer.written))
        assert (0, []) == (writer.written, errands)
        await asyncio.sleep(0.06)
        assert (3, [0]) == (writer.written, errands)
        writer.pending = 2
        assert scribe.stop(5.0)
        assert 5 == writer.written
        await asyncio.sleep(0)

    loop = VirtualLoop()
    run(world(), loop)
    loop.close()
