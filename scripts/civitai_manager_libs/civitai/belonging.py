"""Whether the items of an answer are what was asked for.

Where Civitai does not understand a filter, or whom it names is gone, it sends everybody's pictures.
"""

from __future__ import annotations

from typing import Any, Callable, Collection, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

Item = Mapping[str, Any]
Asked = Mapping[str, str]

# Names that the search index gives to users whom it does not know.
_NOBODY = ('', 'unknown')


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
        _told(item, name, asked) and not _fits(item, name, asked)
        for name in _filters(asked)
        if name != 'modelVersionId'
    )


def unproven(items: Sequence[Item], asked: Asked) -> tuple[str, ...]:
    """Return the filters in `asked` of which nothing in `items` shows that they were obeyed.

    One that the items have no field for cannot be told and is not among them.
    """
    return tuple(
        name
        for name in _filters(asked)
        if any(_told(item, name, asked) is not None for item in items)
        and not any(_fits(item, name, asked) for item in items)
        and not (name == 'userId' and _is_of_one_user(items))
    )


def is_same(answer: object, other: object) -> bool:
    """Tell whether two answers are one list of pictures, but for some that came in between."""
    ours, theirs = _ids_in(answer), _ids_in(other)
    return bool(ours) and 2 * len(ours & theirs) >= len(ours | theirs)


def _filters(asked: Asked) -> list[str]:
    named = [name for name in _TOLD_BY if asked.get(name)]
    if 'username' in named and 'userId' in named:
        named.remove('userId')  # the name is what an item tells
    return named


def _told(item: Item, name: str, asked: Asked) -> Collection[str] | None:
    """What `item` says of the filter `name`; None if it has no such field."""
    on_database = asked.get('modelId') and not asked.get('modelVersionId')
    if name == 'baseModels' and on_database:
        return None  # there it tells the first checkpoint only
    return _TOLD_BY[name](item)


def _fits(item: Item, name: str, asked: Asked) -> bool:
    wanted = [value.casefold() for value in asked[name].split(',')]
    told = [value.casefold() for value in _told(item, name, asked) or ()]
    if name == 'baseModels':  # the names of several checkpoints come without anything between
        return any(value in text for text in told for value in wanted)
    return any(value in told for value in wanted)


def _is_of_one_user(items: Sequence[Item]) -> bool:
    names = [_name_of(item) for item in items]
    return len(items) > 1 and len({*map(str, names)}) == 1 and bool(names[0])


def _field(*names: str) -> Callable[[Item], Collection[str] | None]:
    """Reads ids and words from the first of the fields `names` that an item has."""

    def read(item: Item) -> Collection[str] | None:
        there = [item[name] for name in names if name in item]
        return _words(there[0]) if there else None

    return read


def _words(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    plain = [one.get('id') if isinstance(one, dict) else one for one in values]
    return [str(one) for one in plain if one and isinstance(one, (int, str))]


def _name_of(item: Item) -> Collection[str] | None:
    name = _field('username')(item)
    return name if name is None else [one for one in name if one.casefold() not in _NOBODY]


def _version_of(item: Item) -> Collection[str] | None:
    """The versions that an item names: those it was made with, and that it was posted to."""
    there = [item[name] for name in ('modelVersionIds', 'modelVersionId') if name in item]
    return [word for value in there for word in _words(value)] if there else None


def _unless_silent(
    read: Callable[[Item], Collection[str] | None], instead: str
) -> Callable[[Item], Collection[str] | None]:
    """What `read` reads; nothing of what an item tells that has a field `instead`."""
    return lambda item: read(item) or ([] if instead in item else None)


_TOLD_BY: Mapping[str, Callable[[Item], Collection[str] | None]] = {
    'postId': _field('postId'),
    'username': _name_of,
    'userId': _unless_silent(_field('userId', 'user'), 'username'),
    'modelVersionId': _version_of,
    'modelId': _unless_silent(_field('modelId'), 'modelVersionIds'),
    'type': _field('type'),
    'tags': _field('tags'),
    'baseModels': _field('baseModel'),
}


def _ids_in(answer: object) -> set[object]:
    items = answer.get('items') if isinstance(answer, dict) else None
    ids = [item.get('id') for item in items or () if isinstance(item, dict)]
    return {number for number in ids if isinstance(number, (int, str))}
