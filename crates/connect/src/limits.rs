//! How much may be read, and for how long: no vendor, proxy or fault in between can fill this computer's memory or time.

use std::time::Duration;

/// Bounds of what is read. [`Limits::default`] is what scans use; tests use smaller ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Bytes of one answer, after decompression. 32 MiB is some hundred times the largest page a vendor documents, and
    /// still small beside a workstation's memory.
    pub page_bytes: u64,
    /// Bytes of all pages of one dataset together: 4 GiB.
    pub dataset_bytes: u64,
    /// Bytes read of an answer that is not a success, for what it says: 256 KiB.
    pub refusal_bytes: u64,
    /// Levels of nesting in JSON. 127 is the deepest that the parser's recursion allows; vendors stay below 20.
    pub depth: u32,
    /// Pages of one list: 10,000 pages of 100 are a million rows, more than any tenant in the catalog holds.
    pub pages: u32,
    /// Time to reach a host, with name look-up, proxy and TLS.
    pub connect: Duration,
    /// Time for one request, from the first byte sent to the last byte read.
    pub request: Duration,
    /// Time spent waiting because a vendor asks for it, per dataset (and, for a budget that renews itself, per wait).
    pub patience: Duration,
    /// How often a request is made again after a fault of the vendor's (5xx) or of the line.
    pub retries: u32,
    /// Requests prepared or under way at once in one scan; how many a host sees at once is the catalog's politeness.
    pub under_way: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_bytes: 32 * 1024 * 1024,
            dataset_bytes: 4 * 1024 * 1024 * 1024,
            refusal_bytes: 256 * 1024,
            depth: 127,
            pages: 10_000,
            connect: Duration::from_secs(15),
            request: Duration::from_secs(60),
            patience: Duration::from_secs(300),
            retries: 3,
            under_way: 32,
        }
    }
}
