"""How cards, tables and the schematic of areas look: templates and the style of a dashboard.

Templates are Handlebars; what they write out is escaped, and Superset sanitises the rest.
"""

from collections.abc import Iterable, Sequence

from publish.wording import OBS_STATUSES, SCHEMATIC, USUAL_STATUS, Text
from reports.superset import words

# Word and colour together: nobody needs to tell colours apart.
STYLE = """
.cl-cards{display:flex;flex-wrap:wrap;gap:12px;align-content:flex-start;padding:2px}
.cl-card{flex:1 1 215px;max-width:340px;border:1px solid #d5dbe3;border-left:8px solid #9aa4b2;
 border-radius:6px;padding:10px 12px;background:#fff;font-size:13px;line-height:1.35;color:#1b1f24}
.cl-card.cl-green{border-left-color:#1a7f37}.cl-card.cl-amber{border-left-color:#d98e04}
.cl-card.cl-red{border-left-color:#b3261e}
.cl-name{font-weight:600;min-height:35px}.cl-name a{color:#0b3d75;text-decoration:underline}
.cl-area{color:#57606a}
.cl-value{font-size:25px;font-weight:700;line-height:1.2;margin:2px 0}
.cl-first{font-size:17px}.cl-quiet{color:#57606a}.cl-line{margin-top:2px}
.cl-pill,.cl-stamp{display:inline-block;border-radius:10px;padding:0 8px;font-size:12px;
 font-weight:600;line-height:20px;background:#e7eaee;color:#1b1f24;white-space:nowrap}
.cl-pill.cl-green{background:#1a7f37;color:#fff}.cl-pill.cl-amber{background:#f2b632;color:#1b1f24}
.cl-pill.cl-red,.cl-pill.cl-rejected,.cl-pill.cl-unpublished{background:#b3261e;color:#fff}
.cl-pill.cl-late,.cl-pill.cl-held{background:#ffdf8c}
.cl-stamp{border-radius:3px;border:1px solid #b6bfca;background:#f3f5f8;font-weight:500}
.cl-stamp-late,.cl-stamp-held{background:#ffdf8c;border-color:#8a5a00;font-weight:700}
.cl-stamp-rejected,.cl-stamp-unpublished{background:#b3261e;border-color:#7d1a15;color:#fff;
 font-weight:700}
.cl-table{width:100%;border-collapse:collapse;font-size:13px;color:#1b1f24}
.cl-table th{text-align:left;font-weight:600;border-bottom:2px solid #b6bfca;padding:4px 8px;
 background:#f3f5f8}
.cl-table td{border-bottom:1px solid #e3e7ec;padding:4px 8px;vertical-align:top}
.cl-number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.cl-tiles{display:grid;grid-auto-rows:minmax(50px,auto);grid-auto-columns:102px;gap:3px;
 overflow-x:auto}
.cl-tile{border-radius:4px;padding:3px 5px;background:#e7eaee;color:#1b1f24;font-size:11px;
 line-height:1.2;overflow:hidden}
.cl-tile.cl-green{background:#1a7f37;color:#fff}.cl-tile.cl-amber{background:#f2b632}
.cl-tile.cl-red{background:#b3261e;color:#fff}
.cl-tile b{display:block;font-size:13px;white-space:nowrap}
.cl-word{font-size:10px;font-weight:400;padding-left:5px}.cl-label{display:none}
.cl-tile i{display:block;font-style:normal;font-size:10px}
.cl-note{font-size:12px;color:#57606a;margin:0 0 6px}
.resizable-container:has(.cl-cards,.cl-note,.ant-empty),
.resizable-container:has(.cl-cards,.cl-note,.ant-empty) div:has(.cl-cards,.cl-note,.ant-empty),
.dashboard-markdown,.dashboard-markdown .resizable-container,
.dashboard-markdown .dashboard-component-chart-holder{
 height:auto!important;min-height:0!important;overflow:visible!important}
.resizable-container .ant-empty-image{display:none}
@media (max-width:800px){
 .cl-card{flex:1 1 100%;max-width:none}.cl-name{min-height:0}
 .cl-table thead{display:none}
 .cl-table tr{display:block;border-bottom:1px solid #b6bfca;padding:6px 0}
 .cl-table td{display:block;border:0;padding:1px 4px}.cl-label{display:inline}
 .title-panel>div:has(.metadata-text){display:none}
 .cl-tiles{display:flex;flex-wrap:wrap}.cl-tile{flex:1 1 94px;max-width:160px;min-height:44px}
}
"""


def show(name: str) -> str:
    """What a column holds, escaped."""
    return f"{{{{{name}}}}}"


def when(name: str, then: str, otherwise: str = "") -> str:
    """One text where a column holds something, else another."""
    return f"{{{{#if {name}}}}}{then}{{{{else}}}}{otherwise}{{{{/if}}}}"


def each_row(body: str) -> str:
    """A text for each row."""
    return f"{{{{#each data}}}}{body}{{{{/each}}}}"


def stamp(prefix: str, language: str) -> str:
    """The stamp of a figure; `prefix` stands before the names of its columns."""
    code, word = show(f"{prefix}stamp"), show(f"{prefix}stamp_text_{language}")
    return f'<span class="cl-stamp cl-stamp-{code}">{word}</span>'


def pill(code: str, word: str) -> str:
    """A coloured word, where there is one; a code of `late` and the like colours as a stamp."""
    return when(word, f'<span class="cl-pill cl-{show(code)}">{show(word)}</span> ')


