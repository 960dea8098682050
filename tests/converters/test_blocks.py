"""Going by blocks and going image by image end in the same: the same bytes, the same books, the same error."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from annolake.converters import blocks, pipeline, registry
from annolake.converters.blocks import Block
from annolake.converters.describing import Carry
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.opening import open_source
from annolake.converters.projection import projector
from annolake.schemas.errors import AnnolakeError
from annolake.schemas.model import Annotation, Catalog, Category, Polygon, Record, Rectangle

LABELS = ("car", "Fußgänger", "100% <a & b>", "x", "é")
PLAIN: dict[str, str] = dict(zip(LABELS, ("car", "Fußgänger", "100% a - b", "x", "é"), strict=True))
"""What a CVAT file says as it stands: any other is read one by one."""
SOURCES: dict[str, dict[str, Any]] = {"yolo": {"task": "detect"}, "voc": {}, "cvat": {}, "coco": {}}
TARGETS: list[tuple[str, dict[str, Any]]] = [
    ("yolo", {"task": "detect"}),
    ("yolo", {"task": "detect", "decimals": 9}),
    ("yolo", {"task": "detect", "layout": "darknet"}),
    ("yolo", {"task": "segment"}),
    ("voc", {}),
    ("voc", {"polygons": "box"}),
    ("voc", {"numbers": "int"}),
    ("voc", {"convention": "devkit"}),
    ("cvat", {}),
    ("coco", {}),
]
ODDITIES = ("none", "few", "many")


def _box(dice: random.Random, width: int, height: int, *, whole: bool) -> tuple[float, float, float, float]:
    x, y = dice.randrange(width * 80), dice.randrange(height * 80)
    w, h = dice.randrange(1, width * 100 - x), dice.randrange(1, height * 100 - y)
    if whole:
        return x // 100, y // 100, max(1, w // 100), max(1, h // 100)
    return x / 100, y / 100, w / 100, h / 100


def _annotation(dice: random.Random, width: int, height: int, odd: float, *, whole: bool) -> Annotation:
    label, box = dice.choice(LABELS), _box(dice, width, height, whole=whole)
    if dice.random() >= odd:
        return Rectangle(box, label=label)
    x, y, w, h = box
    kinds: list[Annotation] = [
        Rectangle((x, y, width - x + 7, h), label=label),
        Rectangle((-3.5, y, w, h), label=label),
        Rectangle(box, label=label, metadata={"occluded": True}),
        Rectangle(box, label=label, metadata={"source": "auto"}),
        Rectangle(box, label=label, metadata={"iscrowd": True}),
        Polygon((x, y, x + w, y, x + w / 2, y + h), label=label),
        Rectangle((x, y, w, h / 3), label=label),
    ]
    return dice.choice(kinds)


def _records(seed: int, odd: str, images: int = 23) -> list[Record]:
    dice = random.Random(seed)
    share = {"none": 0.0, "few": 0.02, "many": 0.5}[odd]
    records: list[Record] = []
    for index in range(images):
        width, height = dice.choice([(640, 480), (100, 75), (1333, 800)])
        count, whole = dice.choice([0, 1, 1, 2, 5, 9]), dice.random() < 0.2
        annotations = [_annotation(dice, width, height, share, whole=whole) for _ in range(count)]
        split = dice.choice(["train", "val"])
        extras = {"coco": {"license": 3}} if odd == "many" and dice.random() < 0.2 else {}
        name = f"a folder/{index:05}.jpg" if index % 7 == 3 else f"{index:05}.jpg"
        records.append(
            Record(image=name, annotations=annotations, width=width, height=height, split=split, extras=extras)
        )
    return records


def _source(folder: Path, name: str, seed: int, odd: str, part: slice = slice(None)) -> Path:
    """A data set of that format, or some of its images, and pictures beside it where sizes are theirs."""
    format_ = registry.get(name)
    options = format_.options(**SOURCES[name])
    fidelity = format_.fidelity(options)
    catalog = Catalog(labels=tuple(map(Category, LABELS)), splits=("train", "val"))
    project = projector(fidelity, Ledger(), coordinates="pixels", target=fidelity.coordinates[0])
    records = _records(seed, odd)[part]
    if name == "cvat":
        catalog = replace(catalog, labels=tuple(map(Category, PLAIN.values())))
        records = list(map(_plain, records))
    path = folder / f"source{format_.suffix}"
    catalog = replace(catalog, coordinates=fidelity.coordinates[0])
    format_.write(path, options, Context(), catalog, map(project, records))
    if name == "yolo":
        _with_pictures(path, records)
    return path


def _plain(record: Record) -> Record:
    return replace(record, annotations=[replace(one, label=PLAIN[one.label]) for one in record.annotations])


def _with_pictures(path: Path, records: list[Record]) -> None:
    from PIL import Image

    for record in records:
        picture = path / "images" / str(record.split) / record.image
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (int(record.width or 0), int(record.height or 0))).save(picture)


def outcome(
    source: Path | list[Path],
    from_: str,
    target: Path,
    to: str,
    chosen: dict[str, Any],
    jobs: int,
    *,
    carry: Carry = "full",
    shards: int | None = None,
) -> Any:
    format_ = registry.get(to)
    given = {to: format_.options(**chosen)}
    try:
        report = pipeline.convert(
            source,
            target,
            to=to,
            from_=from_,
            options=given,
            allow_loss=True,
            carry=carry,
            verify=False,
            jobs=jobs,
            shards=shards,
        )
    except AnnolakeError as error:
        return type(error), error.code, str(error), error.place
    files = [target] if target.is_file() else sorted(path for path in target.rglob("*") if path.is_file())
    texts = {str(file.relative_to(target.parent)).replace(target.name, "out"): file.read_bytes() for file in files}
    said = msgspec.json.encode(report).replace(str(target).encode(), b"out")
    return texts, msgspec.json.decode(said)


@pytest.fixture
def by_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(blocks, "FEWEST", 0)
    monkeypatch.setattr(blocks, "IMAGES", 4)
    yield


@pytest.mark.parametrize("odd", ODDITIES)
@pytest.mark.parametrize(("to", "chosen"), TARGETS, ids=[f"{to}-{'-'.join(map(str, c.values()))}" for to, c in TARGETS])
@pytest.mark.parametrize("from_", SOURCES)
@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_as_image_by_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, from_: str, to: str, chosen: dict[str, Any], odd: str, jobs: int
) -> None:
    source = _source(tmp_path, from_, len(from_) + 10 * jobs, odd)
    suffix = registry.get(to).suffix
    monkeypatch.setattr("annolake.converters.parallel.WORTH_A_PROCESS", 1)
    monkeypatch.setattr(blocks, "FEWEST", 10**9)
    one_by_one = outcome(source, from_, tmp_path / f"one{suffix}", to, chosen, jobs)
    monkeypatch.setattr(blocks, "FEWEST", 0)
    monkeypatch.setattr(blocks, "IMAGES", 4)
    in_blocks = outcome(source, from_, tmp_path / f"two{suffix}", to, chosen, jobs)
    assert in_blocks == one_by_one


@pytest.mark.parametrize(("to", "chosen"), TARGETS, ids=[f"{to}-{'-'.join(map(str, c.values()))}" for to, c in TARGETS])
@pytest.mark.parametrize("from_", SOURCES)
@pytest.mark.parametrize("shards", [None, 3])
def test_the_same_of_several_sources_and_in_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, from_: str, to: str, chosen: dict[str, Any], shards: int | None
) -> None:
    monkeypatch.setattr("annolake.converters.parallel.WORTH_A_PROCESS", 1)
    sources: list[Path] = []
    for part in (slice(0, 9), slice(9, 23)):
        folder = tmp_path / str(part.start)
        folder.mkdir()
        sources.append(_source(folder, from_, 7, "few", part))
    suffix = "" if shards else registry.get(to).suffix
    for number, given in enumerate((sources, sources[1:])):
        monkeypatch.setattr(blocks, "FEWEST", 10**9)
        one_by_one = outcome(given, from_, tmp_path / f"one-{number}{suffix}", to, chosen, 1, shards=shards)
        monkeypatch.setattr(blocks, "FEWEST", 0)
        monkeypatch.setattr(blocks, "IMAGES", 4)
        in_blocks = outcome(given, from_, tmp_path / f"two-{number}{suffix}", to, chosen, 2, shards=shards)
        assert in_blocks == one_by_one
        assert isinstance(in_blocks[0], dict), in_blocks


@pytest.mark.usefixtures("by_blocks")
@pytest.mark.parametrize("from_", SOURCES)
def test_blocks_say_what_records_say(tmp_path: Path, from_: str) -> None:
    source = _source(tmp_path, from_, 5, "few")
    reading = open_source(source, from_, Ledger(), Context(boxes=True))
    if reading.blocks_for is None:
        pytest.skip("this reader makes no blocks")
    aim = registry.get("yolo").fidelity(registry.get("yolo").options(**SOURCES["yolo"]))
    books, others = Ledger(complete=True), Ledger(complete=True)
    items = list(reading.blocks_for(aim)(books))
    assert any(isinstance(item, Block) for item in items)
    expanded: list[Record] = []
    for item in items:
        assert isinstance(item, Block | Record)
        expanded += item.expanded(books) if isinstance(item, Block) else [item]
    project = projector(aim, others, coordinates=reading.catalog.coordinates, target="normalized")
    records = reading.records if reading.records_for is None else reading.records_for(aim)
    assert list(map(project, expanded)) == list(map(project, records(others)))
    assert books.seen == others.seen
    for start, stop in [(0, 3), (2, 9), (21, None)]:
        part = list(reading.blocks_for(aim)(Ledger(), start, stop))
        names = [r.image for item in part for r in ([item] if isinstance(item, Record) else item.records)]
        assert names == [record.image for record in expanded[start:stop]]
