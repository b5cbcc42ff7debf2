"""A chart: axes, marks on them, a legend and the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stratoperf.presentation.charts.scales import Array, Axis, Tick
from stratoperf.presentation.elements import Markup, element, joined, number

WIDTH, HEIGHT = 480.0, 270.0
"""Of a chart in its own units: on a phone it shrinks by a third, and its text stays readable."""

COLORS = 8
"""Series that a reader can tell apart; their color is a class, ``c1`` to ``c8``."""

_LETTER = 7.0
"""Width of a character of the text in the widest of common fonts, on average."""

_WIDE = 1.15
"""Names may have wider letters than numbers."""

_LINE = 16.0
_TOP, _RIGHT, _BOTTOM = 12.0, 14.0, 44.0
_LEAST_LEFT, _MOST_BESIDE = 40.0, 200.0
_TICK_GAP = 10.0
_ROW_BESIDE, _ROW_ABOVE = 21.0, 36.0
_LEGEND_GAP = 26.0


class Table(NamedTuple):
    """The numbers behind a chart, as a reader sees them: titles, and rows of texts."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Legend(NamedTuple):
    """One entry of a legend: its text, and the color of its series."""

    text: str
    color: int


class Chart(NamedTuple):
    """A finished chart.

    Attributes
    ----------
    title
        What it shows, in one line.
    description
        What a reader who cannot see it must know.
    inner, height
        What is drawn, `WIDTH` wide; its looks are in ``chart.css``.
    table
        The numbers behind it.
    note
        What a reader must know about it, such as what lies beyond an edge; or nothing.
    """

    title: str
    description: str
    inner: Markup
    height: float
    table: Table
    note: str = ""

    @property
    def drawing(self) -> Markup:
        """Return the ``svg`` element."""
        return element(
            "svg",
            element("title", self.title),
            element("desc", self.description),
            self.inner,
            class_="sp-chart",
            viewBox=f"0 0 {number(WIDTH)} {number(self.height)}",
            role="img",
        )


