//! Which schema this release writes, and bringing a file up to it.

/// The schema that this release writes.
pub const SCHEMA: u32 = 1;

/// The oldest schema number whose release can read what this release writes.
pub const OLDEST_READER: u32 = 1;
