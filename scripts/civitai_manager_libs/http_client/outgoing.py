"""Requests as they go out: what they carry, through which proxy, in which session."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Iterator, Mapping, cast
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import requote_uri

from .. import setting
from .connections import Adapter
from .proxies import is_exempt

_QUOTED = re.compile(r"[A-Za-z0-9._~:/?@!$&'()*+,;=%-]*")
MAX_REMEMBERED = 1000
_PERSONAL = frozenset({'cookie', 'proxy-authorization'})


@dataclass(frozen=True)
class Request:
    """What is asked for; `place` is where `url` led before, if it is to be asked there at once."""

    url: str
    headers: Mapping[str, str]
    method: str = 'GET'
    params: Mapping[str, object] | None = None
    json_data: object = None
    place: str = ''

    def prepared(self, session: requests.Session, key: str) -> requests.PreparedRequest:
        """Return it as requests sends it, with the API key if there is one.

        Most are for pictures, without anything for requests to encode; its own preparation of
        those takes longer than all the rest of sending.
        """
        if self.params or self.json_data is not None:
            asked = requests.Request(
                self.method, self.url, self.headers, params=self.params, json=self.json_data
            )
            request = session.prepare_request(asked)
        else:
            request = requests.PreparedRequest()
            request.method = self.method
            request.url = self.url if _QUOTED.fullmatch(self.url) else requote_uri(self.url)
            request.headers = CaseInsensitiveDict(cast(Any, session.headers))
            request.headers.update({k: v for k, v in self.headers.items() if v is not None})
        # a header of the caller's is no way around the rule about the key
        request.headers.pop('Authorization', None)
        if key:
            request.headers['Authorization'] = f'Bearer {key}'
        return request

    def to(self, url: str) -> Request:
        """Return the request that a redirect to `url` makes of it, without what is personal."""
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _PERSONAL}
        return replace(self, url=url, headers=headers, params=None, place='')


def is_json(data: object) -> bool:
    """Tell whether `data` can be sent as JSON."""
    try:
        json.dumps(data, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def without_key(response: requests.Response) -> requests.Response:
    """Return `response` after the API key was taken out of the request that it holds."""
    response.request = response.request.copy()
    response.request.headers.pop('Authorization', None)
    return response


class Proxies:
    """Which proxy leads where; the environment is read once, because reading it takes time."""

    def __init__(self) -> None:
        self._environment = urllib.request.getproxies()
        # Windows and macOS have settings of their own, which count where no variable is set
        self._is_systems = not urllib.request.getproxies_environment()
        self._direct: dict[str, bool] = {}

    def of(self, url: str) -> dict[str, str]:
        """The proxies for `url`: the setting's, else the environment's, unless NO_PROXY says no."""
        place = urlsplit(url).netloc
        is_direct = self._direct.get(place)
        if is_direct is None:
            if len(self._direct) >= MAX_REMEMBERED:  # redirects may lead to any number of hosts
                self._direct.clear()
            is_direct = self._direct[place] = self._is_direct(url)
        if is_direct:
            return {}
        if setting.http_proxy:
            return {'http': setting.http_proxy, 'https': setting.http_proxy}
        return self._environment

    def _is_direct(self, url: str) -> bool:
        parts = urlsplit(url)
        host, port = parts.hostname or '', parts.port or (443 if parts.scheme == 'https' else 80)
        if is_exempt(host, port, self._environment.get('no', '')):
            return True
        return self._is_systems and bool(urllib.request.proxy_bypass(host))


@contextmanager
def unproxied() -> Iterator[None]:
    """Hide the environment's proxies from what other libraries do or set up inside.

    They are for Civitai. Gradio asks its own server whether it is there, and its library for that
    (httpx) does not even load with some of them: SOCKS, or a network of IPv6 in NO_PROXY.
    """
    kept = {name: os.environ.get(name) for name in ('NO_PROXY', 'no_proxy')}
    os.environ.update(dict.fromkeys(kept, '*'))
    try:
        yield
    finally:
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def new_session(user_agent: str) -> requests.Session:
    """Return a session on these connections, which trusts what the environment says."""
    session = requests.Session()
    # Otherwise .netrc replaces the API key, and every request reads the environment again.
    session.trust_env = False
    session.headers['User-Agent'] = user_agent
    bundle = os.environ.get('REQUESTS_CA_BUNDLE') or os.environ.get('CURL_CA_BUNDLE')
    session.verify = bundle or True
    for scheme in ('https://', 'http://'):
        session.mount(scheme, Adapter())
    return session
