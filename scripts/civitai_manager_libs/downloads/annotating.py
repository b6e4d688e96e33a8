"""How pictures were made, written into their files before these get their names, and beside them.

Nothing here fails a picture: what cannot be written is counted by its cause.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter, deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Mapping, Sequence

from .. import setting
from ..archive import beside, pictures, saved
from ..archive.database import Database
from ..civitai import captions, infotext, inside, meta as meta_of, urls, versions
from ..civitai.gallery import GalleryImage
from ..errors import StorageError
from ..http_client import CivitaiHttpClient
from ..store import embed, embedded, files, sidecars
from ..store.embed import Draft, Embedded
from .version_names import VersionNames

log = logging.getLogger(__name__)

NOTHING_CAN_BE_SAVED = ('error_disk_full', 'error_not_writable')
# What may be told of a job besides what `Embedded` says, as keys of sentences with a count.
REFUSED, FOREIGN, MODELS_UNKNOWN = 'annotation_refused', 'annotation_foreign', 'models_unknown'
BESIDE, NOWHERE = 'annotation_beside', 'annotation_nowhere'


@dataclass(frozen=True)
class Manner:
    """What is to be written: into files if it `embeds`, beside them as `sidecars` says.

    `sidecars` are forms of `store.sidecars`, None where nobody chose. All of ours that are there,
    of whichever form, are written anew if it `refreshes`.
    """

    embeds: bool = False
    sidecars: tuple[str, ...] | None = ()
    refreshes: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether nothing at all is to be written."""
        return not self.embeds and self.sidecars == () and not self.refreshes

    @property
    def has_texts(self) -> bool:
        """Whether texts are to be written in which models have names."""
        return self.embeds or 'txt' in (self.sidecars or ())


