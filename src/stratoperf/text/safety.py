r"""Makes text that others wrote safe to show; what is stored is never changed.

Names, parameters, reasons and paths come from benchmarks, commands and files. Whoever wrote them
must not move a reader's cursor, reorder or hide what the reader sees, or give orders to a CI
system that reads along. What could do so is shown as a Python escape such as ``\x1b``.

Each medium has one function, which everything that is shown there passes: `log_line` and
`log_lines` for terminals, pipes and logs, `json_text`, `markdown`, `html`, `figure_label`, and
`visible` and `visible_lines` for XML, whose markup ``xml.etree`` escapes.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator

LONGEST = 10_000
"""Characters of one text that are shown; of a longer one, both ends."""

MOST_MARKS = 4
"""Combining marks on one letter; biblical Hebrew needs as many, and floods have dozens."""

_HIDDEN_CATEGORIES = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Controls, formats (bidirectional marks, zero widths, tags), surrogates, private use, unassigned
code points, and separators of lines and paragraphs."""

_HIDDEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U00016fe4\U000e0100-\U000e01ef]"
)
"""What is invisible although its category is that of a letter, a mark or a symbol."""

_ZWNJ, _ZWJ, _EMOJI_STYLE, _KEYCAP = "\u200c", "\u200d", "\ufe0f", "\u20e3"
_VIRAMA = 9  # Canonical combining class.

_LOG_COMMAND = re.compile(
    r"(?<![^\s,]):(?=:)"
    r"|:(?=:(?:error|warning|notice|debug|group|endgroup|echo|add-mask|add-matcher|remove-matcher"
    r"|add-path|save-state|set-env|set-output|stop-commands)(?:\s|::|$))"
    r"|(?<=\#)\#(?=[a-z]*\[)",
    re.IGNORECASE,
)
"""The letter of a CI system's command that is escaped.

GitHub reads ``::error::`` at the start of a line, behind white space of any kind. Text is wrapped
at spaces and commas, so what follows them counts; and known commands count anywhere.
``##[error]`` (GitHub, Azure), ``##vso[`` and ``##teamcity[`` are read anywhere. GitLab's
``section_start:`` needs control characters, which are escaped in any case.
"""

_JSON_ACTIVE = re.compile(r"\x7f|(?<=\#)\#(?=[a-z]*\[)", re.IGNORECASE)
"""DEL, which ``json`` writes as it is, and commands; no line begins with a string's content."""

_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_HTML = {**_MARKUP, **str.maketrans({'"': "&quot;", "'": "&#x27;"})}

_MARKDOWN_ACTIVE = re.compile(r"([\\`*_|\[\]~#$])")
_MARKDOWN_LINK = re.compile(
    # Mentions; addresses that become links by themselves; issues; short codes of emoji.
    r"(?<=@)(?=\w)|(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=\bmailto:)|(?<=\bxmpp:)|(?<=\\\#)(?=\d)"
    r"|(?<=\bGH)(?=-\d)|(?<=:)(?=[a-z0-9_+\\-]+:)",
    re.IGNORECASE,
)
_NOTHING = "<!-- -->"
"""Is not shown, and keeps apart what would be a link together: GitHub looks for mentions after it
has removed backslashes and entities."""


def visible(text: str) -> str:
    r"""Return a text on one line that shows all it consists of, and nothing else.

    Text in any language stays as it is. Applied twice, it is the same as once: a backslash is not
    escaped.

    Parameters
    ----------
    text
        Whatever others wrote.
    """
    if len(text) > LONGEST:
        text = _shortened(text)
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = MOST_MARKS  # There is nothing yet that a mark could belong to.
    for place, letter in enumerate(text):
        category = unicodedata.category(letter)
        is_mark = category in ("Mn", "Me")
        hidden = category in _HIDDEN_CATEGORIES or _HIDDEN.match(letter) is not None
        if (hidden and not _is_joiner(text, place)) or (is_mark and marks >= MOST_MARKS):
            shown.append(escaped(letter))
            marks = MOST_MARKS
            continue
        shown.append(letter)
        marks = marks + 1 if is_mark else (MOST_MARKS if category[0] == "Z" else 0)
    return "".join(shown)


