//! The backlog keeps what it is given, in order, until it is settled.

use super::*;
use proptest::prelude::*;

const BOUNDS: Bounds = Bounds {
    all: 1 << 20,
    segment: 500,
};

#[derive(Debug, Clone)]
enum Step {
    Append(usize),
    Take(usize),
    /// One of those taken and not settled.
    Settle(prop::sample::Index),
    Rewind,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_usize..6).prop_map(Step::Append),
        (0_usize..8).prop_map(Step::Take),
        any::<prop::sample::Index>().prop_map(Step::Settle),
        Just(Step::Rewind),
    ]
}

fn event(number: usize) -> Event {
    Event {
        key: number.to_string(),
        event_id: String::new(),
        traceparent: None,
        value: vec![b'x'; 100],
    }
}

fn take(backlog: &mut Backlog, most: usize) -> Vec<usize> {
    let mut lost = 0;
    let taken: Vec<_> = std::iter::from_fn(|| backlog.next(&mut lost))
        .take(most)
        .collect();
    assert_eq!(lost, 0);
    for (number, spilled) in &taken {
        assert_eq!(spilled.event, event(*number), "its number is another event's");
    }
    taken.into_iter().map(|(number, _)| number).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_done_what_is_not_settled_comes_again_in_order(steps in prop::collection::vec(any_step(), 0..40)) {
        let root = tempfile::tempdir().unwrap();
        let mut backlog = Backlog::create(root.path(), "t", BOUNDS).unwrap();
        let (mut appended, mut open, mut taken) = (0, Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Append(count) => {
                    let events: Vec<_> = (appended..appended + count).map(event).collect();
                    prop_assert_eq!(backlog.append(&events).written, count as u64);
                    open.extend(appended..appended + count);
                    appended += count;
                }
                Step::Take(most) => taken.extend(take(&mut backlog, most)),
                Step::Settle(index) => if !taken.is_empty() {
                    let number = taken.swap_remove(index.index(taken.len()));
                    prop_assert!(backlog.settle(number));
                    open.retain(|other| *other != number);
                },
                Step::Rewind => {
                    backlog.rewind();
                    taken.clear();
                }
            }
            prop_assert_eq!(backlog.events(), open.len());
            prop_assert_eq!(backlog.end(), appended);
        }
        backlog.rewind();
        prop_assert_eq!(take(&mut backlog, usize::MAX), open.clone());
        open.iter().for_each(|number| { backlog.settle(*number); });
        prop_assert!(backlog.is_empty());
        prop_assert_eq!(backlog.bytes(), 0);
        drop(backlog);
        prop_assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_file_damaged_under_way_costs_what_is_damaged_and_counts_it() {
    let root = tempfile::tempdir().unwrap();
    let mut backlog = Backlog::create(root.path(), "t", BOUNDS).unwrap();
    let events: Vec<_> = (0..5).map(event).collect();
    backlog.append(&events);
    let (path, size) = backlog.own.segments().remove(0);
    std::fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(size - 1)
        .unwrap();
    let mut lost = 0;
    let read = std::iter::from_fn(|| backlog.next(&mut lost)).count();
    assert_eq!((read, lost, backlog.events()), (4, 1, 4));
    (0..4).for_each(|number| {
        backlog.settle(number);
    });
    assert!(backlog.is_empty());
}

#[test]
fn what_does_not_fit_is_dropped_from_the_end() {
    let root = tempfile::tempdir().unwrap();
    let mut backlog = Backlog::create(
        root.path(),
        "t",
        Bounds {
            all: 300,
            segment: 500,
        },
    )
    .unwrap();
    let events: Vec<_> = (0..5).map(event).collect();
    let appended = backlog.append(&events);
    let dropped = Some((DropReason::SpillFull, 3));
    assert_eq!(appended, Appended { written: 2, dropped });
    assert_eq!(take(&mut backlog, usize::MAX), [0, 1]);
}
