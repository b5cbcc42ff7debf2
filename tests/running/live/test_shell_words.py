"""What a shell would do to a line beyond splitting it is refused; the rest is split as it does."""

from __future__ import annotations

import random
import shlex
import subprocess

import pytest

import stratoperf as sp
from stratoperf.running.live.shell_words import shell_words

REFUSED = {
    "./t < a": ("<", 5),
    "./t <a": ("<", 5),
    "./t<a": ("<", 4),
    "./t 0< a": ("0<", 5),
    "./t << EOF": ("<<", 5),
    "./t <<< word": ("<<<", 5),
    "./t <(ls)": ("<(", 5),
    "./t > out": (">", 5),
    "./t >> out": (">>", 5),
    "./t 2> err": ("2>", 5),
    "./t a 2>&1": ("2>&", 7),
    "./t a2>b": (">", 7),
    "./t &> out": ("&>", 5),
    "./t | sort": ("|", 5),
    "./t |& sort": ("|&", 5),
    "./t && ./u": ("&&", 5),
    "./t || ./u": ("||", 5),
    "./t; ./u": (";", 4),
    "./t &": ("&", 5),
    "./t\n./u": ("a line break", 4),
    "./t $HOME": ("$HOME", 5),
    "./t ${HOME}/x": ("${HOME}", 5),
    "./t $1": ("$1", 5),
    "./t $?": ("$?", 5),
    "./t $(ls)": ("$(", 5),
    "./t $((1+1))": ("$((", 5),
    "./t $'a\\n'": ("$'", 5),
    "./t `ls`": ("`", 5),
    './t "$HOME"': ("$HOME", 6),
    './t "a `ls`"': ("`", 8),
    './t "$(ls)"': ("$(", 6),
    "./t *.txt": ("*", 5),
    "./t a?": ("?", 5),
    "./t [ab].c": ("[ab]", 5),
    "./t --x=y b*": ("*", 11),
    "./t ~/x": ("~", 5),
    "./t ~": ("~", 5),
    "./t {a,b}": ("{a,b}", 5),
    "./t --x={a,'b c'}": ("{a,b c}", 5),
    "./t f{1..3}": ("{1..3}", 5),
    "A=1 ./t": ("A=1", None),
    "A= ./t": ("A=", None),
    "a[1]+=2 ./t": ("a[1]+=2", None),
    "(./t)": ("(", 1),
    "! ./t": ("!", 1),
    "{ ./t; }": ("{", 1),
    "if true": ("if", 1),
    "./t # fast": ("#", 5),
    "# ./t": ("#", 1),
    "./t a\r": ("carriage return", 6),
    "./t \u201ca b\u201d": ("\u201c", 5),
    "./t \u2013\u2013fast": ("\u2013", 5),
    "./t\u00a0a": ("space", 4),
    "./t 'a b": ("'", 5),
    './t "a b': ('"', 5),
    "./t \\": ("backslash", None),
}

