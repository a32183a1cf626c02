//! What is typed into *Okta Domain* and *MFA Secret Key*.
use posture_catalog::{CodeAlgorithm, Format, MfaKey};
use proptest::prelude::*;

fn domain(typed: &str) -> Result<String, String> {
    Format::OktaDomain.check(&[], typed).map_err(|problem| problem.sentence)
}

#[test]
fn a_domain_is_taken_in_every_form_that_people_paste() {
    for (typed, host) in [
        ("acme", "acme.okta.com"),
        ("  Acme ", "acme.okta.com"),
        ("acme.okta.com", "acme.okta.com"),
        ("acme.okta.com.", "acme.okta.com"),
        ("acme.okta.com:443", "acme.okta.com"),
        ("acme.okta.com/app/UserHome?x=1#y", "acme.okta.com"),
        ("https://acme.okta.com", "acme.okta.com"),
        ("HTTPS://ACME.OKTA.COM/", "acme.okta.com"),
        ("https://acme.okta.com:443/login/login.htm?fromURI=%2F", "acme.okta.com"),
        ("acme-2", "acme-2.okta.com"),
        ("acme.okta-emea.com", "acme.okta-emea.com"),
        ("https://acme.oktapreview.com/", "acme.oktapreview.com"),
        ("acme.okta-gov.com", "acme.okta-gov.com"),
        ("acme.okta.mil", "acme.okta.mil"),
        ("admin", "admin.okta.com"),
    ] {
        assert_eq!(domain(typed).as_deref(), Ok(host), "{typed}");
    }
}

#[test]
fn a_custom_domain_is_no_host_of_oktas_own() {
    let custom = |typed: &str| Format::OktaCustomDomain.check(&[], typed).map_err(|problem| problem.sentence);
    for typed in ["login.acme.example", "okta.acme.example", "acmeokta.com", "acme.okta.com.example"] {
        assert_eq!(custom(typed).as_deref(), Ok(typed));
    }
    for typed in [
        "evil.okta.com",
        "https://evil.okta.com/",
        "EVIL.OktaPreview.com",
        "acme-admin.okta.com",
        "evil.okta-emea.com.",
        "okta.com",
        "a.b.okta.com",
        "evil.okta-gov.com",
        "evil.okta.mil",
    ] {
        assert!(custom(typed).expect_err(typed).starts_with("This is a host of Okta's own."), "{typed}");
    }
    for typed in ["acme", "10.0.0.1", "me@login.acme.example", "http://login.acme.example"] {
        assert!(custom(typed).is_err(), "{typed}");
    }
}

#[test]
fn a_domain_that_is_another_or_none_is_refused_in_words() {
    for typed in [
        "okta.com",
        "acme.okta.com.evil.test",
        "acme.okta.com@evil.test",
        "evil.test/acme.okta.com",
        "https://acme.okta.com@evil.test/",
        "https://user:word@acme.okta.com/",
        "https://evil.test/.okta.com",
        "https://evil.test#.okta.com",
        "https://evil.test\\.okta.com",
        "//evil.test",
        "http://acme.okta.com",
        "https:/acme.okta.com",
        "https:acme",
        "ftp://acme.okta.com",
        "a.b.okta.com",
        "acme..okta.com",
        ".okta.com",
        "-acme",
        "acme-",
        "acme_1",
        "acme okta.com",
        "acme\t.okta.com",
        "acme\n.okta.com",
        "acme%2eokta.com",
        "xn--cme-8na.okta.com",
        "аcme", // the first letter is Cyrillic
        "ａｃｍｅ",
        "127.0.0.1",
        "[::1]",
        "localhost.localdomain",
        "login.acme.com",
        "acme.trexcloud.com",
        "acme.okta1.com",
        "acme.oktacdn.com",
        "acme.myokta.com",
        "acmeokta.com",
        &"a".repeat(64),
    ] {
        let sentence = domain(typed).expect_err(typed);
        assert!(sentence.ends_with(['.', ')']) && !sentence.contains("evil"), "{typed}: {sentence}");
    }
    for typed in ["acme-admin", "https://acme-admin.okta.com/admin/dashboard", "acme-admin.oktapreview.com"] {
        let sentence = domain(typed).expect_err(typed);
        assert!(sentence.contains("admin console") && sentence.ends_with("The organization is acme."), "{sentence}");
    }
}

