//! Who manages the relay or looks at it: by a key that a program sends, or by a session of the page.

use std::sync::{Arc, OnceLock};

use axum_extra::extract::cookie::SignedCookieJar;
use http::{HeaderMap, Method};
use translate::failure::{Failure, Kind};

use super::Access;
use super::account_id::{AccountId, AccountIds};
use super::admin::AdminKey;
use super::session::{Holder, LIFETIME, Session, Sessions, proof};
use super::sign_in_limit::SignInLimit;
use super::visitor::Visitor;
use crate::clock;
use crate::http::same_origin::{is_same_origin, may_use_session};
use crate::store::counters::Counters;

/// Knows who may manage and look. Without an admin key nobody may.
pub struct SignIn {
    access: Arc<Access>,
    account_ids: AccountIds,
    sessions: OnceLock<Sessions>,
    limit: SignInLimit,
}

impl SignIn {
    /// By the keys that `access` knows; cookies are signed under the secret of `account_ids`, wrong
    /// keys are counted in `counters`.
    #[must_use]
    pub fn new(access: Arc<Access>, account_ids: AccountIds, counters: Arc<dyn Counters>) -> Self {
        Self {
            access,
            account_ids,
            sessions: OnceLock::new(),
            limit: SignInLimit::new(counters),
        }
    }

    /// Lets pass where there is an admin key.
    ///
    /// # Errors
    /// A [`Kind::NotFound`] failure.
    pub fn require_on(&self) -> Result<(), Failure> {
        self.admin().map(|_| ())
    }

    fn admin(&self) -> Result<&AdminKey, Failure> {
        let none = || Failure::new(Kind::NotFound, "Not available: ADMIN_KEY is not set.");
        self.access.key_access().admin.as_ref().ok_or_else(none)
    }

    /// Makes and reads cookies. Another admin key signs otherwise: it ends all sessions.
    fn sessions(&self, admin: &AdminKey) -> &Sessions {
        self.sessions.get_or_init(|| {
            let purpose = format!("page session:{}", admin.hash());
            Sessions::new(&self.account_ids.signing_key(&purpose))
        })
    }

    /// A session for whoever gives a good key.
    ///
    /// # Errors
    /// The key opens nothing, there were too many wrong ones from this address, or another site
    /// sent the request.
    pub async fn begin(
        &self,
        credential: &str,
        address: AccountId,
        headers: &HeaderMap,
    ) -> Result<(Visitor, Session, &Sessions), Failure> {
        let admin = self.admin()?;
        if !is_same_origin(headers) {
            return Err(of_another_site());
        }
        let checking = self.limit.check(address, clock::system_time());
        checking.await.map_err(|wait| {
            let message = "Too many wrong keys came from this address. Try again in a minute.";
            Failure::new(Kind::RateLimited, message).with_retry_after(Some(wait))
        })?;
        let now = clock::now_ms();
        let (visitor, holder, proof) = if admin.is(credential) {
            (Visitor::Admin, Holder::Admin, proof(admin.hash()))
        } else {
            let keys = &self.access.key_access().keys;
            let known = match keys.authenticate(credential.trim(), now) {
                Ok(known) => known,
                Err(failure) => {
                    if failure.kind == Kind::Unauthenticated {
                        self.limit.failed(address, clock::system_time()).await;
                    }
                    return Err(failure);
                }
            };
            let holder = Holder::Key(known.key.id.clone());
            let proof = proof(&known.key.hash);
            (Visitor::Holder(known), holder, proof)
        };
        let session = Session {
            holder,
            ends: now / 1000 + LIFETIME,
            proof,
        };
        Ok((visitor, session, self.sessions(admin)))
    }

    /// The session of a request whose holder may still use it.
    #[must_use]
    pub fn session(&self, headers: &HeaderMap) -> Option<(Visitor, Session)> {
        let admin = self.admin().ok()?;
        let now = clock::now_ms();
        let session = self.sessions(admin).read(headers, now / 1000)?;
        let (visitor, known) = match &session.holder {
            Holder::Admin => (Visitor::Admin, proof(admin.hash())),
            Holder::Key(id) => {
                let known = self.access.key_access().keys.get(id)?;
                known.key.check_open(now).ok()?;
                let proof = proof(&known.key.hash);
                (Visitor::Holder(known), proof)
            }
        };
        (session.proof == known).then_some((visitor, session))
    }

    /// Whose session a request has that may use it.
    ///
    /// # Errors
    /// There is no session, or another site sent the request with the page's cookie.
    pub fn visitor(&self, method: &Method, headers: &HeaderMap) -> Result<Visitor, Failure> {
        self.admin()?;
        let Some((visitor, _)) = self.session(headers) else {
            let message = "Nobody is signed in, or the session has ended.";
            return Err(Failure::new(Kind::Unauthenticated, message).with_retry(false));
        };
        if may_use_session(method, headers) {
            Ok(visitor)
        } else {
            Err(of_another_site())
        }
    }

    /// Ends the session of a browser.
    ///
    /// # Errors
    /// Another site sent the request.
    pub fn end(&self, headers: &HeaderMap) -> Result<SignedCookieJar, Failure> {
        let admin = self.admin()?;
        if !is_same_origin(headers) {
            return Err(of_another_site());
        }
        Ok(self.sessions(admin).end())
    }
}

fn of_another_site() -> Failure {
    let message =
        "Only the relay's own page may send this. Behind a proxy: pass the Host header on.";
    Failure::new(Kind::Forbidden, message).with_retry(false)
}
