//! Sessions of the page for people: a signed cookie that names who signed in and until when. It
//! holds no key, the server keeps nothing, and who it names is looked up at each use. It names no
//! path, so that browsers send it to where it came from alone: `/admin`, below whatever path a
//! reverse proxy has put before it.

use axum_extra::extract::cookie::{Cookie, Key, SameSite, SignedCookieJar};
use http::HeaderMap;

/// The cookie's name.
const NAME: &str = "relay_session";

/// Stands in it for the operator; no access key has so short an id.
const ADMIN: &str = "admin";

/// Letters of a hash, 64 bits.
const PROOF_LENGTH: usize = 16;

/// Seconds that a session lasts.
pub const LIFETIME: i64 = 12 * 60 * 60;

/// Who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// The operator.
    Admin,
    /// Who has an access key, by its id.
    Key(String),
}

/// A session as its cookie tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who signed in.
    pub holder: Holder,
    /// When it ends, in seconds since 1970.
    pub ends: i64,
    /// A piece of the hash of the key that opened it: with another key of the same id it is over.
    pub proof: String,
}

/// Makes and reads the cookies of sessions.
#[derive(Clone)]
pub struct Sessions {
    key: Key,
}

impl Sessions {
    /// Sessions signed by these bytes, the same in all processes that share the sessions.
    #[must_use]
    pub fn new(secret: &[u8; 64]) -> Self {
        Self {
            key: Key::from(secret),
        }
    }

    /// The `Set-Cookie` of a session that begins; `secure` keeps it off connections without TLS.
    pub fn begin(&self, session: &Session, secure: bool) -> SignedCookieJar {
        let who = match &session.holder {
            Holder::Admin => ADMIN,
            Holder::Key(id) => id.as_str(),
        };
        let value = format!("{who}.{}.{}", session.ends, session.proof);
        self.with(&value, LIFETIME, secure)
    }

    /// The `Set-Cookie` that makes a browser forget its session.
    pub fn end(&self) -> SignedCookieJar {
        self.with("", 0, false)
    }

    fn with(&self, value: &str, max_age: i64, secure: bool) -> SignedCookieJar {
        let mut cookie = Cookie::new(NAME, value.to_owned());
        // The builder wants another crate's durations.
        let age = Cookie::parse(format!("{NAME}=; Max-Age={max_age}"));
        cookie.set_max_age(age.ok().and_then(|cookie| cookie.max_age()));
        cookie.set_http_only(true);
        cookie.set_same_site(SameSite::Strict);
        cookie.set_secure(secure);
        SignedCookieJar::new(self.key.clone()).add(cookie)
    }

    /// The session of a request, unless it has none, one that has ended, or one that is not ours.
    /// `now` is in seconds since 1970.
    #[must_use]
    pub fn read(&self, headers: &HeaderMap, now: i64) -> Option<Session> {
        let cookie = SignedCookieJar::from_headers(headers, self.key.clone()).get(NAME)?;
        let mut parts = cookie.value().splitn(3, '.');
        let holder = match parts.next()? {
            ADMIN => Holder::Admin,
            id => Holder::Key(id.to_owned()),
        };
        let ends = parts.next()?.parse().ok()?;
        let proof = parts.next()?.to_owned();
        (now < ends).then_some(Session {
            holder,
            ends,
            proof,
        })
    }
}

/// What a session keeps of the hash of the key that opened it.
#[must_use]
pub fn proof(hash: &str) -> String {
    hash.chars().take(PROOF_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use http::header;

    use super::*;

    fn set_cookie(jar: SignedCookieJar) -> String {
        let response = (jar, ()).into_response();
        let cookie = &response.headers()[header::SET_COOKIE];
        cookie.to_str().unwrap().to_owned()
    }

    fn headers(cookie: &str) -> HeaderMap {
        let sent = cookie.split(';').next().unwrap();
        HeaderMap::from_iter([(header::COOKIE, sent.parse().unwrap())])
    }

    fn session(holder: Holder) -> Session {
        Session {
            holder,
            ends: 1000,
            proof: proof("0123456789abcdef0123"),
        }
    }

    #[test]
    fn a_session_is_read_until_it_ends_and_only_if_it_was_signed_here() {
        let sessions = Sessions::new(&[1; 64]);
        for holder in [Holder::Admin, Holder::Key("a8Fk29sKw0".into())] {
            let begun = session(holder);
            let cookie = set_cookie(sessions.begin(&begun, false));
            let sent = headers(&cookie);
            assert_eq!(sessions.read(&sent, 999), Some(begun));
            assert_eq!(sessions.read(&sent, 1000), None);
            assert_eq!(Sessions::new(&[2; 64]).read(&sent, 999), None);
            let forged = headers(&cookie.replace("1000", "9999"));
            assert_eq!(sessions.read(&forged, 999), None);
        }
        assert_eq!(sessions.read(&HeaderMap::new(), 0), None);
    }

    #[test]
    fn scripts_and_other_sites_do_not_get_it() {
        let sessions = Sessions::new(&[1; 64]);
        let plain = set_cookie(sessions.begin(&session(Holder::Admin), false));
        for attribute in ["HttpOnly", "SameSite=Strict", "Max-Age=43200"] {
            assert!(plain.contains(attribute), "{plain}");
        }
        assert!(!plain.contains("Path"), "browsers take that of the request");
        assert!(!plain.contains("Secure"));
        let secure = set_cookie(sessions.begin(&session(Holder::Admin), true));
        assert!(secure.contains("Secure"));
        assert!(set_cookie(sessions.end()).contains("Max-Age=0"));
    }
}
