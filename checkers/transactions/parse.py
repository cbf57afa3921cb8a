"""Transactions from their JSON texts to columns, in one pass, without an object per value: a kernel.

It knows the usual texts only: [[f, key, value], ...] with whole numbers and plain strings. For all else, and for
what is wrong, it says no, and the reader of objects in ``txns`` takes over.
"""

from __future__ import annotations

from typing import NamedTuple

from checkers.kernels.engine import Column, Narrow, Tiny

# Codes of values: what is not negative is that number, NOTHING is null, and -2 - n is entry n of a table.
NOTHING = -1
FIRST_ODD = -2
NUMBER_MAX = (1 << 31) - 1
_BAD, _FULL = -(1 << 40), -(1 << 41)  # no codes
PARSED, CROWDED, STRANGE = 0, 1, 2  # what parse_texts answers
QUOTE, COMMA, MINUS, DOT, ZERO, NINE, COLON, OPEN, BACKSLASH, CLOSE = 34, 44, 45, 46, 48, 57, 58, 91, 92, 93
LETTER_E, LETTER_F, LETTER_N, LETTER_R, LETTER_T, CAPITAL_E = 101, 102, 110, 114, 116, 69


class Texts(NamedTuple):
    """All texts one after the other, where each begins, where they end; the word for a write."""

    text: Tiny
    starts: Column
    word: Tiny


class Odds(NamedTuple):
    """Values that are no small numbers, by their texts: a hash table of their numbers from 1, and their places."""

    table: Narrow
    begin: Column
    end: Column


class Parsed(NamedTuple):
    """Micro-operations (see ``txns.Mops``), and how many there are of them, of elements and of odd values."""

    starts: Narrow
    write: Tiny
    key: Narrow
    value: Narrow
    first: Narrow
    element: Narrow
    counts: Column


def parse_texts(texts: Texts, odds: Odds, out: Parsed, lists: int) -> int:
    """Kernel: fill ``out``; ``lists``: reads return lists. CROWDED: ``odds`` are too small. STRANGE: not for this kernel."""
    text, mop = texts.text, 0
    out.first[0] = 0
    for number in range(len(texts.starts) - 1):
        at, end = skip(text, texts.starts[number]), texts.starts[number + 1]
        if at >= end or text[at] != OPEN:
            return STRANGE
        at = skip(text, at + 1)
        more = text[at] != CLOSE
        while more:
            at = parse_mop(texts, odds, out, at, mop, lists)
            if at < 0:
                return CROWDED if at == _FULL else STRANGE
            mop += 1
            at = skip(text, at)
            more = text[at] == COMMA
            if more:
                at = skip(text, at + 1)
            elif text[at] != CLOSE:
                return STRANGE
        if at >= end:
            return STRANGE
        out.starts[number + 1] = mop
    out.counts[0] = mop
    return PARSED


def parse_mop(texts: Texts, odds: Odds, out: Parsed, at: int, mop: int, lists: int) -> int:  # noqa: PLR0917 - kernels take columns by position
    """Kernel: one micro-operation; where it ends, or what is the matter."""
    text = texts.text
    if text[at] != OPEN:
        return _BAD
    write, at = parse_word(texts, skip(text, at + 1))
    at = skip(text, at)
    if write < 0 or text[at] != COMMA:
        return _BAD
    key, at = parse_value(text, skip(text, at + 1), odds, out.counts)
    at = skip(text, at)
    if key < _BAD // 2 or text[at] != COMMA:
        return key if key == _FULL else _BAD
    at = skip(text, at + 1)
    out.write[mop], out.key[mop], value = write, key, NOTHING
    if write == 0 and lists != 0 and text[at] == OPEN:
        at = parse_list(text, at, odds, out)
        if at < 0:
            return at
    else:
        value, at = parse_value(text, at, odds, out.counts)
        if value < _BAD // 2:
            return value
        if write == 0 and lists != 0 and value != NOTHING:
            return _BAD
    out.value[mop] = value
    out.first[mop + 1] = out.counts[1]
    at = skip(text, at)
    return at + 1 if text[at] == CLOSE else _BAD


