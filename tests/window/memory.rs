//! Looks for a secret in bytes: files, and the memory of a running process.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    ops::Range,
};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD, engine::general_purpose::URL_SAFE_NO_PAD};
use memchr::memmem;

/// How much of a process is read at once.
const CHUNK: u64 = 1 << 20;

/// The size of a page of memory on the systems that the tests run on.
const PAGE: u64 = 4096;

/// A way in which a secret may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Its name, for the message of a failed test.
    pub name: &'static str,
    bytes: Vec<u8>,
}

/// The ways in which a secret is looked for: UTF-8, UTF-16, base64 at each of the three offsets, URL-encoded.
pub fn forms(secret: &str) -> Vec<Form> {
    assert!(
        secret.is_ascii() && secret.len() >= 16,
        "a secret that is looked for is long and plain, so that no other bytes are taken for it"
    );
    // Without the last zero these bytes stand in the text whichever end comes first.
    let utf16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut forms = vec![
        Form { name: "UTF-8", bytes: secret.as_bytes().to_vec() },
        Form { name: "UTF-16", bytes: utf16[..utf16.len() - 1].to_vec() },
        Form { name: "URL-encoded, every byte", bytes: secret.bytes().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect() },
        Form { name: "URL-encoded", bytes: url_encoded(secret) },
    ];
    for before in 0..3 {
        forms.push(Form { name: "base64", bytes: encoded_inside(secret, before, &STANDARD_NO_PAD) });
        forms.push(Form { name: "base64url", bytes: encoded_inside(secret, before, &URL_SAFE_NO_PAD) });
    }
    forms.dedup_by(|a, b| a.bytes == b.bytes);
    forms
}

/// The letters that any base64 of a text holds in which `before` bytes (modulo 3) stand before the secret: those which
/// its own bytes alone decide.
fn encoded_inside(secret: &str, before: usize, engine: &impl Engine) -> Vec<u8> {
    let text = [&vec![0; before], secret.as_bytes()].concat();
    let whole = text.len() / 3 * 3;
    let letters = engine.encode(&text[..whole]).into_bytes();
    // A letter holds six bits; those that overlap the bytes before are not the secret's own.
    letters[(before * 8).div_ceil(6)..].to_vec()
}

fn url_encoded(secret: &str) -> Vec<u8> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    secret.bytes().flat_map(|byte| if plain(byte) { vec![byte] } else { format!("%{byte:02X}").into_bytes() }).collect()
}

/// Which forms stand in these bytes.
pub fn found_in(bytes: &[u8], forms: &[Form]) -> Vec<Form> {
    forms.iter().filter(|form| memmem::find(bytes, &form.bytes).is_some()).cloned().collect()
}

/// Which forms stand in the memory of a process, each once.
pub fn found_in_process(id: u32, forms: &[Form]) -> Vec<Form> {
    let maps = fs::read_to_string(format!("/proc/{id}/smaps")).expect("the process's map can be read");
    let open = |name: &str| {
        let file = File::open(format!("/proc/{id}/{name}"));
        file.expect("the process's memory can be opened: the tests run as its owner, with ptrace allowed")
    };
    let (mut memory, mut pages) = (open("mem"), open("pagemap"));
    let overlap = forms.iter().map(|form| form.bytes.len()).max().unwrap_or(0);
    let mut found: Vec<Form> = Vec::new();
    let mut read = 0;
    // What was at the end of the last chunk, in case a secret lies across the border of two.
    let (mut chunk, mut ends_at) = (Vec::new(), 0);
    for Range { start, end } in mapped_ranges(&maps).into_iter().flat_map(|range| present_chunks(&mut pages, range)) {
        if ends_at == start && chunk.len() > overlap {
            chunk.drain(..chunk.len() - overlap);
        } else {
            chunk.clear();
        }
        let from = chunk.len();
        chunk.resize(from + usize::try_from(end - start).expect("a chunk is small"), 0);
        // A page may go between the two readings, and some mapped devices cannot be read at all.
        if memory.seek(SeekFrom::Start(start)).is_err() || memory.read_exact(&mut chunk[from..]).is_err() {
            chunk.clear();
            continue;
        }
        (read, ends_at) = (read + end - start, end);
        for form in found_in(&chunk, forms) {
            if !found.contains(&form) {
                found.push(form);
            }
        }
    }
    assert!(read > 0, "no memory of process {id} could be read");
    found
}

