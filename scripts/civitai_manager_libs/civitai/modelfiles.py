"""The files of a model's version: which one is meant, why it cannot be had, where it is.

An address without a file's id delivers what the account prefers, and the first of a list is
whatever its creator put there, so a file is chosen here and asked for by its id.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Mapping, Sequence

from ..errors import CivitaiError, GoneError, NotFoundError, SourceError, WrongContentError
from . import meta as meta_of
from .urls import download_url

# Types of files that hold a model's main weights, as the site counts them.
MAIN_KINDS = frozenset({'Model', 'Pruned Model', 'Diffusion Model', 'UNet'})
FORMATS = ('SafeTensor', 'PickleTensor', 'GGUF', 'Diffusers', 'Core ML', 'ONNX', 'Other')
PORTIONS = ('', 'pruned', 'full')
PRECISIONS = ('', 'fp16', 'bf16', 'fp32', 'fp8')
# What the site's own scans call a file that should not be opened, or that they could not open.
_BAD_SCANS = frozenset({'danger', 'error'})
# Sizes are told in KiB with decimals, and in some answers rounded.
SIZE_TOLERANCE = 1024
# No file is longer, nor do databases keep larger numbers.
MOST_BYTES = 2**63 - 1
# Why the same file would not come another time either.
_LASTING = frozenset(
    'model_archived model_taken_down model_not_for_download model_paid model_suspect '
    'model_without_files model_hash_differs model_size_differs model_header'.split()
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST = datetime(1, 1, 1, tzinfo=timezone.utc).timestamp()
_LAST = datetime(9999, 12, 31, tzinfo=timezone.utc).timestamp()


@dataclass(frozen=True)
class ModelFile:
    """One file of a version: `size` in bytes is about right, 0 if unknown; `sha256` in lower case.

    `kind`, `format`, `portion` (full, pruned), `precision` (fp16 ...) and `quantization` are the
    site's words, '' where the uploader said nothing. `sha256` is '' where the site has none.
    `scans` are the results of its scans for viruses and for code that runs.
    """

    id: int
    name: str
    kind: str = ''
    size: int = 0
    format: str = ''
    portion: str = ''
    precision: str = ''
    quantization: str = ''
    sha256: str = ''
    is_primary: bool = False
    download_url: str = ''
    scans: tuple[str, ...] = ()
    answer: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_suspect(self) -> bool:
        """Whether a scan found something, or could not look."""
        return any(scan.lower() in _BAD_SCANS for scan in self.scans)

    @property
    def label(self) -> str:
        """What a person tells it from the others by."""
        facts = (self.kind, self.format, self.portion, self.precision, self.quantization)
        return f'{self.id}: {self.name} ({", ".join(filter(None, facts))})'

    def is_as_long_as(self, size: int) -> bool:
        """Tell whether `size` bytes are what the site says, as far as it says it exactly."""
        return not self.size or abs(self.size - size) <= SIZE_TOLERANCE


@dataclass(frozen=True)
class OfferedVersion:
    """A version with its files, and what stands in the way of having them.

    `paid_until` is when it is for all, in seconds since 1970: 0 now, infinity never or nobody says.
    `answer` is all that the site said of it.
    """

    id: int
    name: str
    model_id: int = 0
    model_name: str = ''
    kind: str = ''
    base_model: str = ''
    mode: str = ''
    usage: str = ''
    paid_until: float = 0.0
    files: tuple[ModelFile, ...] = ()
    answer: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)

    @property
    def title(self) -> str:
        """What a person knows it by."""
        return ' · '.join(filter(None, (self.model_name, self.name))) or str(self.id)

    def file(self, number: int) -> ModelFile | None:
        """Return its file of that id, None if it has none such."""
        return next((one for one in self.files if one.id == number), None)


@dataclass(frozen=True)
class Choice:
    """Which file somebody asked for: by its id, or by all that is said of it; '' is anything."""

    file_id: int = 0
    format: str = ''
    portion: str = ''
    precision: str = ''


def parse_offered(data: object) -> OfferedVersion:
    """Return the version in an answer of /api/v1/model-versions/{id}. Raises WrongContentError."""
    found = data if isinstance(data, Mapping) else {}
    number = whole(found.get('id'))
    if not number:
        raise WrongContentError('error_not_a_model')
    model = found.get('model')
    model = model if isinstance(model, Mapping) else {}
    listed = (_file(one) for one in meta_of.mappings(found.get('files')))
    return OfferedVersion(
        number,
        meta_of.as_text(found.get('name')),
        whole(found.get('modelId')),
        meta_of.as_text(model.get('name')),
        meta_of.as_text(model.get('type')),
        meta_of.as_text(found.get('baseModel')),
        meta_of.as_text(model.get('mode')) or meta_of.as_text(found.get('mode')),
        meta_of.as_text(found.get('usageControl')),
        _paid_until(found),
        tuple(one for one in listed if one is not None),
        found,
    )


def _file(data: Mapping[str, object]) -> ModelFile | None:
    number = whole(data.get('id'))
    if not number:
        return None
    facts = data.get('metadata')
    facts = facts if isinstance(facts, Mapping) else {}
    kib = meta_of.as_number(data.get('sizeKB')) or 0
    return ModelFile(
        number,
        meta_of.as_text(data.get('name')),
        meta_of.as_text(data.get('type')),
        min(max(0, round(kib * 1024)), MOST_BYTES),
        meta_of.as_text(facts.get('format')),
        meta_of.as_text(facts.get('size')),
        meta_of.as_text(facts.get('fp')),
        meta_of.as_text(facts.get('quantType')),
        hashes_of(data).get('SHA256', ''),
        data.get('primary') is True,
        meta_of.as_text(data.get('downloadUrl')),
        tuple(meta_of.as_text(data.get(f'{scan}ScanResult')) for scan in ('virus', 'pickle')),
        data,
    )


def hashes_of(file: Mapping[str, object]) -> dict[str, str]:
    """Return what a file of an answer lists as its hashes, in lower case, by their names there.

    What is no hash is left out, as is part of an SHA256.
    """
    listed = file.get('hashes')
    told = listed.items() if isinstance(listed, Mapping) else ()
    found = {str(name): meta_of.hash_of(value) for name, value in told}
    return {name: one for name, one in found.items() if len(one) == 64 or one and name != 'SHA256'}


def listed_hashes(version: Mapping[str, object]) -> list[dict[str, str]]:
    """Return `hashes_of` each file of a version, an answer of the API."""
    return [hashes_of(file) for file in meta_of.mappings(version.get('files'))]


def whole(value: object) -> int:
    """Return the id that `value`, a number or text, is; 0 if it can be none."""
    number = meta_of.as_number(value)
    return number if isinstance(number, int) and 0 < number < 2**53 else 0


def _paid_until(data: Mapping[str, object]) -> float:
    """When a version is for all; former answers told it in other fields."""
    paid = data.get('paidAccess')
    if isinstance(paid, Mapping):
        return math.inf if paid.get('permanent') is True else moment(paid.get('endsAt'))
    for name in ('earlyAccessEndsAt', 'earlyAccessDeadline'):
        if data.get(name):
            return moment(data.get(name))
    return math.inf if data.get('availability') == 'EarlyAccess' else 0.0


def moment(value: object) -> float:
    """Return a time as the API writes it in seconds since 1970; infinity if it is none.

    Of what a time zone puts before the first year or behind the last one, it is the nearest that
    there is.
    """
    try:
        then = datetime.fromisoformat(meta_of.as_text(value).replace('Z', '+00:00'))
        seconds = (then if then.tzinfo else then.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return math.inf
    return min(max(seconds, _FIRST), _LAST)


def told_moment(seconds: float) -> str:
    """Return a time of `moment` that is not infinite as people read it, to the minute."""
    # by the system's own functions, Windows has no time before 1970 and after 3000
    return f'{_EPOCH + timedelta(seconds=seconds):%Y-%m-%d %H:%M} UTC'


def choose(
    version: OfferedVersion, choice: Choice = Choice(), preferred: Choice = Choice()
) -> ModelFile:
    """Return the file that `choice` asks for; of several the one most like `preferred`.

    Main weights go before other files, then format, portion and precision count as on the site,
    then which one the site calls its primary file. Raises SourceError if there is none such.
    """
    fitting = [one for one in version.files if _fits(one, choice)]
    if not fitting:
        raise no_such_file(version)

    def worth(file: ModelFile) -> tuple[bool, bool, bool, bool, bool]:
        return (
            file.kind in MAIN_KINDS,
            _is_same(preferred.format, file.format),
            _is_same(preferred.portion, file.portion),
            _is_same(preferred.precision, file.precision),
            file.is_primary,
        )

    return max(fitting, key=worth)  # the first one of equals


def named(version: OfferedVersion, text: str) -> int:
    """Return the id of the file that `text` is the id or the name of. Raises SourceError."""
    wanted = text.strip().casefold()
    for one in version.files:
        if wanted in (str(one.id), one.name.casefold()):
            return one.id
    raise no_such_file(version)


def with_hash(version: OfferedVersion, digest: str) -> int:
    """Return the id of the file that has this hash, of whatever kind; 0 if none is listed so."""
    for one in version.files:
        if digest in (listed[: len(digest)] for listed in hashes_of(one.answer).values()):
            return one.id
    return 0


def no_such_file(version: OfferedVersion) -> SourceError:
    """Return the error that tells which files there are."""
    known = '; '.join(one.label for one in version.files)
    return SourceError('model_no_such_file', known=known or '-')


def _fits(file: ModelFile, choice: Choice) -> bool:
    if choice.file_id and file.id != choice.file_id:
        return False
    asked = (choice.format, choice.portion, choice.precision)
    told = (file.format, file.portion, file.precision)
    return all(not one or _is_same(one, other) for one, other in zip(asked, told))


def _is_same(one: str, other: str) -> bool:
    return bool(one) and one.casefold() == other.casefold()


def check_offered(version: OfferedVersion, now: float, has_key: bool) -> None:
    """Raise CivitaiError if it is known beforehand that no file of `version` is to be had.

    `now` is in seconds since 1970. Who paid for early access has it by their key, so with a key
    the site decides.
    """
    if version.mode == 'Archived':
        raise CivitaiError('model_archived')
    if version.mode == 'TakenDown':
        raise CivitaiError('model_taken_down')
    if version.usage not in ('', 'Download'):
        raise CivitaiError('model_not_for_download')
    if version.paid_until > now and not has_key:
        raise early_access(version)
    if not version.files:
        raise NotFoundError('model_without_files')


def early_access(version: OfferedVersion) -> CivitaiError:
    """Return the error for a version that only those have who paid, with its end if it has one."""
    if math.isinf(version.paid_until) or not version.paid_until:
        return CivitaiError('model_paid')
    return CivitaiError('model_early_access', end=told_moment(version.paid_until))


def check_scans(file: ModelFile) -> None:
    """Raise CivitaiError if a scan of the site failed."""
    if file.is_suspect:
        virus, pickle = (*file.scans, '', '')[:2]
        raise CivitaiError(
            'model_suspect', name=file.name, virus=virus or '-', pickle=pickle or '-'
        )


def is_lasting(cause: CivitaiError, now: float) -> bool:
    """Tell whether who asks again for a file that failed so, at `now`, would be told the same."""
    if cause.key == 'model_early_access':
        return told_moment(now) < str(cause.values.get('end'))  # both as `told_moment` writes them
    return cause.key in _LASTING or isinstance(cause, (NotFoundError, GoneError))


def addresses(base_url: str, version_id: int, file: ModelFile) -> Sequence[str]:
    """Return where `file` of a version can be asked for, the best address first.

    A file of another version, which this one lists, is not known by its id. Where there is no
    other address, the same is to be asked again: that the site does not know a file may pass.
    """
    by_id = download_url(base_url, version_id, file.id)
    return by_id, file.download_url or by_id
