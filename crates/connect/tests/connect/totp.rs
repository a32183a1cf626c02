//! One-time codes: the RFC's own vectors, and every other code by a second implementation.
use catalog::{CodeAlgorithm, MfaKey};
use posture_connect::code_now;
use proptest::prelude::*;
use secrecy::ExposeSecret;

fn key(secret: &[u8], digits: u32, period: u64, algorithm: CodeAlgorithm) -> MfaKey {
    MfaKey { secret: secret.to_vec().into(), digits, period, algorithm }
}

fn code(key: &MfaKey, seconds: i64) -> String {
    code_now(key, jiff::Timestamp::from_second(seconds).unwrap()).code.expose_secret().to_owned()
}

/// RFC 6238, appendix B, <https://www.rfc-editor.org/rfc/rfc6238#appendix-B>
#[test]
fn the_codes_are_those_of_the_rfc() {
    let digits: Vec<u8> = b"1234567890".iter().copied().cycle().take(64).collect();
    let keys = [
        key(&digits[..20], 8, 30, CodeAlgorithm::Sha1),
        key(&digits[..32], 8, 30, CodeAlgorithm::Sha256),
        key(&digits, 8, 30, CodeAlgorithm::Sha512),
    ];
    for (seconds, codes) in [
        (59, ["94287082", "46119246", "90693936"]),
        (1_111_111_109, ["07081804", "68084774", "25091201"]),
        (1_111_111_111, ["14050471", "67062674", "99943326"]),
        (1_234_567_890, ["89005924", "91819424", "93441116"]),
        (2_000_000_000, ["69279037", "90698825", "38618901"]),
        (20_000_000_000, ["65353130", "77737706", "47863826"]),
    ] {
        for (key, expected) in keys.iter().zip(codes) {
            assert_eq!(code(key, seconds), expected, "{seconds} {:?}", key.algorithm);
        }
        // Six digits are the last six, with their zeros.
        assert_eq!(code(&key(&digits[..20], 6, 30, CodeAlgorithm::Sha1), seconds), codes[0][2..]);
    }
}

#[test]
fn what_is_left_of_a_code_is_counted() {
    let key = key(b"12345678901234567890", 6, 30, CodeAlgorithm::Sha1);
    for (seconds, left) in [(0, 30), (1, 29), (29, 1), (30, 30), (1_111_111_111, 29)] {
        let shown = code_now(&key, jiff::Timestamp::from_second(seconds).unwrap());
        assert_eq!((shown.seconds_left, shown.period), (left, 30), "{seconds}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_code_is_that_of_a_second_implementation(
        secret in prop::collection::vec(any::<u8>(), 10..80),
        digits in prop::sample::select(vec![6_u32, 8]),
        period in 10_u64..=120,
        seconds in 0_i64..20_000_000_000,
        algorithm in prop::sample::select(vec![CodeAlgorithm::Sha1, CodeAlgorithm::Sha256, CodeAlgorithm::Sha512]),
    ) {
        let time = u64::try_from(seconds).unwrap();
        let expected = match algorithm {
            CodeAlgorithm::Sha1 => totp_lite::totp_custom::<totp_lite::Sha1>(period, digits, &secret, time),
            CodeAlgorithm::Sha256 => totp_lite::totp_custom::<totp_lite::Sha256>(period, digits, &secret, time),
            CodeAlgorithm::Sha512 => totp_lite::totp_custom::<totp_lite::Sha512>(period, digits, &secret, time),
        };
        let key = key(&secret, digits, period, algorithm);
        prop_assert_eq!(code(&key, seconds), expected);
        // And of the key as it is sealed.
        let sealed = MfaKey::parse(&key.canonical()).unwrap();
        prop_assert_eq!(code(&sealed, seconds), code(&key, seconds));
    }
}
