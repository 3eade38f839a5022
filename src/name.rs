//! Names of breakers, each with a number.
//!
//! A [`Rejected`](crate::Rejected) is one word, which has no room for a name. With `std`, a table
//! of the process numbers the names, and a rejection holds the number. A name gets its number at
//! the first transition that opens or holds its breaker. The table holds each distinct name once
//! and removes none: names are `&'static str`, so the program keeps them anyway. Without `std`
//! there is no table, and a rejection holds the name itself.
//!
//! The search for a name compares it with each name before it. A rejection that comes between that
//! transition and its number makes the search itself. It may wait for another thread that writes
//! the same slot (`OnceLock`).

pub(crate) use table::{Name, NameId};

#[cfg(feature = "std")]
mod table {
    use std::sync::OnceLock;

    /// Names in the first block, which is not allocated.
    const FIRST: usize = 32;
    /// The number of blocks after the first. Each is as large as all blocks before it together.
    const MORE: usize = 15;

    /// Each slot is written once. A reader that has a number finds its name, as the number was read
    /// after the slot was written: `OnceLock` orders both.
    pub(super) struct Table<const MORE: usize> {
        first: [OnceLock<&'static str>; FIRST],
        more: [OnceLock<Box<[OnceLock<&'static str>]>>; MORE],
    }

    static NAMES: Table<MORE> = Table::new();

    impl<const MORE: usize> Table<MORE> {
        /// Names that have a number. A name after that has none, and its rejections are nameless.
        pub(super) const CAPACITY: usize = FIRST << MORE;

        pub(super) const fn new() -> Self {
            Self {
                first: [const { OnceLock::new() }; FIRST],
                more: [const { OnceLock::new() }; MORE],
            }
        }

        /// The slot of an index, if its block is allocated or `allocate` is set.
        fn slot(&self, index: usize, allocate: bool) -> Option<&OnceLock<&'static str>> {
            if index < FIRST {
                return Some(&self.first[index]);
            }
            let block = (index / FIRST).ilog2() as usize;
            let len = FIRST << block;
            let cell = self.more.get(block)?;
            let slots = match cell.get() {
                Some(slots) => slots,
                None if allocate => {
                    // Allocated ahead of the lock, to hold it for less time: a child that is forked
                    // while another thread holds the lock waits for ever.
                    let fresh = (0..len).map(|_| OnceLock::new()).collect();
                    cell.get_or_init(|| fresh)
                }
                None => return None,
            };
            slots.get(index - len)
        }

        /// The number of a name, from 1; 0 if the table is full. Equal names have one number.
        pub(super) fn number(&self, name: &'static str) -> u32 {
            // All threads search in the same order and take the first free slot, so that equal
            // names meet in one slot.
            let taken = |&index: &usize| {
                let slot = self.slot(index, true);
                slot.is_some_and(|slot| *slot.get_or_init(|| name) == name)
            };
            let index = (0..Self::CAPACITY).find(taken);
            index.map_or(0, |index| u32::try_from(index + 1).unwrap_or(0))
        }

        pub(super) fn name(&self, number: u32) -> Option<&'static str> {
            let index = usize::try_from(number).ok()?.checked_sub(1)?;
            self.slot(index, false)?.get().copied()
        }
    }

    /// The name of a breaker, and its number once there is one.
    #[derive(Debug)]
    pub(crate) struct Name {
        text: Option<&'static str>,
        number: OnceLock<u32>,
    }

    impl Name {
        pub(crate) const fn new(text: Option<&'static str>) -> Self {
            Self {
                text,
                number: OnceLock::new(),
            }
        }

        #[inline]
        pub(crate) const fn text(&self) -> Option<&'static str> {
            self.text
        }

        /// The number of the name, which it gets at the first use.
        #[inline]
        pub(crate) fn id(&self) -> NameId {
            match self.number.get() {
                Some(number) => NameId(*number),
                None => self.id_slow(),
            }
        }

        #[cold]
        fn id_slow(&self) -> NameId {
            let number = self.text.map_or(0, |text| NAMES.number(text));
            NameId(*self.number.get_or_init(|| number))
        }
    }

    /// The number of a name; 0 for none.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub(crate) struct NameId(u32);

    impl NameId {
        /// The bits of a number.
        pub(crate) const BITS: u32 = Table::<MORE>::CAPACITY.ilog2() + 1;

        /// The number in the low [`NameId::BITS`] bits.
        #[inline]
        pub(crate) const fn bits(self) -> u64 {
            self.0 as u64
        }

        #[expect(clippy::cast_possible_truncation, reason = "a number has few bits")]
        #[inline]
        pub(crate) const fn of_bits(bits: u64) -> Self {
            Self(bits as u32)
        }

        #[inline]
        pub(crate) fn text(self) -> Option<&'static str> {
            NAMES.name(self.0)
        }
    }
}

#[cfg(not(feature = "std"))]
mod table {
    /// The name of a breaker.
    #[derive(Debug)]
    pub(crate) struct Name(Option<&'static str>);

    impl Name {
        pub(crate) const fn new(text: Option<&'static str>) -> Self {
            Self(text)
        }

        #[inline]
        pub(crate) const fn text(&self) -> Option<&'static str> {
            self.0
        }

        #[inline]
        pub(crate) const fn id(&self) -> NameId {
            NameId(self.0)
        }
    }

    /// A name.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub(crate) struct NameId(Option<&'static str>);

    impl NameId {
        #[inline]
        pub(crate) fn text(self) -> Option<&'static str> {
            self.0
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::table::{Name, NameId, Table};

    fn leaked(number: usize) -> &'static str {
        Box::leak(format!("name {number}").into_boxed_str())
    }

    #[test]
    fn equal_names_have_one_number_and_others_have_their_own() {
        let table = Table::<15>::new();
        let numbers: Vec<u32> = (0..200).map(|n| table.number(leaked(n))).collect();
        assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
        for (n, number) in numbers.into_iter().enumerate() {
            assert_eq!(table.number(leaked(n)), number, "again");
            assert_eq!(table.name(number), Some(leaked(n)));
        }
    }

    #[test]
    fn a_full_table_numbers_no_more_names_and_keeps_those_it_has() {
        let table = Table::<1>::new();
        let full = Table::<1>::CAPACITY;
        assert_eq!(full, 64);
        let last = (0..full).map(|n| table.number(leaked(n))).last();
        assert_eq!(last, Some(64));
        assert_eq!(table.number(leaked(full)), 0);
        assert_eq!(table.name(0), None);
        assert_eq!(table.number(leaked(full - 1)), 64);
    }

    #[test]
    fn a_number_that_was_not_given_has_no_name() {
        let table = Table::<15>::new();
        for number in [0, 1, 33, 1 << 20, (1 << 20) + 1, u32::MAX] {
            assert_eq!(table.name(number), None, "{number}");
        }
    }

    #[test]
    fn threads_that_number_the_same_names_agree() {
        let table = &Table::<15>::new();
        let number =
            |_| move || -> Vec<u32> { (0..100).map(|n| table.number(leaked(n))).collect() };
        let all: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|n| scope.spawn(number(n))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
    }

    #[test]
    fn a_name_gives_its_number_back() {
        for text in [None, Some("billing")] {
            let name = Name::new(text);
            let bits = name.id().bits();
            assert!(bits < 1 << NameId::BITS);
            assert_eq!(NameId::of_bits(bits).text(), text);
        }
    }
}
