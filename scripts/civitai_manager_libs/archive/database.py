"""The archive's file: opened, brought up to date, shared by threads and programs, mended."""

from __future__ import annotations

import errno
import logging
import os
import re
import sqlite3
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Iterator

from .. import forks
from ..errors import StorageError
from ..store import files, private
from . import folders
from .schema import STEPS

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 30.0
CACHE_KIB = 512
# What stands beside the file while it is in use, and belongs to it.
_BESIDE = ('-wal', '-shm', '-journal')
_LOST = "INSERT OR REPLACE INTO facts VALUES ('was_lost', '1')"
# Of a file that is brought up to date, somebody took these away.
_LACKS = re.compile(r'no such (table|column)|has no column')
_of_parents: list[sqlite3.Connection] = []  # never closed, not even by being forgotten


class Database:
    """One SQLite file, by one connection for all threads, opened when it is first needed.

    Other programs may use it at the same time. A file that is damaged is kept aside and a new one
    is made; then `was_lost` stays true until `recovered` is called, whatever happens in between. So
    it is where the file is gone or empty, but the list of folders beside it is not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = forks.Lock()
        self._open: _Open | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection, for questions. Raises StorageError."""
        with self._lock, self._explained():
            yield self._connection()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection in a transaction: all that is done inside counts, or nothing.

        Raises StorageError.
        """
        with self._lock, self._explained():
            connection = self._connection()
            if connection.in_transaction:  # part of a larger one
                yield connection
                return
            with _transaction(connection):
                yield connection

    @property
    def was_lost(self) -> bool:
        """Whether the file was lost and nobody has looked at the folders since."""
        with self.reading() as connection:
            found = connection.execute("SELECT 1 FROM facts WHERE name = 'was_lost'").fetchone()
        return found is not None

    def recovered(self) -> None:
        """Note that what could be known again is in the file."""
        with self.writing() as connection:
            connection.execute("DELETE FROM facts WHERE name = 'was_lost'")

    def close(self) -> None:
        """Let the file go; it is opened again when it is needed."""
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open = None

    def _connection(self) -> sqlite3.Connection:
        if self._open is not None and self._open.is_amid:
            return self._open.connection  # what belongs together goes to one file
        if self._open is None or not self._open.is_current(self.path):
            self.close()
            self._open = self._opened()
        return self._open.connection

    def _opened(self) -> _Open:
        with files.explained(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._make()
            seen = os.stat(self.path)
        try:
            return _Open(self.path)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
        self._replace(seen)
        return _Open(self.path)

    def _make(self) -> None:
        """Make the file, for its owner only, whatever the umask is; one that is there stays."""
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))

    def _replace(self, damaged: os.stat_result) -> None:
        """Keep the damaged file aside and begin a new one, unless another program did so."""
        with private.locked(self.path), files.explained(self.path.parent):
            if not os.path.samestat(damaged, os.stat(self.path)):
                return
            aside = private.keep_aside(self.path)
            for ending in _BESIDE:
                with suppress(FileNotFoundError):
                    os.replace(f'{self.path}{ending}', f'{aside}{ending}')
            self._make()
            anew = _Open(self.path)
            anew.connection.execute(_LOST)
            anew.close()
        log.warning('The archive %s is damaged; it is kept as %s', self.path, aside)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite says into a StorageError; a file found damaged is replaced."""
        try:
            yield
        except sqlite3.Error as error:
            if not _is_damage(error):
                raise _storage_error(error, self.path) from error
            if self._open is not None:
                damaged = self._open.file
                self.close()
                self._replace(damaged)
            raise StorageError('error_archive_damaged', folder=str(self.path.parent)) from error


class _Open:
    """A connection, which file it leads to, and whether this process opened it."""

    def __init__(self, path: Path) -> None:
        self._is_mine = True
        self.connection = sqlite3.connect(
            path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
        )
        with ExitStack() as stack:
            stack.callback(self.connection.close)
            _set_up(self.connection, path)
            self.file = os.stat(path)
            forks.renew_in_children(self)
            stack.pop_all()

    def close(self) -> None:
        """Close it, but not one that crossed a fork: SQLite forbids to touch such at all."""
        if self._is_mine:
            self.connection.close()
        else:
            _of_parents.append(self.connection)

    def is_current(self, path: Path) -> bool:
        """Whether it was opened in this process and leads to the file that is at `path` now."""
        try:
            return self._is_mine and os.path.samestat(self.file, os.stat(path))
        except OSError:
            return False

    @property
    def is_amid(self) -> bool:
        """Whether a transaction of this process is under way."""
        return self._is_mine and self.connection.in_transaction

    def renew(self) -> None:
        """Be of the parent, as we are in the child of a fork."""
        self._is_mine = False


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    try:
        mode = connection.execute('PRAGMA journal_mode = WAL').fetchone()[0]
    except sqlite3.OperationalError as error:  # some network folders answer so
        if _is_locked(error):  # all patience was spent
            connection.execute('PRAGMA busy_timeout = 0')
        mode = connection.execute('PRAGMA journal_mode = DELETE').fetchone()[0]
    connection.execute(f'PRAGMA busy_timeout = {int(PATIENCE_SECONDS * 1000)}')
    # With WAL a power cut may take the last moments; without it, half a page.
    connection.execute(f'PRAGMA synchronous = {"NORMAL" if mode == "wal" else "FULL"}')
    connection.execute('PRAGMA foreign_keys = ON')
    # A job of 50,000 pictures is not to take more memory than a small one.
    connection.execute(f'PRAGMA cache_size = -{CACHE_KIB}')
    _bring_up_to_date(connection, path)


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """Carry out the steps of the schema that are missing, together or not at all."""
    if _version(connection) == len(STEPS):
        return
    with _transaction(connection):
        version = _version(connection)  # another program may have been faster
        if version > len(STEPS):
            raise StorageError('error_archive_newer')
        for step in STEPS[version:]:
            for statement in _statements(step):
                connection.execute(statement)
        connection.execute(f'PRAGMA user_version = {len(STEPS)}')
        if not version and folders.read(path):
            connection.execute(_LOST)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Have all that is done inside count, or nothing of it if that raises."""
    connection.execute('BEGIN IMMEDIATE')
    try:
        yield
        connection.execute('COMMIT')
    finally:
        with suppress(sqlite3.Error):  # a damaged file was closed inside
            if connection.in_transaction:
                connection.execute('ROLLBACK')


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute('PRAGMA user_version').fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """The statements of `script` one by one: running it as a whole would end our transaction."""
    gathered = ''
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            yield gathered
            gathered = ''


def _is_damage(error: sqlite3.Error) -> bool:
    # Its own class is what Python makes of "not a database" and "malformed" and of nothing else.
    return type(error) is sqlite3.DatabaseError or bool(_LACKS.search(str(error)))


def _is_locked(error: sqlite3.Error) -> bool:
    return any(word in str(error) for word in ('locked', 'busy'))


def _storage_error(error: sqlite3.Error, path: Path) -> StorageError:
    words, folder = str(error), path.parent
    if isinstance(error, sqlite3.IntegrityError):  # it lacks what was noted in it: a new file
        return StorageError('error_archive_damaged', folder=str(folder))
    if _is_locked(error):
        return StorageError('error_locked', folder=str(path))
    if 'full' in words:
        return files.storage_error(OSError(errno.ENOSPC, words), folder)
    if 'readonly' in words:
        return files.storage_error(OSError(errno.EROFS, words), folder)
    return StorageError(folder=str(folder), reason=words)
