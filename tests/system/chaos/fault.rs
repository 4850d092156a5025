//! What is done to the parts, and how it is chosen.

use kaizen_testkit::{Disk, Exchange, Moment};
use rand::RngExt;
use rand::rngs::StdRng;

use super::records::{BACKFILL, LIVE};

/// A fault; collectors are numbered.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// At a moment of an exchange of a collector with engine or broker.
    At(Exchange, Moment, Blow),
    KillCollector(usize),
    EndCollector(usize),
    /// It stands still for longer than a session, while another one replays what it was about to store, and then goes on.
    ReplaceCollector(usize),
    /// It stands still for longer than `max.poll.interval.ms`.
    StallCollector(usize),
    /// A third member comes and goes.
    Storm,
    KillEngine,
    PauseEngine,
    /// The engine's disk is full but for so many bytes; while it is, a collector may be killed.
    FillEngine(u64, Option<usize>),
    /// Of inserts over three partitions of the table, the part of one fails; meanwhile a collector may be killed.
    FailPart(Option<usize>),
    /// An insert is answered to nobody, and tried again when the tables have forgotten its token.
    PassWindow(Blow),
    KillBroker,
    FillBroker,
    CutNetwork(Link, usize),
    SlowNetwork(Link, usize),
    /// Nothing comes through for longer than a session, and no connection ends.
    SilenceNetwork(Link, usize),
    /// The topic of dead letters refuses every record.
    RefuseLetters,
    /// The topic of dead letters has too few replicas in sync to take a record.
    SuspendLetters,
    /// A collector's clock is set so many seconds off.
    SetClock(usize, i64),
    SetBrokerClock(i64),
}

#[derive(Debug, Clone, Copy)]
pub enum Blow {
    KillCollector,
    KillEngine,
    KillBroker,
    CutConnection,
}

/// From a collector to what.
#[derive(Debug, Clone, Copy)]
pub enum Link {
    Engine,
    Broker,
}

/// How often each kind comes, of all: those that take long are rare.
const WEIGHTS: [(u32, Kind); 20] = [
    (32, Kind::Insert),
    (15, Kind::Commit),
    (8, Kind::Produce),
    (6, Kind::KillCollector),
    (4, Kind::EndCollector),
    (1, Kind::ReplaceCollector),
    (1, Kind::StallCollector),
    (1, Kind::Storm),
    (4, Kind::KillEngine),
    (2, Kind::PauseEngine),
    (3, Kind::FillEngine),
    (3, Kind::FailPart),
    (2, Kind::PassWindow),
    (2, Kind::KillBroker),
    (2, Kind::FillBroker),
    (5, Kind::CutNetwork),
    (3, Kind::SlowNetwork),
    (1, Kind::SilenceNetwork),
    (3, Kind::Letters),
    (4, Kind::SetClock),
];

#[derive(Clone, Copy)]
enum Kind {
    Insert,
    Commit,
    Produce,
    KillCollector,
    EndCollector,
    ReplaceCollector,
    StallCollector,
    Storm,
    KillEngine,
    PauseEngine,
    FillEngine,
    FailPart,
    PassWindow,
    KillBroker,
    FillBroker,
    CutNetwork,
    SlowNetwork,
    SilenceNetwork,
    Letters,
    SetClock,
}

fn one_of<T: Copy>(random: &mut StdRng, choices: &[T]) -> T {
    choices[random.random_range(0..choices.len())]
}

impl Fault {
    /// Any whose kind's name has this in it, of so many collectors.
    pub fn any(random: &mut StdRng, collectors: usize, only: &str) -> Self {
        loop {
            let fault = Self::draw(random, collectors);
            if fault.kind().contains(only) {
                return fault;
            }
        }
    }

    fn draw(random: &mut StdRng, collectors: usize) -> Self {
        let all: u32 = WEIGHTS.iter().map(|(weight, _)| weight).sum();
        let mut drawn = random.random_range(0..all);
        let kind = WEIGHTS.iter().find(|(weight, _)| {
            let is_it = drawn < *weight;
            drawn = drawn.wrapping_sub(*weight);
            is_it
        });
        let kind = kind.map_or(Kind::Insert, |(_, kind)| *kind);
        Self::of(kind, random, collectors)
    }

