"""Binding by parameter name, from the header (reference 10.5)."""

import ctypes
from types import SimpleNamespace

import pytest

from lighterman.domain.errors import SigningError
from lighterman.signing.binding import Function, SignedTxResponse, StrOrErr, read_header

HEADER = """
typedef struct { char* str; char* err; } StrOrErr;
extern SignedTxResponse SignCancelOrder(long long int cMarketIndex, long long cOrderIndex, uint8_t cSkipNonce);
extern char* CreateClient(char* cUrl, int cChainId);
extern ApiKeyResponse GenerateAPIKey();
extern __declspec(dllexport) StrOrErr CreateAuthToken(long long int cDeadline);
extern SignedTxResponse SignOdd(CreateOrderTxReq* cOrders, int cCount);
extern void Free(void* ptr);
"""


class Export:
    """Stands for an exported function and notes how it is called."""

    def __init__(self):
        self.calls = []
        self.argtypes = None
        self.restype = None

    def __call__(self, *arguments):
        self.calls.append(arguments)
        return 42


def bound(name, header=HEADER):
    export = Export()
    return Function(SimpleNamespace(**{name: export}), name, read_header(header)), export


def test_header():
    """Every export is read, with names as the arguments are called and types as they are written."""
    declarations = read_header(HEADER)

    assert [
        "SignCancelOrder",
        "CreateClient",
        "GenerateAPIKey",
        "CreateAuthToken",
        "SignOdd",
        "Free",
    ] == list(declarations)
    assert declarations["SignCancelOrder"].parameters == (
        ("marketIndex", "long long int"),
        ("orderIndex", "long long"),
        ("skipNonce", "uint8_t"),
    )
    assert declarations["GenerateAPIKey"].parameters == ()
    assert declarations["CreateAuthToken"].returns == "StrOrErr"


def test_call_by_name():
    """Arguments reach the place the header gives their name, whatever order they are given in."""
    function, export = bound("SignCancelOrder")

    assert function(skipNonce=1, orderIndex=2, marketIndex=3) == 42
    assert [(3, 2, 1)] == export.calls
    assert [ctypes.c_longlong, ctypes.c_longlong, ctypes.c_uint8] == export.argtypes
    assert export.restype is SignedTxResponse


def test_another_order_of_parameters():
    """A release that swaps two parameters is called rightly all the same."""
    swapped = HEADER.replace(
        "long long int cMarketIndex, long long cOrderIndex", "long long cOrderIndex, int cMarketIndex"
    )
    function, export = bound("SignCancelOrder", swapped)
    function(skipNonce=1, orderIndex=2, marketIndex=3)

    assert [(2, 3, 1)] == export.calls


@pytest.mark.parametrize(
    "arguments",
    [
        {"marketIndex": 1, "orderIndex": 2},
        {"marketIndex": 1, "orderIndex": 2, "skipNonce": 0, "nonce": 5},
        {"marketIndex": 1, "orderIndex": 2, "skipnonce": 0},
    ],
    ids=["missing", "unknown", "misspelt"],
)
def test_names_must_fit(arguments):
    """A parameter without argument, or an argument without parameter, is an error before anything is called."""
    function, export = bound("SignCancelOrder")

    with pytest.raises(SigningError, match="SignCancelOrder"):
        function(**arguments)
    assert export.calls == []


@pytest.mark.parametrize("name", ["SwitchAPIKey", "SignOdd", "GenerateAPIKey", "Free"])
def test_unknown_functions_and_types_are_refused(name):
    """What the header does not declare, or declares with types we do not know, is not bound."""
    with pytest.raises(SigningError):
        bound(name)


def test_pointers_stay_pointers():
    """Returned strings are addresses, so that they can be freed; the structures have the sizes of reference 10.2."""
    assert bound("CreateClient")[1].restype is ctypes.c_void_p
    assert bound("CreateAuthToken")[1].restype is StrOrErr
    assert (40, 16) == (ctypes.sizeof(SignedTxResponse), ctypes.sizeof(StrOrErr))
