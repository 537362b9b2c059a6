//! The master key is changed while everything is in use.

#[cfg(test)]
mod resealing {
    use identity::{Keeper, KeeperError, Resealing, sealed_secrets};
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng as _;
    use secrets::{Dice, KeyId, MasterKey, MasterKeys};
    use serde_json::json;
    use store::{StoreError, params};
    use testkit::{House, NOW, house};

    fn copy(key: &MasterKey) -> MasterKey {
        MasterKey::parse(key.to_text().reveal().as_bytes()).unwrap()
    }

    fn new_key() -> MasterKey {
        MasterKey::generate(&mut ChaCha20Rng::seed_from_u64(9))
    }

    /// How many secrets lie under a key.
    async fn under(house: &House, key: KeyId) -> i64 {
        let all = sealed_secrets(&house.store).await.unwrap();
        all.iter().filter(|one| one.key == key).map(|one| one.count).sum()
    }

    async fn sql(house: &House, statement: &'static str) {
        let done: Result<(), StoreError> =
            house.store.write(|tx| Box::pin(async move { tx.execute(statement, params![]).await.map(drop) })).await;
        done.unwrap();
    }

    /// A house with more access keys than one step takes; one of them.
    async fn full_house() -> (House, String, String) {
        let house = house().await;
        let root = house.root_manager().await;
        let mut last = (String::new(), String::new());
        for number in 0..120 {
            root.post("/api/v1/users", &json!({ "name": format!("u{number}") })).await.expect(201);
            let key = root.post("/api/v1/access-keys", &json!({ "user": format!("u{number}") })).await.expect(201);
            last = (key.text("access_key_id"), key.text("access_key_secret"));
        }
        (house, last.0, last.1)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_goes_on_wherever_it_was_interrupted() {
        let (house, id, secret) = full_house().await;
        let (old, new) = (house.master_keys.current.id(), new_key());
        let keys = MasterKeys { current: copy(&new), old: Some(copy(&house.master_keys.current)), next: None };
        assert_eq!(house.identity.replace_master_keys(&keys), Ok(true));
        assert_eq!((under(&house, old).await, under(&house, new.id()).await), (124, 0));
        let mut interrupted = Resealing::default();
        assert!(house.identity.reseal_some(&mut interrupted).await.unwrap());
        assert_eq!((interrupted.renewed, under(&house, old).await), (100, 24), "in bounded steps");
        // What is made meanwhile is under the new one, and everything works.
        let root = house.root_manager().await;
        root.post("/api/v1/access-keys", &json!({ "user": "u0" })).await.expect(201);
        house.manager(&id, &secret).await.get("/api/v1/whoami").await.expect(200);
        let mut pass = Resealing::default();
        while house.identity.reseal_some(&mut pass).await.unwrap() {}
        assert_eq!((pass.renewed, pass.failed), (24, 0));
        assert_eq!((under(&house, old).await, under(&house, new.id()).await), (0, 125));
        house.manager(&id, &secret).await.get("/api/v1/whoami").await.expect(200);
        let dice = Dice::new(Box::new(ChaCha20Rng::seed_from_u64(3)));
        Keeper::open(&house.store, &MasterKeys::from(new), &dice, NOW).await.unwrap();
        let refused = Keeper::open(&house.store, &house.master_keys, &dice, NOW).await.unwrap_err();
        assert!(matches!(refused, KeeperError::OtherKey(_)), "{refused}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_that_does_not_open_holds_up_no_other() {
        let (house, ..) = full_house().await;
        let another = "UPDATE credential SET sealed = (SELECT sealed FROM credential WHERE access_key_id = (SELECT max(access_key_id) FROM credential)) \
                       WHERE access_key_id = (SELECT min(access_key_id) FROM credential)";
        sql(&house, another).await;
        let keys = MasterKeys { current: new_key(), old: Some(copy(&house.master_keys.current)), next: None };
        house.identity.replace_master_keys(&keys).unwrap();
        let mut pass = Resealing::default();
        while house.identity.reseal_some(&mut pass).await.unwrap() {}
        assert_eq!((pass.renewed, pass.failed, under(&house, house.master_keys.current.id()).await), (123, 1, 1));
    }

    /// Databases from before the pepper was kept in them had the one that the master key gave.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_database_from_before_keeps_its_credentials() {
        let house = house().await;
        let dice = Dice::new(Box::new(ChaCha20Rng::seed_from_u64(3)));
        sql(&house, "DELETE FROM server_key").await;
        let strange = Keeper::open(&house.store, &MasterKeys::from(new_key()), &dice, NOW).await.unwrap_err();
        assert!(matches!(strange, KeeperError::OtherKey(_)), "{strange}");
        let both = MasterKeys { current: new_key(), old: Some(copy(&house.master_keys.current)), next: None };
        Keeper::open(&house.store, &both, &dice, NOW).await.unwrap();
        assert_eq!(under(&house, new_key().id()).await, 1, "nothing was kept before the key was known to fit, and now the pepper is");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn keys_that_open_nothing_are_not_taken() {
        let house = house().await;
        let unrelated = house.identity.replace_master_keys(&MasterKeys::from(new_key())).unwrap_err();
        assert_eq!(unrelated.0, house.master_keys.current.id());
    }
}
