"""Which bytes of a file are missing, and who fetches them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.civitai_manager_libs.downloads.pieces import LEAST_HALVED, Pieces, readable_spans

MIB = 1024 * 1024


def test_a_file_is_cut_into_equal_parts() -> None:
    pieces = Pieces(1000 * MIB)
    pieces.cut(3)
    taken = [pieces.take() for _ in range(3)]
    sizes = [piece.left for piece in taken if piece]
    assert sum(sizes) == 1000 * MIB and max(sizes) - min(sizes) <= 1


def test_who_is_free_takes_half_of_the_largest_rest_and_leaves_the_first_half() -> None:
    pieces = Pieces(1000 * MIB)
    first = pieces.take()
    assert first is not None
    pieces.came(first, 200 * MIB)
    second = pieces.take()
    assert second is not None
    assert (first.at, first.end) == (200 * MIB, 600 * MIB)
    assert (second.at, second.end) == (600 * MIB, 1000 * MIB)


def test_nobody_helps_with_a_small_rest() -> None:
    pieces = Pieces(LEAST_HALVED - 1)
    assert pieces.take() is not None
    assert pieces.take() is None


def test_nor_with_a_rest_that_is_soon_there() -> None:
    pieces = Pieces(100 * MIB)
    assert pieces.take() is not None
    assert pieces.take(least=101 * MIB) is None
    assert pieces.take(least=99 * MIB) is not None


def test_what_was_given_back_is_taken_by_the_next() -> None:
    pieces = Pieces(MIB)
    piece = pieces.take()
    assert piece is not None
    pieces.came(piece, 10)
    pieces.give_back(piece)
    again = pieces.take()
    assert again is not None and (again.at, again.end) == (10, MIB)


def test_gaps_of_a_run_before_are_the_pieces_of_the_next() -> None:
    pieces = Pieces(100 * MIB, [(0, 10 * MIB), (50 * MIB, 60 * MIB)])
    assert pieces.front == 10 * MIB and pieces.size == 20 * MIB
    pieces.cut(4)
    taken = [pieces.take() for _ in range(4)]
    assert all(taken) and sum(one.left for one in taken if one) == 80 * MIB


def test_an_empty_file_is_whole() -> None:
    assert Pieces(0).is_whole and Pieces(0).take() is None


@given(st.integers(1, 300 * MIB), st.integers(1, 16), st.data())
def test_every_byte_is_fetched_once_whoever_is_faster(
    total: int, at_once: int, data: st.DataObject
) -> None:
    pieces = Pieces(total)
    pieces.cut(at_once)
    workers = [pieces.take() for _ in range(at_once)]
    fetched: list[tuple[int, int]] = []
    while any(workers):
        number = data.draw(st.sampled_from([n for n, one in enumerate(workers) if one]))
        piece = workers[number]
        assert piece is not None
        size = min(piece.left, data.draw(st.sampled_from([piece.left, 40 * MIB, 7 * MIB])))
        fetched.append((piece.at, piece.at + size))
        pieces.came(piece, size)
        assert pieces.size == sum(end - start for start, end in fetched)
        assert sum(end - start for start, end in pieces.done()) == pieces.size
        if not piece.left:
            workers[number] = pieces.take()
    fetched.sort()
    assert pieces.is_whole and pieces.front == total
    assert [start for start, _ in fetched] == [0, *(end for _, end in fetched[:-1])]
    assert fetched[-1][1] == total


@pytest.mark.parametrize(
    'noted',
    [
        None,
        {},
        'x',
        [[0]],
        [[0, 5, 6]],
        [[5, 5]],
        [[5, 4]],
        [[-1, 4]],
        [[0, 11]],
        [[0, 4.5]],
        [[True, 4]],
        ['ab'],
        [0, 4],
    ],
)
def test_a_state_that_makes_no_sense_says_nothing(noted: object) -> None:
    assert readable_spans(noted, 10) is None


def test_a_state_is_read_as_it_was_written() -> None:
    assert readable_spans([[0, 4], [6, 10]], 10) == [(0, 4), (6, 10)]
