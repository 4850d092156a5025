"""What most people would write: confluent-kafka and clickhouse-connect, at least once."""

import argparse
import json
import sys
from datetime import datetime

import clickhouse_connect
from confluent_kafka import Consumer, KafkaException, Message

# Rows of a batch, and the longest wait for it to fill, in seconds.
BATCH, WAIT = 50_000, 1.0
COLUMNS = [
    "_topic", "_partition", "_offset", "_ingested_at", "event_id", "log_type", "session_id", "timestamp", "company",
    "industry", "method_used", "confidence_level", "processing_time", "success", "quality_score", "success_indicator",
    "improvement_potential", "dims", "measures", "input", "output",
]  # fmt: skip


def row(message: Message) -> list:
    event = json.loads(message.value())
    lead = event.get("lead_identifier") or {}
    reasoning = event["decision_reasoning"]
    labels = event.get("training_labels") or {}
    given, made = event["input_data"], event["output_data"]
    return [
        message.topic(),
        message.partition(),
        message.offset(),
        datetime.fromtimestamp(message.timestamp()[1] / 1000),
        event.get("event_id") or "",
        event["log_type"],
        event["session_id"],
        datetime.fromisoformat(event["timestamp"]),
        lead.get("company") or "",
        lead.get("industry") or "",
        reasoning["method_used"],
        reasoning.get("confidence_level") or "",
        reasoning.get("processing_time"),
        reasoning["success"],
        labels.get("quality_score"),
        labels.get("success_indicator"),
        labels.get("improvement_potential") or "",
        {name: given[name] for name in ("template", "model", "prompt_version") if name in given},
        {name: float(made[name]) for name in ("tokens", "cost_usd") if name in made},
        json.dumps(given, separators=(",", ":")),
        json.dumps(made, separators=(",", ":")),
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    for name in ("brokers", "topic", "group", "clickhouse"):
        options.add_argument(f"--{name}", required=True)
    options = options.parse_args()
    client = clickhouse_connect.get_client(dsn=options.clickhouse, database="kaizen", compress=False)
    consumer = Consumer({
        "bootstrap.servers": options.brokers,
        "group.id": options.group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "fetch.queue.backoff.ms": 5,
    })
    consumer.subscribe([options.topic])
    while True:
        messages = consumer.consume(num_messages=BATCH, timeout=WAIT)
        failed = [message.error() for message in messages if message.error()]
        if failed:
            raise KafkaException(failed[0])
        rows = []
        for message in messages:
            try:
                rows.append(row(message))
            except (KeyError, TypeError, ValueError) as error:
                print(f"{message.partition()}/{message.offset()}: {error!r}", file=sys.stderr)
        if rows:
            client.insert("decisions", rows, column_names=COLUMNS)
        if messages:
            consumer.commit(asynchronous=False)


if __name__ == "__main__":
    main()
