"""What became of a model file that was asked for: a code, a line for a person, JSON."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import setting, texts
from ..civitai import modelfiles
from ..civitai.modelfiles import ModelFile, OfferedVersion
from ..downloads.getting import Planned
from ..downloads.models import KeptModel
from ..ending import ExitCode
from ..errors import CivitaiError
from ..library import namesakes
from .telling import Reason, code_of, reason_of


@dataclass(frozen=True)
class ModelPart:
    """What became of one model file.

    `where` says where it goes, in words; `planned` is what was found of it, `here` where the very
    file is already, '' if it is not known to be. `job` is the number of
    its job, 0 if there is none; `done` bytes of `size` are there. `kept` is there when the file
    is; `refusal` is why it is not, `was_stopped` whether it was cut short.
    """

    source: str
    planned: Planned | None = None
    where: str = ''
    here: str = ''
    job: int = 0
    done: int = 0
    size: int = 0
    kept: KeptModel | None = None
    seconds: float = 0.0
    only_listed: bool = False
    refusal: CivitaiError | None = None
    was_stopped: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether the file is there; if it was only asked for, whether it is to be had."""
        is_known = self.planned is not None if self.only_listed else self.kept is not None
        return is_known and self.refusal is None

    @property
    def files(self) -> tuple[str, ...]:
        """The path that the file has, or would have."""
        if self.kept is not None:
            return (str(self.kept.path),)
        return (str(self.planned.path),) if self.planned and self.only_listed else ()

    @property
    def reason(self) -> Reason:
        """Why it ended as it did."""
        return reason_of(self.is_complete, self.was_stopped, self.refusal, bool(self.done))

    @property
    def code(self) -> ExitCode:
        """The exit code, if this is all that was asked for."""
        return code_of(self.reason)

    def as_json(self) -> dict[str, Any]:
        """Return what a program wants to know."""
        told: dict[str, Any] = {'reason': self.reason.value, 'complete': self.is_complete}
        if self.refusal is not None:
            told['error'] = self.refusal.message_in(setting.language)
        if self.job:
            told['job'] = self.job
        if self.kept is not None:
            told |= _facts(self.kept.version, self.kept.file)
            told |= _kept_as_json(self.kept)
        elif self.planned is not None:
            path = self.planned.path
            told |= _facts(self.planned.version, self.planned.file)
            told |= {'path': str(path), 'folder': str(path.parent)}
        if self.where:
            told['where'] = self.where
        fetched = self.kept is not None and not self.kept.was_there
        return {
            **told,
            'saved': int(fetched),
            'already': int(self.kept is not None and not fetched),
            'bytes': self.done,
            'seconds': round(self.seconds, 3),
            'notes': [*self._notes(), *filter(None, [self.way_on()])],
            'files': list(self.files),
        }

    def problems(self) -> list[str]:
        """Return a line for each thing that went wrong or is to be known."""
        refusal = [self.refusal.message_in(setting.language)] if self.refusal else []
        return [*refusal, *self._notes()]

    def _notes(self) -> list[str]:
        notes = list(self.kept.notes(setting.language)) if self.kept else []
        if self.only_listed and self.planned and self.here:
            notes.append(_text('cli_model_is_here', path=self.here))
        elif self.only_listed and self.planned and _is_taken(self.planned.path):
            notes.append(_text('cli_model_name_taken', name=self.planned.path.name))
        return notes

    def summary(self) -> str:
        """Return a line on what was done, '' if there is nothing to be said."""
        if self.was_stopped:
            if not self.job:
                return _text('cli_stopped_early')
            done, size = _mib(self.done), _mib(self.size)
            return _text('cli_model_stopped', job=self.job, mib=done, of=size)
        if self.refusal is not None:
            return ''
        if self.kept is not None:
            key = 'cli_model_there' if self.kept.was_there else 'cli_model_saved'
            checked = _text('cli_model_verified') if self.kept.is_verified else ''
            title, path = self.kept.version.title, self.kept.path
            mib = _mib(self.kept.size)
            return _text(key, title=title, path=path, mib=mib, checked=checked).rstrip()
        if self.planned is None:
            return ''
        return _text(
            'cli_model_planned',
            title=self.planned.version.title,
            name=self.planned.path.name,
            mib=_mib(self.planned.file.size),
            where=self.where,
        )

    def way_on(self) -> str:
        """How what is missing may be had, '' if nothing is or there is no job for it."""
        if self.is_complete or not self.job:
            return ''
        lasts = self.refusal is not None and modelfiles.is_lasting(self.refusal, time.time())
        return _text('cli_once_more' if lasts else 'cli_go_on', job=self.job)


def _facts(version: OfferedVersion, file: ModelFile) -> dict[str, Any]:
    return {
        'model_id': version.model_id,
        'version_id': version.id,
        'title': version.title,
        'base_model': version.base_model,
        'file_id': file.id,
        'name': file.name,
        'kind': file.kind,
        'format': file.format,
        'size': file.size,
        'sha256': file.sha256,
    }


def _kept_as_json(kept: KeptModel) -> dict[str, Any]:
    return {
        'path': str(kept.path),
        'folder': str(kept.path.parent),
        'size': kept.size,
        'sha256': kept.sha256,
        'verified': kept.is_verified,
    }


def _is_taken(path: Path) -> bool:
    return path.exists() or bool(namesakes.namesakes(path))


def _mib(size: int) -> str:
    return f'{size / 2**20:.1f}'


def _text(key: str, **values: object) -> str:
    return texts.text(key, setting.language, **values)
