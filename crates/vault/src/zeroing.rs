//! Memory that is overwritten when it is given back, for both binaries.
//!
//! Types that erase themselves cover what they own; copies that libraries make while they read, encode or send a secret
//! are covered by this.

use std::alloc::System;

/// An allocator that overwrites every block with zeros before the system gets it back. Growing a block in place would
/// leave its old content behind, so it always moves.
pub type ZeroingAllocator = zeroizing_alloc::ZeroAlloc<System>;

/// The allocator, for `#[global_allocator]`.
pub const fn zeroing_allocator() -> ZeroingAllocator {
    zeroizing_alloc::ZeroAlloc(System)
}
