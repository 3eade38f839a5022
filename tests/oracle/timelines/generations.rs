//! Generations in transitions, as listeners are notified of them.

use super::*;

#[test]
fn generations_count_transitions_and_wrap() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let bench = bench(touchy());
    for _ in 0..65_535 {
        bench.breaker.reset();
    }
    let bench = bench.with_listener({
        let log = log.clone();
        Arc::new(move |notified: &Transition| {
            log.lock()
                .unwrap()
                .push((notified.cause, notified.generation));
        })
    });
    let breaker = &bench.breaker;
    let late = breaker.try_acquire().unwrap();
    assert_eq!(late.generation(), 65_535);
    breaker.try_acquire().unwrap().failure();
    assert_eq!(breaker.snapshot().generation, 0);
    assert_eq!(late.record(Success), Recorded::Stale);
    bench.clock.advance(10 * SECOND);
    assert_eq!(
        breaker.try_acquire().unwrap().record(Success),
        Recorded::Recovered
    );
    let expected = [
        (Cause::Tripped, 0),
        (Cause::ProbeAdmitted, 1),
        (Cause::Recovered, 2),
    ];
    assert_eq!(*log.lock().unwrap(), expected);
}
