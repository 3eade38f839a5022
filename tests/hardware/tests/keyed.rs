//! Allocations of a set of breakers by key: none for a key that is in the set.

use allocation_counter::measure;
use cutout::keyed::Breakers;

#[test]
fn a_known_key_is_found_without_allocating() {
    let hosts = Breakers::<String>::builder().build();
    let made = measure(|| drop(hosts.get("a.example"))).count_total;
    assert!(
        made > 0,
        "a new key allocates, or this test measures nothing"
    );
    let call = || {
        let _ = hosts.get("a.example").call(|| Ok::<_, ()>(7));
    };
    assert_eq!(measure(call).count_total, 0);
    hosts.get("a.example").force_open();
    assert_eq!(measure(call).count_total, 0, "rejected");
}
