//! Memory does not grow with the number of events.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy knows only the functions marked as tests"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use kaizen_catalogue::Catalogue;
use kaizen_simulator::{Scenario, Simulation};

/// Bytes that are allocated now, and the most there were.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is passed on as it came to the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: see above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: see above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Most bytes allocated at a time while a scenario's events are made.
fn most(weeks: u32) -> (usize, u64) {
    let text = include_str!("../../../config/scenarios/small.yaml");
    let scenario = text
        .replace("weeks: 2", &format!("weeks: {weeks}"))
        .replace("events: 4000", "events_per_day: 3000");
    let scenario = Scenario::parse(&scenario).unwrap();
    let catalogue = Catalogue::parse(include_str!("../../../config/catalogue.yaml")).unwrap();
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let mut simulation = Simulation::new(&scenario, &catalogue, 1);
    let mut events = 0;
    while let Some(event) = simulation.next() {
        events += 1;
        drop((event, simulation.outcomes()));
    }
    (MOST.load(Ordering::Relaxed) - before, events)
}

#[test]
fn ten_times_the_events_need_hardly_more_memory() {
    let (few, some) = most(4);
    let (many, ten_times) = most(40);
    assert!(ten_times > 800_000 && ten_times > 9 * some);
    // What grows are a number for each hour and component, and the truth's weeks.
    assert!(
        few < 3_000_000 && many < few + 4_000_000,
        "{few} and {many} bytes"
    );
}
