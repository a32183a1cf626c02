//! What a vendor said that a credential holds: one word per instance, the last one, gone with the instance.
use secrecy::SecretBox;
use std::collections::BTreeMap;
use store::{GrantedScopes, Instance, InstanceId, Store};

#[test]
fn what_is_granted_is_the_last_word_of_its_instance_and_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("posture.db"), &SecretBox::new(Box::new([7; 32]))).unwrap();
    let [one, other] = [1, 2].map(|number| InstanceId(uuid::Uuid::from_u128(number)));
    let at = |second| jiff::Timestamp::from_second(second).unwrap();
    for id in [one, other] {
        let instance = Instance {
            id,
            app: "notes".into(),
            name: id.to_string(),
            label: "Default".into(),
            owner: String::new(),
            login: "key".into(),
            inputs: BTreeMap::new(),
            route: serde_json::Value::Null,
            params: BTreeMap::new(),
            sandbox: false,
            tenant: None,
            created_at: at(1),
        };
        store.insert_instance(&instance).unwrap();
    }
    assert_eq!(store.granted(one).unwrap(), None);
    let told = |scopes: &[&str], second| GrantedScopes {
        told_by: "header".into(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        at: at(second),
    };
    store.set_granted(one, &told(&["repo", "read:org"], 10)).unwrap();
    store.set_granted(one, &told(&[], 20)).unwrap();
    assert_eq!(store.granted(one).unwrap(), Some(told(&[], 20)), "nothing granted is a word too");
    assert_eq!(store.granted(other).unwrap(), None);
    store.delete_instance(one).unwrap();
    assert!(store.granted(one).is_err() && store.set_granted(one, &told(&[], 30)).is_err());
}
