"""A model and its versions as values."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import WrongContentError
from .meta import clean


@dataclass(frozen=True)
class ModelVersion:
    """One published version of a model."""

    id: int
    name: str
    base_model: str = ''

    @property
    def label(self) -> str:
        """What a person chooses by; the id makes it unique."""
        words = ' · '.join(part for part in (self.name, self.base_model) if part)
        return f'{words} (#{self.id})'.lstrip()


@dataclass(frozen=True)
class Model:
    """A model: kind is Civitai's type name, such as Checkpoint or LORA; newest version first."""

    id: int
    name: str
    kind: str = ''
    creator: str = ''
    versions: tuple[ModelVersion, ...] = ()


def parse_model(data: object) -> Model:
    """Return the model in an answer of /api/v1/models/{id}. Raises WrongContentError.

    Civitai leaves out fields that are null or empty, and the creator of house accounts.
    """
    if not isinstance(data, dict) or not _is_id(data.get('id')):
        raise WrongContentError('error_not_a_model')
    creator = data.get('creator')
    listed = data.get('modelVersions')
    versions = tuple(
        ModelVersion(item['id'], _line(item.get('name')), _line(item.get('baseModel')))
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, dict) and _is_id(item.get('id'))
    )
    return Model(
        id=data['id'],
        name=_line(data.get('name')) or str(data['id']),
        kind=_line(data.get('type')),
        creator=_line(creator.get('username')) if isinstance(creator, dict) else '',
        versions=versions,
    )


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _line(value: object) -> str:
    return ' '.join(clean(value).split()) if isinstance(value, str) else ''
