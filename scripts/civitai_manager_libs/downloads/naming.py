"""What the pictures of a job are called, and which of them lie there under their names."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from ..archive import jobs, saved
from ..archive.database import Database
from ..http_client import CivitaiHttpClient
from ..store import names, templates
from . import batch, presence
from .plan import DownloadJob
from .positions import Positions
from .wanted import as_kept, name_values


class Naming:
    """Knows what the pictures of a job are called, and what lay in its folders at the beginning."""

    def __init__(self, db: Database, client: CivitaiHttpClient, job: jobs.Job) -> None:
        self.template = templates.parse(as_kept(job.asked).template)
        self._db = db
        self._job = job
        self._lanes: dict[int, jobs.Lane] = {}
        self._lying = presence.Glance()
        self._positions = Positions(client, self.template)

    @property
    def were_places_unknown(self) -> bool:
        """Whether the name tells the place in a post, and nobody told that of some picture."""
        return self._positions.were_unknown

    def look_again(self) -> None:
        """Look at the folders anew: another program put files there."""
        self._lying = presence.Glance()

    def plan(self, one: jobs.Listed) -> DownloadJob:
        """Return the download of a picture, `present` if it lies there, as an id or as a UUID.

        Raises StorageError.
        """
        image, lane = one.image, self._lane_of(one)
        told = name_values(
            self.template,
            image,
            one.place,
            str(lane.query.get('model')),
            str(lane.query.get('version')),
            self._positions.find(image.id, lane),
        )
        final = os.path.join(self._job.folder, self.template.path(told))
        folder, stem = os.path.split(final)
        planned, apart = batch.image_job(image, final), f'{stem}-{image.id}'
        lying = self._lying.among(folder, (stem, apart, *names.picture_stems(image.url)))
        for name in lying:
            there = presence.find(Path(folder), name, wanted=planned.wanted)
            if there and self.is_picture(one, there, name != stem or self.template.names_pictures):
                return replace(planned, path=str(there), present=True)
            if there and name == stem:  # another picture has the name
                planned = batch.image_job(image, os.path.join(folder, apart))
        return planned if lying else replace(planned, is_free=True)

    def is_picture(self, one: jobs.Listed, there: Path, by_its_name: bool) -> bool:
        """Tell whether a file is the picture: as it was noted, else as its name says.

        Raises StorageError.
        """
        noted = saved.at(self._db, there.absolute())
        if noted is None or not noted.picture_id:
            return by_its_name
        return noted.picture_id == one.image.id

    def _lane_of(self, one: jobs.Listed) -> jobs.Lane:
        if one.lane not in self._lanes:  # one that was added while we run
            self._lanes = {lane.number: lane for lane in jobs.lanes(self._db, self._job.id)}
        return self._lanes[one.lane]
