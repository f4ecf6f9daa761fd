"""The manifests: parts that fit each other and the servers' own settings."""

from typing import Any

import pytest

from api.pages import routes
from collab_server.door import PUBLIC
from tests.deploy.support import DEPLOY, LAST_WORDS, document, documents, settings_names

FOLDER = DEPLOY / "kubernetes"


def everything() -> list[dict[str, Any]]:
    """Every object that kustomization.yaml names."""
    named = document("kubernetes/kustomization.yaml")["resources"]
    return [one for name in named for one in documents(f"kubernetes/{name}")]


def of(kind: str, name: str) -> dict[str, Any]:
    """One object."""
    (only,) = [one for one in everything() if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return only


def pod(name: str) -> dict[str, Any]:
    """The pod of a deployment."""
    return dict(of("Deployment", name)["spec"]["template"]["spec"])


def test_every_file_is_used() -> None:
    """kustomization.yaml names every manifest, but neither itself nor the example of a secret."""
    files = {file.name for file in FOLDER.glob("*.yaml")} - {"kustomization.yaml", "secret.example.yaml"}
    assert set(document("kubernetes/kustomization.yaml")["resources"]) == files


def test_the_apps_know_what_they_are_told() -> None:
    """Config map and secret hold nothing that nobody reads; together they have what is required."""
    told = {*of("ConfigMap", "backline")["data"], *document("kubernetes/secret.example.yaml")["stringData"]}
    assert told <= settings_names()
    assert {"DATABASE__URL", "BUS__URL", "TICKETS__SECRET"} <= told


def test_a_server_has_time_to_stop() -> None:
    """The kubelet waits longer than preStop, the last commits and the goodbyes may take."""
    config, spec = of("ConfigMap", "backline")["data"], pod("backline-collab")
    pause = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = float(config["COLLAB__DRAIN_SECONDS_MAX"]) + float(config["COLLAB__DRAIN_SPREAD_SECONDS"])
    assert spec["terminationGracePeriodSeconds"] >= pause + drain + LAST_WORDS


@pytest.mark.parametrize("name", ["backline-collab", "backline-api"])
def test_selectors_find_the_pods(name: str) -> None:
    """Deployment, service and disruption budget select the labels that the pods have."""
    labels = of("Deployment", name)["spec"]["template"]["metadata"]["labels"].items()
    assert of("Deployment", name)["spec"]["selector"]["matchLabels"].items() <= labels
    assert of("Service", name)["spec"]["selector"].items() <= labels
    assert of("PodDisruptionBudget", name)["spec"]["selector"]["matchLabels"].items() <= labels
    monitor = of("ServiceMonitor", name)["spec"]
    assert monitor["selector"]["matchLabels"].items() <= of("Service", name)["metadata"]["labels"].items()
    ports = {port["name"] for port in of("Service", name)["spec"]["ports"]}
    assert {end["port"] for end in monitor["endpoints"]} <= ports


@pytest.mark.parametrize("name", ["backline-collab", "backline-api"])
def test_probes_ask_the_right_questions(name: str) -> None:
    """Whoever is not ready gets nobody new; only who does not answer at all is restarted."""
    container = pod(name)["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/live"
    ports = {port["name"] for port in container["ports"]}
    assert {container[probe]["httpGet"]["port"] for probe in ("readinessProbe", "livenessProbe")} <= ports
    assert {port["targetPort"] for port in of("Service", name)["spec"]["ports"]} <= ports


@pytest.mark.parametrize("name", ["backline-collab", "backline-api", "backline-migrate"])
def test_pods_are_restricted(name: str) -> None:
    """They keep what the namespace's `restricted` standard demands."""
    kind = "Job" if name == "backline-migrate" else "Deployment"
    spec = of(kind, name)["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def service_of(path: str) -> str | None:
    """Which service the ingress sends a path to."""
    (rule,) = of("Ingress", "backline")["spec"]["rules"]
    for entry in sorted(rule["http"]["paths"], key=lambda entry: -len(entry["path"])):
        prefix = entry["path"].rstrip("/")
        inside = entry["pathType"] == "Prefix" and path.startswith(f"{prefix}/")
        if path == entry["path"] or inside:
            return str(entry["backend"]["service"]["name"])
    return None


def test_the_ingress_knows_every_page() -> None:
    """Each page, the API and the websockets have their service; what is for operators is not reachable."""
    assert {service_of(route.path) for route in routes()} == {"backline-api"}
    assert service_of("/api/projects") == "backline-api"
    assert {service_of(f"{path}0" if path.endswith("/") else path) for path in PUBLIC} == {"backline-collab"}
    assert [service_of(path) for path in ("/metrics", "/ready", "/live", "/operator/rooms")] == [None] * 4
