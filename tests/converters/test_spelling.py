"""Attributes and metadata as named texts: whatever is said comes back as what it was."""

from hypothesis import given
from hypothesis import strategies as st

from annolake.converters.spelling import Spelled, confidence, spelled, understood
from annolake.converters.xmltext import is_text
from annolake.schemas.model import Tag, Value

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ("", "null", "[]", "true", "\x00", "a\nb", "\ufffe")
)
_JSON = st.recursive(
    _TEXTS | st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.integers(-99, 99).map(lambda n: n / 8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXTS, inner, max_size=2),
    max_leaves=4,
)
_VALUES = st.builds(Value, _TEXTS, st.none() | st.floats(0, 1), st.none() | st.dictionaries(_TEXTS, _JSON, max_size=2))


@given(
    st.dictionaries(_TEXTS, st.lists(_VALUES, max_size=3).map(tuple), max_size=3),
    st.dictionaries(_TEXTS, _JSON, max_size=3),
)
def test_what_is_said_comes_back(attributes: dict[str, tuple[Value, ...]], metadata: dict[str, object]) -> None:
    tag = Tag(label="x", attributes=attributes)
    texts = list(spelled(tag, metadata))
    said = understood(texts)
    assert said.attributes == attributes
    assert said.metadata == metadata
    assert all(is_text(text) and is_text(note) for _, text, note in texts)


def test_what_other_programs_wrote() -> None:
    said = understood([Spelled("colour", "red"), Spelled("colour", "blue"), Spelled("score", "0.5")])
    assert said.attributes == {"colour": (Value("red"), Value("blue")), "score": (Value("0.5"),)}
    assert said.confidence is None


def test_notes_that_make_no_sense_are_attributes() -> None:
    texts = [Spelled("a", "{", "metadata json"), Spelled("b", "high", "confidence"), Spelled("c", "x", "[1]")]
    said = understood(texts)
    assert said.attributes == {"a": (Value("{"),), "b": (Value("high"),), "c": (Value("x"),)}
    assert said.metadata == {}
    assert said.confidence is None


def test_a_confidence_is_from_zero_to_one() -> None:
    assert [confidence(text) for text in ("0.25", "1", "1.5", "nan", "-0.1", "high", "")] == [
        0.25,
        1.0,
        None,
        None,
        None,
        None,
        None,
    ]
