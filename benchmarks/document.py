"""docs/benchmarks.md, and what `make bench` prints: one run's figures, with how they were taken."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

Results = dict[str, Any]
Rows = Iterable[Sequence[str]]

HEAD = """# Benchmarks

<!-- Made by `make bench` from one run. Do not edit. -->

Figures are from one run on one machine; **ratios travel, microseconds do not**. Whatever is compared was run in
turn, in one run, on the same input, and was first checked to give the same result. What could not be measured says
so, and is no goal met. CPU time is that of the thread; wall time is used only where somebody waits for somebody else.

"""
TAIL = """
## How to repeat this

`make deps` installs what is compared with, `make build-fast` makes the compiled build, `make bench` runs everything
and writes this page, and `make bench ARGS="--quick"` is a look that takes a minute. Each part runs alone, too:
`benchmarks/signing.py`, `benchmarks/decide.py`, `benchmarks/stages.py`, `benchmarks/scaling.py`,
`benchmarks/tails.py`, `benchmarks/end_to_end.py`, `benchmarks/load.py`, `benchmarks/pauses.py` (ten minutes).
`make bench-check` holds a quick run against
bounds far from these figures, so that a change that makes something several times slower is seen; the tests do the
same. `make soak` watches a session for half an hour, and `make profile-cpu` and `make profile-mem` show where time
and memory go.
"""


def render(results: Results) -> str:
    """Return the page."""
    parts: dict[str, Callable[[Any], Iterator[str]]] = {
        "goals": _goals,
        "end_to_end": _end_to_end,
        "signing": _signing,
        "decide": _decide,
        "stages": _stages,
        "scaling": _scaling,
        "tails": _tails,
        "load": _load,
        "pauses": _pauses,
        "soak": _soak,
    }
    text = [HEAD, *_machine(results["machine"])]
    for name, write in parts.items():
        if name in results:
            text += ["\n", *write(results[name])]
    return "".join([*text, TAIL])


def _table(head: Sequence[str], rows: Rows) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |\n"
    yield "|" + "---|" * len(head) + "\n"
    for row in rows:
        yield "| " + " | ".join(row) + " |\n"


def _machine(machine: dict[str, Any]) -> Iterator[str]:
    yield "## Machine\n\n"
    yield (
        f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, {machine['system']}, "
        f"{machine['python']} ({machine['optimised']}), load average {machine['load_average']:.1f} at the start.\n"
    )
    if machine["load_average"] > machine["cores"] / 2:
        yield "\n**The machine was busy with other work**: medians and tails are worse than on an idle one.\n"
    if machine["quick"]:
        yield "\n**A quick run**: too short for a paper.\n"


def _goals(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "## Goals\n\n"
    yield from _table(
        ("what", "goal", "measured", ""),
        (
            (
                row["name"],
                f"{'≥' if row['is_least'] else '≤'} {_value(row['goal'], row['unit'])}",
                "" if row["measured"] is None else _value(row["measured"], row["unit"]),
                row["verdict"],
            )
            for row in rows
        ),
    )


def _value(value: float, unit: str) -> str:
    if not unit:
        return f"{value:.1%}"
    return f"{value:.1f}x" if unit == "x" else f"{value:.1f} {unit}"


def _end_to_end(result: dict[str, Any]) -> Iterator[str]:
    yield "## Tick to signed order\n\n"
    yield (
        "Seen from the exchange, over loopback: an update of about ten levels goes out, and the clock runs until\n"
        "the bytes of the last signed order that it causes are back. Each bot is a process of its own. The reference\n"
        "is a bot on the official client (websockets, json, Decimal, its signer on the main thread), without risk\n"
        "checks, journal, metrics or log; ours is `lighterman run` with all of them. Bots take turns within the run,\n"
        "and their orders are compared, one by one. `tick`: one order answers an update; in each of five rounds each\n"
        "bot answers all its updates of the round one after the other, and the first fifth of them is not timed.\n"
        "`turns`: the same, but the next bot follows after ten updates, so that caches are shared with others.\n"
        "`spaced`: after each one, about 50 ms apart, so that they are cold. `burst`: ten orders answer one update.\n"
        "`p50` is the median of the best of five rounds, `p99` that of all updates.\n"
    )
    for workload in result["workloads"]:
        yield (
            f"\n**{workload['workload']}**: {workload['updates']} updates, orders for each: "
            f"{workload['orders_per_update']}; {workload['orders_equal']:.2%} of the orders are equal.\n\n"
        )
        rows = [
            (
                name,
                *(f"{figure[f'wall_us_{kind}']:.0f}" for kind in ("min", "p50", "p99")),
                *(
                    f"{workload['ratios'][name][kind]:.1f}x" if name in workload["ratios"] else ""
                    for kind in ("p50", "p99")
                ),
            )
            for name, figure in workload["figures"].items()
        ]
        rows += [(name, why, "", "", "", "") for name, why in workload["missing"].items()]
        head = ("wall, us", "min", "p50", "p99", "reference / it, p50", "p99")
        yield from _table(head, rows)


def _signing(result: dict[str, Any]) -> Iterator[str]:
    yield "## Signing\n\n"
    yield "One modify, on a thread of its own; the official client on the main thread, as bots call it.\n\n"
    rows = ((name.strip(), *_cpu(figure, ("min", "p50"))) for name, figure in result["figures"].items())
    yield from _table(("CPU, us", "min", "p50"), rows)


def _cpu(row: dict[str, float], kinds: Sequence[str]) -> Iterator[str]:
    return (f"{row[f'cpu_us_{kind}']:.1f}" for kind in kinds)


def _decide(result: dict[str, Any]) -> Iterator[str]:
    yield "## Tick to approved orders\n\n"
    yield (
        "Bytes of an update in, orders that risk has approved out; two times five levels. `naive` does the same work\n"
        f"with json, Decimal and dicts; the two agree on {result['orders_agreed']:.2%} of their orders. `min` is the\n"
        "cheapest tick, `usual` are those whose message changes nine or ten levels (the mean is nine and a half),\n"
        "each in its best round, `mean` is the mean over all ticks, the biggest messages and those that move orders\n"
        "among them, of what each cost in its best round.\n\n"
    )
    kinds = {"min": "min", "usual_min": "usual, min", "usual_p50": "usual, p50", "mean": "mean", "p50": "p50"}
    kinds["p99"] = "p99"
    rows = [(name, *_cpu(result[name], tuple(kinds))) for name in ("ours", "compiled", "naive") if name in result]
    yield from _table(("CPU, us", *kinds.values()), rows)
    yield f"\nnaive / ours: {result['ratio_mean']:.1f}x in the mean, {result['ratio_p50']:.1f}x at the median.\n"
    if "compiled" in result:
        yield (
            "\n`compiled` is the best of short turns that it took with the plain build, and "
            f"{result['compiled_share']:.1%}\nof that one's mean in its best turn.\n"
        )


def _stages(result: dict[str, Any]) -> Iterator[str]:
    yield "## Stages, and who looks on\n\n"
    yield (
        f"The first four are of every update, the others of each order (signer: {result['signer']}, with a prepared\n"
        "number).\n\n"
    )
    kinds = ("min", "p50", "mean")
    yield from _table(("CPU, us", *kinds), ((name, *_cpu(row, kinds)) for name, row in result["stages"].items()))
    watched = result["observed"]
    yield "\nA whole tick without onlookers, and with them; the difference is what they cost the trading thread.\n\n"
    rows = (
        (name, *_cpu(row, kinds), f"{watched['shares'][name]:+.1%}" if name in watched["shares"] else "")
        for name, row in watched["rows"].items()
    )
    yield from _table(("watched by", *kinds, "share of a tick"), rows)
    later = ", ".join(f"{name} {value:.1f} us" for name, value in watched["later_us"].items())
    yield f"\nLater, on their own threads, a tick costs: {later}.\n"


def _scaling(result: dict[str, Any]) -> Iterator[str]:
    yield "## Scaling\n\n"
    yield "Tick to approved orders again; one thing varies at a time.\n\n"
    titles = {"levels": "levels quoted a side", "changes": "levels changed by a message", "markets": "markets"}
    rows = [
        (titles[kind], f"{row['levels_changed']:.1f}" if kind == "changes" else count, *_cpu(row, ("p50", "mean")))
        for kind in titles
        for count, row in result[kind].items()
    ]
    yield from _table(("what", "how many", "CPU p50, us", "mean, us"), rows)


def _tails(result: dict[str, Any]) -> Iterator[str]:
    yield "## Tails\n\n"
    yield (
        f"{result['containers']} containers are held, every tick leaves something behind; {result['ticks']} ticks.\n"
        "For the collector the best of several repetitions of each tick counts; `worst` is the slowest as it came.\n"
        "The bot's collects between turns, when orders are on their way; the longest of these collections took\n"
        f"{result['product']['pause']:.0f} us.\n"
        "A scrape renders all metrics on another thread.\n\n"
    )
    kinds = ("p50", "p99", "p999", "max")
    rows = [
        (name, *(f"{row[kind]:.1f}" for kind in kinds), f"{row['ratio']:.1f}x", f"{row['worst']:.1f}")
        for name, row in result["collector"].items()
    ]
    rows += [
        (f"{name}, {clock}", *(f"{row[clock][kind]:.1f}" for kind in kinds), f"{row[clock]['ratio']:.1f}x", "")
        for name, row in result["scrapes"].items()
        for clock in ("cpu", "wall")
    ]
    yield from _table(("us", "p50", "p99", "p99.9", "max", "p99.9 / p50", "worst"), rows)


def _load(result: dict[str, Any]) -> Iterator[str]:
    yield "## CPU and memory of a running bot\n\n"
    if "missing" in result:
        yield result["missing"] + "\n"
        return
    yield (
        "`lighterman run` with three levels a side on every market, all its threads counted. `lag` is how long a ping\n"
        "takes that follows the updates through the same socket; `growth` compares the second half with the first.\n\n"
    )
    rows = (
        (
            f"{row['markets']}",
            f"{row['updates_per_s']}",
            f"{row['busy_share']:.1%}",
            f"{row['rss_mib']:.0f}",
            f"{row['threads']}",
            f"{row['orders_per_s']:.0f}",
            f"{row['lag_ms_p50']:.2f} / {row['lag_ms_max']:.2f}",
            f"{row['lag_growth_ms']:+.2f}",
            f"{row['journal_pending_max']:.0f}",
        )
        for row in result["rows"]
    )
    head = (
        "markets", "updates/s of each", "busy, of one core", "RSS, MiB", "threads", "orders/s",
        "lag p50 / max, ms", "growth, ms", "journal queue, max",
    )  # fmt: skip
    yield from _table(head, rows)


def _pauses(result: dict[str, Any]) -> Iterator[str]:
    yield "## Pauses\n\n"
    yield (
        f"The CPU time of every callback on the way from socket to order in {result['minutes']:g} minutes, the first "
        "ten\nseconds shown apart. `session`: `lighterman demo`, as it came, collections of garbage included.\n"
        "`repeated`: a session of the same length in virtual time, bot, exchange and network in one process; it\n"
        "does exactly the same each time, and each callback counts with the cheapest of "
        f"{result['repeated']['repetitions']} repetitions, so\nthat what the machine adds is left out.\n"
    )
    if "awake" in result:
        yield (
            "`awake`: the demo's settings with `performance.busyPollMs` on the compiled build, as it is run where a\n"
            "core can be spared.\n"
        )
    yield "\n"
    kinds = ("p50", "p99", "p99.9", "max")
    rows = []
    for name in ("session", "awake", "repeated"):
        if name not in result:
            continue
        row = result[name]
        figures = (f"{row['cpu_us'][kind]:.0f}" for kind in kinds)
        start_us = f"{row['longest_of_the_start'][0]['cpu_us']:.0f}"
        rows.append((name, f"{row['callbacks']}", *figures, f"{row['above_1_ms']}", start_us))
    head = ("", "callbacks", *(f"{kind}, us" for kind in kinds), "above 1 ms", "longest of the start, us")
    yield from _table(head, rows)
    control = result["session"]["control_us"]
    yield (
        "\nThe control of the session, the same arithmetic after every tenth turn, took "
        f"{control['min']:.0f} us at least, {control['p50']:.0f} us\nat the median and {control['max']:.0f} us at "
        "most: so much slower is the machine itself at times. In\n"
        f"{result['session']['interrupted']} callbacks the processor was given to somebody else, in "
        f"{result['session']['faulted']} memory was touched\nfor the first time, the start included.\n"
    )


def _soak(result: dict[str, Any]) -> Iterator[str]:
    yield "## Half an hour\n\n"
    yield (
        f"`make soak`: a demo session looked at every ten seconds; the slopes are of its last "
        f"{result['watched_s'] / 60:.0f} minutes.\nVerdict: **{result['verdict']}**, "
        f"{result['busy_share']:.1%} of a core busy.\n\n"
    )
    yield from _table(
        ("figure", "slope, per hour"), ((name, f"{value:+.2f}") for name, value in result["slopes_per_hour"].items())
    )
