"""Tracks: what stands between key frames, by hand; and that any track comes home with the key frames it had."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annolake.converters import convert, cvat
from annolake.converters.comparing import compare
from annolake.converters.ledger import Ledger
from annolake.converters.statistics import statistics
from annolake.converters.testing.cases import DataSet, read_all
from annolake.schemas.errors import LossRefused

Differ = Callable[[Path, Path], list[str]]

META = (
    "<version>1.1</version><meta><task><size>12</size><mode>interpolation</mode><start_frame>0</start_frame>"
    "<stop_frame>11</stop_frame><labels><label><name>a</name><attributes/></label></labels><original_size>"
    "<width>100</width><height>80</height></original_size></task></meta>"
)
RING = "1.00,1.00;5.00,1.00;5.00,5.00"


def file_of(*tracks: str, meta: str = META) -> str:
    return f"<annotations>{meta}{''.join(tracks)}</annotations>"


def track(*shapes: str) -> str:
    return f'<track id="0" label="a" source="manual">{"".join(shapes)}</track>'


def shape(kind: str, frame: int, *, keyframe: int = 1, outside: int = 0, **geometry: Any) -> str:
    given = {"frame": frame, "keyframe": keyframe, "outside": outside, "occluded": 0, "z_order": 0, **geometry}
    return ET.tostring(ET.Element(kind, {name: str(text) for name, text in given.items()}), encoding="unicode")


def corners(left: float, top: float, right: float, bottom: float) -> dict[str, Any]:
    edges = zip(("xtl", "ytl", "xbr", "ybr"), (left, top, right, bottom), strict=True)
    return {name: f"{value:.2f}" for name, value in edges}


def read(tmp_path: Path, text: str, **options: Any) -> DataSet:
    source = tmp_path / "in.xml"
    source.write_text(text)
    return read_all(cvat.FORMAT, source, cvat.Options(**options), Ledger(lenient=True))


def frames_of(data: DataSet) -> dict[int, list[Any]]:
    return {record.extras["cvat"]["id"]: list(record.annotations) for record in data.records}


def test_a_box_moves_linearly(tmp_path: Path):
    text = file_of(track(shape("box", 2, **corners(0, 0, 10, 10)), shape("box", 6, **corners(8, 4, 30, 10))))
    frames = frames_of(read(tmp_path, text))
    assert frames[3][0].bbox == (2, 1, 13, 9)
    assert frames[4][0].bbox == (4, 2, 16, 8)
    assert frames[5][0].bbox == (6, 3, 19, 7)
    assert sorted(frames) == [2, 3, 4, 5, 6, *range(7, 12)]
    assert frames[11][0].bbox == (8, 4, 22, 6)


def test_an_ellipse_turns_by_the_shortest_arc(tmp_path: Path):
    middle: dict[str, Any] = {"cx": "10.00", "cy": "8.00", "rx": "4.00", "ry": "2.00"}
    text = file_of(
        track(
            shape("ellipse", 0, **middle, rotation="10.00"),
            shape("ellipse", 2, **{**middle, "cx": "20.00"}, rotation="330.00"),
            shape("ellipse", 3, outside=1, **middle),
        )
    )
    half = frames_of(read(tmp_path, text))[1][0]
    assert (half.metadata["geometry"], half.metadata["rotation"]) == ("[15.0,8.0,4.0,2.0]", 350.0)


def test_a_single_point_moves_and_several_stay(tmp_path: Path):
    one = track(shape("points", 0, points="1.00,2.00"), shape("points", 2, points="3.00,6.00"))
    assert frames_of(read(tmp_path, file_of(one)))[1][0].xy == (2, 4)
    two = track(shape("points", 0, points="1.00,2.00;3.00,4.00"), shape("points", 2, points="3.00,6.00;4.00,4.00"))
    assert frames_of(read(tmp_path, file_of(two)))[1][0].xy == (1, 2, 3, 4)


def test_frames_between_polygons_are_lost_and_said(tmp_path: Path):
    text = file_of(track(shape("polygon", 0, points=RING), shape("polygon", 4, points=RING)))
    (tmp_path / "in.xml").write_text(text)
    with pytest.raises(LossRefused) as caught:
        convert(tmp_path / "in.xml", tmp_path / "lake.json", to="metalake")
    assert [(loss["code"], loss["count"]) for loss in caught.value.report.losses] == [("track-gap", 3)]


def test_nothing_is_computed_where_nobody_wants_it(tmp_path: Path):
    text = file_of(track(shape("box", 2, **corners(0, 0, 9, 9)), shape("box", 6, **corners(8, 4, 30, 10))))
    assert sorted(frames_of(read(tmp_path, text, interpolate="none"))) == [2, 6]


def test_a_track_that_writes_its_frames_out_has_written_its_end(tmp_path: Path):
    text = file_of(track(shape("box", 2, **corners(0, 0, 9, 9)), shape("box", 3, keyframe=0, **corners(0, 0, 9, 9))))
    assert sorted(frames_of(read(tmp_path, text))) == [2, 3]


def test_without_a_last_frame_nothing_is_held(tmp_path: Path):
    text = file_of(track(shape("box", 2, **corners(0, 0, 9, 9)), shape("box", 4, **corners(0, 0, 9, 9))), meta="")
    assert sorted(frames_of(read(tmp_path, text))) == [2, 3, 4]


def test_names_of_frames(tmp_path: Path):
    text = file_of(track(shape("box", 2, **corners(0, 0, 9, 9)), shape("box", 3, outside=1, **corners(0, 0, 9, 9))))
    assert [record.image for record in read(tmp_path, text).records] == ["frame_000002", "frame_000003"]
    named = read(tmp_path, text, frames="images/frame_{:06d}.PNG")
    assert [record.image for record in named.records] == ["images/frame_000002.PNG", "images/frame_000003.PNG"]


def test_a_skeletons_elements_move_each_on_its_own(tmp_path: Path):
    def skeleton(frame: int, x: float, outside: int) -> str:
        points = (
            f'<points label="l" outside="0" occluded="0" points="{x:.2f},0.00"/>'
            f'<points label="r" outside="{outside}" occluded="1" points="{x:.2f},9.00"/>'
        )
        return f'<skeleton frame="{frame}" keyframe="1" outside="0" occluded="0" z_order="0">{points}</skeleton>'

    frames = frames_of(read(tmp_path, file_of(track(skeleton(0, 0, 0), skeleton(2, 8, 1)))))
    assert frames[1][0].metadata["keypoints"] == "[4.0, 0.0, 2, 0.0, 9.0, 1]"
    assert frames[2][0].metadata["keypoints"] == "[8.0, 0.0, 2, 0, 0, 0]"


def test_the_form_for_images_of_a_video(tmp_path: Path):
    text = file_of(track(shape("box", 9, **corners(0, 0, 9, 9)), shape("box", 11, outside=1, **corners(0, 0, 9, 9))))
    (tmp_path / "in.xml").write_text(text)
    options = {"cvat": cvat.Options(form="images")}
    report = convert(tmp_path / "in.xml", tmp_path / "out.xml", to="cvat", options=options)
    assert "tracks-flattened" in [decision["code"] for decision in report.decisions]
    root = ET.parse(tmp_path / "out.xml").getroot()
    assert [image.attrib["name"] for image in root.iter("image")] == ["frame_000009", "frame_000010", "frame_000011"]
    assert statistics(tmp_path / "out.xml")["tracks"] == 1
    assert compare(tmp_path / "in.xml", tmp_path / "out.xml").equal


KINDS = ("box", "ellipse", "points")
STATES = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.booleans(),
        st.booleans(),
        st.integers(0, 40),
        st.sampled_from(("box", "ellipse", "points")),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40)
@given(states=STATES, last=st.booleans())
def test_any_track_comes_home_with_its_key_frames(
    states: list[tuple[int, bool, bool, int, str]], last: bool, unlike: Differ
):
    """Key frames to frames and back to key frames is the identity."""
    kind = states[0][4]
    shapes: list[str] = []
    frame = -1
    for step, outside, keyframe, x, _ in states:
        frame += step
        geometry: dict[str, Any] = {
            "box": corners(x, 1, x + 10, 9),
            "ellipse": {"cx": f"{x:.2f}", "cy": "1.00", "rx": "3.00", "ry": "2.00"},
            "points": {"points": f"{x:.2f},3.00"},
        }[kind]
        shapes.append(shape(kind, frame, keyframe=int(keyframe or frame == 0), outside=int(outside), **geometry))
    text = file_of(track(*shapes), meta=META if last else META.replace("<stop_frame>11</stop_frame>", ""))
    with TemporaryDirectory() as folder:
        source, lake, back = (Path(folder, name) for name in ("in.xml", "lake.json", "back.xml"))
        source.write_text(text)
        convert(source, lake, to="metalake")
        convert(lake, back, to="cvat")
        assert unlike(source, back) == []


@pytest.mark.parametrize(
    ("meta", "frames", "told"),
    [
        ("<size>120</size>", (3, 4), "118 frames of the video"),
        ("<size>150</size>", (), "150 frames of the video"),
        ("<size>9</size><start_frame>10</start_frame><frame_filter>step=5</frame_filter>", (15, 20), "7 frames of the"),
        ("<size>2</size>", (0, 1), None),
        ("<name>x</name>", (7, 8), None),
    ],
)
def test_frames_that_become_no_image_are_counted(tmp_path: Path, meta: str, frames: tuple[int, ...], told: str | None):
    shapes = [shape("box", frame, outside=place, **corners(1, 1, 4, 4)) for place, frame in enumerate(frames)]
    meta = f"<meta><task>{meta}<mode>interpolation</mode></task></meta>"
    (tmp_path / "in.xml").write_text(file_of(*([track(*shapes)] if shapes else []), meta=meta))
    report = convert(tmp_path / "in.xml", tmp_path / "lake.json", to="metalake", allow_loss=True)
    found = [decision["text"] for decision in report.decisions if decision["code"] == "frames-without-shapes"]
    assert [text[: len(told or "")] for text in found] == ([] if told is None else [told])
    assert report.written["images"] == len(frames)