/// The mappings of /proc/PID/smaps that hold anything. A web engine reserves tens of gigabytes that it never touches.
fn mapped_ranges(maps: &str) -> Vec<Range<u64>> {
    let mut ranges: Vec<(Range<u64>, u64)> = Vec::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        match (first, ranges.last_mut()) {
            ("Rss:" | "Swap:", Some((_, held))) => *held += words.next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0),
            _ => {
                let addresses = first.split_once('-').map(|(start, end)| (u64::from_str_radix(start, 16), u64::from_str_radix(end, 16)));
                if let Some((Ok(start), Ok(end))) = addresses {
                    ranges.push((start..end, 0));
                }
            }
        }
    }
    ranges.into_iter().filter(|(_, held)| *held > 0).map(|(range, _)| range).collect()
}

/// The parts of a mapping that are in memory or swapped out, in pieces of at most a chunk.
/// The two upper bits of a page's entry say so: <https://docs.kernel.org/admin-guide/mm/pagemap.html>.
fn present_chunks(pages: &mut File, range: Range<u64>) -> Vec<Range<u64>> {
    let mut entries = vec![0; usize::try_from((range.end - range.start) / PAGE * 8).expect("a mapping's table fits into memory")];
    if pages.seek(SeekFrom::Start(range.start / PAGE * 8)).is_err() || pages.read_exact(&mut entries).is_err() {
        return Vec::new();
    }
    let mut chunks: Vec<Range<u64>> = Vec::new();
    let block = [0; 512 * 8];
    for (entries, block_start) in entries.chunks(block.len()).zip((range.start..).step_by(block.len() / 8 * PAGE as usize)) {
        // Most of a large mapping was never touched: it is skipped by the block, since a test is not compiled to be fast.
        if entries == block {
            continue;
        }
        for (entry, start) in entries.chunks_exact(8).zip((block_start..).step_by(PAGE as usize)) {
            if entry[7] & 0b1100_0000 == 0 {
                continue;
            }
            match chunks.last_mut() {
                Some(last) if last.end == start && last.end - last.start < CHUNK => last.end += PAGE,
                _ => chunks.push(start..start + PAGE),
            }
        }
    }
    chunks
}

mod tests {
    use super::*;

    const SECRET: &str = "a1+b2/c3=d4 e5&f6-synthetic";

    fn names(found: &[Form]) -> Vec<&str> {
        found.iter().map(|form| form.name).collect()
    }

    #[test]
    fn every_form_is_found_where_it_stands_and_nowhere_else() {
        let forms = forms(SECRET);
        assert!(found_in(b"nothing of the kind stands here", &forms).is_empty());
        let text: Vec<u16> = format!("key {SECRET}!").encode_utf16().collect();
        for (bytes, name) in [
            (format!("x{SECRET}y").into_bytes(), "UTF-8"),
            (text.iter().flat_map(|unit| unit.to_le_bytes()).collect(), "UTF-16"),
            (text.iter().flat_map(|unit| unit.to_be_bytes()).collect(), "UTF-16"),
            (b"k=a1%2Bb2%2Fc3%3Dd4%20e5%26f6-synthetic&".to_vec(), "URL-encoded"),
        ] {
            assert_eq!(names(&found_in(&bytes, &forms)), [name]);
        }
    }

    #[test]
    fn base64_is_found_at_every_offset() {
        let forms = forms(SECRET);
        for before in 0..7 {
            for after in 0..4 {
                let text = format!("{}{SECRET}{}", "u".repeat(before), "v".repeat(after));
                let encoded = base64::engine::general_purpose::STANDARD.encode(text);
                assert!(names(&found_in(encoded.as_bytes(), &forms)).iter().any(|name| name.starts_with("base64")), "{before} {after}");
            }
        }
    }

    #[test]
    fn a_mapping_that_holds_nothing_is_not_read() {
        let maps = "1000-3000 rw-p 0 00:00 0 [heap]\nSize: 8 kB\nRss: 4 kB\nSwap: 0 kB\nVmFlags: rd wr\n\
            4000-9000 rw-p 0 00:00 0\nRss: 0 kB\nSwap: 0 kB\na000-b000 r--p 0 00:00 0\nRss: 0 kB\nSwap: 4 kB\n";
        assert_eq!(mapped_ranges(maps), [0x1000..0x3000, 0xa000..0xb000]);
    }

    #[test]
    fn the_memory_of_a_process_gives_up_what_it_holds() {
        let secret = format!("held-by-{}-on-purpose", std::process::id());
        let held = forms(&secret);
        assert!(names(&found_in_process(std::process::id(), &held)).contains(&"UTF-8"));
        // The forms of the second secret are made in this process too; another process does not hold them.
        let mut other = std::process::Command::new("sleep").arg("60").spawn().expect("sleep starts");
        let found = found_in_process(other.id(), &held);
        other.kill().expect("sleep ends");
        other.wait().expect("sleep ended");
        assert!(found.is_empty(), "{found:?}");
    }
}
