"""Whether the items of an answer are what was asked for.

Where Civitai does not understand a filter, or whom it names is gone, it sends everybody's pictures.
"""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

Item = Mapping[str, Any]
Asked = Mapping[str, str]

# Names that the search index gives to users whom it does not know.
_NOBODY = ('', 'unknown')
# Fields of Civitai's items that tell where they belong; one or another may be left out.
_TELLING = {'postId', 'username', 'modelVersionIds', 'modelId', 'baseModel', 'tags'}


def asked_in(address: str) -> dict[str, str]:
    """Return the parameters of a question from its address, {} if that is none."""
    try:
        return dict(parse_qsl(urlsplit(address).query))
    except ValueError:  # a broken [IPv6] address
        return {}


def contradicts(item: Item, asked: Asked) -> bool:
    """Tell whether `item` says that it is something else than `asked`, parameters of a question.

    What an item does not tell is no contradiction. Which versions made it never is: of most
    pictures the site found out about some of them only.
    """
    return any(
        _TOLD_BY[name](item) and not _fits(item, name, asked)
        for name in _filters(asked)
        if name != 'modelVersionId'
    )


def unproven(items: Sequence[Item], asked: Asked) -> tuple[str, ...]:
    """Return the filters in `asked` of which nothing in `items` shows that they were obeyed.

    Of items that do not tell at all where they belong, nothing can be expected.
    """
    if not any(_TELLING & item.keys() for item in items):
        return ()
    return tuple(
        name for name in _filters(asked) if not any(_fits(item, name, asked) for item in items)
    )


def is_same(answer: object, other: object) -> bool:
    """Tell whether two answers are one list of pictures, but for some that came in between."""
    ours, theirs = _ids_in(answer), _ids_in(other)
    return bool(ours) and 2 * len(ours & theirs) >= len(ours | theirs)


def _filters(asked: Asked) -> list[str]:
    named = [name for name in _TOLD_BY if asked.get(name)]
    if 'username' in named and 'userId' in named:
        named.remove('userId')  # the name is what an item tells
    if 'baseModels' in named and 'modelId' in named and 'modelVersionId' not in named:
        named.remove('baseModels')  # there it tells the first checkpoint only
    return named


def _fits(item: Item, name: str, asked: Asked) -> bool:
    wanted = [value.casefold() for value in asked[name].split(',')]
    told = [value.casefold() for value in _TOLD_BY[name](item)]
    if name == 'baseModels':  # the names of several checkpoints come without anything between
        return any(value in text for text in told for value in wanted)
    return any(value in told for value in wanted)


def _field(*names: str) -> Callable[[Item], list[str]]:
    """Reads ids and words from the first of the fields `names` that an item has."""

    def read(item: Item) -> list[str]:
        return _words(next((item[name] for name in names if name in item), None))

    return read


def _words(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    plain = [one.get('id') if isinstance(one, dict) else one for one in values]
    return [str(one) for one in plain if one and isinstance(one, (int, str))]


def _name_of(item: Item) -> list[str]:
    return [name for name in _words(item.get('username')) if name.casefold() not in _NOBODY]


def _versions_of(item: Item) -> list[str]:
    """The versions that an item names: those it was made with, and that it was posted to."""
    return _words(item.get('modelVersionIds')) + _words(item.get('modelVersionId'))


# What an item says of each filter, nothing if it does not tell.
_TOLD_BY: Mapping[str, Callable[[Item], list[str]]] = {
    'postId': _field('postId'),
    'username': _name_of,
    'userId': _field('userId', 'user'),
    'modelVersionId': _versions_of,
    'modelId': _field('modelId'),
    'type': _field('type'),
    'tags': _field('tags'),
    'baseModels': _field('baseModel'),
}


def _ids_in(answer: object) -> set[object]:
    items = answer.get('items') if isinstance(answer, dict) else None
    ids = [item.get('id') for item in items or () if isinstance(item, dict)]
    return {number for number in ids if isinstance(number, (int, str))}
