import type { Clients } from "./api/clients";
import { useLoad } from "./api/load";
import { DecisionsPage } from "./decisions/page";
import type { ListMetricsResponse } from "./gen/kaizen/analysis/v1/metrics_pb";
import { usePlace, useSearch, useTitle } from "./location";
import { AnalysisPanel } from "./overview/analysis";
import { ErrorNotice } from "./overview/error";
import { Header } from "./overview/header";
import { Overview } from "./overview/overview";
import { RangePicker } from "./overview/range-picker";
import { defaultRange, parseRange, type Range, type Span, spanOfWindow, titleOfSpan } from "./range";
import { TicketsPage } from "./tickets/page";

/** The page that the address names. */
export function App({ clients }: { clients: Clients }) {
  const { path } = usePlace();
  const page = pageOf(path);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the {page === "overview" ? "metrics" : page}
      </a>
      <Header page={page} />
      <main id="main" tabIndex={-1}>
        {page === "tickets" && <TicketsPage client={clients.tracker} />}
        {page === "decisions" && <DecisionsPage client={clients.metrics} />}
        {page === "overview" && <OverviewPage clients={clients} />}
      </main>
    </>
  );
}

function pageOf(path: string): "overview" | "tickets" | "decisions" {
  if (/^\/tickets(\/|$)/.test(path)) return "tickets";
  return path === "/decisions" ? "decisions" : "overview";
}

/** Every metric of the catalogue over the range in the address. */
function OverviewPage({ clients }: { clients: Clients }) {
  const catalogue = useLoad("ListMetrics", "", (signal) => clients.metrics.listMetrics({}, { signal }));
  useTitle("Overview");
  return (
    <>
      {catalogue.state === "failed" && <ErrorNotice failure={catalogue.failure} retry={catalogue.retry} />}
      {catalogue.state === "loading" && <p role="status">Loading the catalogue…</p>}
      {catalogue.state === "ready" && <Page clients={clients} catalogue={catalogue.value} />}
    </>
  );
}

function Page({ clients, catalogue }: { clients: Clients; catalogue: ListMetricsResponse }) {
  const search = useSearch();
  const data = spanOfWindow(catalogue.dataWindow);
  if (!data) return <Empty />;
  const asked = rangeOf(search, data);
  if (typeof asked === "string") {
    return (
      <>
        <h1>Overview</h1>
        <RangePicker range={defaultRange(data)} data={data} />
        <div class="notice" role="alert">
          <strong>This address names no range that can be shown.</strong>
          <p>{asked}.</p>
        </div>
      </>
    );
  }
  const outside = asked.to <= data.from || asked.from >= data.to;
  return (
    <>
      <div
        class="heading"
        data-from={new Date(asked.from).toISOString()}
        data-to={new Date(asked.to).toISOString()}
        data-step={asked.step}
      >
        <h1>Overview</h1>
        <p class="muted">{titleOfSpan(asked)} UTC, against the period before</p>
      </div>
      <RangePicker range={asked} data={data} />
      {outside && (
        <p class="notice" role="status">
          There are no decisions in this range: the data spans {titleOfSpan(data)}.
        </p>
      )}
      <AnalysisPanel client={clients.analyses} metrics={catalogue.metrics} />
      <Overview client={clients.metrics} metrics={catalogue.metrics} range={asked} />
    </>
  );
}

/** The range of the address or the default; the reason when the address names one that cannot be. */
function rangeOf(search: string, data: Span): Range | string {
  try {
    return parseRange(search) ?? defaultRange(data);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function Empty() {
  return (
    <section class="notice empty" aria-labelledby="empty">
      <h1 id="empty">No decisions yet</h1>
      <p>
        Publish some to the topic <code>kaizen.decisions</code>, import logs with <code>kaizen import</code>, or try{" "}
        <code>kaizen simulate</code>. Then load this page again.
      </p>
    </section>
  );
}
