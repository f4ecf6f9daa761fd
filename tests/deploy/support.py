"""What the deployment's files say, read as data."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from api.settings import Settings as ApiSettings
from collab_server.settings import Settings as CollabSettings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
LAST_WORDS = 15
"""Seconds a collab server may take beyond its two bounds: the sessions it ends, the connections it closes."""


def documents(name: str) -> list[dict[str, Any]]:
    """Every document of a YAML file below deploy/."""
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def document(name: str) -> dict[str, Any]:
    """The only document of a YAML file below deploy/."""
    (only,) = documents(name)
    return dict(only)


def dashboard() -> dict[str, Any]:
    """Grafana's."""
    read: dict[str, Any] = json.loads((DEPLOY / "watch" / "grafana" / "backline.json").read_text())
    return read


def rules() -> list[dict[str, Any]]:
    """Every alert."""
    return [rule for group in document("watch/alerts.yaml")["groups"] for rule in group["rules"]]


def settings_names() -> frozenset[str]:
    """Every variable that one of the apps reads."""
    return frozenset((*_names(CollabSettings), *_names(ApiSettings)))


def _names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _names(inner, f"{prefix}{name}__".upper())
        else:
            yield f"{prefix}{name}".upper()
