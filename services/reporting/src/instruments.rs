//! Reporting's own Prometheus instruments.

use jiff::Timestamp;
use kaizen_api::tracker::v1::ImpactVerdict;
use kaizen_decision::Reason;
use kaizen_service::GrpcInstruments;
use kaizen_warehouse::queries::ReasonDepth;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// All of them. Cheap to clone.
#[derive(Clone)]
pub struct Instruments {
    /// Of the gRPC server.
    pub grpc: GrpcInstruments,
    open_dead_letters: Family<ByReason, Gauge>,
    oldest_dead_letter_age: Gauge,
    measurements: Family<ByVerdict, Counter>,
    webhook_messages: Family<ByOutcome, Counter>,
    webhook_pending: Family<ByDestination, Gauge>,
    webhook_disabled: Family<ByDestination, Gauge>,
}

/// What came of a message to a destination.
#[derive(Debug, Clone, Copy)]
pub enum Told {
    /// It was taken.
    Taken,
    /// It failed, and is tried again.
    Failed,
    /// It is not tried again.
    LeftOut,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    destination: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByDestination {
    destination: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByVerdict {
    verdict: &'static str,
}

impl Instruments {
    /// Registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let instruments = Self {
            grpc: GrpcInstruments::register(registry),
            open_dead_letters: Family::default(),
            oldest_dead_letter_age: Gauge::default(),
            measurements: Family::default(),
            webhook_messages: Family::default(),
            webhook_pending: Family::default(),
            webhook_disabled: Family::default(),
        };
        let help = "Dead letters that wait to be replayed, by reason; updated every 15 s";
        registry.register("open_dead_letters", help, instruments.open_dead_letters.clone());
        let help = "Time since the record of the oldest open dead letter was published; 0 when none is open";
        let age = instruments.oldest_dead_letter_age.clone();
        registry.register_with_unit("oldest_dead_letter_age", help, Unit::Seconds, age);
        let help = "Scheduled measurements of implemented tickets, by what was found";
        registry.register("measurements", help, instruments.measurements.clone());
        let help =
            "Messages sent to webhooks, by destination and what came of them: taken, failed or left_out";
        registry.register("webhook_messages", help, instruments.webhook_messages.clone());
        let help = "Messages that are still to be told, by destination";
        registry.register("webhook_pending", help, instruments.webhook_pending.clone());
        let help = "1 for a destination that is told nothing any more";
        registry.register("webhook_disabled", help, instruments.webhook_disabled.clone());
        instruments
    }

    /// Gives every family an example, for the list of instruments.
    pub fn describe(&self) {
        self.grpc.describe();
        self.open_dead_letters(&[], Timestamp::UNIX_EPOCH);
        let example = ByVerdict { verdict: "improved" };
        drop(self.measurements.get_or_create(&example));
        self.webhook_told("example", Told::Taken);
        self.webhook_state("example", 0, false);
    }

    /// A message was sent to a destination.
    pub fn webhook_told(&self, destination: &str, told: Told) {
        let outcome = match told {
            Told::Taken => "taken",
            Told::Failed => "failed",
            Told::LeftOut => "left_out",
        };
        let destination = destination.to_owned();
        let labels = ByOutcome { destination, outcome };
        self.webhook_messages.get_or_create(&labels).inc();
    }

    /// So many messages a destination is still to be told, and whether it is.
    pub fn webhook_state(&self, destination: &str, pending: u64, is_disabled: bool) {
        let labels = ByDestination {
            destination: destination.to_owned(),
        };
        let pending = i64::try_from(pending).unwrap_or(i64::MAX);
        self.webhook_pending.get_or_create(&labels).set(pending);
        self.webhook_disabled
            .get_or_create(&labels)
            .set(i64::from(is_disabled));
    }

    /// A ticket was measured.
    pub fn measured(&self, verdict: ImpactVerdict) {
        let verdict = match verdict {
            ImpactVerdict::Improved => "improved",
            ImpactVerdict::NoDetectableChange => "no_detectable_change",
            ImpactVerdict::Worse => "worse",
            ImpactVerdict::CannotTell => "cannot_tell",
            ImpactVerdict::Unspecified => "unmeasurable",
        };
        self.measurements.get_or_create(&ByVerdict { verdict }).inc();
    }

    /// So many dead letters are open. A reason without any is told as 0.
    pub fn open_dead_letters(&self, depth: &[ReasonDepth], now: Timestamp) {
        for reason in Reason::ALL {
            let reason = reason.as_str();
            let open = depth.iter().find(|depth| depth.reason == reason);
            let open = open.map_or(0, |depth| i64::try_from(depth.letters).unwrap_or(i64::MAX));
            self.open_dead_letters
                .get_or_create(&ByReason { reason })
                .set(open);
        }
        let oldest = depth.iter().map(|depth| depth.oldest).min();
        let age = oldest.map_or(0, |oldest| {
            now.as_millisecond().saturating_sub(oldest).max(0) / 1000
        });
        self.oldest_dead_letter_age.set(age);
    }
}
