//! Placeholder until the cycle is written.
