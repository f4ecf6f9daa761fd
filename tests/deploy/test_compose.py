"""compose.yaml: valid, complete, and patient enough with a server that stops."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collab_server.settings import CollabSettings
from tests.deploy.support import DEPLOY, LAST_WORDS, document, settings_names

OURS = ("collab-1", "collab-2", "collab-3", "api", "migrate")


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    """Every service by name."""
    return dict(document("compose.yaml")["services"])


def test_it_is_valid() -> None:
    """The file follows the schema of the compose specification."""
    tool = Path(sys.executable).with_name("check-jsonschema")
    command = [str(tool), "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_asked_for_is_in_the_example() -> None:
    """Every variable of compose.yaml but the version stands in .env.example, and nothing else does."""
    asked = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text())) - {"BACKLINE_VERSION"}
    assert asked == set(re.findall(r"^([A-Z_]+)=", (DEPLOY / ".env.example").read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", OURS)
def test_the_apps_know_what_they_are_told(services: dict[str, dict[str, Any]], name: str) -> None:
    """No app is given a variable that nobody reads, and each has the three that are required."""
    told = set(services[name]["environment"])
    assert told <= settings_names()
    assert {"DATABASE__URL", "BUS__URL", "TICKETS__SECRET"} <= told


@pytest.mark.parametrize("name", OURS)
def test_the_apps_have_no_more_rights_than_they_need(services: dict[str, dict[str, Any]], name: str) -> None:
    """Nothing can be written, no capability is kept, none can be gained."""
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_a_server_has_time_to_stop(services: dict[str, dict[str, Any]]) -> None:
    """Docker waits longer than the last commits and goodbyes of a collab server may take."""
    settings = CollabSettings()
    bound = settings.drain_seconds_max + settings.drain_spread_seconds + LAST_WORDS
    for name in ("collab-1", "collab-2", "collab-3"):
        assert int(services[name]["stop_grace_period"].removesuffix("s")) >= bound


def test_what_is_mounted_is_there(services: dict[str, dict[str, Any]]) -> None:
    """Every file that a service mounts exists, and every volume is declared."""
    declared = set(document("compose.yaml")["volumes"])
    for service in services.values():
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            assert (DEPLOY / source).is_file() if source.startswith(".") else source in declared


def test_only_the_proxy_faces_the_world(services: dict[str, dict[str, Any]]) -> None:
    """No other service is published beyond this machine, and the inside has no way out."""
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(published) == {"proxy", "grafana"}
    assert all(port.startswith("127.0.0.1:") for port in published["grafana"])
    assert document("compose.yaml")["networks"]["inside"]["internal"] is True


def test_the_api_believes_the_proxy(services: dict[str, dict[str, Any]]) -> None:
    """The one address whose X-Forwarded-For is believed is the proxy's."""
    proxy = services["proxy"]["networks"]["inside"]["ipv4_address"]
    assert services["api"]["environment"]["API__TRUSTED_PROXIES"] == proxy