def parse_list(text: Tiny, at: int, odds: Odds, out: Parsed) -> int:
    """Kernel: the elements of a list into ``out``; where it ends, or what is the matter."""
    counts = out.counts
    at = skip(text, at + 1)
    while text[at] != CLOSE:
        value, at = parse_value(text, at, odds, counts)
        if value < _BAD // 2:
            return value
        out.element[counts[1]] = value
        counts[1] += 1
        at = skip(text, at)
        if text[at] == COMMA:
            at = skip(text, at + 1)
            if text[at] == CLOSE:
                return _BAD
        elif text[at] != CLOSE:
            return _BAD
    return at + 1


def parse_word(texts: Texts, at: int) -> tuple[int, int]:
    """Kernel: 0 for "r", 1 for the word of a write, -1 for all else; and where it ends."""
    text, word = texts.text, texts.word
    if text[at] != QUOTE:
        return -1, at
    at += 1
    if text[at] == COLON:
        at += 1
    if text[at] == LETTER_R and text[at + 1] == QUOTE:
        return 0, at + 2
    for place in range(len(word)):
        if text[at + place] != word[place]:
            return -1, at
    at += len(word)
    return (1, at + 1) if text[at] == QUOTE else (-1, at)


def parse_value(text: Tiny, at: int, odds: Odds, counts: Column) -> tuple[int, int]:  # noqa: C901 - one loop: a call per step would cost more than the step
    """Kernel: the code of a plain value and where it ends."""
    begin, char = at, text[at]
    if ZERO <= char <= NINE:
        number = 0
        while ZERO <= text[at] <= NINE:
            number = min(number * 10 + text[at] - ZERO, NUMBER_MAX + 1)
            at += 1
        if is_fraction(text[at]):
            return _BAD, at
        if number <= NUMBER_MAX:
            return number, at
    elif char == MINUS:
        at += 1
        if not ZERO < text[at] <= NINE:
            return _BAD, at
        while ZERO <= text[at] <= NINE:
            at += 1
        if is_fraction(text[at]):
            return _BAD, at
    elif char == QUOTE:
        at += 1
        while text[at] != QUOTE:
            if text[at] == BACKSLASH:
                return _BAD, at
            at += 1
        at += 1
    elif char == LETTER_N:
        return NOTHING, at + 4
    elif char in (LETTER_T, LETTER_F):
        at += 4 if char == LETTER_T else 5
    else:
        return _BAD, at
    return number_odd(text, begin, at, odds, counts), at


def is_fraction(char: int) -> bool:
    """Kernel: whether a number goes on behind its digits."""
    return char in (DOT, LETTER_E, CAPITAL_E)


def number_odd(text: Tiny, begin: int, end: int, odds: Odds, counts: Column) -> int:
    """Kernel: the code of an odd value, by its text."""
    table, mask = odds.table, len(odds.table) - 1
    mixed = 0
    for at in range(begin, end):
        mixed = (mixed * 31 + text[at] + 128) & NUMBER_MAX
    slot = (mixed ^ (mixed >> 15)) & mask
    while table[slot] != 0:
        number = table[slot] - 1
        if is_same_text(text, odds.begin[number], odds.end[number], begin, end):
            return FIRST_ODD - number
        slot = (slot + 1) & mask
    number = counts[2]
    if 2 * number >= mask:
        return _FULL
    odds.begin[number], odds.end[number] = begin, end
    counts[2] = number + 1
    table[slot] = number + 1
    return FIRST_ODD - number


def is_same_text(text: Tiny, begin: int, end: int, other: int, other_end: int) -> bool:
    """Kernel: whether two places of the text say the same."""
    if end - begin != other_end - other:
        return False
    for at in range(end - begin):  # noqa: SIM110 - kernels know no generators
        if text[begin + at] != text[other + at]:
            return False
    return True


def skip(text: Tiny, at: int) -> int:
    """Kernel: the next place that is no whitespace. The text ends with something that is none."""
    while text[at] in (32, 9, 10, 13):
        at += 1
    return at