def cards(language: str, *, of_areas: bool, more: str = "") -> str:
    """A card for each row: the newest complete value large, the running period below it.

    Args:
        language: Of the texts.
        of_areas: Whether a row is of an area, whose name and city's value stand there too.
        more: Address to which the name leads, as a template.
    """

    def latest(column: str) -> str:
        return f"latest_{column}_{language}"

    def line(title: Text, column: str) -> str:
        quiet = f'<span class="cl-quiet">{title.of(language)}:</span>'
        return when(column, f'<div class="cl-line">{quiet} {show(column)}</div>')

    name = show(f"indicator_name_{language}")
    if more:
        name = f'<a href="{more}">{name}</a>'
    of_group = f"{show(f'area_name_{language}')} · {show(f'service_group_name_{language}')}"
    area = f'<div class="cl-area">{of_group}</div>' if of_areas else ""
    value = f'<div class="cl-value">{show(latest("value_text"))}</div>'
    rated = pill("latest_rating", latest("rating_text"))
    status = show(f"shown_obs_status_text_{language}")
    note = when(latest("area_note"), f" ({show(latest('area_note'))})")
    told = f"<div>{rated}{show(latest('period'))}{note} · {status}</div>"
    running = f"running_text_{language}"
    unrated = f'<div class="cl-quiet">{words.UNRATED.of(language)} · {status}</div>'
    first = f'<div class="cl-value cl-first">{show(running)}</div>{unrated}'
    nothing = f'<div class="cl-quiet">{words.NO_FIGURE.of(language)}</div>'
    parts = [
        f'<div class="cl-name">{name}{area}</div>',
        when(latest("value_text"), value + told, when(running, first, nothing)),
        line(words.TARGET, f"shown_target_text_{language}"),
        line(words.CHANGE, latest("change_text")),
        line(words.WHOLE_CITY, f"shown_city_value_text_{language}") if of_areas else "",
        when(latest("value_text"), line(words.RUNNING, running)),
        line(words.AS_OF, f"shown_data_as_of_text_{language}"),
        f'<div class="cl-line">{stamp("any_", language)}</div>',
    ]
    card = f'<div class="cl-card cl-{show("latest_rating")}">{"".join(parts)}</div>'
    empty = f'<p class="cl-note">{words.NO_FIGURE.of(language)}</p>'
    return when("data.length", f'<div class="cl-cards">{each_row(card)}</div>', empty)


def table(columns: Sequence[tuple[str, str]], empty: str, more: str = "") -> str:
    """A table of texts with a row for each row.

    Args:
        columns: Heading and content of each cell, as a template.
        empty: What stands there when there is no row.
        more: What stands below, as a template over the first row.
    """
    head = "".join(f"<th>{title}</th>" for title, _ in columns)
    body = "".join(
        f'<td><span class="cl-label cl-quiet">{title}: </span>{content}</td>'
        for title, content in columns
    )
    rows = each_row(f"<tr>{body}</tr>")
    made = f'<table class="cl-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    if more:
        made += each_row(when("@first", more))
    return when("data.length", made, f'<p class="cl-note">{empty}</p>')


def tiles(language: str) -> str:
    """Each area as a tile in its place of the schematic."""
    word = show(f"value_text_{language}")
    rated = f'<span class="cl-word">{show(f"rating_text_{language}")}</span>'
    shown = when("value", f"<b>{word}{rated}</b>", f"<i>{word}</i>")
    noted = "".join(
        when(name, f"<i>{show(name)}</i>")
        for name in (f"status_note_{language}", f"caution_{language}")
    )
    place = f"grid-column:{show('tile_x')};grid-row:{show('tile_y')}"
    tile = (
        f'<div class="cl-tile cl-{show("rating")}" style="{place}">'
        f"{show(f'area_name_{language}')}{shown}{noted}</div>"
    )
    about = [
        f"{show(f'indicator_name_{language}')}, {show(f'period_{language}')}",
        when(
            f"target_text_{language}",
            f"{words.TARGET.of(language)}: {show(f'target_text_{language}')}",
            words.NO_TARGET.of(language),
        ),
        f"{OBS_STATUSES[USUAL_STATUS].of(language)}{words.BUT_TILES.of(language)}",
        f"{words.AS_OF.of(language)} {show(f'data_as_of_text_{language}')}",
        stamp("", language),
    ]
    first = each_row(when("@first", " · ".join(about)))
    note = f'<p class="cl-note">{SCHEMATIC.of(language)} · {first}</p>'
    made = f'{note}<div class="cl-tiles">{each_row(tile)}</div>'
    return when("data.length", made, f'<p class="cl-note">{words.NO_AREAS.of(language)}</p>')


def notes(language: str) -> str:
    """A line for each stamp, status and data-as-of, with the indicators that have them."""
    day = f"{words.AS_OF.of(language)} {show(f'data_as_of_text_{language}')}"
    status = show(f"obs_status_text_{language}")
    names = show(f"names_{language}")
    line = f'<p class="cl-note">{stamp("", language)} {status} · {day}: {names}</p>'
    empty = f'<p class="cl-note">{words.NO_FIGURE.of(language)}</p>'
    return when("data.length", each_row(line), empty)


def listed(names: Iterable[str], note: str) -> str:
    """A list in Markdown below a note."""
    return "\n".join([f"**{note}**", "", *(f"- {name}" for name in names)])
