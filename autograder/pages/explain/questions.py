"""The questions of a transcript in words, each beside the solution's answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from autograder.pages.explain.story import Question
from autograder.records.answers import agree, extract_answer, format_value, name_question
from autograder.records.plain import RemoteValue, to_plain
from autograder.records.transcript import Asked, Exchange
from autograder.sandbox import wire

UNREADABLE = (wire.WireError, *wire.MALFORMED)
MAX_TEXT = 2_000  # characters of an exception, as the child sends them


class Phrasebook:
    """Words for the exchanges of one test cell. `expected` has the solution's answers by question; `limit` is the number of
    entries up to which an array is shown whole."""

    def __init__(self, asked: Asked, expected: Mapping[bytes, Sequence[bytes]], limit: int) -> None:
        self._names, self._expected, self._limit = _function_names(asked), expected, limit

    def questions(self, exchanges: Sequence[tuple[Exchange, int]]) -> tuple[Question, ...]:
        """The exchanges in words; each comes with how often it was repeated."""
        return tuple(replace(self._question(exchange), times=times) for exchange, times in exchanges)

    def _question(self, exchange: Exchange) -> Question:
        expected = (self._expected.get(name_question(exchange)) or [b""])[0]
        agrees = not expected or agree(extract_answer(exchange), expected)
        solution = self._reply(expected) if expected else ""
        return Question(self._request(exchange.request), self._answer(exchange), solution, agrees)

    def _request(self, request: bytes) -> str:
        """A request as a line of Python, or close to it."""
        try:
            verb, *rest = wire.unpack(request)
            if verb == "call":
                arguments = [format_value(value, self._limit) for value in to_plain(rest[1])]
                arguments += [f"{key}={format_value(value, self._limit)}" for key, value in to_plain(rest[2]).items()]
                return f"{self._names.get(rest[0], 'a function')}({', '.join(arguments)})"
            if verb == "ask":
                arguments = [format_value(value, self._limit) for value in to_plain(rest[2])]
                return f"{rest[1]}({', '.join([self._names.get(rest[0], 'an object'), *arguments])})"
            if verb == "backward":
                return f"the gradients, from {format_value(to_plain(rest[1]), self._limit)}"
            return str(rest[0]) if verb == "get" else verb
        except UNREADABLE:
            return "a question that cannot be shown"

    def _answer(self, exchange: Exchange) -> str:
        if exchange.ended:
            return f"{exchange.ended[0]}: {exchange.ended[1]}"
        try:
            status, *values = wire.unpack(exchange.reply)
            if status == "error" and values[1:]:
                return f"{values[0]}: {values[1]}"[:MAX_TEXT]
            return self._reply(exchange.reply)
        except UNREADABLE:
            return "an answer that cannot be read"

    def _reply(self, reply: bytes) -> str:
        """The value of a reply and changed arguments; of an error only its type, which is all that answers are compared by.

        Raises one of UNREADABLE for a malformed reply.
        """
        status, *values = wire.unpack(reply)
        if status == "missing":
            return "there is no such name"
        if status in ("error", "ended"):
            return f"{'raises' if status == 'error' else 'the process'} {values[0] if values else ''}".strip()[
                :MAX_TEXT
            ]
        value = to_plain(values[0])
        is_function = isinstance(value, RemoteValue) and value.kind == "function"
        text = "a function" if is_function else format_value(value, self._limit)
        if len(values) > 1 and values[1]:
            text += f"; its arguments afterwards: {format_value(to_plain(values[1]), self._limit)}"
        return text


def different(exchanges: Sequence[Exchange]) -> list[tuple[Exchange, int]]:
    """Each different pair of question and answer with its count, ordered by when it last occurred."""
    last: dict[tuple[bytes, bytes], Exchange] = {}
    times: Counter[tuple[bytes, bytes]] = Counter()
    for exchange in exchanges:
        key = (exchange.name, extract_answer(exchange))
        times[key] += 1
        last.pop(key, None)
        last[key] = exchange
    return [(exchange, times[key]) for key, exchange in last.items()]


def _function_names(asked: Asked) -> dict[int, str]:
    """The names of the functions that calls refer to by number: those under which they were fetched."""
    names: dict[int, str] = {}
    for exchange in asked.exchanges:
        try:
            verb, *arguments = wire.unpack(exchange.request)
            if verb == "get" and exchange.reply:
                _, (_, number, *_rest) = wire.unpack(exchange.reply)
                names[number] = str(arguments[0])
        except UNREADABLE:
            continue  # it fetched data, or nothing
    return names
