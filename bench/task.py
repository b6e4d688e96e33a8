"""What one client has to do in one run, as a value that can be handed to another process."""

from __future__ import annotations

from dataclasses import dataclass

from . import pictures


@dataclass(frozen=True)
class Task:
    """Fetch the first `count` pictures of the server at `base` into `folder`.

    at_once: how many requests at the same time; read_timeout: seconds, 0 for the client's own;
    home: an empty folder for the client's own files; ca_file and bundle: trusted certificates, the
    server's alone and with the usual ones, '' without TLS; busy: beside a thread that computes;
    paced: the API's budget is kept to.
    """

    base: str
    count: int
    at_once: int
    folder: str
    home: str
    read_timeout: int = 0
    ca_file: str = ''
    bundle: str = ''
    busy: bool = False
    paced: bool = True

    def url(self, number: int) -> str:
        """The address of picture `number`."""
        return self.base + pictures.path(number)

    def urls(self) -> list[str]:
        """The addresses of all pictures, in order."""
        return [self.url(number) for number in pictures.numbers(self.count)]