    fn of(kind: Kind, random: &mut StdRng, collectors: usize) -> Self {
        let one = random.random_range(0..collectors);
        let link = one_of(random, &[Link::Engine, Link::Broker]);
        let somebody = random.random_bool(0.5).then_some(one);
        match kind {
            Kind::Insert => Self::at(Exchange::Insert, Blow::KillEngine, random),
            Kind::Commit => Self::at(Exchange::Commit, Blow::KillBroker, random),
            Kind::Produce => Self::at(Exchange::Produce, Blow::KillBroker, random),
            Kind::KillCollector => Self::KillCollector(one),
            Kind::EndCollector => Self::EndCollector(one),
            Kind::ReplaceCollector => Self::ReplaceCollector(one),
            Kind::StallCollector => Self::StallCollector(one),
            Kind::Storm => Self::Storm,
            Kind::KillEngine => Self::KillEngine,
            Kind::PauseEngine => Self::PauseEngine,
            Kind::FillEngine => Self::FillEngine(one_of(random, &[0, 16, 64, 128]) << 10, somebody),
            Kind::FailPart => Self::FailPart(somebody),
            Kind::PassWindow => Self::PassWindow(one_of(random, &[Blow::CutConnection, Blow::KillCollector])),
            Kind::KillBroker => Self::KillBroker,
            Kind::FillBroker => Self::FillBroker,
            Kind::CutNetwork => Self::CutNetwork(link, one),
            Kind::SlowNetwork => Self::SlowNetwork(link, one),
            Kind::SilenceNetwork => Self::SilenceNetwork(link, one),
            Kind::Letters => one_of(random, &[Self::RefuseLetters, Self::SuspendLetters]),
            // Any two times of the broker are less than the window of repeats apart, and none is more than ten minutes before the
            // events' own.
            Kind::SetClock if random.random_bool(0.3) => {
                Self::SetBrokerClock(one_of(random, &[-480, -60, 0, 600, 2_400]))
            }
            Kind::SetClock => Self::SetClock(
                one,
                one_of(random, &[-86_400, -3_600, -30, 0, 30, 7_200, 30 * 86_400]),
            ),
        }
    }

    fn at(exchange: Exchange, other: Blow, random: &mut StdRng) -> Self {
        let moment = one_of(random, &Moment::ALL);
        let blow = match random.random_range(0..10) {
            0..5 => Blow::KillCollector,
            5..8 => Blow::CutConnection,
            _ => other,
        };
        Self::At(exchange, moment, blow)
    }

    /// Whether this machine allows it.
    pub fn is_possible(self) -> bool {
        match self {
            Self::FillEngine(..) | Self::FillBroker => Disk::is_possible(),
            _ => true,
        }
    }

    /// Of which topic it needs records, if of one.
    pub fn topic(self) -> Option<&'static str> {
        match self {
            // Only live decisions are malformed.
            Self::At(Exchange::Produce, ..) | Self::RefuseLetters | Self::SuspendLetters => Some(LIVE),
            // Decisions of history lie in three partitions of the table.
            Self::FailPart(_) | Self::PassWindow(_) => Some(BACKFILL),
            _ => None,
        }
    }

    /// Its kind, as it is counted.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::At(Exchange::Insert, _, Blow::KillCollector) => "insert: collector killed",
            Self::At(Exchange::Insert, _, Blow::CutConnection) => "insert: connection cut",
            Self::At(Exchange::Insert, ..) => "insert: engine killed",
            Self::At(Exchange::Commit, _, Blow::KillCollector) => "offset commit: collector killed",
            Self::At(Exchange::Commit, _, Blow::CutConnection) => "offset commit: connection cut",
            Self::At(Exchange::Commit, ..) => "offset commit: broker killed",
            Self::At(Exchange::Produce, _, Blow::KillCollector) => "dead letters: collector killed",
            Self::At(Exchange::Produce, _, Blow::CutConnection) => "dead letters: connection cut",
            Self::At(Exchange::Produce, ..) => "dead letters: broker killed",
            Self::At(Exchange::Commented(_), ..) => "a question to the engine",
            Self::KillCollector(_) => "collector killed at any time",
            Self::EndCollector(_) => "collector ended in peace",
            Self::ReplaceCollector(_) => "collector stopped for longer than a session",
            Self::StallCollector(_) => "collector stopped past max.poll.interval.ms",
            Self::Storm => "rebalance storm",
            Self::KillEngine => "engine killed at any time",
            Self::PauseEngine => "engine paused",
            Self::FillEngine(_, None) => "engine's disk full",
            Self::FillEngine(..) => "engine's disk full, collector killed meanwhile",
            Self::FailPart(None) => "one part of an insert over three partitions fails",
            Self::FailPart(_) => {
                "one part of an insert over three partitions fails, collector killed meanwhile"
            }
            Self::PassWindow(_) => "deduplication window passed",
            Self::KillBroker => "broker killed at any time",
            Self::FillBroker => "broker's disk full",
            Self::CutNetwork(Link::Engine, _) => "network to the engine cut",
            Self::CutNetwork(..) => "network to the broker cut",
            Self::SlowNetwork(Link::Engine, _) => "network to the engine slow",
            Self::SlowNetwork(..) => "network to the broker slow",
            Self::SilenceNetwork(Link::Engine, _) => "network to the engine silent",
            Self::SilenceNetwork(..) => "network to the broker silent for longer than a session",
            Self::RefuseLetters => "dead-letter topic refuses records",
            Self::SuspendLetters => "dead-letter topic unavailable",
            Self::SetClock(..) => "clock of a collector set",
            Self::SetBrokerClock(_) => "clock of the broker set",
        }
    }

    /// Which exchange it meets, and where.
    pub fn moment(&self) -> Option<(&'static str, &'static str)> {
        let Self::At(exchange, moment, _) = self else {
            return None;
        };
        let exchange = match exchange {
            Exchange::Insert => "insert",
            Exchange::Commit => "offset commit",
            Exchange::Produce => "dead letters",
            Exchange::Commented(_) => "question",
        };
        let moment = match moment {
            Moment::Begins => "1 begins",
            Moment::HalfSent => "2 half sent",
            Moment::Sent => "3 sent",
            Moment::Answered => "4 answered, unknown to the client",
            Moment::Known => "5 known to the client",
        };
        Some((exchange, moment))
    }
}
