"""A session's folder: `<journal.directory>/<start in UTC>-<mode>/` with journal, settings and summary."""

import re
from datetime import UTC, datetime

import msgspec

from lighterman.domain.errors import JournalError
from lighterman.journal.disk import Disk, write_durably

LAST = "last"
SAME_SECOND_MAX = 100
MICROS_PER_S = 1_000_000

_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-[a-z]+(?:-\d+)?")


class Session(msgspec.Struct, frozen=True):
    """Where one session's files are."""

    name: str
    folder: str

    @property
    def journal_path(self) -> str:
        """Return the path of the record of events and decisions."""
        return f"{self.folder}/journal"

    @property
    def config_path(self) -> str:
        """Return the path of the settings as they were understood, secrets left out."""
        return f"{self.folder}/config.json"

    @property
    def summary_path(self) -> str:
        """Return the path of the result, written at the end."""
        return f"{self.folder}/summary.json"


def create_session(disk: Disk, directory: str, mode: str, wall_us: int, document: bytes) -> Session:
    """Make a new session's folder with the settings in it; raises JournalError if the disk refuses."""
    start = datetime.fromtimestamp(wall_us // MICROS_PER_S, UTC)
    try:
        disk.make_folder(directory)
        for attempt in range(1, SAME_SECOND_MAX):
            name = f"{start:%Y-%m-%dT%H-%M-%SZ}-{mode}" + (f"-{attempt}" if attempt > 1 else "")
            session = Session(name, f"{directory}/{name}")
            if disk.make_folder(session.folder):
                write_durably(disk, session.config_path, document)
                return session
    except OSError as error:
        raise JournalError(f"{directory}: no session can be kept here: {error.strerror or error}") from None
    raise JournalError(f"{directory}: {SAME_SECOND_MAX} sessions began in one second")


def write_summary(disk: Disk, session: Session, summary: object) -> None:
    """Keep the session's result as JSON; raises JournalError if the disk refuses."""
    try:
        write_durably(disk, session.summary_path, msgspec.json.format(msgspec.json.encode(summary), indent=2))
    except OSError as error:
        raise JournalError(f"{session.summary_path}: cannot be written: {error.strerror or error}") from None


def find_session(disk: Disk, directory: str, name: str) -> Session:
    """Return a session by its name, by the path of its folder, or the latest ("last"); raises JournalError.

    A start that was refused leaves a folder without a journal, which is no session.
    """
    names = [found for found in disk.list(directory) if _NAME.fullmatch(found)]
    latest = next((found for found in reversed(names) if _has_journal(disk, f"{directory}/{found}")), "")
    wanted = latest if name == LAST else name
    for folder in (f"{directory}/{wanted}", name.rstrip("/")):
        if wanted and _has_journal(disk, folder):
            return Session(folder.rpartition("/")[2], folder)
    raise JournalError(f"{directory}: no session {name!r}" + (f"; the latest is {latest}" if latest else ""))


def _has_journal(disk: Disk, folder: str) -> bool:
    return "journal" in disk.list(folder)
