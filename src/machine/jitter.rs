//! Jitter without a random generator: a hash of clock reading, generation and salt.
//!
//! Breakers that trip in the same millisecond differ in their salt, the breaker's address. Periods
//! of one breaker differ in reading and generation. So the deadlines spread.

/// A hash of its three arguments, uniform in every bit.
///
/// One step of `wyrand` (Wang Yi: "wyhash", final version 4), which passes `BigCrush` and
/// `PractRand`: readings one nanosecond apart give its consecutive outputs. Salt and generation
/// choose where in its sequence. Only one addition and two multiplications depend on the reading,
/// so that a trip does not wait long for its draw.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the halves of the product are what is wanted"
)]
pub(crate) const fn draw(now: u64, generation: u16, salt: u64) -> u64 {
    let salt = salt.wrapping_mul(0xBF58_476D_1CE4_E5B9).rotate_left(32);
    let period = (generation as u64).wrapping_mul(0x94D0_49BB_1331_11EB);
    let state = now
        .wrapping_mul(0x2D35_8DCC_AA6C_78A5)
        .wrapping_add(salt.wrapping_add(period));
    let product = state as u128 * (state ^ 0x8BB8_4B93_962E_ACC9) as u128;
    product as u64 ^ (product >> u64::BITS) as u64
}

/// Maps a draw to a value from 0 to `most`, both included.
pub(crate) const fn pick(draw: u64, most: u64) -> u64 {
    ((draw as u128 * (most as u128 + 1)) >> u64::BITS) as u64
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

    const BINS: usize = 100;
    const EACH: usize = 100;

    /// Pearson's chi-squared statistic of ten thousand draws over a hundred bins.
    fn chi_square(draws: impl Iterator<Item = u64>) -> f64 {
        let mut seen = [0_u32; BINS];
        for draw in draws.take(BINS * EACH) {
            seen[usize::try_from(pick(draw, BINS as u64 - 1)).unwrap()] += 1;
        }
        assert_eq!(seen.iter().sum::<u32>() as usize, BINS * EACH);
        let even = f64::from(u32::try_from(EACH).unwrap());
        let apart = seen.iter().map(|n| (f64::from(*n) - even).powi(2) / even);
        apart.sum()
    }

    /// The first half of I26. Three sets of ten thousand deadlines spread evenly over the whole
    /// range: of breakers that trip at once, of one breaker's periods, and of one period at
    /// different readings.
    #[test]
    fn jitter_spreads_over_its_whole_range() {
        const NOW: u64 = 5_000_000_000;
        let breakers = |apart| (0..).map(move |n: u64| draw(NOW, 1, 0x7f00_0000 + n * apart));
        let periods = |apart: u16| (0..).map(move |n: u16| draw(NOW, n.wrapping_mul(apart), 7));
        let readings = |apart| (0..).map(move |n: u64| draw(NOW + n * apart, 1, 7));
        let spreads = [
            ("breakers in an array", chi_square(breakers(256))),
            ("breakers a page apart", chi_square(breakers(4_096))),
            ("seeds", chi_square(breakers(1))),
            ("periods", chi_square(periods(1))),
            ("periods of outages", chi_square(periods(3))),
            ("nanoseconds", chi_square(readings(1))),
            ("milliseconds", chi_square(readings(1_000_000))),
        ];
        // The statistic of even draws is 99 ± 14; the bounds are five standard deviations either
        // side. (Draws that are too even are not random, either.)
        for (what, apart) in spreads {
            assert!((29.0..=169.0).contains(&apart), "{what}: {apart}");
        }
    }

    /// Shows that the test above can fail: on unmixed draws, and on draws whose upper half is
    /// unmixed.
    #[test]
    fn draws_that_do_not_spread_are_detected() {
        let unmixed = chi_square((0..).map(|n: u64| n * 256));
        let lower_half = chi_square((0..).map(|n: u64| draw(n, 1, 7) >> 1));
        let counted = chi_square((0..).map(|n: u64| (n % 100) << 57 | 1 << 56));
        for apart in [unmixed, lower_half, counted] {
            assert!(!(29.0..=169.0).contains(&apart), "{apart}");
        }
    }

    #[test]
    fn each_bit_of_each_argument_changes_the_draw() {
        let bits = |n: u32| (0..n).map(|bit| 1_u64 << bit);
        let mut draws = vec![draw(0, 0, 0)];
        draws.extend(bits(64).map(|now| draw(now, 0, 0)));
        draws.extend((0..16).map(|bit| draw(0, 1 << bit, 0)));
        draws.extend(bits(64).map(|salt| draw(0, 0, salt)));
        let all = draws.len();
        draws.sort_unstable();
        draws.dedup();
        assert_eq!(draws.len(), all);
    }

    /// The generator of `fastrand` is another implementation.
    #[test]
    fn draws_at_consecutive_readings_are_those_of_wyrand() {
        let mut wyrand = fastrand::Rng::with_seed(0);
        for now in 1..1_000 {
            assert_eq!(draw(now, 0, 0), wyrand.u64(..), "{now}");
        }
    }
}
