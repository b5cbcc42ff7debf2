"""A line of text as the words that a shell would make of it, if it would do nothing else.

Without a shell a program receives ``<`` or ``$HOME`` as an argument. It seldom complains, so a
comparison of two such commands measures something else than what was meant.
"""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from stratoperf.errors import InvalidParameter

_OPERATOR = re.compile(
    r"[0-9]*(?:<<<|<<-?|<&|<>|<\(|>>|>&|>\||>\(|[<>])|&>>?|&&|\|\||\|&|;;|[|&;()]"
)
_MEANINGS = {
    "<": "a file to read",
    "<<": "a text to read",
    "<<-": "a text to read",
    "<<<": "a text to read",
    "<(": "a command to run",
    ">(": "a command to run",
    ">": "a file to write",
    "|": "a pipe",
    "&&": "two commands",
    "||": "two commands",
    "&": "a command in the background",
    "&>": "a file to write",
    "&>>": "a file to write",
    ";": "the end of a command",
    "(": "a subshell",
    ")": "the end of a subshell",
}
_EXPANSION = re.compile(r"\$(?:\(\(|[({'\"]|[A-Za-z_][A-Za-z_0-9]*|[0-9@*#?$!-])")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z_0-9]*(?:\[[^]]*\])?\+?=")
_GLOB = re.compile(r"[*?]|\[[^]]+\]")
_BRACES = re.compile(
    r"\{(?:[^{}]*,[^{}]*|-?[0-9]+\.\.-?[0-9]+(?:\.\.-?[0-9]+)?|[A-Za-z]\.\.[A-Za-z])\}"
)
_RESERVED = re.compile(
    r"!|\{|\}|\[\[|case|coproc|do|done|elif|else|esac|fi|for|function|if|in|select|then|until|while"
)
_OF_BASH = re.compile(r"<<<|<\(|>\(|&>>?|\|&|\$['\"]|\[\[|coproc|function|select|\{.+\}")
"""What bash has beyond a POSIX shell, which is what ``/bin/sh`` may be."""

_QUOTED = "\0"
"""Stands for a quoted character where only unquoted ones count; no argument can hold it."""

_TYPOGRAPHIC = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb", "quote"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "dash"),
}
_INVISIBLE = {
    "\r": "a carriage return, as of a file with the line ends of Windows",
    **dict.fromkeys("\u00a0\u2007\u202f\u3000", "a space that does not separate words"),
    **dict.fromkeys("\u200b\u2060\ufeff", "an invisible character"),
}


class _Word(NamedTuple):
    """A word with its text, and the same with every quoted character masked."""

    text: str
    mask: str
    begin: int


def shell_words(line: str) -> tuple[str, ...]:
    """Return the words of a simple command: what a POSIX shell would call the program with.

    Parameters
    ----------
    line
        A program and its arguments, quoted as for a shell.

    Raises
    ------
    InvalidParameter
        Where a shell would do anything beyond splitting the line and removing quotes; it names
        the piece, its position and the remedies. Also where bash would, as for ``{a,b}``.
    """
    words = _Lexer(line).words()
    if not words:
        raise InvalidParameter("the command is empty; give a program and its arguments")
    return tuple(word.text for word in words)