/// Text of the letters that hosts, addresses and attacks on them are made of.
fn address_like() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "acme",
        "okta",
        "okta.com",
        ".okta.com",
        "okta-emea.com",
        ".",
        "..",
        "-",
        "-admin",
        "@",
        ":",
        "443",
        "/",
        "//",
        "\\",
        "?",
        "#",
        "%2e",
        "%40",
        "https://",
        "http://",
        "evil.test",
        "xn--",
        " ",
        "\t",
        "\u{200b}",
        "\u{ff0e}",
        "а",
        "[",
        "]",
        "127.0.0.1",
        ";",
        "\0",
        "A",
    ]);
    prop::collection::vec(parts, 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn whatever_is_typed_comes_to_a_host_of_oktas_families_or_to_nothing(typed in prop_oneof![address_like(), any::<String>()]) {
        if let Ok(host) = domain(&typed) {
            let (label, family) = host.split_once('.').unwrap();
            prop_assert!(["okta.com", "okta-emea.com", "oktapreview.com", "okta-gov.com", "okta.mil"].contains(&family), "{host}");
            prop_assert!(!label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-') && !label.ends_with("-admin"));
            prop_assert!(label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
            let url = url::Url::parse(&format!("https://{host}/x")).unwrap();
            prop_assert_eq!(url.host_str(), Some(host.as_str()));
            prop_assert_eq!(domain(&host), Ok(host.clone()));
        }
    }
}

fn key(typed: &str) -> MfaKey {
    MfaKey::parse(typed).map_err(|problem| problem.sentence).unwrap()
}

/// The key of RFC 6238, appendix B, for SHA-1.
const RFC: &[u8] = b"12345678901234567890";

#[test]
fn a_key_is_read_in_every_form_that_people_paste() {
    for typed in [
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "  gezdgnbvgy3tqojqgezdgnbvgy3tqojq\n",
        "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
        "gezd-gnbv-gy3t-qojq-gezd-gnbv-gy3t-qojq",
        "GEZD\u{a0}GNBV\u{200b}GY3T\u{feff}QOJQ\u{2060}GEZDGNBVGY3TQOJQ",
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ======",
        "otpauth://totp/Halden:scanner?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Okta",
        "OTPAUTH://TOTP/x?secret=gezdgnbvgy3tqojqgezdgnbvgy3tqojq&digits=6&period=30&algorithm=sha1",
        "otpauth://totp/x?secret=GEZD%20GNBV+GY3TQOJQGEZDGNBVGY3TQOJQ%3D%3D",
    ] {
        let key = key(typed);
        assert_eq!((&**key.secret, key.digits, key.period, key.algorithm), (RFC, 6, 30, CodeAlgorithm::Sha1), "{typed}");
        assert_eq!(*key.canonical(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }
    // Okta's own samples: one of 16 letters, one of 17, which is no whole number of bytes.
    assert_eq!(key("KYCRM33UJZSXQ2DW").secret.len(), 10);
    assert_eq!(*key("HE64TMLL2IUZW2ZLB").secret, *key("HE64TMLL2IUZW2ZL").secret);
    // Other numbers of letters, with bits left over.
    for letters in 16..=40 {
        let typed: String = "GEZDGNBVGY3TQOJQ".chars().cycle().take(letters).collect();
        assert_eq!(key(&typed).secret.len(), letters * 5 / 8, "{letters}");
    }
    let other = key("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=8&period=60&algorithm=SHA512");
    assert_eq!((other.digits, other.period, other.algorithm), (8, 60, CodeAlgorithm::Sha512));
}

#[test]
fn what_is_no_key_is_refused_in_words_that_do_not_repeat_it() {
    for (typed, words) in [
        ("123456", "This is a one-time code"),
        ("123 456", "This is a one-time code"),
        ("234567", "This is a one-time code"),
        ("00000000", "This is a one-time code"),
        ("GEZDGNBVGY3TQ0JQ", "position 14 is something else. A zero is often a letter O"),
        ("GEZDGNBVGY3TQ1JQ", "A one is often a letter I or L"),
        ("GEZDGNBVGY3TQ8JQ", "An eight is often a letter B"),
        ("GEZDGNBVGY3TQ!JQ", "position 14 is something else."),
        ("GEZDGNBVGY3TQОJQ", "position 14 is something else."), // a Cyrillic letter
        ("GEZDGNBVGY3TQOJ", "too short"),
        ("otpauth://hotp/x?secret=GEZDGNBVGY3TQOJQ&counter=1", "by counting, not by time"),
        ("otpauth://other/x?secret=GEZDGNBVGY3TQOJQ", "not for time-based codes"),
        ("otpauth://totp/x", "holds no secret"),
        ("otpauth://totp/x?secret=GEZDGNBVGY3TQ0JQ", "is not base32"),
        ("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&digits=7", "another length"),
        ("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&period=5", "between 10 and 120"),
        ("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&algorithm=MD5", "SHA1, SHA256 and SHA512"),
        ("https://acme.okta.com/enroll", "This is not a secret key"),
        ("", "too short"),
    ] {
        let Err(problem) = MfaKey::parse(typed) else { panic!("{typed} is a key") };
        assert!(problem.sentence.contains(words), "{typed}: {}", problem.sentence);
        assert!(typed.len() < 8 || !problem.sentence.contains("GEZD"), "{}", problem.sentence);
    }
}

proptest! {
    #[test]
    fn any_key_comes_back_from_the_form_in_which_it_is_sealed(
        secret in prop::collection::vec(any::<u8>(), 10..64),
        digits in prop::sample::select(vec![6_u32, 8]),
        period in 10_u64..=120,
        algorithm in prop::sample::select(vec![CodeAlgorithm::Sha1, CodeAlgorithm::Sha256, CodeAlgorithm::Sha512]),
    ) {
        let made = MfaKey { secret: secret.into(), digits, period, algorithm };
        let sealed = made.canonical();
        let read = key(&sealed);
        prop_assert_eq!(&*read.secret, &*made.secret);
        prop_assert_eq!((read.digits, read.period, read.algorithm), (digits, period, algorithm));
        // And the dialog's check gives the same text again.
        prop_assert_eq!(Format::MfaKey.check(&[], &sealed).unwrap(), sealed.to_string());
    }

    #[test]
    fn whatever_is_pasted_never_panics(typed in any::<String>()) {
        let _ = MfaKey::parse(&typed);
        let _ = MfaKey::parse(&format!("otpauth://totp/x?secret={typed}"));
    }
}
