//! Memory that can be made read-only: an allocator with a map of its own for what must not change any more.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    fmt, mem, ptr,
    sync::atomic::{AtomicBool, AtomicPtr, Ordering::SeqCst},
};

use memmap2::MmapMut;

/// Enough for the breaker with the largest window, and for all that is freed on the way: nothing is used twice.
const BYTES: usize = 1 << 20;

/// The allocator: the system's, but for what is allocated inside [`Vault::keep`].
pub struct Vault {
    keeping: AtomicBool,
    /// The map; `next` is its first byte that is free.
    start: AtomicPtr<u8>,
    next: AtomicPtr<u8>,
    end: AtomicPtr<u8>,
}

impl Vault {
    /// A vault that is yet to be used, once.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            keeping: AtomicBool::new(false),
            start: AtomicPtr::new(ptr::null_mut()),
            next: AtomicPtr::new(ptr::null_mut()),
            end: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Puts what `make` makes, and all that is allocated on the way, into pages of their own. With `protect` they
    /// are read-only from then on, for good.
    ///
    /// # Panics
    ///
    /// If the system gives no memory, or does not protect it.
    pub fn keep<T>(&self, protect: bool, make: impl FnOnce() -> T) -> &'static T {
        let mut map = MmapMut::map_anon(BYTES).expect("a map");
        let start = map.as_mut_ptr();
        self.start.store(start, SeqCst);
        self.next.store(start, SeqCst);
        self.end.store(start.wrapping_add(BYTES), SeqCst);
        self.keeping.store(true, SeqCst);
        let kept = Box::leak(Box::new(make()));
        self.keeping.store(false, SeqCst);
        assert!(self.has(ptr::from_mut(kept).cast()), "it is in the vault");
        if protect {
            mem::forget(map.make_read_only().expect("read-only pages"));
        } else {
            mem::forget(map);
        }
        kept
    }

    fn has(&self, place: *mut u8) -> bool {
        (self.start.load(SeqCst)..self.end.load(SeqCst)).contains(&place)
    }

    /// The next place that is free, or null.
    fn place(&self, layout: Layout) -> *mut u8 {
        let aligned = |free: *mut u8| free.map_addr(|addr| addr.next_multiple_of(layout.align()));
        let taken = self.next.fetch_update(SeqCst, SeqCst, |free| {
            let end = aligned(free).wrapping_add(layout.size());
            (end <= self.end.load(SeqCst)).then_some(end)
        });
        taken.map_or(ptr::null_mut(), aligned)
    }
}

#[expect(unsafe_code, reason = "an allocator is an unsafe trait")]
// SAFETY: Of the map each byte is given out once, aligned and within bounds (`place`). All else is the system's.
unsafe impl GlobalAlloc for Vault {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.keeping.load(SeqCst) {
            self.place(layout)
        } else {
            // SAFETY: The caller's promises are passed on.
            unsafe { System.alloc(layout) }
        }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        if !self.has(place) {
            // SAFETY: As above; what is not in the map came from the system.
            unsafe { System.dealloc(place, layout) }
        }
    }
}

impl Default for Vault {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}
