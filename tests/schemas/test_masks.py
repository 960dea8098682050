"""Run-length masks and their outlines, with pycocotools as the referee."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as pycocotools

from annolake.schemas.geometry import hull, pairs, signed_area
from annolake.schemas.masks import (
    Mask,
    MaskError,
    Ring,
    Rle,
    area,
    bbox,
    compressed,
    decode,
    encode,
    from_polygons,
    from_rings,
    parse,
    rasterise,
    rings,
)

referee: Any = pycocotools
# pycocotools 2.0.11 has not caught up with the arrays of numpy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

masks = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(lambda shape: arrays(np.bool_, shape))


def drawn(text: str) -> Mask:
    """A mask from a picture of `#` and `.`."""
    return np.array([[letter == "#" for letter in line] for line in text.split()])


def judged(mask: Mask) -> dict[str, Any]:
    return referee.encode(np.asfortranarray(mask.astype(np.uint8)))


WORKED = drawn("...... .#.#.. .####. ......")
ISLANDS = drawn(
    """
    #########
    #.......#
    #.#####.#
    #.#...#.#
    #.#.#.#.#
    #.#...#.#
    #.#####.#
    #.......#
    #########
    """
)
BITES_ITS_TAIL = drawn("####. #..#. #...# #...# #####")
AWKWARD = {
    "islands in holes": ISLANDS,
    "bites its own tail": BITES_ITS_TAIL,
    "bites from the other side": BITES_ITS_TAIL[:, ::-1],
    "hole of two halves": drawn("##### #.### ##.## #####"),
    "chessboard": np.indices((7, 8)).sum(axis=0) % 2 == 0,
    "diagonal": np.eye(6, dtype=np.bool_),
    "everything": np.ones((3, 5), dtype=np.bool_),
    "nothing": np.zeros((3, 5), dtype=np.bool_),
    "one column": np.array([[True], [False], [True]]),
}
awkward = pytest.mark.parametrize("mask", AWKWARD.values(), ids=AWKWARD.keys())


class TestRuns:
    def test_the_worked_example(self) -> None:
        counts = [5, 2, 3, 1, 2, 2, 3, 1, 5]
        for rle in (parse([4, 6], counts), parse([4, 6], "523OO11O2")):
            assert rle == Rle(4, 6, tuple(counts))
            assert compressed(rle) == "523OO11O2"
            assert bbox(rle) == (1, 1, 4, 2)
            assert area(rle) == 6
            assert (decode(rle) == WORKED).all()
        assert encode(WORKED) == Rle(4, 6, tuple(counts))

    def test_text_of_python_bytes_is_accepted(self) -> None:
        """The representation doubles each backslash: 44 is written with one."""
        plain = parse([1, 88], [44, 44])
        assert "\\" in compressed(plain)
        assert parse([1, 88], repr(compressed(plain).encode())) == plain
        assert parse([4, 6], 'b"523OO11O2"') == parse([4, 6], "523OO11O2")

    def test_runs_are_kept_as_they_came(self) -> None:
        counts = (0, 3, 0, 2, 1, 0)
        assert parse([2, 3], list(counts)).counts == counts
        assert parse([2, 3], compressed(Rle(2, 3, counts))).counts == counts

    @given(masks)
    def test_pycocotools_agrees(self, mask: Mask) -> None:
        expected = judged(mask)
        rle = encode(mask)
        assert compressed(rle) == expected["counts"].decode()
        assert parse(expected["size"], expected["counts"].decode()) == rle
        assert area(rle) == referee.area(expected)
        assert bbox(rle) == tuple(referee.toBbox(expected))
        assert (decode(rle) == mask).all()

    @given(st.lists(st.integers(0, 3000), min_size=1, max_size=30).filter(any))
    def test_pycocotools_reads_the_same_text(self, counts: list[int]) -> None:
        rle = parse([1, sum(counts)], counts)
        text = compressed(rle)
        assert parse([1, sum(counts)], text) == rle
        expected = referee.frPyObjects({"size": [1, sum(counts)], "counts": counts}, 1, sum(counts))
        assert text == expected["counts"].decode()
        assert (decode(rle) == referee.decode(expected)).all()

    @awkward
    def test_awkward_masks(self, mask: Mask) -> None:
        rle = encode(mask)
        assert compressed(rle) == judged(mask)["counts"].decode()
        assert bbox(rle) == tuple(referee.toBbox(judged(mask)))

    def test_masks_of_any_layout_and_kind_encode_alike(self) -> None:
        wide = np.asfortranarray(WORKED.astype(np.uint8) * 255)
        assert encode(wide) == encode(WORKED[:, ::-1][:, ::-1]) == encode(WORKED)


class TestHostileRuns:
    @pytest.mark.parametrize(
        ("size", "counts", "says"),
        [
            ([4, 6], [5, 2], "add up to 7"),
            ([4, 6], [5, 200], "run 1"),
            ([4, 6], [25, -1], "run 0"),
            ([4, 6], [24, 1, -1], "run 2"),
            ([4, 6], [24.0], "run 0"),
            ([4, 6], [True] * 24, "run 0"),
            ([4, 6], ["24"], "run 0"),
            ([4, 6], [], "add up to 0"),
            ([4, 6], "", "add up to 0"),
            ([4, 6], "b''", "add up to 0"),
            ([4, 6], "523OO11O", "add up to"),
            ([4, 6], "523 OO11O2", "character 3"),
            ([4, 6], "523OO11O2é", "character 9"),
            ([4, 6], "b'523OO11O2", "character 1"),
            ([4, 6], "b'", "character 1"),
            ([4, 6], "5P", "cut off"),
            ([4, 6], "o" * 10_000_000, "too many digits"),
            ([4, 6], "5O", "run 1 is -1"),
            ([4, 6], "oooo0", "run 0"),
            ([2**40, 2**40], [2**80], "over"),
            ([2**14, 2**14 + 1], [2**28 + 2**14], "over"),
            ([0, 6], [0], "not positive"),
            ([-4, -6], [24], "not positive"),
            ([4], [4], r"\[height, width\]"),
            ([4, 6, 1], [24], r"\[height, width\]"),
            ([4.0, 6], [24], r"\[height, width\]"),
            (["4", 6], [24], r"\[height, width\]"),
            ([True, 6], [6], r"\[height, width\]"),
        ],
    )
    def test_is_refused_with_a_reason(self, size: list[Any], counts: Any, says: str) -> None:
        with pytest.raises(MaskError, match=says):
            parse(size, counts)

    def test_is_refused_before_memory_is_taken(self) -> None:
        tracemalloc.start()
        try:
            for size, counts in [([50_000, 50_000], [2_500_000_000]), ([16_000, 16_000], [5, 6])]:
                with pytest.raises(MaskError):
                    parse(size, counts)
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()

    def test_the_limit_can_be_moved(self) -> None:
        assert parse([2**14, 2**15], [2**29], limit=2**29).counts == (2**29,)
        with pytest.raises(MaskError):
            parse([4, 6], [24], limit=23)

    @given(st.tuples(st.integers(), st.integers()), st.text(max_size=40) | st.lists(st.integers()))
    def test_anything_is_a_mask_or_a_mask_error(self, size: tuple[int, int], counts: Any) -> None:
        try:
            rle = parse(size, counts)
        except MaskError:
            return
        assert sum(rle.counts) == size[0] * size[1]

    @given(st.text(st.characters(min_codepoint=48, max_codepoint=111), max_size=12))
    def test_text_of_the_right_letters_is_a_mask_or_a_mask_error(self, text: str) -> None:
        try:
            rle = parse([4, 6], text)
        except MaskError:
            return
        assert (decode(rle) == referee.decode({"size": [4, 6], "counts": text.encode()})).all()


class TestRings:
    def test_a_square_keeps_its_outer_edges(self) -> None:
        mask = np.zeros((100, 100), dtype=np.bool_)
        mask[50:70, 50:70] = True
        (ring,) = rings(encode(mask))
        assert ring == Ring((50, 50, 70, 50, 70, 70, 50, 70))
        assert signed_area(ring.xy) == 400

    def test_a_hole_stays_a_hole(self) -> None:
        mask = np.zeros((100, 100), dtype=np.bool_)
        mask[30:70, 30:70] = True
        mask[40:60, 40:60] = False
        outer, hole = rings(encode(mask))
        assert outer == Ring((30, 30, 70, 30, 70, 70, 30, 70))
        assert hole == Ring((40, 40, 40, 60, 60, 60, 60, 40), hole_of=0)
        assert signed_area(outer.xy) + signed_area(hole.xy) == 1200

    def test_an_island_in_a_hole_is_an_outer_ring(self) -> None:
        found = rings(encode(ISLANDS))
        assert [ring.hole_of for ring in found] == [None, 0, None, 2, None]
        assert [hull(ring.xy) for ring in found] == [
            (0, 0, 9, 9),
            (1, 1, 7, 7),
            (2, 2, 5, 5),
            (3, 3, 3, 3),
            (4, 4, 1, 1),
        ]

    def test_pixels_that_touch_at_a_corner_are_rings_of_their_own(self) -> None:
        assert rings(encode(drawn("#. .#"))) == [
            Ring((0, 0, 1, 0, 1, 1, 0, 1)),
            Ring((1, 1, 2, 1, 2, 2, 1, 2)),
        ]

    @pytest.mark.parametrize("flip", [1, -1])
    def test_an_outline_that_bites_its_own_tail_has_a_hole(self, flip: int) -> None:
        outer, hole = rings(encode(BITES_ITS_TAIL[:, ::flip]))
        assert (outer.hole_of, hole.hole_of) == (None, 0)
        assert abs(signed_area(hole.xy)) == 8

    def test_corners_only_in_whole_numbers_from_the_top_left_on(self) -> None:
        (ring,) = rings(encode(drawn("..... .###. .#... .....")))
        assert ring.xy == (1, 1, 4, 1, 4, 2, 2, 2, 2, 3, 1, 3)
        assert all(type(value) is int for value in ring.xy)

    def test_nothing_has_no_outline(self) -> None:
        assert rings(encode(AWKWARD["nothing"])) == []

    @pytest.mark.parametrize("counts", [[1, 3, 2], [1, 2, 0, 1, 2], [1, 3, 1, 0, 1], [0, 0, 1, 3, 2, 0]])
    def test_empty_runs_leave_no_trace(self, counts: list[int]) -> None:
        """The picture is `.#. ##.`, whose one object run goes on from the first column into the second."""
        assert rings(parse([2, 3], counts)) == [Ring((1, 0, 2, 0, 2, 2, 0, 2, 0, 1, 1, 1))]

    def test_only_the_box_around_the_object_is_worked_on(self) -> None:
        """A mask of the largest size allowed, with one object pixel in its last corner."""
        side = 2**14
        tracemalloc.start()
        try:
            (ring,) = rings(parse([side, side], [side * side - 1, 1]))
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()
        assert ring.xy == (side - 1, side - 1, side, side - 1, side, side, side - 1, side)

    @awkward
    def test_awkward_masks_come_back(self, mask: Mask) -> None:
        _holds_the_laws(mask)

    @given(masks)
    def test_random_masks_come_back(self, mask: Mask) -> None:
        _holds_the_laws(mask)

    @given(masks)
    def test_pycocotools_draws_traced_rings_without_holes_exactly(self, mask: Mask) -> None:
        found = rings(encode(mask))
        for outer in (ring for ring in found if ring.hole_of is None):
            runs = referee.frPyObjects([list(outer.xy)], *mask.shape)
            assert (referee.decode(runs)[:, :, 0] == rasterise([outer], *mask.shape)).all()
        if all(ring.hole_of is None for ring in found):
            assert from_polygons([ring.xy for ring in found], *mask.shape) == encode(mask)


class TestRasterise:
    def test_pixel_centres_decide_for_fractions(self) -> None:
        triangle = Ring((0.0, 0.0, 4.2, 0.0, 0.0, 4.2))
        assert (rasterise([triangle], 4, 4) == drawn("#### ###. ##.. #...")).all()
        upright = Ring((0.6, 0.4, 2.4, 0.4, 2.4, 2.6, 0.6, 2.6))
        assert (rasterise([upright], 3, 3) == drawn(".#. .#. .#.")).all()

    def test_what_lies_outside_is_cut_off(self) -> None:
        around = Ring((-5, -7, 90, -7, 90, 80, -5, 80))
        beside = Ring((20, 0, 30, 0, 30, 9, 20, 9))
        assert rasterise([around], 3, 4).all()
        assert not rasterise([beside], 3, 4).any()

    def test_outer_rings_that_overlap_are_united(self) -> None:
        both = [Ring((0, 0, 2, 0, 2, 2, 0, 2)), Ring((1, 1, 3, 1, 3, 3, 1, 3))]
        assert (rasterise(both, 3, 3) == drawn("##. ### .##")).all()

    @pytest.mark.parametrize(
        "bad",
        [
            [Ring((0, 0, 1, 0, 1))],
            [Ring((0, 0, float("nan"), 0, 1, 1))],
            [Ring((0, 0, 1, 0, 1, 1), hole_of=0)],
            [Ring((0, 0, 1, 0, 1, 1)), Ring((0, 0, 1, 0, 1, 1), hole_of=7)],
        ],
    )
    def test_bad_rings_are_refused(self, bad: list[Ring]) -> None:
        with pytest.raises(MaskError):
            rasterise(bad, 4, 4)
        with pytest.raises(MaskError):
            from_rings(bad, 4, 4)

    def test_absurd_sizes_and_numbers_are_refused(self) -> None:
        with pytest.raises(MaskError):
            rasterise([], 2**20, 2**20)
        with pytest.raises(MaskError):
            rasterise([Ring((0, 0, 1e300, 0, 1, 1))], 4, 4)


class TestPolygons:
    def test_parts_are_united_as_pycocotools_does(self) -> None:
        parts = [[1.5, 1.2, 8.1, 2.7, 4.4, 8.9], [3.0, 3.0, 9.0, 3.0, 9.0, 9.0]]
        expected = referee.merge(referee.frPyObjects(parts, 12, 10))
        assert compressed(from_polygons(parts, 12, 10)) == expected["counts"].decode()

    def test_no_parts_make_an_empty_mask(self) -> None:
        assert area(from_polygons([], 3, 4)) == 0

    def test_far_out_coordinates_cost_no_memory(self) -> None:
        huge = from_polygons([(-1e12, -1e12, 1e12, -1e12, 1e12, 1e12, -1e12, 1e12)], 30, 40)
        assert area(huge) == 1200

    @pytest.mark.parametrize(
        "part",
        [(), (1, 1, 2, 2), (0, 0, 3, 0, 3), (0, 0, 3, 0, float("inf"), 3), (0, 0, 3, 0, float("nan"), 3)],
    )
    def test_bad_parts_are_refused(self, part: tuple[float, ...]) -> None:
        with pytest.raises(MaskError, match="3 or more points"):
            from_polygons([part], 5, 5)


def _holds_the_laws(mask: Mask) -> None:
    found = rings(encode(mask))
    assert (rasterise(found, *mask.shape) == mask).all()
    assert from_rings(found, *mask.shape) == encode(mask)
    starts = [(ring.xy[1], ring.xy[0]) for ring in found]
    assert starts == sorted(starts)
    for position, ring in enumerate(found):
        points = pairs(ring.xy)
        assert len(set(points)) == len(points), "a ring meets a point twice"
        assert points[0] == min(points, key=lambda point: (point[1], point[0]))
        assert (signed_area(ring.xy) > 0) == (ring.hole_of is None)
        for (ax, ay), (bx, by), (cx, _) in zip(points, points[1:] + points[:1], points[2:] + points[:2], strict=True):
            assert (ax == bx) != (ay == by), "every step is along one axis"
            assert (ax == bx) != (bx == cx), "every vertex is a corner"
        if ring.hole_of is not None:
            assert ring.hole_of < position
            assert found[ring.hole_of].hole_of is None
