//! What each row puts its methods to, by the windows and chances of its own, and what they find in it.

use anyhow::{Context, Result, ensure};
use kaizen_catalogue::{Component, Metric};
use kaizen_findings::{About, MetricCube, explain, latency_tail, stated_probabilities};
use kaizen_score::agreement::{self, Tenant};
use kaizen_score::generate::fleet;
use kaizen_stats::{Cube, Predicted};
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{Step, cube, explaining, processing_times, stated_probabilities as stated};

use super::Seeds;
use super::compare::Differences;
use super::values::{Known, question, steps, within};

const DAY: i64 = 86_400;
/// As rows 15 and 16 have it: of four components, .01 in all.
const SIGNIFICANCE: f64 = 0.01 / 4.0;

/// Compares all of it.
pub async fn compare(client: &Client, seeds: &Seeds, found: &mut Differences) -> Result<()> {
    for (tenant, component) in seeds.tenants.iter().zip(seeds.catalogue.components()) {
        slices(client, tenant, component, found).await?;
        tails(client, tenant, component, found).await?;
        confidence(client, tenant, component, found).await?;
        series(client, tenant, component, found).await?;
    }
    Ok(())
}

fn named<'a>(component: &'a Component, name: &str) -> Result<&'a Metric> {
    let mut metrics = component.metrics.iter();
    metrics
        .find(|it| it.name == name)
        .with_context(|| name.to_owned())
}

fn about(component: &Component) -> About<'_> {
    About {
        component: &component.name,
        metric: "",
        title: "",
        unit: "seconds",
    }
}

async fn slices(
    client: &Client,
    tenant: &Tenant,
    component: &Component,
    found: &mut Differences,
) -> Result<()> {
    let Some((memory, naming)) = tenant.cube(component)? else {
        return Ok(());
    };
    let metric = named(component, "success_rate")?;
    let query = question(component, metric, within(agreement::spans().now)?);
    let before = within(agreement::spans().before)?;
    let engine = cube(client, &query, before, None, &explaining(component, metric)).await?;
    let (memory, engine) = (sorted(&memory)?, sorted(&engine)?);
    found.same(format!("{tenant}: cells"), &memory, &engine);
    let [memory, engine] = [memory, engine].map(|cube| explain(&cube, &naming));
    found.same(format!("{tenant}: why"), &memory, &engine);
    Ok(())
}

/// The same cells in the order of their values.
fn sorted(cube: &MetricCube) -> Result<MetricCube> {
    let mut cells: Vec<_> = cube.cells.labelled().collect();
    cells.sort_by(|a, b| a.0.cmp(&b.0));
    let mut sorted = Cube::new(cube.cells.names());
    for (values, cell) in cells {
        sorted.add(&values, *cell)?;
    }
    Ok(MetricCube {
        quantity: cube.quantity,
        cells: sorted,
    })
}

async fn tails(
    client: &Client,
    tenant: &Tenant,
    component: &Component,
    found: &mut Differences,
) -> Result<()> {
    let Some([before, after]) = tenant.times()? else {
        return Ok(());
    };
    let spans = agreement::spans();
    let windows = [
        spans.before,
        (spans.now.0, spans.now.0 + after.len() as i64 * DAY),
    ];
    let mut engine = Vec::new();
    for window in windows {
        engine.push(processing_times(client, &component.log_type, within(window)?).await?);
    }
    found.same(format!("{tenant}: times before"), &before, &engine[0]);
    found.same(format!("{tenant}: times after"), &after, &engine[1]);
    let told = |before, after| latency_tail(about(component), before, after, SIGNIFICANCE);
    found.same(
        format!("{tenant}: tail"),
        &told(&before, &after),
        &told(&engine[0], &engine[1]),
    );
    Ok(())
}

async fn confidence(
    client: &Client,
    tenant: &Tenant,
    component: &Component,
    found: &mut Differences,
) -> Result<()> {
    let Some(memory) = tenant.predicted(&fleet::catalogue()?)? else {
        return Ok(());
    };
    let by = component
        .stated_probability
        .as_ref()
        .context("a stated probability")?;
    let engine = stated(client, component, by, within(agreement::spans().now)?).await?;
    let one = |(probability, trials, successes)| Predicted {
        probability,
        trials,
        successes,
    };
    let engine: Vec<Predicted> = engine.into_iter().map(one).collect();
    found.same(format!("{tenant}: stated"), &memory, &engine);
    let told = |it: &[Predicted]| stated_probabilities(about(component), &by.measure, it, SIGNIFICANCE);
    found.same(format!("{tenant}: confidence"), &told(&memory), &told(&engine));
    Ok(())
}

/// The series that a row scores itself against what it finds in the values of the engine.
async fn series(
    client: &Client,
    tenant: &Tenant,
    component: &Component,
    found: &mut Differences,
) -> Result<()> {
    let Some((metrics, step)) = tenant.columns() else {
        return Ok(());
    };
    let step = match step {
        agreement::Step::Hour => Step::Hour,
        agreement::Step::Day => Step::Day,
    };
    let known = Known::of(client, component).await?;
    let mut columns = Vec::new();
    for name in metrics {
        let values = steps(client, (component, named(component, &name)?), step, &known).await?;
        columns.push(
            values
                .iter()
                .map(|it| (it.value.unwrap_or(f64::NAN), it.n))
                .collect(),
        );
    }
    let memory = tenant.expected(component)?;
    ensure!(!memory.is_empty(), "{tenant}: nothing to compare");
    let [memory, engine] = [memory, tenant.found(&columns)?].map(bits);
    found.same(format!("{tenant}: by the row's own methods"), &memory, &engine);
    Ok(())
}

/// Numbers with their bits, so that one that is none equals itself.
fn bits(numbers: Vec<f64>) -> Vec<(String, u64)> {
    numbers
        .into_iter()
        .map(|it| (it.to_string(), it.to_bits()))
        .collect()
}
