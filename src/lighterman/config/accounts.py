"""Which venue, account and keys: the part of the settings that depends on the mode."""

from collections.abc import Mapping
from pathlib import Path

from lighterman.config.keys import KEYS, Value
from lighterman.config.networks import Mode, locate
from lighterman.config.read import Problem, Reading
from lighterman.config.secrets import ALLOWED, check_local, is_inline, resolve
from lighterman.domain.secret import Secret

LOCAL_ACCOUNT_INDEX = 100
LOCAL_KEY_INDEX = 4
LOCAL_CANCEL_KEY_INDEX = 5
VENUE_ACCOUNTS_MAX = 1  # 0 is the treasury, 1 the insurance fund (protocol reference 1.3)
RESERVED_KEYS_MAX = 3  # kept by the venue for its own web and mobile clients (1.3)

Values = dict[str, Value]


def venue_values(
    reading: Reading, mode: Mode, notices: list[str], *, environ: Mapping[str, str], folder: Path, is_private: bool
) -> Values:
    """Return the fields of VenueSettings; adds to the reading what is wrong with them."""
    values = reading.fields("venue", KEYS)
    _place(values, mode, reading, notices)
    if mode is Mode.LOCAL:
        values["tier"] = values.get("tier") or "premium"
        _local_identity(values, reading, notices)
        return values
    values["tier"] = values.get("tier") or "standard"
    _check_identity(values, reading, notices)
    for field, path in (("api_key", "lighter.apiKeyPrivateKey"), ("cancel_api_key", "lighter.cancelApiKeyPrivateKey")):
        given = values.get(field)
        if not isinstance(given, Secret):
            continue
        key = resolve(path, given, mode, environ=environ, folder=folder, is_private=is_private)
        if isinstance(key, Problem):
            reading.problems.append(key)
        else:
            values[field] = key
            if is_inline(given):
                notices.append(f"{path}: stands in the file itself; better env:NAME or file:PATH")
    return values


def _place(values: Values, mode: Mode, reading: Reading, notices: list[str]) -> None:
    """Fill in the addresses and the chain id, once mode, host and chain id agree."""
    if not {"base_url", "stream_url", "chain_id"} <= values.keys():
        return  # one of them was unreadable already
    base, stream, chain = values["base_url"], values["stream_url"], values["chain_id"]
    address = locate(
        mode,
        base if isinstance(base, str) else None,
        stream if isinstance(stream, str) else None,
        chain if isinstance(chain, int) else None,
        notices,
    )
    if isinstance(address, list):
        reading.problems.extend(address)
    else:
        values |= {"base_url": address.base_url, "stream_url": address.stream_url, "chain_id": address.chain_id}


def _local_identity(values: Values, reading: Reading, notices: list[str]) -> None:
    """Use an account and keys of our own making; real keys are refused, references left unread."""
    account, key, cancel = (values.get(name) for name in ("account_index", "api_key_index", "cancel_api_key_index"))
    if account is None:
        values["account_index"] = LOCAL_ACCOUNT_INDEX
    elif isinstance(account, int) and account <= VENUE_ACCOUNTS_MAX:
        values["account_index"] = LOCAL_ACCOUNT_INDEX
        notices.append(f"lighter.accountIndex: {account} is the venue's own; mode local uses {LOCAL_ACCOUNT_INDEX}")
    if isinstance(key, int) and key <= RESERVED_KEYS_MAX:
        values["api_key_index"] = LOCAL_KEY_INDEX
        notices.append(f"lighter.apiKeyIndex: {key} is reserved (use 4..254); mode local uses {LOCAL_KEY_INDEX}")
    if cancel is None or (isinstance(cancel, int) and cancel <= RESERVED_KEYS_MAX):
        taken = values.get("api_key_index") == LOCAL_CANCEL_KEY_INDEX
        values["cancel_api_key_index"] = LOCAL_CANCEL_KEY_INDEX + 1 if taken else LOCAL_CANCEL_KEY_INDEX
    for field, path in (("api_key", "lighter.apiKeyPrivateKey"), ("cancel_api_key", "lighter.cancelApiKeyPrivateKey")):
        given = values.get(field)
        values[field] = None
        if not isinstance(given, Secret):
            continue
        problem = check_local(path, given)
        if problem is not None:
            reading.problems.append(problem)
        else:
            notices.append(f"{path}: not read in mode local, which makes a key for the occasion")


def _check_identity(values: Values, reading: Reading, notices: list[str]) -> None:
    """Check the account and the key indices of a real network; one key does both jobs if only one is given."""
    problems = reading.problems
    if "account_index" in values:
        account = values["account_index"]
        if account is None:
            problems.append(Problem("lighter.accountIndex", "is missing", allowed="the index of your account"))
        elif isinstance(account, int) and account <= VENUE_ACCOUNTS_MAX:
            problems.append(Problem("lighter.accountIndex", "is the venue's own account", f"{account}", "2 or more"))
    for field, path in (
        ("api_key_index", "lighter.apiKeyIndex"),
        ("cancel_api_key_index", "lighter.cancelApiKeyIndex"),
    ):
        index = values.get(field)
        if isinstance(index, int) and index <= RESERVED_KEYS_MAX:
            problems.append(Problem(path, "is reserved by the venue for its own apps", f"{index}", "use 4..254"))
    if values.get("api_key", 0) is None:
        problems.append(Problem("lighter.apiKeyPrivateKey", "is missing", allowed=ALLOWED))
    cancel_index, cancel_key = values.get("cancel_api_key_index", 0), values.get("cancel_api_key", 0)
    if (cancel_index is None) != (cancel_key is None):
        missing = "cancelApiKeyIndex" if cancel_index is None else "cancelApiKeyPrivateKey"
        problems.append(Problem(f"lighter.{missing}", "is missing", allowed="both keys of the second API key, or none"))
    elif cancel_index is None:
        values["cancel_api_key_index"] = values.get("api_key_index")
        notices.append("lighter.cancelApiKeyIndex: not given, so a refused create may hold up the cancels behind it")
    elif cancel_index == values.get("api_key_index"):
        problems.append(Problem("lighter.cancelApiKeyIndex", "equals apiKeyIndex", f"{cancel_index}", "another key"))
