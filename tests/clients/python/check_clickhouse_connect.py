"""clickhouse-connect, unchanged, against the server at CLICKHOUSE_URL."""

import datetime
import os
import unittest
import urllib.parse
import uuid

import clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError

URL = urllib.parse.urlsplit(os.environ["CLICKHOUSE_URL"])


def connect(**options):
    account = {"username": os.environ["CLICKHOUSE_USER"], "password": os.environ["CLICKHOUSE_PASSWORD"]}
    return clickhouse_connect.get_client(host=URL.hostname, port=URL.port, **{**account, **options})


class ClickHouseConnect(unittest.TestCase):
    def setUp(self):
        self.client = connect()
        self.addCleanup(self.client.close)
        self.table = f"py_{uuid.uuid4().hex}"
        self.client.command(
            f"CREATE TABLE {self.table} (id UInt64, name String, score Nullable(Float64), at DateTime64(3, 'UTC'),"
            " tags Array(LowCardinality(String)), attributes Map(String, String)) ENGINE = MergeTree ORDER BY id"
        )
        self.addCleanup(self.client.command, f"DROP TABLE IF EXISTS {self.table}")

    def rows(self, count):
        at = datetime.datetime(2026, 1, 2, 3, 4, 5, 678000)
        return [[i, f"näme\n\n{i}", None if i % 3 else i / 7, at, ["a", f"b{i % 5}"], {"k": str(i)}] for i in range(count)]

    def test_inserted_rows_come_back_typed_and_equal(self):
        rows = self.rows(1000)
        summary = self.client.insert(self.table, rows, column_names=["id", "name", "score", "at", "tags", "attributes"])
        self.assertEqual(summary.written_rows, 1000)
        result = self.client.query(f"SELECT * FROM {self.table} ORDER BY id", tz_mode="naive_utc")
        self.assertEqual([list(row) for row in result.result_rows], rows)
        self.assertEqual(result.column_names, ("id", "name", "score", "at", "tags", "attributes"))

    def test_every_compression_of_bodies_and_results_works(self):
        for compression in ("lz4", "zstd", "gzip", False):
            with self.subTest(compression=compression), connect(compress=compression) as client:
                client.command(f"TRUNCATE TABLE {self.table}")
                client.insert(self.table, self.rows(20_000), column_names="*")
                result = client.query(f"SELECT count(), sum(id), sum(length(name)) FROM {self.table}").first_row
                lengths = sum(len(row[1].encode()) for row in self.rows(20_000))
                self.assertEqual(result, (20_000, 20_000 * 19_999 // 2, lengths))
                self.assertEqual(len(client.query(f"SELECT name FROM {self.table}").result_rows), 20_000)

    def test_parameters_are_typed_and_cannot_inject(self):
        evil = "'; DROP TABLE x; --\\ \n\t`"
        result = self.client.query(
            "SELECT {s:String}, {n:Int64}, {list:Array(String)}, {d:Date}",
            parameters={"s": evil, "n": -5, "list": [evil, "b"], "d": datetime.date(2026, 2, 3)},
        )
        self.assertEqual(result.first_row, (evil, -5, [evil, "b"], datetime.date(2026, 2, 3)))

    def test_errors_carry_clickhouses_code(self):
        cases = [
            ("SELECT * FROM no_such_table", 60),
            ("SELEC 1", 62),
            ("SELECT no_such_column", 47),
            ("SELECT toUInt8('x')", 6),
        ]
        for statement, code in cases:
            with self.subTest(statement), self.assertRaises(DatabaseError) as raised:
                self.client.query(statement)
            self.assertRegex(str(raised.exception), rf"(?i)\bcode:? {code}\b")

    def test_an_error_after_the_first_rows_is_raised_not_lost(self):
        statement = "SELECT throwIf(number = 5000000, 'too far') AS x, number FROM numbers(20000000)"
        with self.assertRaises(Exception) as raised:
            with self.client.query_row_block_stream(statement, settings={"max_threads": 1}) as stream:
                for _ in stream:
                    pass
        self.assertIn("too far", str(raised.exception))

    def test_a_long_result_streams(self):
        total = 0
        with self.client.query_row_block_stream("SELECT number FROM numbers(3000000)") as stream:
            for block in stream:
                total += len(block)
        self.assertEqual(total, 3_000_000)

    def test_a_session_keeps_settings_and_temporary_tables_and_other_sessions_do_not_see_them(self):
        session = connect(session_id=uuid.uuid4().hex)
        self.addCleanup(session.close)
        session.command("CREATE TEMPORARY TABLE kept (x Int32)")
        session.insert("kept", [[1], [2]], column_names=["x"])
        session.command("SET max_block_size = 4321")
        self.assertEqual(session.command("SELECT sum(x) FROM kept"), 3)
        # Settings of one request do not stay.
        self.assertEqual(session.command("SELECT getSetting('max_block_size')", settings={"max_block_size": 9}), 9)
        self.assertEqual(session.command("SELECT getSetting('max_block_size')"), 4321)
        with self.assertRaises(DatabaseError):
            connect(session_id=uuid.uuid4().hex).query("SELECT * FROM kept")

    def test_settings_of_an_insert_take_effect(self):
        self.client.command(
            f"CREATE OR REPLACE TABLE {self.table} (id UInt64) ENGINE = MergeTree ORDER BY id"
            " SETTINGS non_replicated_deduplication_window = 100"
        )
        for _ in range(3):
            self.client.insert(self.table, [[1], [2]], column_names=["id"], settings={"insert_deduplication_token": "once"})
        self.client.insert(self.table, [[1], [2]], column_names=["id"], settings={"insert_deduplication_token": "twice"})
        self.assertEqual(self.client.command(f"SELECT count() FROM {self.table}"), 4)

    def test_raw_formats_pass_through(self):
        self.client.raw_insert(self.table, ["id", "name"], b"7,seven\n8,eight\n", fmt="CSV")
        self.assertEqual(self.client.raw_query(f"SELECT id, name FROM {self.table} ORDER BY id", fmt="TSV"), b"7\tseven\n8\teight\n")

    def test_a_wrong_password_is_refused(self):
        with self.assertRaises(DatabaseError) as raised:
            connect(password="wrong")
        self.assertIn("516", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