class Canvas:
    """Axes to draw on, in the units of the data.

    Parameters
    ----------
    x, y
        The axes.
    legend
        What the colors mean; it stands above the axes.
    rows
        Whether the vertical axis has names, of which the first is on top. Short names stand beside
        their row, and long ones above it; the height follows.
    """

    def __init__(
        self,
        x: Axis,
        y: Axis,
        *,
        legend: Sequence[Legend] = (),
        rows: bool = False,
    ) -> None:
        self._x, self._y = x, y
        self._rows = rows
        letters = max((len(tick.text) for tick in y.ticks), default=0)
        widest = letters * _LETTER * (_WIDE if rows else 1) + _TICK_GAP
        self._names_above = rows and widest > _MOST_BESIDE
        self._left = max(widest + (0 if rows else _LINE), _LEAST_LEFT)
        height = HEIGHT
        if rows:
            self._left = _TICK_GAP if self._names_above else self._left
            row = _ROW_ABOVE if self._names_above else _ROW_BESIDE
            height = _TOP + row * max(2, len(y.ticks)) + _BOTTOM
        self._legend = _placed(legend, self._left, WIDTH - _RIGHT)
        lines = max((row for _, row, _ in self._legend), default=-1) + 1
        self._top = _TOP + lines * _LINE
        self._width = WIDTH - _RIGHT - self._left
        self._bottom = height + lines * _LINE - _BOTTOM
        self._total = height + lines * _LINE
        self._marks: list[Markup] = []
        self._open: tuple[str, str] = ("", "")
        self._horizontal: Markup | None = None

    def x(self, values: Array) -> Array:
        """Return horizontal coordinates."""
        return self._left + self._x.places(np.asarray(values, np.float64)) * self._width

    def y(self, values: Array) -> Array:
        """Return vertical coordinates."""
        places = self._y.places(np.asarray(values, np.float64))
        if self._rows:
            # Below the name.
            places = 1 - places - (0.2 / max(1, len(self._y.ticks)) if self._names_above else 0)
        return self._bottom - places * (self._bottom - self._top)

    def line(self, x: Array, y: Array, color: int = 1, *, kind: str = "l") -> None:
        """Draw a line through points."""
        self._add(f"{kind} c{color}", path_data(self._inside(x, y)))

    def band(self, x: Array, low: Array, high: Array, color: int = 1) -> None:
        """Fill what lies between two lines."""
        along = [*self._inside(x, high), *reversed(self._inside(x, low))]
        self._add(f"b c{color}", f"{path_data(along)}z")

    def span(self, low: float, high: float, color: int = 1, *, vertical: bool = True) -> None:
        """Fill a stripe from `low` to `high` of `x` if `vertical`, else of `y`."""
        if vertical:
            start, end = self._clipped(self.x(np.array([low, high])), self._left, self._right)
            shape = (start, self._top, end - start, self._bottom - self._top)
        else:
            end, start = self._clipped(self.y(np.array([low, high])), self._top, self._bottom)
            shape = (self._left, start, self._width, end - start)
        x, y, width, height = shape
        right, bottom = x + max(width, 1), y + max(height, 1)
        corners = [(x, y), (right, y), (right, bottom), (x, bottom)]
        self._add(f"b c{color}", f"{path_data(corners)}z")

    def rule(self, at: float, color: int = 1, *, vertical: bool = True) -> None:
        """Draw a dashed line across the chart."""
        if vertical:
            (place,) = self.x(np.array([at]))
            ends = (place, self._top, place, self._bottom)
            seen = self._left <= place <= self._right
        else:
            (place,) = self.y(np.array([at]))
            ends = (self._left, place, self._right, place)
            seen = self._top <= place <= self._bottom
        if seen:
            self._add(f"r c{color}", _segment(ends))

    def interval(
        self,
        at: float,
        low: float,
        high: float,
        color: int = 1,
        *,
        vertical: bool = False,
        kind: str = "i",
    ) -> None:
        """Draw a bar from `low` to `high`, along `y` if `vertical`, else along `x`."""
        if vertical:
            (place,) = self.x(np.array([at]))
            start, end = self._clipped(self.y(np.array([low, high])), self._top, self._bottom)
            ends = (place, start, place, end)
        else:
            (place,) = self.y(np.array([at]))
            start, end = self._clipped(self.x(np.array([low, high])), self._left, self._right)
            ends = (start, place, end, place)
        self._add(f"{kind} c{color}", _segment(ends))

    def points(self, x: Array, y: Array, color: int = 1, *, hollow: bool = False) -> None:
        """Draw a dot at each point that lies within the axes."""
        for across, down in zip(self.x(x).tolist(), self.y(y).tolist(), strict=True):
            if not (
                self._left - 1 <= across <= self._right + 1
                and self._top - 1 <= down <= self._bottom + 1
            ):
                continue
            # A line without a length that has round ends is a dot.
            dot = f"{path_data([(across, down)])}h0"
            self._add(f"o c{color}", dot)
            if hollow:
                self._add("o k0", dot)

    def _add(self, class_: str, path: str) -> None:
        """Draw a path; neighbors of one class are one element, which keeps the page small."""
        last, drawn = self._open
        if class_ != last:
            self._close()
            drawn = ""
        self._open = (class_, drawn + path)

    def _close(self) -> None:
        class_, drawn = self._open
        if drawn:
            # Letters and numbers of a path alone: there is nothing to escape.
            self._marks.append(element("path", class_=class_, d=Markup(drawn)))
        self._open = ("", "")

    def text(
        self, x: float, y: float, text: str, color: int = 0, *, before: bool = False, dy: float = 4
    ) -> None:
        """Write a text after a point, or before it."""
        (across,), (down,) = self.x(np.array([x])), self.y(np.array([y]))
        self._close()
        shift, anchor = (-7, "end") if before else (7, None)
        self._marks.append(
            element(
                "text", text, class_=f"c{color}", x=across + shift, y=down + dy, text_anchor=anchor
            )
        )

    def room_after(self, x: float, text: str) -> bool:
        """Return whether a text fits between a point and the right edge."""
        (across,) = self.x(np.array([x]))
        return bool(across + 7 + len(text) * _LETTER <= WIDTH)

    def chart(self, title: str, description: str, table: Table, note: str = "") -> Chart:
        """Return the finished chart."""
        self._close()
        legend = [self._entry(*entry) for entry in self._legend]
        inner = joined([self._axes(), self._movable(), legend])
        return Chart(title, description, inner, self._total, table, note)

    def _movable(self) -> Markup:
        """Return the marks, with what a script needs to begin the vertical axis at zero."""
        zero = None if self._rows else self._y.zero
        if zero is None:
            return joined([self._horizontal, self._marks])
        place = self._bottom - zero * (self._bottom - self._top)
        ends = Markup(" ".join(map(number, (self._top, self._bottom, place))))
        return element("g", self._horizontal, self._marks, data_zero=ends)

    @property
    def _right(self) -> float:
        return self._left + self._width

    def _inside(self, x: Array, y: Array) -> list[tuple[float, float]]:
        across = np.clip(self.x(x), self._left, self._right)
        down = np.clip(self.y(y), self._top, self._bottom)
        return list(zip(across.tolist(), down.tolist(), strict=True))

    @staticmethod
    def _clipped(places: Array, low: float, high: float) -> tuple[float, float]:
        start, end = np.clip(places, low, high)
        return float(start), float(end)

    def _axes(self) -> Markup:
        across = _spaced(self._x.ticks, self._width, horizontal=True)
        places = [self._left + tick.place * self._width for tick in across]
        lines = [path_data([(place, self._top), (place, self._bottom)]) for place in places]
        texts = [
            element("text", tick.text, x=_within(place, tick.text))
            for tick, place in zip(across, places, strict=True)
        ]
        side = self._names() if self._rows else self._numbers()
        ends = [(self._left, self._top), (self._left, self._bottom), (self._right, self._bottom)]
        label = element(
            "text",
            self._x.label,
            class_="n",
            x=self._left + self._width / 2,
            y=self._total - 8,
        )
        return joined(
            [
                element("path", class_="g", d=Markup("".join(lines))),
                element("path", class_="a", d=Markup(path_data(ends))),
                _group(texts, 0, self._bottom + 16, "t"),
                side,
                label,
            ]
        )

    def _numbers(self) -> Markup:
        """Return what stands beside the vertical axis, and note its lines."""
        texts = []
        lines = []
        length = self._bottom - self._top
        for tick in _spaced(self._y.ticks, length, horizontal=False):
            place = self._bottom - tick.place * length
            lines.append(path_data([(self._left, place), (self._right, place)]))
            texts.append(element("text", tick.text, y=place))
        self._horizontal = element("path", class_="g", d=Markup("".join(lines)))
        label = element(
            "text",
            self._y.label,
            class_="n",
            x=-(self._top + self._bottom) / 2,
            y=13,
            transform="rotate(-90)",
        )
        return joined([_group(texts, self._left - 6, 4, "t e"), label])

    def _names(self) -> Markup:
        length = self._bottom - self._top
        room = self._width - 8 if self._names_above else self._left
        texts = [
            element("text", cut(tick.text, room), y=self._top + tick.place * length)
            for tick in self._y.ticks
        ]
        if self._names_above:
            return _group(texts, self._left + 6, -3, "t s")
        return _group(texts, self._left - 6, 4, "t e")

    def _entry(self, place: float, row: int, entry: Legend) -> Markup:
        down = 12 + row * _LINE
        swatch = Markup(f"{path_data([(place, down - 9)])}h10v10h-10z")
        return joined(
            [
                element("path", class_=f"p c{entry.color}", d=swatch),
                element("text", entry.text, x=place + 15, y=down),
            ]
        )


