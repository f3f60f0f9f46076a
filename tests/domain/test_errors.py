"""The exception tree and the check that survives -O."""

import pytest

from lighterman.domain import errors


def test_all_our_errors_have_one_root():
    """Whatever the package raises on purpose can be caught as one kind, and each kind says when."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]

    assert len(kinds) > 5
    assert [] == [kind for kind in kinds if not issubclass(kind, errors.LightermanError)]
    assert [] == [kind for kind in kinds if kind.__name__ not in (errors.__doc__ or "")]


def test_a_broken_invariant_stops():
    """An invariant passes in silence or raises with its message."""
    errors.invariant([1], "a truth")
    with pytest.raises(errors.InvariantBroken, match="two books"):
        errors.invariant([], "two books")


def test_settings_report_every_problem():
    """A configuration error carries all problems, one line each."""
    error = errors.ConfigError(["a: wrong", "b: missing"])

    assert ["a: wrong", "b: missing"] == error.problems == str(error).splitlines()


def test_the_venue_s_code_is_kept():
    """A refusal of the venue keeps its code, by which it is classified."""
    error = errors.VenueError(21104, "invalid nonce\n")

    assert (21104, "venue error 21104: invalid nonce") == (error.code, str(error))
