// @clickhouse/client, unchanged, against the server at CLICKHOUSE_URL.
const assert = require("node:assert/strict");
const { randomUUID } = require("node:crypto");
const { Readable } = require("node:stream");
const { after, before, beforeEach, test } = require("node:test");
const { ClickHouseLogLevel, createClient } = require("@clickhouse/client");

const account = { username: process.env.CLICKHOUSE_USER, password: process.env.CLICKHOUSE_PASSWORD };
// Refusals are what many of these tests are for; the log would only repeat them.
const log = { level: ClickHouseLogLevel.OFF };
const connect = (options = {}) => createClient({ url: process.env.CLICKHOUSE_URL, log, ...account, ...options });
const table = `node_${randomUUID().replaceAll("-", "")}`;
const client = connect();

before(() =>
  client.command({
    query: `CREATE TABLE ${table} (id UInt64, name String, tags Array(String)) ENGINE = MergeTree ORDER BY id
            SETTINGS non_replicated_deduplication_window = 100`,
  }),
);
beforeEach(() => client.command({ query: `TRUNCATE TABLE ${table}` }));
after(async () => {
  await client.command({ query: `DROP TABLE ${table}` });
  await client.close();
});

const json = async (query, options = {}) =>
  (await (options.client ?? client).query({ query, format: "JSONEachRow", ...options })).json();

test("the server is there", async () => {
  assert.deepEqual(await client.ping(), { success: true });
});

test("inserted rows come back equal", async () => {
  const values = Array.from({ length: 1000 }, (_, i) => ({ id: String(i), name: `näme\n\n${i};'`, tags: ["a", `${i % 3}`] }));
  const { summary } = await client.insert({ table, values, format: "JSONEachRow" });
  assert.equal(summary.written_rows, "1000");
  const settings = { output_format_json_quote_64bit_integers: 1 };
  assert.deepEqual(await json(`SELECT * FROM ${table} ORDER BY id`, { clickhouse_settings: settings }), values);
});

test("compressed bodies and results work", async () => {
  const compressing = connect({ compression: { request: true, response: true } });
  try {
    const rows = Array.from({ length: 50_000 }, (_, i) => ({ id: i, name: `n${i}`, tags: [] }));
    await compressing.insert({ table, values: Readable.from(rows, { objectMode: true }), format: "JSONEachRow" });
    const [{ n, s }] = await json(`SELECT toUInt32(count()) AS n, sum(id) AS s FROM ${table}`, { client: compressing });
    assert.deepEqual([n, Number(s)], [50_000, (50_000 * 49_999) / 2]);
    assert.equal((await json(`SELECT name FROM ${table}`, { client: compressing })).length, 50_000);
  } finally {
    await compressing.close();
  }
});

test("parameters are typed and cannot inject", async () => {
  const evil = "'; DROP TABLE x; --\\ \n\t`";
  const rows = await json("SELECT {s:String} AS s, {n:Int32} AS n, {l:Array(String)} AS l, {d:Nullable(String)} AS d", {
    query_params: { s: evil, n: -5, l: [evil, "b"], d: null },
  });
  assert.deepEqual(rows, [{ s: evil, n: -5, l: [evil, "b"], d: null }]);
});

for (const [query, code, type] of [
  ["SELECT * FROM no_such_table", "60", "UNKNOWN_TABLE"],
  ["selec 1", "62", "SYNTAX_ERROR"],
  ["SELECT no_such_column", "47", "UNKNOWN_IDENTIFIER"],
]) {
  test(`an error carries code ${code}`, async () => {
    await assert.rejects(json(query), (error) => {
      assert.equal(error.code, code);
      assert.equal(error.type, type);
      return true;
    });
  });
}

test("an unreadable insert is refused with its code and leaves nothing behind", async () => {
  const insert = client.insert({ table, values: [{ id: 1 }, { id: "x" }], format: "JSONEachRow" });
  await assert.rejects(insert, { code: "27" });
  assert.deepEqual(await json(`SELECT toUInt32(count()) AS n FROM ${table}`), [{ n: 0 }]);
});

test("an error after the first rows is raised, not lost", async () => {
  const query = "SELECT throwIf(number = 5000000, 'too far') AS x, number FROM numbers(20000000)";
  const result = await client.query({ query, format: "JSONEachRow", clickhouse_settings: { max_threads: 1 } });
  let rows = 0;
  await assert.rejects(async () => {
    for await (const batch of result.stream()) rows += batch.length;
  }, /too far/);
  assert.ok(rows > 0);
});

test("a long result streams", async () => {
  let rows = 0;
  const result = await client.query({ query: "SELECT number FROM numbers(1000000)", format: "JSONEachRow" });
  for await (const batch of result.stream()) rows += batch.length;
  assert.equal(rows, 1_000_000);
});

test("a session keeps temporary tables, and two requests at once are refused", async () => {
  const session = connect({ session_id: randomUUID(), max_open_connections: 2 });
  try {
    await session.command({ query: "CREATE TEMPORARY TABLE kept AS SELECT 5 AS x" });
    assert.deepEqual(await json("SELECT x FROM kept", { client: session }), [{ x: 5 }]);
    await assert.rejects(json("SELECT x FROM kept"), { code: "60" });
    const outcomes = await Promise.allSettled([1, 2].map(() => json("SELECT sleep(1)", { client: session })));
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    assert.deepEqual(refused.map((outcome) => outcome.reason.code), ["373"]);
  } finally {
    await session.close();
  }
});

test("an abandoned query stops on the server", async () => {
  const abort = new AbortController();
  const query_id = randomUUID();
  const running = () => json(`SELECT query_id FROM system.processes WHERE Settings['log_comment'] = '${query_id}'`);
  const query = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 7";
  const abandoned = client.query({ query, query_id, abort_signal: abort.signal });
  while ((await running()).length === 0);
  abort.abort();
  await assert.rejects(abandoned);
  while ((await running()).length > 0);
});

test("a setting of an insert takes effect", async () => {
  const insert = (token) =>
    client.insert({
      table,
      values: [{ id: 1, name: "", tags: [] }],
      format: "JSONEachRow",
      clickhouse_settings: { insert_deduplication_token: token },
    });
  for (const token of ["once", "once", "twice"]) await insert(token);
  assert.deepEqual(await json(`SELECT toUInt32(count()) AS n FROM ${table}`), [{ n: 2 }]);
});

test("a wrong password is refused", async () => {
  const stranger = connect({ password: "wrong" });
  await assert.rejects(json("SELECT 1", { client: stranger }), { code: "516" });
  await stranger.close();
});
