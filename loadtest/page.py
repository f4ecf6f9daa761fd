"""The result as one self-contained HTML page: no font, script or picture comes from anywhere else."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

from loadtest import table
from loadtest.chart import LEFT, PLOT_WIDTH, WIDTH, Chart, short
from loadtest.figures import charts
from loadtest.outcome import Outcome
from loadtest.verdict import Check

HERE = Path(__file__).parent


def page(outcome: Outcome) -> str:
    """The whole document."""
    name = outcome.options.scenario.name
    drawn = "".join(_figure(chart) for chart in charts(outcome))
    body = [
        _header(outcome),
        f'<section class="tiles">{"".join(_tiles(outcome))}</section>',
        f'<section class="grid2">{drawn}{_card("Verdict", _verdict(outcome))}</section>',
        f'<section class="grid2">{"".join(_tables(outcome))}</section>',
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(name)} – load test</title><style>{(HERE / 'style.css').read_text()}</style></head>"
        f"<body><main>{''.join(body)}</main><script>{(HERE / 'pointer.js').read_text()}</script></body></html>\n"
    )


def _header(outcome: Outcome) -> str:
    options = outcome.options
    tone, word = ("green", "green") if outcome.code == 0 else ("red", "not green")
    size = (
        f"{options.rooms} rooms × {options.people} people, {outcome.played:.0f} s, {options.processes} worker processes"
    )
    where = options.http or ", ".join(options.ws)
    when = outcome.started[:16].replace("T", " ")
    told = f"{options.scenario.title} · {size} · {where} ({options.protocol}) · {when} UTC"
    return (
        f'<header><h1>{escape(options.scenario.name)}</h1><span class="verdict {tone}">{word}</span>'
        f"<p>{escape(told)}</p></header>"
    )


def _tiles(outcome: Outcome) -> list[str]:
    record, found = outcome.record, outcome.found
    rate = record.total("edits") / max(0.1, outcome.played)
    spread = record.total("deliveries") / max(0.1, outcome.played)
    tiles = [("edits", short(rate), "/s"), ("deliveries", short(spread), "/s")]
    for name, words in (("delivery", "p99 to others"), ("ack", "p99 to saved"), ("join", "p99 to join")):
        p99 = record.times(name).percentile(0.99)
        if p99 is not None:
            tiles.append((words, short(p99), "ms"))
    tiles.append(("edits verified", short(found["checked"]), ""))
    tiles.append(("edits lost", short(found["missing"]), ""))
    tiles.append(("errors", short(record.errors().total()), ""))
    return [
        f'<div class="card tile"><b>{value}{f" <small>{unit}</small>" if unit else ""}</b><span>{words}</span></div>'
        for words, value, unit in tiles
    ]


def _figure(chart: Chart) -> str:
    curves = [curve for curve in chart.curves if curve.points]
    keys = "".join(f'<span class="key"><i class="tone{curve.tone}"></i>{escape(curve.name)}</span>' for curve in curves)
    data = {
        "curves": [[curve.name, [[round(at, 1), short(height)] for at, height in curve.points]] for curve in curves],
        "left": LEFT,
        "width": PLOT_WIDTH,
        "total": WIDTH,
        "seconds": chart.seconds,
    }
    shown = escape(json.dumps(data, separators=(",", ":")), quote=True)
    caption = f'<h2>{escape(chart.title)}</h2><span class="unit">{escape(chart.unit)}</span>{keys}'
    return f'<figure class="card" data-curves="{shown}"><figcaption>{caption}</figcaption>{chart.svg()}</figure>'


def _tables(outcome: Outcome) -> list[str]:
    cards = [_card("Latency", _table(table.times(outcome))), _card("Totals", _table(table.totals(outcome)))]
    if errors := outcome.record.errors():
        rows = [["error", "count"], *([words, f"{count:,}"] for words, count in errors.most_common(12))]
        cards.append(_card("Errors", _table(rows)))
    if outcome.search is not None:
        rows = [["edits/s asked", "edits/s", "deliveries/s", "p99 ms", ""]]
        for step in outcome.search.steps:
            figures = (step.rate, step.edits_s, step.deliveries_s, step.p99_ms)
            rows.append([*map(table.number, figures), step.broke or "held"])
        cards.append(_card("Search", _table(rows)))
    return cards


def _verdict(outcome: Outcome) -> str:
    items = [f'<li class="{"" if check.holds else "broken"}">{escape(_words(check))}</li>' for check in outcome.checks]
    items += [f'<li class="broken">{escape(problem)}</li>' for problem in outcome.found["problems"][:5]]
    remarks = [*outcome.remarks, *(table.limit(outcome) if outcome.search else [])]
    items += [f'<li class="remark">{escape(remark)}</li>' for remark in remarks]
    if trend := outcome.slope:
        items.append(f'<li class="{"remark" if trend.grows else ""}">{escape(f"server memory {trend}")}</li>')
    return f"<ul>{''.join(items)}</ul>"


def _words(check: Check) -> str:
    return table.judged(check).strip().removeprefix("ok").removeprefix("FAIL").strip()


def _card(title: str, inside: str) -> str:
    return f'<div class="card words"><h2>{escape(title)}</h2><div class="scroll">{inside}</div></div>'


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in body)
    return f"<table><tr>{''.join(f'<th>{escape(cell)}</th>' for cell in head)}</tr>{lines}</table>"
