//! An allocator that can make the memory of one value read-only.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    fmt, mem, ptr,
    sync::atomic::{AtomicBool, AtomicPtr, Ordering::SeqCst},
};

use memmap2::MmapMut;

/// Enough for the breaker with the largest window, and for everything freed during construction: no
/// memory is reused. (Each of up to 65 535 failures looks up a counter, since there is no
/// recorder.)
const BYTES: usize = 1 << 26;

/// The system allocator, except for allocations inside [`ProtectedArena::allocate`].
pub struct ProtectedArena {
    allocating: AtomicBool,
    /// The mapped region; `next` is its first free byte.
    start: AtomicPtr<u8>,
    next: AtomicPtr<u8>,
    end: AtomicPtr<u8>,
}

impl ProtectedArena {
    /// An arena that has not been used yet. It can be used once.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            allocating: AtomicBool::new(false),
            start: AtomicPtr::new(ptr::null_mut()),
            next: AtomicPtr::new(ptr::null_mut()),
            end: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Builds a value with `make`, placing it and all its allocations in pages of their own. With
    /// `protect` those pages are read-only from then on.
    ///
    /// # Panics
    ///
    /// If the system provides no memory, or does not protect it.
    pub fn allocate<T>(&self, protect: bool, make: impl FnOnce() -> T) -> &'static T {
        let mut map = MmapMut::map_anon(BYTES).expect("a mapped region");
        let start = map.as_mut_ptr();
        self.start.store(start, SeqCst);
        self.next.store(start, SeqCst);
        self.end.store(start.wrapping_add(BYTES), SeqCst);
        self.allocating.store(true, SeqCst);
        let value = Box::leak(Box::new(make()));
        self.allocating.store(false, SeqCst);
        assert!(
            self.contains(ptr::from_mut(value).cast()),
            "the value is in the arena"
        );
        if protect {
            mem::forget(map.make_read_only().expect("read-only pages"));
        } else {
            mem::forget(map);
        }
        value
    }

    fn contains(&self, address: *mut u8) -> bool {
        (self.start.load(SeqCst)..self.end.load(SeqCst)).contains(&address)
    }

    /// The next free block, or null.
    fn reserve(&self, layout: Layout) -> *mut u8 {
        let aligned = |free: *mut u8| free.map_addr(|addr| addr.next_multiple_of(layout.align()));
        let taken = self.next.fetch_update(SeqCst, SeqCst, |free| {
            let end = aligned(free).wrapping_add(layout.size());
            (end <= self.end.load(SeqCst)).then_some(end)
        });
        taken.map_or(ptr::null_mut(), aligned)
    }
}

#[expect(unsafe_code, reason = "an allocator is an unsafe trait")]
// SAFETY: `reserve` hands out each byte of the region once, aligned and within bounds. All other
// memory is the system's.
unsafe impl GlobalAlloc for ProtectedArena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.allocating.load(SeqCst) {
            self.reserve(layout)
        } else {
            // SAFETY: the caller's obligations are passed on.
            unsafe { System.alloc(layout) }
        }
    }

    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        if !self.contains(address) {
            // SAFETY: as above; a block outside the region came from the system.
            unsafe { System.dealloc(address, layout) }
        }
    }
}

impl Default for ProtectedArena {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ProtectedArena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedArena").finish_non_exhaustive()
    }
}
