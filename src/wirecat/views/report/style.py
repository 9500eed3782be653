"""The colours of a report's pictures, light and dark, and the style sheet of its pages."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MONO = "ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace"
SANS = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','DejaVu Sans',sans-serif"

# Text has a contrast of at least 4.5 to its ground in both (WCAG 2.2, 1.4.3). Blue and orange are told apart by people
# who see no red or no green.
LIGHT: Mapping[str, str] = {
    "paper": "#ffffff", "ink": "#1b2430", "soft": "#55616f", "faint": "#d9dfe6", "panel": "#f4f6f8",
    "ask": "#1d5fbf", "reply": "#b4530a", "pale": "#c3d7f2", "broken": "#c2182b", "end": "#55616f",
    "window": "#10151c", "frame": "#3a4757", "said": "#e6edf3", "typed": "#7ee0a1", "dim": "#9fb0c3",
}  # fmt: skip
DARK: Mapping[str, str] = {
    "paper": "#12171e", "ink": "#e6edf3", "soft": "#a3b1c1", "faint": "#323d4a", "panel": "#1b222c",
    "ask": "#6fb0ff", "reply": "#ffab5c", "pale": "#28466b", "broken": "#ff7b86", "end": "#a3b1c1",
    "window": "#0a0d12", "frame": "#3a4757", "said": "#e6edf3", "typed": "#7ee0a1", "dim": "#9fb0c3",
}  # fmt: skip

#: What a class of a picture's element does with a colour.
_PAINTED = (
    ("ground", "fill", "paper"), ("panel", "fill", "panel"), ("ink", "fill", "ink"), ("soft", "fill", "soft"),
    ("ask", "fill", "ask"), ("reply", "fill", "reply"), ("pale", "fill", "pale"), ("broken", "fill", "broken"),
    ("end", "fill", "end"), ("grid", "stroke", "faint"), ("axis", "stroke", "soft"), ("ask-line", "stroke", "ask"),
    ("life", "stroke", "pale"),
    ("reply-line", "stroke", "reply"), ("end-line", "stroke", "end"), ("broken-line", "stroke", "broken"),
    ("window", "fill", "window"), ("window", "stroke", "frame"), ("said", "fill", "said"), ("typed", "fill", "typed"),
    ("dim", "fill", "dim"),
)  # fmt: skip

# isolate-override: letters of right-to-left scripts keep to the place and the order of their bytes.
_SHAPES = (
    f".pic text{{font:12px {SANS}}}.pic .mono{{font-family:{MONO};white-space:pre;direction:ltr;"
    "unicode-bidi:isolate-override}.pic .small{font-size:11px}.pic .strong{font-weight:600}"
    ".pic .line{fill:none;stroke-width:1.4}.pic .thin{fill:none;stroke-width:1}.pic .dash{stroke-dasharray:4 3}"
    ".pic .inferred{opacity:.55}"
)


def picture_css(colours: Mapping[str, str]) -> str:
    """The rules of a picture's classes in these colours."""
    return "".join(f".pic .{name}{{{what}:{colours[colour]}}}" for name, what, colour in _PAINTED)


def standalone_css(theme: str | None) -> str:
    """The style sheet inside a picture that stands alone: ``light``, ``dark``, or (None) as the reader's system is."""
    colours = DARK if theme == "dark" else LIGHT
    dark = f"@media(prefers-color-scheme:dark){{{picture_css(DARK)}}}" if theme is None else ""
    return _SHAPES + picture_css(colours) + dark


def page_css() -> str:
    """The style sheet of a report's page: phone, laptop, paper; light and dark (paper is always light)."""
    screen_dark = f":root{{{_variables(DARK)}}}{picture_css(DARK)}"
    return (
        f":root{{color-scheme:light dark;{_variables(LIGHT)}}}"
        f"{_SHAPES}{picture_css(LIGHT)}@media screen and (prefers-color-scheme:dark){{{screen_dark}}}{_PAGE}"
    )


def _variables(colours: Mapping[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in colours.items())


_PAGE = f"""
*{{box-sizing:border-box}}
body{{margin:0 auto;max-width:60rem;padding:1.5rem 1rem 3rem;font:16px/1.5 {SANS};color:var(--ink);
background:var(--paper);overflow-wrap:anywhere}}
h1{{font-size:1.7rem;line-height:1.2;margin:0 0 .5rem}}
h2{{font-size:1.15rem;margin:2.2rem 0 .4rem;border-bottom:1px solid var(--faint);padding-bottom:.2rem}}
p{{margin:.4rem 0}}
.lead{{font-size:1.1rem}}
.facts{{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .9rem;margin:.8rem 0;color:var(--soft)}}
.facts dd{{margin:0;color:var(--ink);min-width:0}}
.note,figcaption,footer{{color:var(--soft);font-size:.9rem}}
.warn{{color:var(--broken)}}
figure{{margin:.6rem 0}}
figure svg{{display:block;width:100%;height:auto}}
.narrow{{display:none}}
.scroll{{overflow-x:auto}}
table{{border-collapse:collapse;width:100%;font-size:.88rem}}
th{{text-align:left;font-weight:600;color:var(--soft)}}
th,td{{padding:.2rem .6rem .2rem 0;border-bottom:1px solid var(--faint);vertical-align:top;white-space:nowrap}}
.right{{text-align:right}}
code,pre,.bytes{{font-family:{MONO};font-size:.85rem}}
.bytes{{white-space:pre-wrap;direction:ltr;unicode-bidi:isolate-override;overflow-wrap:anywhere}}
pre{{margin:.2rem 0 .5rem;padding:.5rem;background:var(--panel);overflow-x:auto;line-height:1.35}}
details{{margin:.3rem 0}}
summary{{cursor:pointer}}
details details summary{{color:var(--soft);font-size:.85rem}}
.turn{{display:grid;grid-template-columns:8.5rem 1rem 1fr;gap:.5rem;padding:.1rem 0 .1rem .6rem;
border-left:2px solid var(--faint)}}
.turn time{{color:var(--soft);font:.8rem/1.7 {MONO}}}
.a{{border-left-color:var(--ask)}}.a b{{color:var(--ask)}}
.r{{border-left-color:var(--reply)}}.r b{{color:var(--reply)}}
footer{{margin-top:3rem;border-top:1px solid var(--faint);padding-top:.6rem}}
@media(max-width:640px){{
.wide{{display:none}}.narrow{{display:block}}
h1{{font-size:1.35rem}}
.turn{{grid-template-columns:1rem 1fr}}.turn time{{grid-column:1/3}}
.facts{{grid-template-columns:1fr}}.facts dd{{margin-bottom:.4rem}}
}}
@media print{{
@page{{margin:15mm}}
body{{max-width:none;padding:0;font-size:10.5pt}}
.wide{{display:block}}.narrow{{display:none}}
h2{{break-after:avoid}}
figure,tr,.turn{{break-inside:avoid}}
figure svg{{max-height:230mm}}
.scroll{{overflow:visible}}
th,td{{white-space:normal;overflow-wrap:normal;padding-right:.35rem}}
table{{font-size:8pt}}
.addr{{min-width:9em;overflow-wrap:anywhere}}
pre{{white-space:pre-wrap}}
}}
"""
