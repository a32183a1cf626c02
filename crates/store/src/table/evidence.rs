//! `evidence`: what rows say, stored once per content, compressed.
