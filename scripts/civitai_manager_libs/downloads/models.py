"""One model file, whole: asked for, fetched, checked, and only then given its name."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Sequence

from .. import api, notices, setting, texts
from ..civitai import modelfiles, urls
from ..civitai.modelfiles import ModelFile, OfferedVersion
from ..errors import (
    AnswerError,
    CancelledError,
    CivitaiError,
    ForbiddenError,
    GoneError,
    KeyNeededError,
    NotFoundError,
    StorageError,
    WrongContentError,
)
from ..http_client import CivitaiHttpClient
from ..library import naming, neighbours
from ..store import files, partial, weights
from ..store.partial import Partial
from . import leftover, segments
from .leftover import Expected
from .segments import Brought, Told

READ_BYTES = 1024 * 1024
# So often it is looked whether a person stopped what waits for another program. Seconds.
PATIENCE_SECONDS = 0.2
PICKLES = frozenset('.pt .ckpt .bin .pth .pkl'.split())
# The site may have rewritten a file while it came; more often something else is wrong.
MOST_READINGS = 2


@dataclass(frozen=True)
class ModelOrder:
    """A file of a version, and what it is to be called; another file of that name stays.

    `takes_suspect`: somebody said that it is wanted though a scan of the site failed. `is_free`
    tells whether a file may have a path that nothing is at; `namesakes` gives other files that are
    in its way wherever they lie. `named` hears which path it gets.
    `sha256` is that of what came before, '' if nothing did: where the site lists no hash, it tells
    whether a file is the one.
    """

    version_id: int
    file_id: int
    target: Path
    takes_suspect: bool = False
    is_free: Callable[[Path], bool] = lambda path: True
    namesakes: Callable[[Path], Sequence[Path]] = lambda path: ()
    named: Callable[[Path], None] = lambda path: None
    sha256: str = ''


@dataclass(frozen=True)
class KeptModel:
    """A model file that is there: where, which one it is, its SHA256 in lower case.

    `is_verified`: that is the hash the site lists. `was_there`: nothing had to be fetched. `wanted`
    is the name it was to have.
    """

    path: Path
    version: OfferedVersion
    file: ModelFile
    sha256: str
    size: int
    is_verified: bool
    was_there: bool = False
    wanted: str = ''

    def notes(self, language: str) -> tuple[str, ...]:
        """Return what a person should know of it, as sentences."""
        name, wanted = self.path.name, self.wanted
        keys = {
            'model_renamed': not self.was_there and wanted not in ('', name),
            'model_unverified': not self.is_verified,
            'model_pickle': self.path.suffix.lower() in PICKLES,
        }
        named = {key: is_so for key, is_so in keys.items() if is_so}
        return tuple(texts.text(key, language, name=name, wanted=wanted) for key in named)


def bring(
    client: CivitaiHttpClient,
    order: ModelOrder,
    stop: threading.Event,
    told: Told | None = None,
) -> KeptModel:
    """Fetch the file of `order`, check it and give it its name; return what is there then.

    `told` gets bytes done and in all, now and then, in this thread. Once `stop` is set it ends;
    what came stays beside the name for the next time, as it does after failures that may pass.
    Raises CivitaiError.
    """
    client = client.until(stop)
    offered = api.fetch_offered(client, order.version_id)
    while True:
        file = checked(offered, order)
        target = _free_name(order, file, stop)
        order.named(target)
        if target.exists():
            return _kept(target, offered, file, file.sha256 or order.sha256, was_there=True)
        bringing = _Bringing(client, order, stop, told, offered, file)
        with suppress(FileExistsError):  # somebody was faster, so that is looked at
            kept = _in_turn(target, bringing.mark, stop, bringing.bring)
            return replace(kept, wanted=order.target.name)


def _in_turn(
    target: Path, mark: str, stop: threading.Event, work: Callable[[Partial], KeptModel]
) -> KeptModel:
    """Do `work` with the part of `target` as soon as no other program or thread is at it.

    What it leaves is taken away, unless it can be gone on with. Raises what `work` does, and
    FileExistsError if another file than that of `mark` can be gone on with there.
    """
    is_told = False
    while True:
        try:
            with partial.held(target, PATIENCE_SECONDS) as part:
                if leftover.is_of_another(part, mark):
                    raise FileExistsError
                try:
                    return work(part)
                except (FileExistsError, WrongContentError):
                    part.remove()
                    raise
                except CivitaiError:
                    if not part.known():
                        part.remove()
                    raise
        except StorageError as error:
            if error.key != 'model_busy':
                raise
            if stop.is_set():
                raise CancelledError from error
            if not is_told:
                notices.tell('model_busy', name=target.name)
                is_told = True


def checked(offered: OfferedVersion, order: ModelOrder) -> ModelFile:
    """Return the file of `order`. Raises CivitaiError if it is not to be had, as far as known."""
    modelfiles.check_offered(offered, time.time(), bool(setting.civitai_api_key))
    file = modelfiles.choose(offered, modelfiles.Choice(order.file_id))
    if not order.takes_suspect:
        modelfiles.check_scans(file)
    return file


def forget(target: Path, mark: str) -> None:
    """Remove what came of the file of `mark`, which nobody wants any more. Raises StorageError."""
    with partial.held(target, PATIENCE_SECONDS) as part:
        if not leftover.is_of_another(part, mark):
            part.remove()


def _free_name(order: ModelOrder, file: ModelFile, stop: threading.Event) -> Path:
    """The first of the names that the target gives which is free, or where this very file is."""
    number, name = 0, order.target
    mark = leftover.mark_of(order.version_id, file.id)
    while True:
        others = order.namesakes(name)
        for one in (name, *others):
            if one.is_file() and _is_same(one, file, order, stop):
                return one
        is_taken = others or os.path.lexists(name) or leftover.is_claimed(name, mark)
        if not is_taken and order.is_free(name):
            return name
        number += 1
        name = order.target.with_stem(naming.numbered(order.target.stem, number))


def _is_same(path: Path, file: ModelFile, order: ModelOrder, stop: threading.Event) -> bool:
    """Whether `path` is this very file; without a hash what lies beside it has to say so.

    Files of one name and length are the rule among versions of a model.
    """
    with files.explained(path.parent):
        if not file.is_as_long_as(path.stat().st_size):
            return False
    known = file.sha256 or order.sha256
    if not known:
        return neighbours.version_told(path) == order.version_id
    return sha256_of(path, stop) == known


def sha256_of(path: Path, stop: threading.Event) -> str:
    """Return the hash of a file in lower case. Raises StorageError, CancelledError by `stop`."""
    digest = hashlib.sha256()
    with files.explained(path.parent), files.opened(path) as file:
        while data := file.read(READ_BYTES):
            digest.update(data)
            if stop.is_set():
                raise CancelledError
    return digest.hexdigest()


def _kept(
    path: Path, offered: OfferedVersion, file: ModelFile, sha256: str, was_there: bool = False
) -> KeptModel:
    is_verified = bool(file.sha256) and sha256 == file.sha256
    with files.explained(path.parent):
        size = path.stat().st_size
    return KeptModel(path, offered, file, sha256, size, is_verified, was_there)


class _Bringing:
    """The way of one file from its address to its name."""

    def __init__(
        self,
        client: CivitaiHttpClient,
        order: ModelOrder,
        stop: threading.Event,
        told: Told | None,
        offered: OfferedVersion,
        file: ModelFile,
    ) -> None:
        self._client = client
        self._order = order
        self._stop = stop
        self._told = told
        self._offered = offered
        self._file = file
        self.mark = leftover.mark_of(offered.id, file.id)

    def bring(self, part: Partial) -> KeptModel:
        """Bring the file into `part` and give that its name.

        Raises FileExistsError if somebody has it.
        """
        offered, file = self._offered, self._file
        if part.target.exists():
            raise FileExistsError
        leftover.check_room(part, file.size)
        for reading in range(MOST_READINGS):
            brought, problem = self._fetched(part, offered, file)
            if problem is None:
                break
            # the site may have rewritten the file meanwhile
            offered = api.fetch_offered(self._client, offered.id)
            former, file = file, checked(offered, self._order)
            if brought is not None and brought.sha256 == file.sha256:
                break
            was_rewritten = (file.sha256, file.size) != (former.sha256, former.size)
            is_of_before = brought is not None and brought.taken_over
            if reading or not (was_rewritten or is_of_before):
                raise problem
            part.remove()
        assert brought is not None
        self._check_bytes(part, file)
        if not part.become(part.target):
            raise FileExistsError
        return _kept(part.target, offered, file, brought.sha256)

    def _fetched(
        self, part: Partial, offered: OfferedVersion, file: ModelFile
    ) -> tuple[Brought | None, CivitaiError | None]:
        """Fetch `file`; return it, and what is wrong with it if the site may have rewritten it."""
        try:
            brought = self._from_where_it_is(part, offered, file)
        except WrongContentError as error:
            if error.key != 'model_size_differs':
                raise
            return None, error
        if not file.sha256 or brought.sha256 == file.sha256:
            return brought, None
        told, came = file.sha256, brought.sha256
        return brought, WrongContentError(
            'model_hash_differs', name=part.target.name, told=told, came=came
        )

    def _from_where_it_is(self, part: Partial, offered: OfferedVersion, file: ModelFile) -> Brought:
        name = part.target.name  # what it is on the site now may be of another kind
        expected = Expected(name, self.mark, file.size, file.sha256, modelfiles.SIZE_TOLERANCE)
        absent: NotFoundError | None = None
        for url in modelfiles.addresses(setting.civitai_base_url, offered.id, file):
            try:
                return segments.fetch(self._client, url, part, expected, self._stop, self._told)
            except NotFoundError as error:  # may pass, and some files are known elsewhere only
                absent = error
            except AnswerError as error:
                raise explained(error, offered) from error
        assert absent is not None
        raise absent

    def _check_bytes(self, part: Partial, file: ModelFile) -> None:
        with files.explained(part.target.parent):
            is_broken = weights.is_broken(part.path, part.target.name)
        if is_broken:
            raise WrongContentError('model_header', name=part.target.name)


def explained(error: AnswerError, offered: OfferedVersion) -> CivitaiError:
    """Return what a refusal of the download route means for a file of `offered`."""
    words = error.detail.lower()
    if not urls.is_api(error.url, setting.civitai_base_url):
        if isinstance(error, (ForbiddenError, KeyNeededError)) or error.status == 400:
            return AnswerError('model_storage_refused', url=error.url, status=error.status)
        return error
    if isinstance(error, KeyNeededError) and 'disabled downloads' in words:
        return CivitaiError('model_not_for_download', url=error.url, status=error.status)
    if isinstance(error, ForbiddenError) and 'early access' in words:
        return modelfiles.early_access(offered)
    if isinstance(error, GoneError):
        return CivitaiError('model_archived', url=error.url, status=error.status)
    return error
