from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from broker import REPOSITORY

from kaizen.config import Config, ConfigError, Options, resolve

BROKERS = "kafka-1:9092"


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("brokers", "kafka", "must be host:port"),
        ("brokers", "kafka:99999", "must be host:port"),
        ("brokers", "kafka:9092,", "must be host:port"),
        ("topic", "no spaces", "must be 1 to 249"),
        ("buffer_events", 0, "must be 1 to 1,000,000"),
        ("buffer_events", True, "must be a whole number"),
        ("buffer_events", "many", "must be a whole number"),
        ("buffer_bytes", 1, "must be 65,536 to"),
        ("when_full", "block", "must be drop_newest or drop_oldest"),
        ("spill_dir", 7, "must be a path"),
        ("spill_bytes", 5, "must be 0, or 1,048,576 to"),
        ("delivery_timeout", 0.5, "must be 1 to 300"),
        ("delivery_timeout", float("nan"), "must be 1 to 300"),
        ("exit_timeout", "soon", "must be a number of seconds"),
        ("send_lead_name", "maybe", "must be true or false"),
        ("kafka", {"acks": 1}, "must not hold 'acks'"),
        ("kafka", {"error_cb": print}, "must not hold 'error_cb'"),
        ("colour", "blue", "is no option; there are brokers, topic,"),
    ],
)
def test_a_wrong_option_is_refused_with_its_name_and_rule(option: str, value: object, rule: str) -> None:
    options: dict[str, Any] = {"brokers": BROKERS, option: value}
    with pytest.raises(ConfigError) as refusal:
        resolve(**options)
    assert refusal.value.option == option
    assert str(refusal.value).startswith(f"{option}: {rule}")


def test_without_brokers_the_error_says_how_to_give_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAIZEN_BROKERS", raising=False)
    with pytest.raises(ConfigError, match="brokers: is required, as an argument or by KAIZEN_BROKERS"):
        resolve()


def test_the_environment_completes_arguments_and_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "BROKERS": "a:1,[::1]:2",
        "TOPIC": "from-the-environment",
        "SPILL_DIR": "/var/spool/kaizen",
        "SPILL_BYTES": "0",
        "DELIVERY_TIMEOUT": "2.5",
        "WHEN_FULL": "drop_oldest",
        "SEND_LEAD_NAME": "False",
    }.items():
        monkeypatch.setenv(f"KAIZEN_{name}", value)
    assert resolve(topic="from-an-argument", exit_timeout=3) == Config(
        brokers="a:1,[::1]:2",
        topic="from-an-argument",
        spill_dir=Path("/var/spool/kaizen"),
        spill_bytes=0,
        delivery_timeout=2.5,
        exit_timeout=3.0,
        when_full="drop_oldest",
        send_lead_name=False,
    )


def test_the_spill_folder_is_the_users_state_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert resolve(brokers=BROKERS).spill_dir == Path("/state/kaizen/spill")


def test_options_and_configuration_name_the_same_things() -> None:
    assert set(Options.__annotations__) == {option.name for option in fields(Config)}


def test_the_readme_tells_every_option() -> None:
    _, options = (REPOSITORY / "sdk/python/README.md").read_text().split("## Options")
    told = re.findall(r"^\| `(\w+)` \| ", options, re.MULTILINE)
    assert told == [option.name for option in fields(Config)]


def test_secrets_among_the_kafka_options_are_not_shown() -> None:
    assert "hunter2" not in repr(resolve(brokers=BROKERS, kafka={"sasl.password": "hunter2"}))
