"""What can go wrong, as one tree; each error knows a sentence a person can act on.

CivitaiError
    SourceError             what was pasted or typed is not something we can open
    UrlRefusedError         an address we do not fetch from
    TransferError           the network let us down
        ConnectionFailedError   refused, reset, DNS
            ProxyLoginError         407
        TimedOutError           no answer in time
        TlsFailedError          the certificate is not trusted
        BodyIncompleteError     the answer broke off or was empty
    AnswerError             the site answered, with an error status or one of another question
        BadRequestError         400 and every status not named here
        KeyNeededError          401
        ForbiddenError          403
            BarredError         by whoever guards the site or stands on the way, so no proof
        NotFoundError           404
        GoneError               410
        RateLimitedError        429
        RegionBlockedError      451
        ServerBusyError         408, 421, 425, 500, 502-504, 507, 520-527, 529, 530
    WrongContentError       the bytes are not what was asked for
    StorageError            the disk or folder refused
    CancelledError          somebody stopped it
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable

from .texts import DEFAULT_LANGUAGE, TABLES, text


def _in_language(value: object, language: str) -> object:
    """Return a value of an error as it is told: the key of a reason (`reason_...`) as its words."""
    if isinstance(value, str) and value.startswith('reason_') and value in TABLES[DEFAULT_LANGUAGE]:
        return text(value, language)
    return value


class CivitaiError(Exception):
    """The root: `key` names its sentence, `values` fill it.

    url: where it happened, redacted (no key, no signature), '' if nowhere.
    status: HTTP status or None. retry_after: seconds the server asked for, or None.
    detail: the other side's own words, cleaned, '' if it said nothing.
    """

    default_key = 'error_unknown'
    transient = False

    def __init__(
        self,
        key: str = '',
        *,
        url: str = '',
        status: int | None = None,
        retry_after: float | None = None,
        detail: str = '',
        **values: object,
    ) -> None:
        self.key = key or self.default_key
        self.url = url
        self.status = status
        self.retry_after = retry_after
        self.detail = detail
        self.values = values
        super().__init__(self.user_message)

    def __reduce__(self) -> tuple[Callable[[], CivitaiError], tuple[Any, ...]]:
        """How to copy or pickle it; the usual way would take the sentence for the key."""
        return (
            partial(
                type(self),
                self.key,
                url=self.url,
                status=self.status,
                retry_after=self.retry_after,
                detail=self.detail,
                **self.values,
            ),
            (),
        )

    @property
    def user_message(self) -> str:
        """The cause and what to do about it, in English."""
        return self.message_in(DEFAULT_LANGUAGE)

    def message_in(self, language: str) -> str:
        """The cause and what to do about it, in `language`, with the site's own words if any."""
        values = {name: _in_language(value, language) for name, value in self.values.items()}
        sentence = text(self.key, language, status=self.status or '', **values)
        if not self.detail:
            return sentence
        return text('error_with_detail', language, sentence=sentence, detail=self.detail)


class SourceError(CivitaiError):
    """What was pasted or typed is not something we can open."""

    default_key = 'source_unknown'


class UrlRefusedError(CivitaiError):
    """An address we do not fetch from."""

    default_key = 'error_url_refused'


class TransferError(CivitaiError):
    """The network let us down; trying again may help."""

    default_key = 'error_connection'
    transient = True


class ConnectionFailedError(TransferError):
    """Refused, reset, or the name is unknown."""


class ProxyLoginError(ConnectionFailedError):
    """407: the proxy asks for a login, so nothing gets through it."""

    default_key = 'error_proxy_login'
    transient = False


class TimedOutError(TransferError):
    """No answer in time."""

    default_key = 'error_timeout'


class TlsFailedError(TransferError):
    """The certificate is not trusted; trying again does not help."""

    default_key = 'error_tls'
    transient = False


class BodyIncompleteError(TransferError):
    """The answer broke off before its announced end, or was empty."""

    default_key = 'error_incomplete'


class AnswerError(CivitaiError):
    """The site answered, with an error status or one that fits another question."""

    default_key = 'error_bad_request'


class BadRequestError(AnswerError):
    """The site did not accept the request (400 and every status without a class of its own)."""


class KeyNeededError(AnswerError):
    """401: Civitai asks for an API key."""

    default_key = 'error_key_needed'


class ForbiddenError(AnswerError):
    """403: not allowed, with or without a key."""

    default_key = 'error_forbidden'


class BarredError(ForbiddenError):
    """Whoever guards the site lets us not through; it says nothing of what was asked for."""

    default_key = 'error_challenge'


class NotFoundError(AnswerError):
    """404: unknown, unpublished or deleted."""

    default_key = 'error_not_found'


class GoneError(AnswerError):
    """410: archived."""

    default_key = 'error_gone'


class RateLimitedError(AnswerError):
    """429: too many requests."""

    default_key = 'error_rate_limited'
    transient = True


class RegionBlockedError(AnswerError):
    """451: not offered in this country."""

    default_key = 'error_region'


class ServerBusyError(AnswerError):
    """Overloaded or broken for now, or done with the connection (408, 421, 425)."""

    default_key = 'error_busy'
    transient = True


class WrongContentError(CivitaiError):
    """The bytes are not what was asked for, for example a web page instead of a picture."""

    default_key = 'error_wrong_content'


class StorageError(CivitaiError):
    """The disk or folder refused: full, read-only, no permission."""

    default_key = 'error_storage'


class CancelledError(CivitaiError):
    """Somebody stopped it."""

    default_key = 'error_cancelled'


_BY_STATUS: dict[int, type[AnswerError]] = {
    401: KeyNeededError,
    403: ForbiddenError,
    404: NotFoundError,
    410: GoneError,
    429: RateLimitedError,
    451: RegionBlockedError,
}

# What may be different the next time, or on another connection. Cloudflare answers 520-530 for an
# origin in trouble; storage that asks for fewer requests says 529 or 507.
_BUSY_STATUSES = frozenset({408, 421, 425, 500, 502, 503, 504, 507, *range(520, 528), 529, 530})

# No content, and the same to be shown as a new form.
_EMPTY_STATUSES = frozenset({204, 205})


def error_for_status(
    status: int, *, url: str = '', retry_after: float | None = None, detail: str = ''
) -> CivitaiError:
    """Return (not raise) the error that an HTTP `status` means, other than that all is well.

    Below 400 it answers another question than ours.
    """
    if status < 400:
        key = 'error_empty' if status in _EMPTY_STATUSES else 'error_unfitting'
        return AnswerError(key, url=url, status=status)
    if status == 407:  # said by a proxy, whose words are not those of the site
        return ProxyLoginError(url=url, status=status)
    kind = _BY_STATUS.get(status)
    if kind is None:
        kind = ServerBusyError if status in _BUSY_STATUSES else BadRequestError
    return kind(url=url, status=status, retry_after=retry_after, detail=detail)
