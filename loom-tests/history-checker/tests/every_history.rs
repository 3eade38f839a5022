//! The checker compared with a trial of every order, for every small history of a register.

use histories::{Event, Specification, check};

struct Register;

#[derive(Clone, Copy, Debug)]
enum RegisterOperation {
    Get,
    Set(u8),
    Swap(u8),
    /// A write that may be lost.
    Try(u8),
}

/// The value found, if the operation reads.
type RegisterResponse = Option<u8>;
type RegisterEvent = Event<RegisterOperation, RegisterResponse>;

impl Specification for Register {
    type State = u8;
    type Operation = RegisterOperation;
    type Response = RegisterResponse;

    fn step(
        &self,
        now: &u8,
        operation: &RegisterOperation,
    ) -> impl IntoIterator<Item = (u8, RegisterResponse)> {
        match *operation {
            RegisterOperation::Get => vec![(*now, Some(*now))],
            RegisterOperation::Set(new) => vec![(new, None)],
            RegisterOperation::Swap(new) => vec![(new, Some(*now))],
            RegisterOperation::Try(new) => vec![(*now, None), (new, None)],
        }
    }

    fn changes_nothing(&self, operation: &RegisterOperation, _: &RegisterResponse) -> bool {
        matches!(operation, RegisterOperation::Get)
    }
}

/// Every event that one operation can produce.
fn events() -> Vec<RegisterEvent> {
    use RegisterOperation::{Get, Set, Swap, Try};
    let mut events = Vec::new();
    for operation in [Get, Set(0), Set(1), Swap(0), Swap(1), Try(1)] {
        let responses: &[RegisterResponse] = match operation {
            Get | Swap(_) => &[Some(0), Some(1)],
            Set(_) | Try(_) => &[None],
        };
        for &response in responses {
            // The hint is sometimes right and sometimes wrong.
            let hint = events.len() as u64 % 3;
            events.push(Event {
                operation,
                response,
                hint,
            });
        }
    }
    events
}

/// Tries every order, without memory.
fn some_order(now: u8, threads: &[&[RegisterEvent]], last: u8) -> bool {
    if threads.iter().all(|events| events.is_empty()) {
        return now == last;
    }
    (0..threads.len()).any(|thread| {
        let Some((first, rest)) = threads[thread].split_first() else {
            return false;
        };
        let mut left = threads.to_vec();
        left[thread] = rest;
        Register
            .step(&now, &first.operation)
            .into_iter()
            .any(|(after, response)| response == first.response && some_order(after, &left, last))
    })
}

/// Checks every history of threads of these lengths; returns how many were explained, and of how
/// many.
fn check_all(lengths: &[usize]) -> (usize, usize) {
    let events = events();
    let operations: usize = lengths.iter().sum();
    let histories = events.len().pow(u32::try_from(operations).expect("few"));
    let mut explained = 0;
    for number in 0..histories {
        let mut rest = number;
        let mut next = || {
            let event = events[rest % events.len()];
            rest /= events.len();
            event
        };
        let threads: Vec<Vec<RegisterEvent>> = lengths
            .iter()
            .map(|&length| (0..length).map(|_| next()).collect())
            .collect();
        let slices: Vec<&[RegisterEvent]> = threads.iter().map(Vec::as_slice).collect();
        for last in [0, 1] {
            let found = check(&Register, 0, &threads, |now| *now == last);
            assert_eq!(
                found.is_ok(),
                some_order(0, &slices, last),
                "{threads:?} to {last}"
            );
            if let Ok(witness_order) = found {
                explained += 1;
                assert!(replays(&witness_order.order, &slices, last));
            }
        }
    }
    (explained, 2 * histories)
}

/// Whether an order is a valid explanation.
fn replays(order: &[usize], threads: &[&[RegisterEvent]], last: u8) -> bool {
    let mut left = threads.to_vec();
    let mut may_be = vec![0];
    for &thread in order {
        let Some((event, rest)) = left[thread].split_first() else {
            return false;
        };
        left[thread] = rest;
        may_be = may_be
            .iter()
            .flat_map(|now| Register.step(now, &event.operation))
            .filter(|(_, response)| *response == event.response)
            .map(|(after, _)| after)
            .collect();
    }
    left.iter().all(|events| events.is_empty()) && may_be.contains(&last)
}

#[test]
fn the_checker_explains_exactly_the_histories_that_some_order_does() {
    for lengths in [&[4][..], &[2, 2], &[1, 3], &[1, 1, 2], &[1, 1, 1, 1]] {
        let (explained, histories) = check_all(lengths);
        println!(
            "history: a register, threads of {lengths:?}: {explained} of {histories} explained"
        );
        assert!(0 < explained && explained < histories);
    }
}