def _placed(legend: Sequence[Legend], left: float, right: float) -> list[tuple[float, int, Legend]]:
    """Return the place and the row of each entry; those that do not fit begin a new row."""
    placed = []
    across, row = left, 0
    for entry in legend:
        text = cut(entry.text, right - left - 15)
        width = 15 + len(text) * _LETTER
        if across > left and across + width > right:
            across, row = left, row + 1
        placed.append((across, row, entry._replace(text=text)))
        across += width + _LEGEND_GAP
    return placed


def _spaced(ticks: Sequence[Tick], length: float, *, horizontal: bool) -> list[Tick]:
    """Return the ticks within the axis whose texts do not touch."""
    kept: list[Tick] = []
    free = -1e9
    for tick in sorted(ticks):
        if not -1e-6 <= tick.place <= 1 + 1e-6:
            continue
        half = len(tick.text) * _LETTER / 2 + 4 if horizontal else 6.5
        if tick.place * length - half >= free:
            kept.append(tick)
            free = tick.place * length + half
    return kept


def _within(place: float, text: str) -> float:
    """Return where the middle of a text stands, so that its end is not cut off."""
    return min(place, WIDTH - len(text) * _LETTER / 2)


def cut(text: str, width: float) -> str:
    """Return a text, shortened in its middle to what fits."""
    room = max(4, int(width / _LETTER))
    if len(text) <= room:
        return text
    head = (room - 1) // 2
    return f"{text[:head]}…{text[len(text) - (room - 1 - head) :]}"


def _group(texts: Sequence[Markup], x: float, y: float, class_: str) -> Markup:
    """Return texts that are moved together, so that each has one coordinate."""
    move = f"translate({number(x)} {number(y)})"
    return element("g", texts, class_=class_, transform=move)


def _segment(ends: tuple[float, float, float, float]) -> str:
    x1, y1, x2, y2 = ends
    return path_data([(x1, y1), (x2, y2)])


def path_data(points: Sequence[tuple[float, float]]) -> str:
    """Return the data of a path, as short as it can be: steps are relative, in tenths."""
    parts: list[str] = []
    x_before = y_before = 0
    last = ""
    for x, y in points:
        # Differences of rounded places, so that the errors of rounding do not add up.
        x_now, y_now = round(10 * x), round(10 * y)
        across, down = _tenths(x_now - x_before), _tenths(y_now - y_before)
        x_before, y_before = x_now, y_now
        if not parts:
            command, numbers = "M", _beside(across, down)
        elif down == "0":
            command, numbers = "h", across
        elif across == "0":
            command, numbers = "v", down
        else:
            command, numbers = "l", _beside(across, down)
        # A command that repeats is left out.
        parts.append(_beside("", numbers) if command == last == "l" else f"{command}{numbers}")
        last = command
    return "".join(parts)


def _beside(first: str, second: str) -> str:
    """Return two numbers; a minus parts them as well as a space."""
    return f"{first}{second}" if second.startswith("-") else f"{first} {second}"


def _tenths(value: int) -> str:
    whole, rest = divmod(abs(value), 10)
    sign = "-" if value < 0 else ""
    if rest:
        return f"{sign}{whole or ''}.{rest}"
    return f"{sign}{whole}" if whole else "0"
