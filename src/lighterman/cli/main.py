"""The commands and their options; what each does is imported only when it is chosen.

`--help` must be quick, so nothing here imports more than the standard library's `argparse`.
Usage errors exit with 2, as argparse has it; all other exit codes stand in `runtime/exits.py`.
"""

import argparse
import contextlib
import itertools
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from lighterman import __version__
from lighterman.cli.interrupts import stop_quietly_on_signals
from lighterman.domain.hosts import is_loopback

SCENARIOS = ("calm", "normal", "volatile", "toxic", "crash")
PORT_MAX = 65_535
NS_PER_UNIT = {"ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    stop_quietly_on_signals()
    options = parse(sys.argv[1:] if arguments is None else list(arguments))
    if options.command is None:
        build_parser([]).print_help(sys.stderr)
        return 2
    module, function = options.handler
    run: Callable[[argparse.Namespace], int] = getattr(import_module(f"lighterman.cli.{module}"), function)
    return run(options)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Return the options in a command line; what is not understood ends the process with 2."""
    parser = build_parser(words)
    options = parser.parse_args(_with_verb(words))
    if getattr(options, "exchange", None) is not None:
        _refuse_market_options(parser, options)
    return options


def _with_verb(words: Sequence[str]) -> Sequence[str]:
    """`lighterman sim --seed 7` is short for `lighterman sim run --seed 7`."""
    first, *rest = words or [""]
    is_short = first == "sim" and not (rest and (rest[0][:1] != "-" or rest[0] in ("-h", "--help")))
    return [first, "run", *rest] if is_short else words


def seed_range(text: str) -> Iterable[int]:
    """Return the seeds in a text such as `0-99`, `7`, or `100-`, which has no end."""
    first, dash, last = text.partition("-")
    if first.isdecimal() and not (last and not last.isdecimal()):
        if dash and not last:
            return itertools.count(int(first))
        seeds = range(int(first), int(last or first) + 1)
        if seeds:
            return seeds
    raise argparse.ArgumentTypeError(f"{text!r} are no seeds; write them as 0-99, or as 100- for no end")


def positive(text: str) -> float:
    """Return a number above zero."""
    if text.replace(".", "", 1).isdecimal() and float(text):
        return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")


def duration_ns(text: str) -> int:
    """Return the nanoseconds in a duration such as `90s`, `10m`, `1.5h` or `500ms`."""
    for unit in ("ms", "s", "m", "h"):
        number = text.removesuffix(unit)
        if number != text and number.replace(".", "", 1).isdecimal():
            found_ns = int(float(number) * NS_PER_UNIT[unit])
            if found_ns:
                return found_ns
    raise argparse.ArgumentTypeError(f"{text!r} is no duration; write it as 90s, 10m, 1.5h or 500ms")


def port(text: str) -> int:
    """Return a TCP port, 0 for any free one."""
    if text.isdecimal() and int(text) <= PORT_MAX:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port; write 0 to {PORT_MAX}")


def local_url(text: str) -> str:
    """Return the address of an exchange on this machine; throw-away keys are shown to nobody else."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(text)
        plain = not (parts.path.rstrip("/") or parts.query or parts.fragment or parts.username)
        if parts.scheme == "http" and plain and is_loopback(parts.hostname or "") and parts.port:
            return f"http://{parts.netloc}"
    raise argparse.ArgumentTypeError(f"{text!r} is no exchange on this machine; write it as http://127.0.0.1:PORT")


def _refuse_market_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """An exchange that runs already has its market: options that would be ignored are an error."""
    given = [name for name in ("seed", "scenario", "tape", "speed", "verify") if getattr(options, name) is not None]
    if given:
        parser.error(f"--{given[0]} is for an exchange that is started here; --exchange names one that runs already")


def build_parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of the whole command line.

    The exchange's options belong to its own room, which is imported only when `words` ask for it.
    """
    parser = argparse.ArgumentParser(
        prog="lighterman",
        description="A market maker for Lighter, with an exchange that speaks Lighter's protocol inside.",
        epilog="Begin with `lighterman demo`: no keys, no network, no configuration.",
    )
    parser.add_argument("--version", action="version", version=f"lighterman {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_demo(commands)
    _add_run(commands)
    _add_check(commands)
    _add_exchange(commands, is_asked_for="exchange" in words[:1])
    _add_replay(commands)
    _add_tape(commands)
    _add_sim(commands)
    _add_bench(commands)
    return parser


Commands = argparse._SubParsersAction  # noqa: SLF001  (argparse names the type in no other way)


def _add_demo(commands: "Commands[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo", help="local exchange, bot and live status in one go; no configuration")
    _add_run_options(demo)
    demo.set_defaults(handler=("run", "demo"))


def _add_run(commands: "Commands[argparse.ArgumentParser]") -> None:
    run = commands.add_parser("run", help="make markets as a settings file says")
    run.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="settings file (JSON)")
    run.add_argument(
        "--mode",
        choices=("local", "testnet", "mainnet"),
        default="local",
        help="who is at the other end (default: local, an exchange started for the occasion)",
    )
    run.add_argument(
        "--exchange", type=local_url, metavar="URL", help="use the local exchange that already runs at this address"
    )
    run.add_argument("--rearm", action="store_true", help="trade again after the daily loss limit has stopped it")
    _add_run_options(run)
    run.set_defaults(handler=("run", "run"))


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--for", dest="duration_ns", type=duration_ns, metavar="DURATION", help="stop after 60s, 10m, 1h …"
    )
    parser.add_argument("--headless", action="store_true", help="no live status, only log lines")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on stdout; implies --headless")
    parser.add_argument(
        "--metrics-port", type=port, metavar="PORT", help="instead of the configured one; 0: any free port"
    )
    parser.add_argument("--directory", type=Path, metavar="DIR", help="where the session is recorded (default: runs)")
    _add_market_options(parser)


def _add_market_options(parser: argparse.ArgumentParser) -> None:
    market = parser.add_argument_group("the local exchange's market")
    market.add_argument("--seed", type=int, metavar="N", help="of everything random in the market (default: 1)")
    market.add_argument("--scenario", choices=SCENARIOS, help="synthetic market (default: normal)")
    market.add_argument("--tape", type=Path, metavar="DIR", help="replay a recorded session as the market instead")
    market.add_argument("--speed", type=float, metavar="X", help="play the tape X times as fast (default: 1)")
    market.add_argument("--tier", choices=("standard", "premium"), help="account tier (default: premium)")
    market.add_argument("--verify", choices=("full", "sampled", "off"), help="signature checks (default: full)")


def _add_check(commands: "Commands[argparse.ArgumentParser]") -> None:
    check = commands.add_parser("check", help="validate a settings file and show what it would do")
    check.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="settings file (JSON)")
    check.add_argument("--mode", choices=("local", "testnet", "mainnet"), default="local", help=argparse.SUPPRESS)
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.set_defaults(handler=("check", "check"))


def _add_exchange(commands: "Commands[argparse.ArgumentParser]", *, is_asked_for: bool) -> None:
    exchange = commands.add_parser("exchange", help="the local exchange alone")
    verbs = exchange.add_subparsers(dest="verb", metavar="VERB", required=True)
    serve = verbs.add_parser("serve", help="serve Lighter's REST and WebSocket protocol (SIMULATED)")
    if is_asked_for:
        import_module("lighterman.simulator.options").add_arguments(serve)
    serve.set_defaults(handler=("exchange", "serve"))


def _add_replay(commands: "Commands[argparse.ArgumentParser]") -> None:
    replay = commands.add_parser("replay", help="run the engine over a recorded session")
    replay.add_argument("session", type=Path, metavar="SESSION", help="session folder, or `last`")
    replay.add_argument("--verify", action="store_true", help="demand the recorded decisions, to the byte")
    replay.add_argument(
        "--directory", type=Path, default=Path("runs"), metavar="DIR", help="where `last` is looked for"
    )
    replay.add_argument("--json", action="store_true", help="print one JSON object")
    replay.set_defaults(handler=("replay", "replay"))


def _add_tape(commands: "Commands[argparse.ArgumentParser]") -> None:
    tape = commands.add_parser("tape", help="recorded markets")
    verbs = tape.add_subparsers(dest="verb", metavar="VERB", required=True)
    convert = verbs.add_parser("convert", help="turn a recording into a tape")
    convert.add_argument("source", type=Path, metavar="SOURCE", help="folder of the recording")
    convert.add_argument("destination", type=Path, metavar="DEST", help="folder of the tape")
    convert.add_argument("--kind", default="auto", help="format of the recording (default: found out)")
    convert.add_argument("--hours", type=float, metavar="H", help="take only the first hours")
    convert.set_defaults(handler=("tape", "convert"))


def _add_sim(commands: "Commands[argparse.ArgumentParser]") -> None:
    sim = commands.add_parser("sim", help="bot, exchange and a network that misbehaves, in virtual time, by a seed")
    verbs = sim.add_subparsers(dest="verb", metavar="VERB", required=True)
    run = verbs.add_parser("run", help="one seed (as `lighterman sim` without a verb)")
    run.add_argument("--seed", type=int, metavar="N", help="default: one that nobody has run yet")
    _add_draw_options(run, "--faults")
    run.add_argument("--canary", action="store_true", help="judge an invariant that is false: the run must fail")
    _add_failures_option(run)
    _add_trace_options(run)
    run.set_defaults(handler=("sim", "run"))
    replay = verbs.add_parser("replay", help="run a failed seed's file again, and compare")
    replay.add_argument("file", type=Path, metavar="FILE", help="written when a run failed")
    replay.add_argument("--until", type=positive, metavar="SECONDS", help="end there, in simulated time")
    _add_trace_options(replay)
    replay.set_defaults(handler=("sim", "replay"))
    keep = verbs.add_parser("keep", help="write a failed seed's file without its log, for the corpus")
    keep.add_argument("file", type=Path, metavar="FILE", help="written when a run failed")
    keep.add_argument("destination", type=Path, metavar="DEST", help="file to write")
    keep.set_defaults(handler=("sim", "keep_failure"))
    shrink = verbs.add_parser("shrink", help="make a failed seed's plan small")
    shrink.add_argument("file", type=Path, metavar="FILE", help="written when a run failed")
    shrink.add_argument("--runs", type=int, default=400, metavar="N", help="at most so many trials (default: 400)")
    shrink.set_defaults(handler=("sim", "shrink"))
    _add_campaign(verbs)
    _add_sweep(verbs)
    _add_determinism(verbs)
    faults = verbs.add_parser("faults", help="list what can go wrong")
    faults.set_defaults(handler=("sim", "faults"))
    invariants = verbs.add_parser("invariants", help="list what must hold, and whether it is judged")
    invariants.set_defaults(handler=("sim", "invariants"))


def _add_campaign(verbs: "Commands[argparse.ArgumentParser]") -> None:
    campaign = verbs.add_parser("campaign", help="many seeds over many processes")
    campaign.add_argument("--seeds", type=seed_range, metavar="A-B", help="A- has no end (default: fresh ones)")
    _add_draw_options(campaign, "--kinds")
    campaign.add_argument("--hours", type=positive, metavar="H", help="end after so many simulated hours")
    campaign.add_argument(
        "--for", dest="duration_ns", type=duration_ns, metavar="DURATION", help="end after 60s, 10m …"
    )
    _add_workers_option(campaign)
    campaign.add_argument("--ledger", type=Path, metavar="FILE", help="append one line of JSON to this file")
    campaign.add_argument("--json", action="store_true", help="end with one JSON object on stdout")
    _add_failures_option(campaign)
    campaign.set_defaults(handler=("sim", "campaign"))


def _add_sweep(verbs: "Commands[argparse.ArgumentParser]") -> None:
    sweep = verbs.add_parser("sweep", help="kill -9 before every step of a minute of the bot's life")
    sweep.add_argument("--every", type=int, default=1, metavar="N", help="before each Nth step alone (default: 1)")
    sweep.add_argument("--only", type=int, default=0, metavar="STEP", help="before this step alone")
    _add_workers_option(sweep)
    sweep.set_defaults(handler=("sim", "kill_sweep"))


def _add_determinism(verbs: "Commands[argparse.ArgumentParser]") -> None:
    determinism = verbs.add_parser("determinism", help="the same seeds in other processes must leave the same traces")
    determinism.add_argument("--seeds", default="0-49", metavar="A-B", help="default: 0-49")
    determinism.add_argument("--python", action="append", default=[], metavar="PATH", help="another interpreter, too")
    _add_workers_option(determinism)
    _add_draw_options(determinism, "--kinds")
    determinism.set_defaults(handler=("sim", "determinism"))


def _add_draw_options(parser: argparse.ArgumentParser, faults: str) -> None:
    parser.add_argument(
        faults,
        dest="faults",
        default="mixed",
        metavar="KIND,KIND",
        help="only these faults; or mixed (default), alone, pairs, none",
    )
    parser.add_argument("--minutes", type=positive, default=0, metavar="M", help="how long things go wrong")
    parser.add_argument(
        "--markets", type=lambda text: text.split(","), default=[], metavar="ETH,BTC", help="default: by the seed"
    )


def _add_workers_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=int, metavar="N", help="processes at a time (default: one for each CPU)")


def _add_failures_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--failures",
        type=Path,
        default=Path("failures"),
        metavar="DIR",
        help="for files of failed runs (default: failures)",
    )


def _add_trace_options(parser: argparse.ArgumentParser) -> None:
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object")
    output.add_argument(
        "--trace",
        nargs="?",
        const="life",
        choices=("life", "all"),
        help="print the log: starts, ends and faults, or all frames too",
    )


def _add_bench(commands: "Commands[argparse.ArgumentParser]") -> None:
    bench = commands.add_parser("bench", help="time tick to decision, against the same work done naively")
    bench.add_argument("--json", action="store_true", help="print one JSON object")
    bench.add_argument("--rounds", type=int, default=15, metavar="N", help="interleaved rounds (default: 15)")
    bench.set_defaults(handler=("bench", "bench"))
