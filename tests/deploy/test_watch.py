"""Dashboard and alerts ask for what the apps really tell, in words that Prometheus understands."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import httpx
import promql_parser
import pytest

from launch.app import App
from tests.deploy.support import dashboard, document, documents, rules

PROMETHEUS_OWN = {"up"}
OF_EVERY_PROCESS = {"process_start_time_seconds", "process_virtual_memory_bytes"}
"""The client library tells them unasked, and nobody has missed them."""
LABELS = {"instance", "job", "le", "method", "outcome", "reason", "route", "status"}


def panels() -> list[dict[str, Any]]:
    """The dashboard's panels, rows apart."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    """Every PromQL expression of the dashboard and of the alerts."""
    shown = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [*(text.replace("$__rate_interval", "1m") for text in shown), *(rule["expr"] for rule in rules())]


def selectors(expression: object) -> Iterator[promql_parser.VectorSelector]:
    """Every place where an expression names a metric."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    elif isinstance(expression, promql_parser.MatrixSelector):
        yield expression.vector_selector
    elif isinstance(expression, promql_parser.BinaryExpr):
        yield from selectors(expression.lhs)
        yield from selectors(expression.rhs)
    elif isinstance(expression, promql_parser.Call):
        for argument in expression.args:
            yield from selectors(argument)
    elif isinstance(expression, promql_parser.AggregateExpr | promql_parser.ParenExpr | promql_parser.SubqueryExpr):
        yield from selectors(expression.expr)


async def told(*apps: App) -> set[str]:
    """The names of all series that the apps tell, whether or not there is one yet."""
    names: set[str] = set()
    async with httpx.AsyncClient() as client:
        for app in apps:
            text = (await client.get(f"{app.http}/metrics")).text
            for line in text.splitlines():
                if line.startswith("# TYPE "):
                    _, _, name, kind = line.split()
                    suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
                    names.update(name + suffix for suffix in suffixes)
    return names


async def test_every_metric_exists(collab: App, api_server: App) -> None:
    """No panel and no alert asks for a metric that neither app tells."""
    asked = {str(selector.name) for text in expressions() for selector in selectors(promql_parser.parse(text))}
    assert len(asked) > 15
    assert asked <= await told(collab, api_server) | PROMETHEUS_OWN


async def test_every_metric_is_watched(collab: App, api_server: App) -> None:
    """Whatever the apps tell is on the dashboard or in an alert: nothing is measured for nobody."""
    asked = {str(selector.name) for text in expressions() for selector in selectors(promql_parser.parse(text))}
    histograms = ("_sum", "_count", "_created")
    unseen = {
        name for name in await told(collab, api_server) - asked - OF_EVERY_PROCESS if not name.endswith(histograms)
    }
    assert not unseen


def test_every_label_exists() -> None:
    """Selectors ask for labels that there are."""
    asked = {
        matcher.name
        for text in expressions()
        for selector in selectors(promql_parser.parse(text))
        for matcher in selector.matchers.matchers
    }
    assert asked <= LABELS


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_it_means(rule: dict[str, Any]) -> None:
    """An alert compares, says how grave it is, what happened, and what to do."""
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["what"].endswith((".", ")."))
    assert isinstance(promql_parser.parse(rule["expr"]), promql_parser.BinaryExpr)


def test_kubernetes_has_the_same_alerts() -> None:
    """The PrometheusRule is the file that Prometheus reads."""
    (rule,) = [one for one in documents("kubernetes/monitoring.yaml") if one["kind"] == "PrometheusRule"]
    assert rule["spec"] == document("watch/alerts.yaml")


def test_jobs_are_called_alike() -> None:
    """What `up` is asked about is what compose's Prometheus scrapes, and the services that the ServiceMonitors find."""
    jobs = {job["job_name"] for job in document("watch/prometheus.yaml")["scrape_configs"]}
    monitors = {
        one["metadata"]["name"] for one in documents("kubernetes/monitoring.yaml") if one["kind"] == "ServiceMonitor"
    }
    assert jobs == monitors == {"backline-collab", "backline-api"}


def test_panels_have_their_own_place() -> None:
    """Panels have different ids, stay within 24 columns and do not cover each other."""
    places = [panel["gridPos"] for panel in dashboard()["panels"]]
    assert len({panel["id"] for panel in dashboard()["panels"]}) == len(places)
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above