ACCEPTED = {
    "./t a": ("./t", "a"),
    "  ./t \t a  \n": ("./t", "a"),
    "python -c 'a; 1<2'": ("python", "-c", "a; 1<2"),
    "grep -E 'a|b' f": ("grep", "-E", "a|b", "f"),
    "awk '{print $1}'": ("awk", "{print $1}"),
    './t "a > b"': ("./t", "a > b"),
    r"./t \< \* \$x": ("./t", "<", "*", "$x"),
    r'./t "\$x \" \a \\"': ("./t", r"$x " + '" ' + r"\a " + "\\"),
    "find . -exec ls {}": ("find", ".", "-exec", "ls", "{}"),
    "./t --opt=a*": ("./t", "--opt=a*"),
    "./t a=b --c=d": ("./t", "a=b", "--c=d"),
    "./t [ ] [": ("./t", "[", "]", "["),
    "git show HEAD~1 HEAD@{1} file~": ("git", "show", "HEAD~1", "HEAD@{1}", "file~"),
    "./t a#b '#c'": ("./t", "a#b", "#c"),
    "./t a! 5% a$ $ '' \"\"": ("./t", "a!", "5%", "a$", "$", "", ""),
    '"A"=1 x': ("A=1", "x"),
    "./t a\\\nb": ("./t", "ab"),
    "./t 'it'\\''s'": ("./t", "it's"),
    "env A=1 ./t": ("env", "A=1", "./t"),
    '"if" x': ("if", "x"),
    "./t it\u2019s \u00fcber": ("./t", "it\u2019s", "\u00fcber"),
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_only_a_shell_understands_is_refused_with_its_place(line: str) -> None:
    piece, position = REFUSED[line]
    with pytest.raises(sp.InvalidParameter) as caught:
        shell_words(line)
    message = str(caught.value).replace(repr(line), "LINE")
    assert piece in message
    if position is not None:
        assert f"character {position}" in message
    remedies = ("--shell", f"bash -c {shlex.quote(line)}", "close it", "remove it", "a plain")
    assert any(remedy in str(caught.value) for remedy in remedies)


@pytest.mark.parametrize("line", ["t <<< a", "t <(a)", "t &> a", "t |& a", "t {a,b}", "[[ a ]]"])
def test_what_only_bash_understands_is_run_with_bash(line: str) -> None:
    with pytest.raises(sp.InvalidParameter) as caught:
        shell_words(line)
    advice = str(caught.value).partition("run the whole line with ")[2]
    advice = advice.removesuffix(", or quote it if it is meant literally")
    assert shell_words(advice) == ("bash", "-c", line)


def test_a_file_to_read_is_given_as_the_input() -> None:
    with pytest.raises(sp.InvalidParameter, match="--input FILE"):
        shell_words("./t < a")
    with pytest.raises(sp.InvalidParameter) as caught:
        shell_words("./t > a")
    assert "--input" not in str(caught.value)


@pytest.mark.parametrize("line", ACCEPTED)
def test_what_is_quoted_or_plain_becomes_the_words_of_the_shell(line: str) -> None:
    assert shell_words(line) == ACCEPTED[line]


@pytest.mark.parametrize("line", ["", "  ", "\n", "\\\n"])
def test_an_empty_command_is_refused(line: str) -> None:
    with pytest.raises(sp.InvalidParameter, match="empty"):
        shell_words(line)


def of_the_shell(lines: list[str]) -> list[list[str]]:
    """Return the words that /bin/sh makes of lines, each of which is the arguments of a command."""
    script = "".join(f"printf '%s\\0' {line}\nprintf '\\1'\n" for line in lines)
    done = subprocess.run(["/bin/sh"], input=script.encode(), capture_output=True, check=True)
    parts = done.stdout.decode().split("\1")[:-1]
    return [part.split("\0")[:-1] for part in parts]


def test_whatever_is_accepted_is_split_as_the_shell_splits_it() -> None:
    generator = random.Random(20)
    pieces = [*"ab1=-~#!{}[]*?$&|;<>()'\"\\` \t\n,.%^@:+/\u00fc", "''", '""', "\\\n", "$a", "2>"]
    accepted: list[tuple[str, tuple[str, ...]]] = []
    for _ in range(30_000):
        line = "t " + "".join(generator.choices(pieces, k=generator.randint(1, 9)))
        try:
            accepted.append((line, shell_words(line)))
        except sp.InvalidParameter:
            continue
    assert len(accepted) > 1000
    shells = of_the_shell([line for line, _ in accepted])
    for (line, words), expected in zip(accepted, shells, strict=True):
        assert list(words) == expected, line


def test_every_joined_list_of_words_is_accepted_and_comes_back() -> None:
    generator = random.Random(21)
    for _ in range(3000):
        words = tuple(
            "".join(generator.choices("a =~#!{}[]*?$&|;<>()'\"\\`\n\u201c\r,", k=5))
            for _ in range(generator.randint(1, 4))
        )
        assert shell_words(shlex.join(words)) == words