class _Lexer:
    """Reads a line once, character by character."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0
        self._text: list[str] = []
        self._mask: list[str] = []
        self._begin: int | None = None
        self._words: list[_Word] = []

    def words(self) -> list[_Word]:
        """Return all words.

        Raises
        ------
        InvalidParameter
            At the first piece of syntax.
        """
        while self._at < len(self._line):
            self._step(self._line[self._at])
        self._end_word()
        return self._words

    def _step(self, letter: str) -> None:
        if letter in " \t":
            self._end_word()
            self._at += 1
        elif letter == "\n":
            self._newline()
        elif letter == "'":
            self._single_quotes()
        elif letter == '"':
            self._double_quotes()
        elif letter == "\\":
            self._backslash()
        else:
            self._unquoted(letter)

    def _unquoted(self, letter: str) -> None:
        line, at = self._line, self._at
        if letter in _INVISIBLE:
            raise InvalidParameter(
                f"the command {line!r} has {_INVISIBLE[letter]} ({letter!a}) at character "
                f"{at + 1}; remove it, or quote it if it is meant literally"
            )
        # The number in front of a redirection belongs to it, unless it ends a longer word.
        operator = _OPERATOR.match(line, at)
        if operator and (self._begin is None or not letter.isdigit()):
            meaning = _MEANINGS.get(operator[0]) or _MEANINGS[operator[0].lstrip("0123456789")[0]]
            raise self._refused(operator[0], at, meaning)
        self._refuse_expansion()
        if self._begin is None:
            self._refuse_beginning(letter)
        self._add(letter, letter)
        self._at += 1

    def _refuse_beginning(self, letter: str) -> None:
        at = self._at
        if letter == "#":
            raise self._refused("#", at, "a comment")
        if letter == "~":
            raise self._refused("~", at, "a home directory")
        kind = _TYPOGRAPHIC.get(letter)
        if kind is not None:
            plain = "a plain ' or \"" if kind == "quote" else "a plain -"
            raise InvalidParameter(
                f"the command {self._line!r} has a typographic {kind} {letter} at character "
                f"{at + 1}, which programs receive as a letter; write {plain}, or quote it if it "
                "is meant literally"
            )

    def _refuse_expansion(self) -> None:
        """Refuse what a shell replaces, outside of quotes or in double quotes."""
        if self._line[self._at] == "`":
            raise self._refused("`", self._at, "a command to run")
        # A shell joins lines that end with a backslash before it looks for names.
        expansion = _EXPANSION.match(self._line[self._at :].replace("\\\n", ""))
        if expansion is None:
            return
        piece = expansion[0]
        if piece == "${":
            piece = self._line[self._at : self._line.find("}", self._at) + 1] or piece
        runs = piece in ("$(", "$((")
        meaning = "something to run" if runs else "a variable"
        raise self._refused(piece, self._at, meaning)

    def _newline(self) -> None:
        self._end_word()
        if self._words and self._line[self._at :].strip():
            raise self._refused("\n", self._at, "the end of a command")
        self._at += 1

    def _single_quotes(self) -> None:
        end = self._line.find("'", self._at + 1)
        if end < 0:
            raise self._unclosed("'")
        self._start()
        for letter in self._line[self._at + 1 : end]:
            self._add(letter, _QUOTED)
        self._at = end + 1

    def _double_quotes(self) -> None:
        begin = self._at
        self._start()
        self._at += 1
        while self._at < len(self._line):
            letter = self._line[self._at]
            following = self._line[self._at + 1 : self._at + 2]
            if letter == '"':
                self._at += 1
                return
            if letter == "\\" and following and following in '$`"\\\n':
                if following != "\n":
                    self._add(following, _QUOTED)
                self._at += 2
                continue
            # In here $' and $" are a dollar sign and what follows.
            if letter != "$" or following not in ("'", '"'):
                self._refuse_expansion()
            self._add(letter, _QUOTED)
            self._at += 1
        self._at = begin
        raise self._unclosed('"')

    def _backslash(self) -> None:
        following = self._line[self._at + 1 : self._at + 2]
        if not following:
            raise InvalidParameter(
                f"the command {self._line!r} ends with a backslash that quotes nothing; remove "
                "it, or write it twice"
            )
        if following != "\n":
            self._start()
            self._add(following, _QUOTED)
        self._at += 2

    def _start(self) -> None:
        if self._begin is None:
            self._begin = self._at

    def _add(self, letter: str, mask: str) -> None:
        self._start()
        self._text.append(letter)
        self._mask.append(mask)

    def _end_word(self) -> None:
        if self._begin is None:
            return
        word = _Word("".join(self._text), "".join(self._mask), self._begin)
        self._check(word)
        self._words.append(word)
        self._text, self._mask, self._begin = [], [], None

    def _check(self, word: _Word) -> None:
        """Refuse what only a whole word shows."""
        if not self._words:
            if _RESERVED.fullmatch(word.mask):
                raise self._refused(word.text, word.begin, "a word of its language")
            assignment = _ASSIGNMENT.match(word.mask)
            if assignment is not None:
                raise InvalidParameter(
                    f"the command {self._line!r} begins with {word.text!r}, by which a shell sets "
                    f"a variable; write env {word.text} ..., quote it if it is the name of a "
                    "program, or add --shell to run the whole line through /bin/sh"
                )
        braces = _BRACES.search(word.mask)
        if braces is not None:
            raise self._refused(
                word.text[braces.start() : braces.end()],
                word.begin,
                "several words (in bash)",
                where="in the word at",
            )
        # What looks like an option is never the name of a file: a shell leaves it alone.
        glob = None if word.mask.startswith("-") else _GLOB.search(word.mask)
        if glob is not None:
            raise self._refused(
                word.text[glob.start() : glob.end()],
                word.begin,
                "the names of files",
                where="in the word at",
            )

    def _unclosed(self, quote: str) -> InvalidParameter:
        return InvalidParameter(
            f"the command {self._line!r} has a quote {quote} at character {self._at + 1} that is "
            f"never closed; close it, or write \\{quote} if it is meant literally"
        )

    def _refused(self, piece: str, at: int, meaning: str, *, where: str = "at") -> InvalidParameter:
        shown = "a line break" if piece == "\n" else piece
        file = "give the file with --input FILE, " if piece in ("<", "0<") else ""
        remedy = f"{file}add --shell to run the whole line through /bin/sh"
        if _OF_BASH.fullmatch(piece):
            remedy = f"run the whole line with bash -c {shlex.quote(self._line)}"
        return InvalidParameter(
            f"the command {self._line!r} has {shown} {where} character {at + 1}, which a shell "
            f"takes as {meaning}, but no shell runs it; {remedy}, or quote it if it is meant "
            "literally"
        )
