"""Whether what a gallery belongs to is there at all, asked where nothing was listed of it.

Of a user, a post or a picture that it does not know Civitai lists nothing, and does not say why.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import setting
from ..civitai import urls
from ..civitai.gallery import ALL_LEVELS, GalleryQuery
from ..errors import AnswerError, NotFoundError, TransferError, WrongContentError
from ..http_client import CivitaiHttpClient
from .pages import fetch_page

# So many users are told whose names begin as asked; one who is missing may be behind them.
MOST_USERS_TOLD = 5


def find_user(client: CivitaiHttpClient, username: str) -> int:
    """Return the id of the user called `username`, in any case. Raises CivitaiError."""
    for user in _users(client, query=username) or ():
        if str(user.get('username')).lower() == username.lower() and isinstance(user['id'], int):
            return user['id']
    raise NotFoundError('error_no_such_user', username=username)


def check_there(client: CivitaiHttpClient, query: GalleryQuery) -> None:
    """Raise NotFoundError unless the user, post or picture of an empty gallery is there.

    Where Civitai does not tell what it does not know from what it hides, the error names both.
    """
    if query.image_id:
        known, absent, gone, name = None, 'absent_image', '', str(query.image_id)
    elif query.post_id:
        known, absent, gone = _knows_post(client, query.post_id), 'absent_post', 'gone_post'
        name = str(query.post_id)
    elif query.username or query.user_id:
        known, absent, gone = _knows_user(client, query), 'absent_user', 'gone_user'
        name = query.username or str(query.user_id)
    else:
        return
    if known is False:
        raise NotFoundError(gone, name=name)
    if known is None and not _has_any(client, query):
        raise NotFoundError(absent, name=name)


def _has_any(client: CivitaiHttpClient, query: GalleryQuery) -> bool:
    """Tell whether there is anything above the ceiling; what it is is neither kept nor shown."""
    if query.levels == ALL_LEVELS:
        return False
    return bool(fetch_page(client, replace(query, levels=ALL_LEVELS)).images)


def _knows_post(client: CivitaiHttpClient, number: int) -> bool | None:
    """Tell whether Civitai knows a post, None if it does not say."""
    try:
        data = client.fetch_json(urls.api_url(setting.civitai_base_url, f'posts/{number}'))
    except NotFoundError as error:
        # not every server has this route, and one without says that in another way
        return False if 'post not found' in error.detail.lower() else None
    except (AnswerError, TransferError, WrongContentError):
        return None
    return True if isinstance(data, dict) and data.get('id') == number else None


def _knows_user(client: CivitaiHttpClient, query: GalleryQuery) -> bool | None:
    """Tell whether Civitai knows a user, None if it does not say."""
    try:
        asked = {'ids': query.user_id} if query.user_id else {'query': query.username}
        found = _users(client, **asked)
    except (AnswerError, TransferError, WrongContentError):
        return None
    if found is None:
        return None
    if query.user_id:
        return any(user['id'] == query.user_id for user in found)
    if any(str(user.get('username')).lower() == query.username.lower() for user in found):
        return True
    return False if len(found) < MOST_USERS_TOLD else None


def _users(client: CivitaiHttpClient, **asked: object) -> list[dict[str, Any]] | None:
    """The users that Civitai tells of, each with an id; None if it does not answer that."""
    data = client.fetch_json(urls.api_url(setting.civitai_base_url, 'users', asked))
    items = data.get('items') if isinstance(data, dict) else None
    if not isinstance(items, list):
        return None
    return [user for user in items if isinstance(user, dict) and isinstance(user.get('id'), int)]
