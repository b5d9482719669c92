//! What a changed profile takes in memory: an allocator that counts bytes watches.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use vaglio::overlay::{Change, Overlay};
use vaglio::schema::{KeyHasher, ProfileKey};

struct Counting;

static BYTES: AtomicI64 = AtomicI64::new(0);

// SAFETY: everything is passed on to the system's allocator; a count is kept beside, 16 bytes more for each piece.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size() as i64 + 16, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size() as i64 + 16, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_changed_profile_takes_at_most_200_bytes() {
    const PROFILES: u32 = 200_000;
    for (changes, strangers) in [(1u32, false), (4, false), (4, true)] {
        let before = BYTES.load(Ordering::Relaxed);
        let known = if strangers { 0 } else { 10_000_000 };
        let overlay = Overlay::new(known, KeyHasher::new([1; 16]), Arc::default());
        for profile in 0..PROFILES {
            let profile = if strangers { profile } else { profile * 50 };
            overlay.change(profile, (0..changes).map(|audience| Change::new(0, audience * 9, true)).collect());
            if strangers {
                overlay.admit(
                    ProfileKey(u128::from(profile).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)),
                    profile,
                );
            }
        }
        let bytes = (BYTES.load(Ordering::Relaxed) - before) as f64 / f64::from(PROFILES);
        let said = overlay.bytes() as f64 / f64::from(PROFILES);
        println!("{changes} changes, stranger {strangers}: {bytes:.0} bytes a profile, said to be {said:.0}");
        assert!(bytes <= 200.0, "{bytes:.0} bytes a changed profile");
        assert!((said / bytes - 1.0).abs() < 0.4, "it says {said:.0} of {bytes:.0} bytes");
    }
}
