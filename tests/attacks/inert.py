"""Whether a page can do anything but be read: every element and attribute is on a list of what such pages are made of."""

from __future__ import annotations

import re
from html.parser import HTMLParser

ELEMENTS = set(
    "html head meta title style body header main section aside h1 h2 h3 h4 dl dt dd p ul ol li table caption thead tbody tfoot "
    "tr th td a code pre span strong em b i del div details summary figure img bdi blockquote br hr s u sup sub input "
    # MathML as `pages.formulas` writes it
    "math mrow mi mn mo mtext mspace msup msub msubsup mfrac msqrt mroot munder mover munderover mtable mtr mtd mstyle mpadded "
    "mphantom".split()
)
ATTRIBUTES = set(
    "lang charset name content http-equiv class id scope colspan href rel src alt tabindex role aria-label start aria-hidden "
    "aria-labelledby title type disabled checked "
    "display displaystyle scriptlevel mathvariant stretchy fence separator form largeop movablelimits accent accentunder alttext "
    "columnalign rowspacing columnspacing linethickness lspace rspace width linebreak minsize maxsize".split()
)
IMAGE = re.compile(r"data:image/(png|jpeg|svg\+xml);base64,[A-Za-z0-9+/=]*")
LINK = re.compile(r"(#|https?://|mailto:)\S*", re.IGNORECASE)


class Inspector(HTMLParser):
    """Notes in `trouble` all that is not on the lists."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.trouble: list[str] = []
        self.policies: list[str] = []
        self.styles = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.styles += tag == "style"
        if tag not in ELEMENTS:
            self.trouble.append(f"<{tag}>")
        for name, value in attributes.items():
            if name not in ATTRIBUTES:
                self.trouble.append(f"<{tag} {name}>")
            if name == "href" and not LINK.fullmatch(value):
                self.trouble.append(f"a link to {value[:80]!r}")
            if name == "src" and not IMAGE.fullmatch(value):
                self.trouble.append(f"a picture from {value[:80]!r}")
        if tag == "meta" and "http-equiv" in attributes:
            if attributes["http-equiv"].lower() != "content-security-policy":
                self.trouble.append(f"<meta http-equiv={attributes['http-equiv'][:40]!r}>")
            self.policies.append(attributes.get("content", ""))
        if tag == "input" and attributes.get("type") != "checkbox":
            self.trouble.append("<input>")

    def handle_pi(self, data: str) -> None:
        self.trouble.append(f"<?{data[:40]}>")


def troubles(page: str) -> list[str]:
    """What a page holds that could run, load or send something; empty for an inert one."""
    inspector = Inspector()
    inspector.feed(page)
    inspector.close()
    found = inspector.trouble
    if inspector.styles != 1:
        found.append(f"{inspector.styles} style sheets")
    if (
        len(inspector.policies) != 1
        or "default-src 'none'" not in inspector.policies[0]
        or "script-src" in inspector.policies[0]
    ):
        found.append(f"the policies {inspector.policies}")
    return found


class Actor(HTMLParser):
    """Notes in `acts` all that runs, loads or sends something, on a page that has scripts of its own."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.acts: set[str] = set()
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        if tag in ACTING:
            self.acts.add(f"<{tag} {sorted((name, value or '') for name, value in attrs)}>")
        for name, value in attrs:
            link = name == "href" and not LINK.fullmatch(value or "")
            picture = name == "src" and not re.match(r"data:image/(png|jpeg|svg\+xml);|#not-shown", value or "")
            style = name == "style" and not re.fullmatch(
                r"(background-)?color: ?rgb\([\d,]+\);?", value or ""
            )  # a terminal's
            if name.startswith("on") or link or picture or style or name in ACTING_ATTRIBUTES:
                self.acts.add(f"{name}={value}")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside in ("script", "style"):
            self.acts.add(data)


ACTING = set(
    "script iframe object embed form base meta link style svg frame applet video audio animate set use".split()
)
ACTING_ATTRIBUTES = set("srcdoc formaction action srcset poster background xlink:href ping data manifest".split())


def acts(page: str) -> set[str]:
    """What a page does: its scripts, handlers, frames, forms, styles, and links and pictures that are more than that."""
    actor = Actor()
    actor.feed(page)
    actor.close()
    return actor.acts
