//! Jitter without a random generator: a hash of the moment, the generation and a salt.
//!
//! Breakers that trip in the same millisecond differ in their salt (their address), and one breaker
//! differs from itself in the moment and the generation, so their deadlines spread.

/// A hash of its three arguments, every bit of it as good as random.
///
/// The mixing is the finaliser of `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", OOPSLA 2014; constants: Stafford's variant 13).
pub(crate) const fn draw(now: u64, generation: u16, salt: u64) -> u64 {
    mix(mix(mix(now) ^ generation as u64) ^ salt)
}

/// The value from 0 to `most`, both included, that a draw stands for.
pub(crate) const fn pick(draw: u64, most: u64) -> u64 {
    ((draw as u128 * (most as u128 + 1)) >> u64::BITS) as u64
}

const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pick_reaches_both_ends_and_nothing_beyond() {
        assert_eq!(pick(0, 10), 0);
        assert_eq!(pick(u64::MAX, 10), 10);
        assert_eq!(pick(u64::MAX, 0), 0);
        assert_eq!(pick(u64::MAX, u64::MAX), u64::MAX);
    }

    /// I26, its first half: ten thousand breakers that trip at once spread evenly.
    #[test]
    fn jitter_spreads_over_its_whole_range() {
        let most = 99;
        let mut seen = [0_u32; 100];
        for breaker in 0..10_000_u64 {
            let salt = 0x7f00_0000 + breaker * 256;
            seen[usize::try_from(pick(draw(5_000_000_000, 1, salt), most)).unwrap()] += 1;
        }
        // A fair die gives 100 ± 10; five standard deviations either side.
        assert!(seen.iter().all(|n| (50..=150).contains(n)), "{seen:?}");
    }

    #[test]
    fn each_argument_changes_the_draw() {
        let all = [draw(1, 1, 1), draw(2, 1, 1), draw(1, 2, 1), draw(1, 1, 2)];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
    }
}
