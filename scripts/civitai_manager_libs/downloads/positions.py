"""The places of pictures in their posts, for names that tell them."""

from __future__ import annotations

from contextlib import suppress
from typing import Mapping

from .. import api
from ..archive import jobs
from ..errors import CancelledError
from ..http_client import CivitaiHttpClient
from ..store.templates import Template


class Positions:
    """Knows them in the posts that were asked for, once a template names them.

    Civitai tells them with a post only, which for each picture of a large gallery is too much.
    """

    def __init__(self, client: CivitaiHttpClient, template: Template) -> None:
        self._client = client
        self._is_wanted = 'position' in template.fields
        self._orders: dict[int, Mapping[int, int]] = {}
        self.were_unknown = False  # that of some picture that was asked for

    def find(self, image_id: int, lane: jobs.Lane) -> int:
        """Return the place of a picture in the post that `lane` lists, from 1; 0: nobody tells."""
        if not self._is_wanted:
            return 0
        post = int(lane.query.get('post_id') or 0)
        if post and post not in self._orders:
            with suppress(CancelledError):  # what was stopped names nothing more
                self._orders[post] = api.order_of_post(self._client, post)
        place = self._orders.get(post, {}).get(image_id, -1) + 1
        self.were_unknown |= not place
        return place
