"""What gradio hands to the function of an event: a request, and a bar for its progress."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

HERE = SimpleNamespace(client=SimpleNamespace(host='127.0.0.1'), headers={'host': '127.0.0.1:7860'})
ELSEWHERE = SimpleNamespace(client=SimpleNamespace(host='10.0.0.9'), headers={'host': 'box:7860'})


class Progress:
    """A bar, reduced to what may be asked of it; remembers what it was told to say."""

    def __init__(self) -> None:
        self.descriptions: list[str] = []

    def tqdm(self, iterable: Any, desc: str) -> Any:
        self.descriptions.append(desc)
        return iterable
