//! Signing in to the page: sessions, what another site may not do, where the page keeps out.

use http::Method;
use serde_json::{Value, json};

use crate::rig::{Answer, Rig};

const ADMIN: &str = "an-admin-key-of-the-tests";

fn rig() -> Rig {
    let flags = ["--admin-key", ADMIN, "--onemin-api-keys", "family=key"];
    Rig::with(&flags)
}

/// What the page's own requests carry.
const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

async fn sign_in(rig: &Rig, key: &str) -> Answer {
    let body = json!({"key": key}).to_string();
    rig.send(Method::POST, "/admin/session", &[OWN], body).await
}

/// The cookie of an answer, as a browser sends it back.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").unwrap();
    set.split(';').next().unwrap().to_owned()
}

async fn create(rig: &Rig, name: &str) -> Value {
    let bearer = format!("Bearer {ADMIN}");
    let headers = [("authorization", bearer.as_str())];
    let body = json!({"name": name}).to_string();
    let made = rig.send(Method::POST, "/v1/keys", &headers, body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.json()
}

#[tokio::test]
async fn the_admin_signs_in_manages_keys_and_signs_out() {
    let rig = rig();
    assert_eq!(rig.get("/admin/session").await.json()["role"], Value::Null);
    let begun = sign_in(&rig, ADMIN).await;
    assert_eq!(begun.json()["role"], "admin");
    let set = begun.header("set-cookie").unwrap();
    for attribute in ["HttpOnly", "SameSite=Strict", "Max-Age=43200"] {
        assert!(set.contains(attribute), "{set}");
    }
    assert!(
        !set.contains("Path"),
        "it goes to where it came from: {set}"
    );
    assert!(!set.contains("Secure") && !set.contains(ADMIN));
    let cookie = cookie(&begun);
    let session = [OWN, ("cookie", cookie.as_str())];
    let shown = rig.send(Method::GET, "/admin/session", &session, "").await;
    assert_eq!(shown.json()["role"], "admin");
    let path = "/admin/api/keys";
    let made = rig
        .send(Method::POST, path, &session, r#"{"name":"Anna"}"#)
        .await;
    assert!(
        made.json()["key"]
            .as_str()
            .unwrap()
            .starts_with("sk-relay-")
    );
    for path in [
        "/admin/api/keys",
        "/admin/api/usage?by=day,model",
        "/admin/api/usage/requests",
        "/admin/api/accounts",
        "/admin/api/budgets",
        "/admin/api/settings",
        "/admin/api/health",
    ] {
        let answer = rig.send(Method::GET, path, &session[1..], "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert!(answer.json()["data"].is_array(), "{path}");
        assert!(!answer.text.contains(ADMIN), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    let out = rig
        .send(Method::DELETE, "/admin/session", &session, "")
        .await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn a_holder_sees_own_use_until_the_key_is_rotated() {
    let rig = rig();
    let made = create(&rig, "Anna").await;
    let begun = sign_in(&rig, made["key"].as_str().unwrap()).await;
    assert_eq!(begun.json()["name"], "Anna", "{}", begun.text);
    let cookie = cookie(&begun);
    let session = [("cookie", cookie.as_str())];
    let own = rig.send(Method::GET, "/admin/api/key", &session, "").await;
    assert_eq!(own.json()["data"]["name"], "Anna");
    let all = rig.send(Method::GET, "/admin/api/keys", &session, "").await;
    assert_eq!(all.status, 403);
    let hash = made["data"]["hash"].as_str().unwrap();
    let bearer = format!("Bearer {ADMIN}");
    let headers = [("authorization", bearer.as_str())];
    let path = format!("/admin/api/keys/{hash}/rotate");
    let grace = r#"{"grace_seconds":600}"#;
    let rotated = rig.send(Method::POST, &path, &headers, grace).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    let after = rig.send(Method::GET, "/admin/api/key", &session, "").await;
    assert_eq!(after.status, 401);
}

#[tokio::test]
async fn a_holders_session_is_enough_to_try_a_model_and_pays_as_its_key_does() {
    let rig = rig();
    let made = create(&rig, "Anna").await;
    let begun = sign_in(&rig, made["key"].as_str().unwrap()).await;
    let cookie = cookie(&begun);
    let session = [OWN, ("cookie", cookie.as_str())];
    let path = "/admin/api/try/chat/completions";
    let body = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi."}]});
    let body = body.to_string();
    let answer = rig.send(Method::POST, path, &session, body.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let other_site = rig.send(Method::POST, path, &session[1..], body.clone());
    assert_eq!(other_site.await.status, 403);
    let models = "/admin/api/try/models";
    let listed = rig.send(Method::GET, models, &session, "").await.json();
    assert!(!listed["data"].as_array().unwrap().is_empty());
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    let used = rig
        .send(Method::GET, "/admin/api/usage/requests", &session, "")
        .await
        .json();
    assert_eq!(used["data"][0]["key_name"], "Anna", "{used}");
    // The budget holds here, too.
    let bearer = format!("Bearer {ADMIN}");
    let headers = [("authorization", bearer.as_str())];
    let key = format!("/v1/keys/{}", made["data"]["hash"].as_str().unwrap());
    let budget = r#"{"budgets":[{"per":"day","credits":1}]}"#;
    let changed = rig.send(Method::PATCH, &key, &headers, budget).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let refused = rig.send(Method::POST, path, &session, body.clone()).await;
    assert_eq!(refused.status, 402, "{}", refused.text);
    // The owner's session pays for nothing.
    let owner = self::cookie(&sign_in(&rig, ADMIN).await);
    let session = [OWN, ("cookie", owner.as_str())];
    let refused = rig.send(Method::POST, path, &session, body).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
}

#[tokio::test]
async fn another_site_cannot_use_a_session_or_begin_one() {
    let rig = rig();
    let cookie = cookie(&sign_in(&rig, ADMIN).await);
    for site in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://other.example"),
        ("x-nothing", "said"),
    ] {
        let headers = [site, ("cookie", cookie.as_str())];
        for (method, path, body) in [
            (Method::POST, "/admin/api/keys", r#"{"name":"x"}"#),
            (Method::DELETE, "/admin/session", ""),
            (
                Method::POST,
                "/admin/session",
                r#"{"key":"an-admin-key-of-the-tests"}"#,
            ),
        ] {
            let answer = rig.send(method, path, &headers, body).await;
            assert_eq!(answer.status, 403, "{site:?} {path}");
        }
    }
    // It counts on the page's own paths only.
    let headers = [OWN, ("cookie", cookie.as_str())];
    for path in ["/v1/keys", "/v1/usage", "/v1/key"] {
        let answer = rig.send(Method::GET, path, &headers, "").await;
        assert_eq!(answer.status, 401, "{path}");
    }
    let https = [
        ("origin", "https://relay.example"),
        ("host", "relay.example"),
    ];
    let body = json!({"key": ADMIN}).to_string();
    let begun = rig.send(Method::POST, "/admin/session", &https, body).await;
    assert!(
        begun.header("set-cookie").unwrap().contains("Secure"),
        "{}",
        begun.text
    );
}

#[tokio::test]
async fn five_wrong_keys_a_minute() {
    let rig = rig();
    // All within one minute of the clock.
    let second = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() % 60;
    if second > 45 {
        tokio::time::sleep(std::time::Duration::from_secs(61 - second)).await;
    }
    for _ in 0..5 {
        assert_eq!(sign_in(&rig, "wrong").await.status, 401);
    }
    let refused = sign_in(&rig, ADMIN).await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").is_some());
}

#[tokio::test]
async fn without_an_admin_key_there_is_nothing_to_sign_in_to() {
    let rig = Rig::start();
    assert_eq!(sign_in(&rig, ADMIN).await.status, 404);
    for path in ["/admin/session", "/admin/api/keys", "/admin/api/usage"] {
        assert_eq!(rig.get(path).await.status, 404, "{path}");
    }
}