def escaped(letter: str) -> str:
    r"""Return the escape of a character, such as ``\x1b`` or ``\u202e``."""
    code = ascii(letter)[1:-1]
    return code if code != letter else f"\\x{ord(letter):02x}"


def log_line(text: str) -> str:
    r"""Return a text for one line of a terminal, a pipe or a log.

    Parameters
    ----------
    text
        Whatever others wrote. Line breaks are shown as ``\n``, and commands of CI systems lose
        their effect: ``\x3a:error::``.
    """
    return _LOG_COMMAND.sub(lambda match: escaped(match[0]), visible(text))


def one_line(text: str) -> str:
    """Return a text of several lines on one, with slashes between them; nothing is made safe.

    Parameters
    ----------
    text
        A reason, such as the message of an exception.
    """
    return " / ".join(filter(None, (part.strip(" \t\r") for part in text.split("\n"))))


def log_lines(text: str) -> Iterator[str]:
    """Yield the lines of a message, each of them safe.

    Parameters
    ----------
    text
        A sentence, which may end with a colon and a line break: then lines follow that somebody
        else wrote. A line break anywhere else in the sentence is part of a name in it.
    """
    sentence, colon, quoted = text.partition(":\n")
    yield log_line(sentence + colon.rstrip("\n"))
    if colon:
        for line in quoted.split("\n"):
            yield log_line(f"    {line.rstrip().expandtabs(4)}")


def json_text(document: str) -> str:
    r"""Return a JSON document that is as safe in a log as `log_line`.

    Parameters
    ----------
    document
        In ASCII, as ``json.dumps`` writes it. It keeps its meaning: what is escaped can only stand
        in strings.
    """
    return _JSON_ACTIVE.sub(lambda match: f"\\u{ord(match[0]):04x}", document)


def markdown(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line.

    Parameters
    ----------
    text
        Whatever others wrote.
    """
    harmless = visible(text).translate(_MARKUP)
    return _MARKDOWN_LINK.sub(_NOTHING, _MARKDOWN_ACTIVE.sub(r"\\\1", harmless))


def html(text: str) -> str:
    """Return a text for an element of HTML, or for an attribute in quotes.

    Parameters
    ----------
    text
        Whatever others wrote.
    """
    return visible(text).translate(_HTML)


def visible_lines(text: str) -> str:
    """Return a text of several lines that shows all it consists of; only its line breaks stay.

    For media that have lines of their own, such as elements of XML: what XML 1.0 cannot hold, and
    what its parsers change, is escaped too, and so are commands of CI systems, since jobs print
    such files.

    Parameters
    ----------
    text
        Whatever others wrote.
    """
    return "\n".join(map(log_line, text.split("\n")))


def figure_label(text: str) -> str:
    """Return a text that matplotlib draws as it is, without reading formulas into it.

    Parameters
    ----------
    text
        Whatever others wrote.
    """
    return visible(text).replace("$", r"\$")


def only_ascii(encoding: str) -> bool:
    """Tell whether an output of that encoding gets nothing but ASCII."""
    if not encoding.lower().startswith("utf"):
        return True
    # With LC_ALL=C Python writes UTF-8 all the same; the user asked for ASCII.
    return os.environ.get("LC_ALL") in ("C", "POSIX")


def _shortened(text: str) -> str:
    half = LONGEST // 2 - 50
    return f"{text[:half]}…[{len(text) - 2 * half} characters left out]…{text[-half:]}"


def _is_joiner(text: str, place: int) -> bool:
    """Tell whether an invisible character joins its neighbors, as scripts and emoji need it.

    For letters these are the rules of domain names (RFC 5892, appendix A).
    """
    letter = text[place]
    before = text[place - 1] if place else ""
    after = text[place + 1 : place + 2]
    if letter == _EMOJI_STYLE:
        return after == _KEYCAP or (not before.isascii() and _is_symbol(before))
    if letter not in (_ZWJ, _ZWNJ) or not before or not after:
        return False
    if unicodedata.combining(before) == _VIRAMA:
        return True
    if letter == _ZWNJ:
        return all(unicodedata.bidirectional(letter) == "AL" for letter in (before, after))
    return (_is_symbol(before) or before == _EMOJI_STYLE) and _is_symbol(after)


def _is_symbol(letter: str) -> bool:
    return letter != "" and unicodedata.category(letter) in ("So", "Sm", "Sk")