class Annotator:
    """Writes for the pictures of one job or page, in any thread.

    What is to be remembered gets into the archive by `keep`.
    """

    def __init__(
        self,
        archive: Callable[[], Database],
        client: CivitaiHttpClient,
        manner: Manner,
        stop: threading.Event,
    ) -> None:
        self._archive = archive
        self._manner = manner
        self._stop = stop
        self._names = VersionNames(archive, client)
        self._causes: deque[str] = deque()
        self._unknown: set[int] = set()  # ids of versions
        self._written: deque[tuple[Path, str]] = deque()

    @property
    def embeds(self) -> bool:
        """Whether texts are to be written into files."""
        return self._manner.embeds

    @property
    def causes(self) -> dict[str, int]:
        """What could not be written, as keys of sentences, and how often."""
        unknown = {MODELS_UNKNOWN: len(self._unknown)} if self._unknown else {}
        return {**Counter(tuple(self._causes)), **unknown}

    def expect(self, images: Sequence[GalleryImage]) -> None:
        """Begin to find out what models are called with which `images` were made."""
        if self._manner.has_texts:
            self._names.expect([one for image in images for one in versions.asked_for(image.meta)])

    def embed(self, image: GalleryImage, part: Path) -> Draft | None:
        """Put the text of `image` into its file, which has no name yet.

        Returns what became of the text, None if none was to go into it, or that failed. Raises
        StorageError if nothing at all can be saved.
        """
        return self._embedded(part, _Text(self, image, part)) if self._manner.embeds else None

    def foreseen(self, image: GalleryImage, path: Path) -> Embedded | None:
        """Return what became of the text in a file of which nothing is noted, as far as it shows.

        Raises StorageError.
        """
        text = _Text(self, image, path)
        return embed.foreseen(path, lambda: text.of_site) if self._manner.embeds else None

    def complete(self, image: GalleryImage, path: Path, outcome: Embedded | None) -> None:
        """Write what is missing beside the picture at `path`, into which a text went or not."""
        if self.lacks(path, outcome):
            self.write_beside(image, path, outcome)

    def lacks(self, path: Path, outcome: Embedded | None) -> bool:
        """Tell whether something is to be written beside the picture at `path`."""
        forms = self._due(path, outcome)
        there = (os.path.lexists(path.with_suffix(f'.{form}')) for form in forms)
        return bool(forms) and (self._manner.refreshes or not all(there))

    def keep(self) -> None:
        """Note in the archive what was written and learned. Raises StorageError."""
        written = {}
        while self._written:
            path, sha256 = self._written.popleft()
            written[path] = sha256
        if written:
            beside.note(self._archive(), written)
        self._names.keep()

    def end(self) -> None:
        """Ask for nothing more."""
        self._names.end()

    def named(self, image: GalleryImage) -> dict[str, object]:
        """Return the `meta` of `image`, with the names of its models as far as they are known."""
        asked = versions.asked_for(image.meta)
        if not asked:
            return dict(image.meta)
        known = self._names.known(asked, self._stop)
        self._unknown.update(set(asked).difference(one.id for one in known))
        return versions.named(image.meta, known)

    def _embedded(self, part: Path, text: _Text) -> Draft | None:
        """Put the text into the file, if it is one that can have it."""
        try:
            draft = embed.in_draft(part, lambda: text.of_site)
        except StorageError as error:
            if error.key in NOTHING_CAN_BE_SAVED:
                raise  # else the picture would be done, and without its text for good
            self._refused(part, error)
            return None
        if draft.outcome.needs_sidecar and draft.outcome is not Embedded.NO_KIND:
            self._causes.append(draft.outcome.value)
            forms = sidecars.due(self._manner.sidecars, draft.outcome)
            self._causes.append(BESIDE if 'txt' in forms else NOWHERE)
        return draft

    def write_beside(self, image: GalleryImage, final: Path, outcome: Embedded | None) -> None:
        """Write all that is to stand beside the picture at `final`."""
        forms = self._due(final, outcome)
        if not forms:
            return
        text = _Text(self, image, final)
        try:
            contents = {form: self._content(form, image, text) for form in forms}
            paths = [final.with_suffix(f'.{form}') for form in forms]
            are_there = any(map(os.path.lexists, paths))
            ours = beside.known(self._archive(), paths) if are_there else set()
            found = sidecars.write(final, contents, ours=ours, refresh=self._manner.refreshes)
        except StorageError as error:
            self._refused(final, error)
            return
        for one in found:
            if one.outcome is sidecars.Written.FOREIGN:
                self._causes.append(FOREIGN)
            elif one.sha256 not in ours:
                self._written.append((one.path, one.sha256))

    def _due(self, path: Path, outcome: Embedded | None) -> tuple[str, ...]:
        """Which files are to be written beside the picture at `path`, or looked after there."""
        is_open = self._manner.sidecars is None and outcome is None
        if is_open and not embed.can_carry(files.media_type(path)):
            outcome = Embedded.NO_KIND
        forms = sidecars.due(self._manner.sidecars, outcome)
        if not self._manner.refreshes:
            return forms
        there = {one for one in sidecars.FORMS if os.path.lexists(path.with_suffix(f'.{one}'))}
        return tuple(one for one in sidecars.FORMS if one in there.union(forms))

    def _content(self, form: str, image: GalleryImage, text: _Text) -> bytes:
        if form == 'txt':
            return sidecars.as_text(text.whole)
        if form == 'caption':
            return sidecars.as_text(captions.caption(text.prompt))
        page = urls.page_url(setting.civitai_base_url, 'images', image.id)
        return _without_key(sidecars.as_json(self._said_of(image), page))

    def _refused(self, path: Path, error: StorageError) -> None:
        log.warning('%s: %s', path, error)
        self._causes.append(REFUSED)

    def _said_of(self, image: GalleryImage) -> Mapping[str, object]:
        """All that Civitai said of `image`, now or when it was listed."""
        if image.item:
            return image.said()
        kept = pictures.items(self._archive(), [image.id]).get(image.id, {})
        return {**image.said(), **kept}  # archives of former versions kept little


def looked_at(
    part: Path, image_id: int, stem: str, draft: Draft | None, came: str | None
) -> saved.SavedFile:
    """Return what is to be noted of a draft after `Annotator.embed`. Raises OSError.

    came: the SHA-256 of what came of the file that it is a copy of, '' if nobody knows; None where
    it was fetched.
    """
    if draft is None:
        return saved.looked_at(part, stem, image_id, came or '')
    known = draft.came if came is None else came
    found = saved.with_digest(part, stem, image_id, draft.sha256, known)
    return replace(found, embedded=draft.outcome.name)


def _without_key(content: bytes) -> bytes:
    """What a server said may hold anything, even what we sent to it."""
    key = setting.civitai_api_key.encode()
    return content.replace(key, b'***') if key else content


class _Text:
    """The text of a picture, made when it is needed."""

    def __init__(self, annotator: Annotator, image: GalleryImage, path: Path) -> None:
        self._annotator, self._image, self._path = annotator, image, path
        self._of_site: str | None = None

    @property
    def of_site(self) -> str:
        """As the site tells it, '' if it does not."""
        if self._of_site is None:
            image = self._image
            meta = self._annotator.named(image) if image.meta else {}
            self._of_site = infotext.encode(meta, image.width or None, image.height or None)
        return self._of_site

    @property
    def whole(self) -> str:
        """The same, or what the file itself tells."""
        return self.of_site or infotext.encode(inside.meta_in(embedded.texts(self._path)))

    @property
    def prompt(self) -> object:
        """The prompt alone."""
        own = meta_of.opened(self._image.meta).get('prompt')
        return own or infotext.decode(self.whole).get('prompt')
