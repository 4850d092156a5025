"""What a logger is told: by arguments, by the environment, or by default; checked before anything starts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from typing_extensions import Unpack

WhenFull = Literal["drop_newest", "drop_oldest"]
KafkaValue = str | int | float | bool

_MIB = 1024 * 1024
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s,:\[\]]+):([0-9]{1,5})")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
# What the guarantees rest on, and what the logger sets by options of its own.
_RESERVED_KAFKA_OPTIONS = frozenset(
    {"acks", "bootstrap.servers", "delivery.timeout.ms", "enable.idempotence", "message.timeout.ms"}
    | {"metadata.broker.list", "request.required.acks", "transactional.id"}
)


class ConfigError(ValueError):
    """A wrong option. The message names the option and its rule; `option` is its name."""

    def __init__(self, option: str, rule: str) -> None:
        super().__init__(f"{option}: {rule}")
        self.option = option


class Options(TypedDict, total=False):
    """The options of a logger, as arguments; `Config` says what each one means."""

    brokers: str
    topic: str
    buffer_events: int
    buffer_bytes: int
    when_full: WhenFull
    spill_dir: str | Path
    spill_bytes: int
    delivery_timeout: float
    exit_timeout: float
    send_lead_name: bool
    send_error_message: bool
    handle_sigterm: bool
    kafka: Mapping[str, KafkaValue]


def _default_spill_dir() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "kaizen" / "spill"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Checked options.

    Each one but `kafka` can also be given by the environment, as `KAIZEN_` and its name in capitals. An argument wins.
    """

    brokers: str
    """`host:port`, several separated by commas. Required."""
    topic: str = "kaizen.decisions"
    """Topic that decisions go to; `kaizen.decisions.backfill` for history."""
    buffer_events: int = 10_000
    """Most decisions that wait in memory for the background thread. 1 to 1,000,000."""
    buffer_bytes: int = 64 * _MIB
    """Most bytes that wait there. The background thread may hold as many again while the Kafka client, which takes
    64 MiB, has no room. 64 KiB to 4 GiB."""
    when_full: WhenFull = "drop_newest"
    """What is dropped, and counted, when the buffer is full: `drop_newest` or `drop_oldest`."""
    spill_dir: Path = field(default_factory=_default_spill_dir)
    """Folder on a local disk that decisions wait in while the broker is away; processes may share it.
    Default `$XDG_STATE_HOME/kaizen/spill`, or below `~/.local/state`."""
    spill_bytes: int = 256 * _MIB
    """Most bytes a process keeps there. 1 MiB to 1 TiB, or 0: nothing is ever written to disk."""
    delivery_timeout: float = 10.0
    """Seconds the broker has to acknowledge a decision before it is spilled. 1 to 300."""
    exit_timeout: float = 5.0
    """Seconds that `close` and the end of the process wait for the broker. 0 to 300."""
    send_lead_name: bool = True
    """Whether the lead's name, which is personal data, leaves the process."""
    send_error_message: bool = False
    """Whether the message of an exception, which may hold personal data, is recorded beside its type."""
    handle_sigterm: bool = False
    """Whether SIGTERM flushes before it does what it did before. Only in the main thread."""
    kafka: Mapping[str, KafkaValue] = field(default_factory=dict, repr=False)
    """Further options of librdkafka, such as `security.protocol`. Not by the environment."""

    def __post_init__(self) -> None:
        for broker in self.brokers.split(","):
            match = _HOST_AND_PORT.fullmatch(broker.strip())
            _require(
                match is not None and 1 <= int(match[2]) <= 65_535,
                "brokers",
                f"must be host:port, several separated by commas, is {self.brokers!r}",
            )
        _require(
            _TOPIC.fullmatch(self.topic) is not None,
            "topic",
            f"must be 1 to 249 letters, digits, '.', '_' or '-', is {self.topic!r}",
        )
        _between("buffer_events", self.buffer_events, 1, 1_000_000)
        _between("buffer_bytes", self.buffer_bytes, 64 * 1024, 4096 * _MIB)
        _require(
            self.when_full in ("drop_newest", "drop_oldest"),
            "when_full",
            f"must be drop_newest or drop_oldest, is {self.when_full!r}",
        )
        if self.spill_bytes != 0:
            _between("spill_bytes", self.spill_bytes, _MIB, _MIB * _MIB, "0, or ")
        _between("delivery_timeout", self.delivery_timeout, 1, 300)
        _between("exit_timeout", self.exit_timeout, 0, 300)
        for option in self.kafka:
            _require(
                option not in _RESERVED_KAFKA_OPTIONS and not option.endswith("_cb"),
                "kafka",
                f"must not hold {option!r}, which the logger sets",
            )


def resolve(**options: Unpack[Options]) -> Config:
    """The options, completed from the environment.

    Raises:
        ConfigError: an option is unknown, missing or against its rule.
    """
    given: dict[str, Any] = dict(options)
    known = {option.name: str(option.type) for option in fields(Config)}
    for option in given:
        _require(option in known, option, f"is no option; there are {', '.join(known)}")
    for option in known:
        text = os.environ.get(f"KAIZEN_{option.upper()}", "")
        if text and option != "kafka":
            given.setdefault(option, text)
    _require("brokers" in given, "brokers", "is required, as an argument or by KAIZEN_BROKERS")
    return Config(**{option: _read(option, known[option], value) for option, value in given.items()})


def _read(option: str, kind: str, value: object) -> Any:
    """The value as the option's type; text, which the environment gives, is read."""
    match kind, value:
        case "str" | "WhenFull", str():
            return value
        case "bool", bool():
            return value
        case "bool", str() if value.lower() in ("true", "1", "false", "0"):
            return value.lower() in ("true", "1")
        case "bool", _:
            raise ConfigError(option, f"must be true or false, is {value!r}")
        case "Path", str() | Path() if str(value):
            return Path(value)
        case "int", int() if not isinstance(value, bool):
            return value
        case "float", int() | float() if not isinstance(value, bool):
            return float(value)
        case (("int" | "float"), str()):
            try:
                return int(value) if kind == "int" else float(value)
            except ValueError:
                pass
        case str(), Mapping() if kind.startswith("Mapping"):
            return dict(value)
    expected = {"int": "a whole number", "float": "a number of seconds", "Path": "a path"}
    raise ConfigError(option, f"must be {expected.get(kind, kind)}, is {value!r}")


def _require(holds: bool, option: str, rule: str) -> None:
    if not holds:
        raise ConfigError(option, rule)


def _between(option: str, value: float, least: float, most: float, other: str = "") -> None:
    _require(least <= value <= most, option, f"must be {other}{least:,} to {most:,}, is {value!r}")
