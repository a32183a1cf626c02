//! How quick the window is with two hundred instances. Not a test: `cargo xtask bench` runs it by name and prints what it
//! measures beside what is aimed at; nothing fails for being slow.

use std::time::Duration;

use crate::{
    console,
    desktop::{Colours, Desktop, Keychain},
    driver::Window,
    operate::{add, posture},
    vendor::Vendor,
};

/// Instances in all.
const INSTANCES: usize = 200;
/// How many are added at once.
const ADDING: usize = 4;
/// How often the page is opened.
const OPENED: usize = 11;

/// From the click until the rows are painted, in milliseconds.
const OPEN: &str = "const done = arguments[arguments.length - 1];
    const rows = () => document.querySelectorAll('[data-testid=\"instance-row\"]').length;
    const begin = performance.now();
    const look = () => rows() > 5 ? requestAnimationFrame(() => done(performance.now() - begin)) : requestAnimationFrame(look);
    document.querySelector('[data-testid=\"nav-applications\"]').click();
    look();";

/// Scrolls the table down and up for five seconds and gives the time of every frame, in milliseconds.
const SCROLL: &str = "const done = arguments[arguments.length - 1];
    let box = document.querySelector('[data-testid=\"instance-row\"]');
    while (box && box.scrollHeight <= box.clientHeight + 1) box = box.parentElement;
    if (!box) done([]);
    const way = box.scrollHeight - box.clientHeight;
    const frames = [];
    let begin = null, last = null;
    const frame = (now) => {
      begin ??= now;
      if (last !== null) frames.push(now - last);
      last = now;
      if (now - begin > 5000) return done(frames);
      const part = ((now - begin) % 2500) / 1250;
      box.scrollTop = way * (part < 1 ? part : 2 - part);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures; `cargo xtask bench` runs it"]
async fn two_hundred_instances() {
    let desktop = Desktop::start(Keychain::Unlocked, Colours::Light);
    posture(&desktop, &["init", "--protection", "keychain"], &[]);
    let vendor = Vendor::start_of("kustomer", "clean", |_| {}).await;
    posture(&desktop, &["sandbox", "add"], &[]);
    let listed = posture(&desktop, &["--json", "instance", "list", "--sandbox"], &[]);
    let there = serde_json::from_str::<Vec<serde_json::Value>>(&listed).expect("it is a list").len();
    let numbers: Vec<usize> = (there..INSTANCES).collect();
    std::thread::scope(|scope| {
        for part in numbers.chunks(numbers.len().div_ceil(ADDING)) {
            let (desktop, vendor) = (&desktop, &vendor);
            scope.spawn(move || {
                for number in part {
                    add(desktop, vendor, "kustomer", &format!("Harbour {number:03}"), &["--set", "region=eu"], &["api_key"]);
                }
            });
        }
    });

    let window = Window::open(&desktop, console(), &[], &[]).await;
    window.at("nav-applications").await;
    let mut opened = Vec::new();
    for _ in 0..OPENED {
        window.click("nav-activity").await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let answer = window.driver().execute_async(OPEN, vec![]).await.expect("the page opens");
        opened.push(answer.convert::<f64>().expect("a time is a number"));
    }
    let shown: String =
        window.script("return document.querySelector('[data-testid=\"instances-table\"]').getAttribute('aria-rowcount')").await;
    let answer = window.driver().execute_async(SCROLL, vec![]).await.expect("the table scrolls");
    let mut frames: Vec<f64> = answer.convert().expect("times are numbers");
    assert!(!frames.is_empty(), "the table is higher than the window");
    window.close().await;

    opened.sort_by(f64::total_cmp);
    frames.sort_by(f64::total_cmp);
    let at = |times: &[f64], part: usize| times[(times.len() - 1) * part / 100];
    println!("BENCH\tApplications, rows\t{shown}\t");
    println!("BENCH\tApplications, opened {OPENED} times: median\t{:.0} ms\tat most 100 ms", at(&opened, 50));
    println!("BENCH\tApplications, opened: slowest\t{:.0} ms\t", at(&opened, 100));
    println!("BENCH\tApplications, scrolled 5 s: frames\t{}\t", frames.len());
    println!("BENCH\tApplications, scrolled: median frame\t{:.1} ms\t", at(&frames, 50));
    println!("BENCH\tApplications, scrolled: slowest frame\t{:.1} ms\tat most 50 ms", at(&frames, 100));
}
