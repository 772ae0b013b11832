"""Prometheus asks every process, and alerts and dashboard name only series that exist."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from kehu.plan import PROJECT, SERVICES
from tests.factories.deployment import CONTAINERS, DEPLOY, PROCESSES

ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((DEPLOY / "dashboards" / "kehu.json").read_text(encoding="utf-8"))
OPERATIONS = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
SERIES = re.compile(r"\b(?:kehu_\w+|up)\b")


def test_every_process_is_asked() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    targets = config["scrape_configs"][0]["static_configs"][0]["targets"]
    assert sorted(targets) == sorted(f"{name}:8000" for name in PROCESSES)
    assert config["rule_files"] == ["alerts.yml"]


@pytest.mark.parametrize("expression", [each["expr"] for each in ALERTS])
def test_an_alert_names_only_series_and_labels_that_exist(expression: str) -> None:
    _assert_known(expression)


def test_the_dashboard_names_only_series_and_labels_that_exist() -> None:
    for expression in _expressions(DASHBOARD):
        _assert_known(expression)


def test_no_series_of_ours_goes_unwatched() -> None:
    watched = " ".join([*_expressions(DASHBOARD), *(each["expr"] for each in ALERTS)])
    unwatched = [family for family in _families() if not re.search(rf"\b{family}(_bucket|_count|_total|\b)", watched)]
    assert unwatched == []


def test_every_alert_and_series_is_explained() -> None:
    named = [each["alert"] for each in ALERTS] + sorted(_families())
    assert [name for name in named if f"`{name}" not in OPERATIONS] == []


def test_grafana_finds_its_source_and_its_dashboard() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    source = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))
    provider = yaml.safe_load((provisioning / "dashboards" / "kehu.yml").read_text(encoding="utf-8"))
    used = {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]}
    assert used == {source["datasources"][0]["uid"]}
    path = provider["providers"][0]["options"]["path"]
    assert f"./dashboards:{path}:ro" in CONTAINERS["grafana"]["volumes"]


def _assert_known(expression: str) -> None:
    names = SERIES.findall(expression)
    assert names
    families = _families()
    for name in names:
        family = re.sub(r"_(bucket|count|sum|total)$", "", name)
        assert name == "up" or family in families, name
    allowed = {"job", "instance", "le"}.union(
        *(families[re.sub(r"_(bucket|count|total)$", "", n)] for n in names if n != "up")
    )
    labels = re.findall(r"(\w+)\s*(?:=~|!=|=)\s*\"", expression)
    labels += [label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")]
    assert set(labels) <= allowed


def _families() -> dict[str, set[str]]:
    """Metric -> its labels, of all services."""
    for name in SERVICES:
        import_module(f"services.{name}.app")
    collectors = {id(each): each for each in REGISTRY._names_to_collectors.values()}.values()
    return {
        each._name: set(each._labelnames) for each in collectors if str(getattr(each, "_name", "")).startswith("kehu_")
    }


def _expressions(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "expr" in node:
            yield node["expr"]
        for each in node.values():
            yield from _expressions(each)
    elif isinstance(node, list):
        for each in node:
            yield from _expressions(each)
