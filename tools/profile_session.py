"""Profiles a real demo session: `make profile-cpu` and `make profile-mem`.

    python tools/profile_session.py cpu [--seconds 30] [--into build/profile]
    python tools/profile_session.py mem [--seconds 30] [--into build/profile]

CPU: py-spy starts the session and looks into it from outside, all threads, without slowing it; it writes a
flame graph. Where the system does not let it (ptrace not permitted, a container without that right), or
where it is not installed, the session is sampled from a thread of its own instead, which sees Python's
frames alone and only when it gets the interpreter; it writes folded stacks and prints the heaviest.
Memory: memray notes every allocation; it writes a flame graph of what was held at the peak, and prints the
heaviest places.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SAMPLES_PER_S = 200
FLAME, FOLDED, RECORD, PEAK = "cpu.svg", "cpu.folded", "memory.bin", "memory.html"
INSTALL = "make profile-cpu and make profile-mem install it; by hand: pip install -r requirements-profile.lock"


def session(seconds: float, into: Path) -> list[str]:
    """Return the arguments of a demo session of so many seconds, recorded beside its profile."""
    return ["demo", "--headless", "--json", "--for", f"{seconds:g}s", "--directory", str(into / "runs")]


def run(command: list[str]) -> tuple[int, str]:
    """Run a command; return its code and what it complained about. Its own results are not of interest."""
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603
    return done.returncode, done.stderr


def profile_cpu(seconds: float, into: Path) -> int:
    """Write a flame graph, or the folded stacks where there can be none; returns the exit code."""
    missing = "py-spy is not installed: " + INSTALL
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", ""))
    if spy is not None:
        flame = into / FLAME
        flame.unlink(missing_ok=True)
        record = [spy, "record", "--threads", "--rate", str(SAMPLES_PER_S), "--output", str(flame), "--"]
        code, said = run([*record, sys.executable, "-m", "lighterman", *session(seconds, into)])
        if code == 0 and flame.is_file():
            print(f"{flame}: a flame graph of all threads, by py-spy")
            return 0
        missing = "py-spy could not look into the session: " + _reason(said)
    print(f"{missing}\nsampling from inside instead: Python's frames alone", file=sys.stderr)
    sampler = [sys.executable, str(HERE / "sampler.py"), str(into / FOLDED), str(SAMPLES_PER_S)]
    code, said = run([*sampler, *session(seconds, into)])
    print(f"{into / FOLDED}: folded stacks, as flame graph viewers take them")
    print("\n".join(line.removeprefix("sampler: ") for line in said.splitlines() if line.startswith("sampler: ")))
    return code


def profile_memory(seconds: float, into: Path) -> int:
    """Write a flame graph of the peak and print the heaviest places; returns the exit code."""
    if importlib.util.find_spec("memray") is None:
        print("memray is not installed: " + INSTALL, file=sys.stderr)
        return 1
    memray, record, peak = [sys.executable, "-m", "memray"], into / RECORD, into / PEAK
    code, said = run([*memray, "run", "-q", "-f", "-o", str(record), "-m", "lighterman", *session(seconds, into)])
    if code:
        print(_reason(said), file=sys.stderr)
        return code
    subprocess.run([*memray, "stats", str(record)], check=True)  # noqa: S603
    run([*memray, "flamegraph", "-f", "-o", str(peak), str(record)])
    print(f"{peak}: a flame graph of what was held at the peak, by memray")
    return 0


def _reason(said: str) -> str:
    """Return the last line that is not the session's own log."""
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith("{")]
    return lines[-1].strip() if lines else "it did not say why"


def main() -> int:
    """Profile."""
    parser = argparse.ArgumentParser(description="profile a demo session")
    parser.add_argument("what", choices=("cpu", "mem"))
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--into", type=Path, default=HERE.parent / "build" / "profile")
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    return {"cpu": profile_cpu, "mem": profile_memory}[options.what](options.seconds, options.into)


if __name__ == "__main__":
    raise SystemExit(main())
