"""A matplotlib figure as SVG inside the page.

Without style attributes (the page's policy forbids them), with colours that follow light and dark, and with ids that do
not meet those of other figures.
"""

from __future__ import annotations

import re
from html import escape

from matplotlib.figure import Figure

from tidings.analysis.canvas import to_svg
from tidings.analysis.report.markup import Markup, visible

__all__ = ["inline_svg"]

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_STYLE_ELEMENT = re.compile(r"<style[^>]*>.*?</style>", re.DOTALL)
_STYLE = re.compile(r'\sstyle="([^"]*)"')
_ID = re.compile(r'\sid="([^"]*)"')
_REFERENCE = re.compile(r'(?:url\(#|href="#)([^")]+)')
_SPACE = re.compile(r">\s+<")
_INK = frozenset({"#000000", "#22252a", "black"})
_PIXELS = 112
"""Width of an inch of figure in the page."""
_PAPER = frozenset({"#ffffff", "white"})


def inline_svg(figure: Figure, name: str, words: str) -> Markup:
    """Returns the figure as an SVG element that reads as an image called `words`.

    Args:
        figure: What to show.
        name: Different for each figure of the page; part of its ids.
        words: What it shows, for readers who do not see it.
    """
    text = to_svg(figure)
    for pattern in (_COMMENT, _METADATA, _STYLE_ELEMENT):
        text = pattern.sub("", text)
    text = _STYLE.sub(lambda match: "".join(_attributes(match.group(1))), text)
    used = set(_REFERENCE.findall(text))
    text = _ID.sub(lambda match: f' id="{name}-{match.group(1)}"' if match.group(1) in used else "", text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = text.replace("xlink:href", "href")
    head, _, rest = text.partition(">")
    head = re.sub(r'\s(?:width|height|xmlns:xlink|version)="[^"]*"', "", head)
    head += f' width="{figure.get_figwidth() * _PIXELS:.0f}" fill="currentColor"'
    label = escape(visible(words))
    head += f' role="img" aria-label="{label}" stroke-linejoin="round" stroke-linecap="butt"'
    return Markup(_SPACE.sub("><", f"{head}>{rest}").strip())


def _attributes(style: str) -> list[str]:
    """Returns the declarations of a style attribute as presentation attributes."""
    found: dict[str, str] = {}
    classes: list[str] = []
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if not value:
            continue
        if name in ("fill", "stroke") and value in _INK:
            value = "currentColor"
        if name in ("fill", "stroke") and value in _PAPER:
            classes.append(f"paper-{name}")
        found[name] = value
    words = [f' {name}="{value}"' for name, value in found.items()]
    return [*words, f' class="{" ".join(classes)}"'] if classes else words
