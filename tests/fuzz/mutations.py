"""Damage: to bytes, and to trees of lists and dicts."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]


@st.composite
def damaged(draw: Draw, content: st.SearchStrategy[bytes]) -> bytes:
    """Bytes in which some were changed, lost, doubled or added."""
    data = bytearray(draw(content))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from([1, 1, 2, 8, 100]))
        match draw(st.sampled_from(["change", "change", "lose", "double", "add", "cut"])):
            case "change" if at < len(data):
                data[at] = draw(st.integers(0, 255))
            case "lose":
                del data[at : at + length]
            case "double":
                data[at:at] = data[at : at + length]
            case "add":
                data[at:at] = draw(st.binary(max_size=8))
            case "cut":
                del data[at:]
    return bytes(data)


@st.composite
def altered(draw: Draw, trees: st.SearchStrategy[Any], other: st.SearchStrategy[Any]) -> Any:
    """A tree in which some nodes were replaced by `other` ones, by each other, doubled or taken out."""
    holder = [copy.deepcopy(draw(trees))]
    for _ in range(draw(st.integers(1, 4))):
        places = list(_places(holder))
        parent, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["replace", "replace", "swap", "double", "remove"])):
            case "replace":
                parent[key] = copy.deepcopy(draw(other))  # what is drawn twice may be one object
            case "swap":
                from_parent, from_key = draw(st.sampled_from(places))
                parent[key] = copy.deepcopy(from_parent[from_key])
            case "double" if isinstance(parent, list) and parent is not holder:
                parent.insert(key, copy.deepcopy(parent[key]))
            case "remove" if parent is not holder:
                del parent[key]
    return holder[0]


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every (list or dict, index or key) in a tree."""
    keys = range(len(node)) if isinstance(node, list) else list(node) if isinstance(node, dict) else ()
    for key in keys:
        yield node, key
        yield from _places(node[key])
