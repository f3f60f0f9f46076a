"""A thousand ways to get a settings file wrong, and the answer to each (reliability reference G6, O1)."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.settings_files import API_KEY, CANCEL_KEY, SEED, TESTNET, bent, problems
from lighterman.config.keys import KEYS, Key, Kind
from lighterman.config.networks import Mode

FULL = json.loads(json.dumps(SEED))
for _key in KEYS:  # every key there is, stated
    if _key.default is not None:
        FULL = bent(FULL, _key.path.replace("[]", "[0]"), _key.default)
        FULL = bent(FULL, _key.path.replace("[]", "[1]"), _key.default)
FULL["markets"][0] |= SEED["markets"][0]
FULL["markets"][1] |= SEED["markets"][1]

WRONG_EVERYWHERE: tuple[object, ...] = (None, [], {}, [1], {"a": 1})
WRONG_NUMBERS = ("7", True, False, float("nan"), float("inf"), float("-inf"), -1e30, 1e300, "1e3", "0x10", "")
WRONG_DECIMALS = (
    1,
    0.5,
    -1,
    True,
    "",
    "-1",
    "+1",
    "1e3",
    "0",
    "0.0",
    "inf",
    "nan",
    "1,0",
    " 1",
    "1 ",
    "1_0",
    "..",
    "1.",
)
WRONG_TEXTS = (1, 0.5, True, "", " ", "a\x00b", "a\nb", "\x7f", "\ud800", "x" * 1000)


def wrong_values(key: Key) -> list[object]:
    """Return values that the key's row forbids."""
    wrong: list[object] = list(WRONG_EVERYWHERE)
    match key.kind:
        case Kind.WHOLE:
            wrong += [*WRONG_NUMBERS, 1.5, 2.0, int(key.low or 0) - 1, int(key.high or 0) + 1, 10**40]
        case Kind.NUMBER | Kind.PERCENT | Kind.MONEY:
            assert key.low is not None
            assert key.high is not None
            wrong += [*WRONG_NUMBERS, key.low - 0.001, key.high * 1.001, *([key.low] if key.above else [])]
        case Kind.DECIMAL:
            wrong += WRONG_DECIMALS
        case Kind.FLAG:
            wrong += ["true", "yes", 0, 1, "", 0.0]
        case Kind.CHOICE:
            wrong += [*WRONG_TEXTS, key.choices[0].upper(), f"{key.choices[0]} "]
        case Kind.TEXT:
            wrong += WRONG_TEXTS
        case Kind.SECRET:
            wrong += [1, True, 0.5, "x" * 1000, API_KEY, "0x" + "1" * 64]
    return wrong


def wrong_names(name: str) -> list[str]:
    """Return names that are nearly a key's, as people write them."""
    bare = name.removesuffix("Bps").removesuffix("USD").removesuffix("Ms").removesuffix("Seconds").removesuffix("Pct")
    found = {
        name.lower(),
        name.upper(),
        name[:-1],
        f"{name}s",
        f"_{name}",
        f"{bare}Percent",
        f"{bare}Usdc",
        name[1:] + name[0],
    }
    return sorted(found - {key.name for key in KEYS})


def mutants() -> list[tuple[str, bytes]]:
    """Return (path that must be named, file) pairs, each file with one mistake in it."""
    found: list[tuple[str, bytes]] = []
    for key in KEYS:
        path = key.path.replace("[]", "[1]")
        section = path.partition(".")[0]
        found += [(path, json.dumps(bent(FULL, path, value)).encode()) for value in wrong_values(key)]
        for name in wrong_names(key.name):
            document = bent(FULL, f"{section}.{name}", 1)
            found.append((f"{section}.{name}", json.dumps(document).encode()))
        whole = json.dumps(FULL)
        value = json.dumps(key.default if key.default is not None else 1)
        opening = json.dumps(FULL[section] if section in FULL else FULL["markets"][1])[:-1]
        twice = whole.replace(opening, f'{opening}, "{key.name}": {value}, "{key.name}": {value}')
        found.append((section, twice.encode()))
        if key.required:
            lacking = bent(FULL, path, None)
            holder = lacking["markets"][1] if section.startswith("markets") else lacking[section]
            del holder[key.name]
            found.append((path, json.dumps(lacking).encode()))
    return found


MUTANTS = mutants()


def test_the_unchanged_file_is_accepted():
    """The file that the mutants come from has nothing wrong with it."""
    assert [] == problems(FULL)
    assert 1000 <= len(MUTANTS)


def test_every_mutant_is_refused_where_it_is_wrong():
    """Each of more than a thousand mutants is one problem, at the key it has wrong, in words, with no traceback."""
    for path, data in MUTANTS:
        found = problems(data)

        assert any(line.startswith((f"{path}:", f"{path} ")) for line in found), (path, data[:200], found)
        assert 1 == len(found) or "." not in path, found
        assert all(line.isprintable() and "object at 0x" not in line for line in found)


@given(st.integers(0, 2**32), st.integers(2, 8))
def test_mistakes_add_up(seed, count):
    """Several mistakes at different keys are all told in one go."""
    chosen = random.Random(seed).sample([key for key in KEYS if key.section != "markets[]"], count)
    document = FULL
    for key in chosen:
        document = bent(document, key.path, [])

    assert {key.path for key in chosen} == {line.partition(":")[0] for line in problems(document)}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_the_ends_of_a_range_are_accepted(key):
    """The smallest and the largest allowed value of each number are accepted by its own row."""
    path = key.path.replace("[]", "[0]")
    ends = list(key.choices)
    if key.kind in (Kind.WHOLE, Kind.NUMBER, Kind.PERCENT, Kind.MONEY):
        assert key.low is not None
        assert key.high is not None
        ends = [key.high if key.kind is not Kind.WHOLE else int(key.high)]
        ends += [] if key.above else [key.low if key.kind is not Kind.WHOLE else int(key.low)]
    for value in ends:
        mine = [line for line in problems(bent(FULL, path, value)) if line.startswith(f"{path}:")]

        assert not any("out of range" in line or "must be" in line or "not usable" in line for line in mine)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.just(API_KEY)
    | st.just(CANCEL_KEY),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([key.name for key in KEYS]) | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=12,
)
SECTIONS = ("lighter", "markets", "risk", "performance", "logging", "journal", "monitoring", "nonsense")


@given(st.dictionaries(st.sampled_from(SECTIONS), JSON), st.sampled_from(Mode))
def test_arbitrary_documents_are_answered(document, mode):
    """Whatever JSON a file holds, the answer is settings or problems, and never a key."""
    for line in problems(document, mode):
        assert API_KEY not in line
        assert CANCEL_KEY not in line
        assert line.isprintable()


@given(st.data(), st.sampled_from([(SEED, Mode.LOCAL), (TESTNET, Mode.TESTNET)]))
def test_a_transplanted_value_is_answered(data, base):
    """Any value put in the place of any key of a good file gives settings or problems."""
    document, mode = base
    key = data.draw(st.sampled_from(KEYS))

    for line in problems(bent(document, key.path.replace("[]", "[0]"), data.draw(JSON)), mode):
        assert line.isprintable()


@given(st.data())
def test_damaged_bytes_are_answered(data):
    """A file with bytes overwritten, cut or doubled gives settings or problems."""
    whole = json.dumps(SEED).encode()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 40)))

    for line in problems(whole[:start] + data.draw(st.binary(max_size=20)) + whole[end:]):
        assert line.isprintable()
