from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratoperf.text.safety import (
    LONGEST,
    MOST_MARKS,
    figure_label,
    html,
    json_text,
    log_line,
    log_lines,
    markdown,
    visible,
    visible_lines,
)

INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")

READABLE = [
    "consensus.round[backend=cpu,votes=1000]",
    "12.3 [12.1, 12.7] µs ±3 %, →",
    "Ελληνικά",
    "naïve façade, de\u0301compose\u0301",
    "中文 测试\u3000日本語",
    "עברית שָׁלוֹם",
    "العربية",
    "نمی\u200cشود",  # Persian, with the joiner that its spelling needs.
    "क्\u200dष",  # Hindi, likewise.
    "Tiếng Việt",
    "🚀 fast",
    "👩\u200d💻 👍🏽 ❤\ufe0f 1\ufe0f\u20e3",
    r"C:\temp\x1b",
    "std::vector::push_back",
    "a # b ## c",
]


@pytest.mark.parametrize("text", READABLE)
def test_text_in_any_language_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert log_line(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("a\nb\rc\td\x00\x7f", r"a\nb\rc\td\x00\x7f"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("a\u202eb\u2066c\u2069\u200f", r"a\u202eb\u2066c\u2069\u200f"),
        ("a\u200bb\ufeffc\u2060d\u00ad", r"a\u200bb\ufeffc\u2060d\xad"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("a\udc80\ud83d", r"a\udc80\ud83d"),
        ("\ue000\U000f0000\uffff\u0378", r"\ue000\U000f0000\uffff\u0378"),
        ("a\U000e0041\U000e007f", r"a\U000e0041\U000e007f"),
        ("a\u3164\u115f\u2800\u034f", r"a\u3164\u115f\u2800\u034f"),
        ("size=64\ufe0f\u200d\u200cb", r"size=64\ufe0f\u200d\u200cb"),
        ("\u0301a", r"\u0301a"),
    ],
)
def test_what_is_hidden_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_flood_of_marks_ends() -> None:
    shown = visible("a" + "\u0301" * 50)
    assert shown.startswith("a" + "\u0301" * MOST_MARKS + r"\u0301")
    assert len(shown) == 1 + MOST_MARKS + 6 * (50 - MOST_MARKS)


def test_of_a_very_long_text_both_ends_are_shown_and_a_mark_between() -> None:
    shown = visible("first" + "x" * 1_000_000 + "last")
    assert len(shown) <= LONGEST
    assert shown.startswith("first")
    assert shown.endswith("last")
    assert "characters left out" in shown


@given(st.text(st.characters()))
def test_nothing_hidden_is_left_and_a_second_time_changes_nothing(text: str) -> None:
    for make in (visible, log_line):
        shown = make(text)
        assert make(shown) == shown
        for letter in shown:
            category = unicodedata.category(letter)
            assert category not in INVISIBLE or letter in "\u200c\u200d"


@pytest.mark.parametrize(
    "text",
    [
        "::error::x",
        "  ::stop-commands::pause",
        "\u00a0::warning file=a::x",
        "a\r::error::x",
        "a\n::error::x",
        "::::error::x",
        ":::error::x",
        "text ::error::x",
        "a=1,::anything::x",
        "name::error::x",
        "name::Error file=x::y",
        "##[error]x",
        "a ##[group]x",
        "###[error]x",
        "##vso[task.setvariable variable=x]y",
        "a##teamcity[testFailed]",
        "\x1b[0Ksection_start:1:a\r\x1b[0K",
    ],
)
def test_commands_of_ci_systems_lose_their_effect(text: str) -> None:
    for line in (log_line(text), *log_lines(text), *log_lines(f"its last output:\n{text}")):
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
        assert "##vso[" not in line
        assert "##teamcity[" not in line
        assert "\r" not in line
        assert "::error" not in line.lower()
        assert log_line(line) == line


def test_a_message_has_lines_only_after_a_colon() -> None:
    message = "error: a\nb ended; its last output:\n\tone\n::error::two\r\n"
    assert list(log_lines(message)) == [
        r"error: a\nb ended; its last output:",
        "        one",
        r"    \x3a:error::two",
        "    ",
    ]


def test_json_keeps_its_meaning() -> None:
    value = {"a\x7f##[error]": "##vso[x]\x1b\udc80::error::"}
    text = json_text(json.dumps(value))
    assert json.loads(text) == value
    assert "\x7f" not in text
    assert "##" not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("`x` *y* _z_ ~w~ $m$", r"\`x\` \*y\* \_z\_ \~w\~ \$m\$"),
        ("<script>&amp;", "&lt;script&gt;&amp;amp;"),
        ("[a](b) ![c](d)", r"\[a\](b) !\[c\](d)"),
        ("# heading\n# other", r"\# heading\\n\# other"),
        ("@mention, a@b.org", "@<!-- -->mention, a@<!-- -->b.org"),
        ("https://x.org www.x.org", "https:<!-- -->//x.org www<!-- -->.x.org"),
        ("#12 GH-12", r"\#<!-- -->12 GH<!-- -->-12"),
        ("a:warning:", "a:<!-- -->warning:"),
    ],
)
def test_markdown_shows_a_text_as_it_is(text: str, shown: str) -> None:
    assert markdown(text) == shown


def test_html_is_escaped_for_attributes_too() -> None:
    assert html("\"'<&>\x1b") == r"&quot;&#x27;&lt;&amp;&gt;\x1b"


def test_text_of_several_lines_keeps_nothing_but_its_line_breaks() -> None:
    assert visible_lines("a\r\nb\x0bc\u2028") == "a\\r\nb\\x0bc\\u2028"


def test_a_label_of_a_figure_has_no_formula() -> None:
    assert figure_label("a$b$\x1b") == r"a\$b\$\x1b"
