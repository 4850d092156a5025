import type { JsonObject } from "@bufbuild/protobuf";
import type { Clients } from "../api/clients";
import { useLoad } from "../api/load";
import { formatTime } from "../format";
import type { GetDecisionResponse } from "../gen/kaizen/analysis/v1/metrics_pb";
import { Link } from "../link";
import { useTitle } from "../location";
import { ErrorNotice } from "../overview/error";
import { Fact, Facts } from "../tickets/facts";
import { addressOfList } from "./asked";
import { measured } from "./list";

interface Props {
  client: Clients["metrics"];
  id: string;
  search: string;
}

/** One decision: what it was made from, what was decided, what came of it and where its record stands. */
export function DecisionPage({ client, id, search }: Props) {
  const answer = useLoad("GetDecision", id, (signal) => client.getDecision({ eventId: id }, { signal }));
  useTitle(`${id} · Decisions`);
  const list = new URLSearchParams(search).has("from");
  return (
    <>
      {list && (
        <p class="back">
          <Link to={addressOfList(search)}>All of these decisions</Link>
        </p>
      )}
      {answer.state === "failed" && <ErrorNotice failure={answer.failure} retry={answer.retry} />}
      {answer.state === "loading" && <p role="status">Loading {id}…</p>}
      {answer.state === "ready" && <Whole found={answer.value} id={id} />}
    </>
  );
}

function Whole({ found, id }: { found: GetDecisionResponse; id: string }) {
  const { summary, inputData, outputData, extra, dimensions, measures, source } = found;
  const aim = summary?.successIndicator;
  return (
    <article data-decision={id}>
      <div class="heading">
        <h1>
          Decision <span class="id">{id}</span>
        </h1>
      </div>
      <section class="panel" aria-label="About the decision">
        <Facts>
          <Fact name="kind">{summary?.logType}</Fact>
          <Fact name="time">{formatTime(summary?.decisionTime)}</Fact>
          <Fact name="session">{summary?.sessionId}</Fact>
          <Fact name="company">{summary?.company}</Fact>
          <Fact name="industry">{summary?.industry}</Fact>
          <Fact name="method">{summary?.methodUsed}</Fact>
          <Fact name="confidence">{summary?.confidenceLevel}</Fact>
          <Fact name="took">{measured(summary?.processingTimeSeconds, "seconds")}</Fact>
          <Fact name="quality">{measured(summary?.qualityScore, "score")}</Fact>
          <Fact name="carried out">{summary?.success ? "yes" : "no"}</Fact>
          <Fact name="reached its aim">{aim === undefined ? "" : aim ? "yes" : "no"}</Fact>
          {Object.entries(dimensions).map(([name, value]) => (
            <Fact key={name} name={name}>
              {value}
            </Fact>
          ))}
          {Object.entries(measures).map(([name, value]) => (
            <Fact key={name} name={name}>
              {String(value)}
            </Fact>
          ))}
          <Fact name="record">
            {source && `${source.topic}, partition ${source.partition}, offset ${source.offset}`}
          </Fact>
        </Facts>
      </section>
      <Content title="What it was made from" of={inputData} />
      <Content title="What was decided" of={outputData} />
      <Content title="What else the event says" of={extra} />
    </article>
  );
}

function Content({ title, of }: { title: string; of: JsonObject | undefined }) {
  if (!of || Object.keys(of).length === 0) return null;
  return (
    <section class="panel" aria-label={title}>
      <h2>{title}</h2>
      <pre class="wide">{JSON.stringify(of, null, 2)}</pre>
    </section>
  );
}
