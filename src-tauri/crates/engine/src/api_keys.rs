//! API keys: making, checking, revoking.
//!
//! A key is `cai_` and 256 random bits. Those bits are the whole secret, so a plain SHA-256 is
//! enough to store it by; it is looked up whole and compared in constant time.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use calseta_contract::api_key::{ApiKeyRequest, ApiKeyView};
use calseta_domain::{ApiKeyId, ErrorCode, FieldError, KeyType, Scope, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::api_key::{self, ApiKeyRow};
use calseta_store::tables::event::{self, NewEvent};
use calseta_store::tables::{Reads, agent};
use serde_json::{Map, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::clock::{Ids, random_bytes};
use crate::key_cache::Generation;
use crate::{Engine, Listed, PageNumber, Principal, Problem};

/// Every key begins with this.
const PREFIX: &str = "cai_";
/// `cai_` and 43 characters of base64url.
const KEY_CHARS: usize = 47;
/// Characters that are shown to recognise a key by.
const SHOWN_CHARS: usize = 12;
/// The longest name.
const NAME_MAX: usize = 255;
/// Milliseconds a day.
const DAY_MS: i64 = 24 * 3600 * 1000;

/// A new key: its row, without its row id, and the key itself.
pub(crate) fn mint(name: &str, scopes: &[Scope], now: Timestamp) -> (ApiKeyRow, Zeroizing<String>) {
    let random = Zeroizing::new(random_bytes::<32>());
    let key = Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*random)));
    let row = ApiKeyRow {
        id: 0,
        uuid: Ids.next(),
        hash: hash(&key),
        prefix: key.chars().take(SHOWN_CHARS).collect(),
        name: name.to_owned(),
        scopes: scopes.to_vec(),
        kind: KeyType::Human,
        agent: None,
        agent_uuid: None,
        agent_name: None,
        allowed_sources: None,
        created_at: now,
        expires_at: None,
        revoked_at: None,
        last_used_day: None,
    };
    (row, key)
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

pub(crate) fn view(row: &ApiKeyRow, key: Option<String>) -> ApiKeyView {
    ApiKeyView {
        uuid: row.uuid,
        name: row.name.clone(),
        key_prefix: row.prefix.clone(),
        scopes: row.scopes.iter().map(|s| s.as_str().to_owned()).collect(),
        key_type: row.kind,
        is_active: row.revoked_at.is_none(),
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_at: row
            .last_used_day
            .map(|day| Timestamp::from_millis(day * DAY_MS)),
        allowed_sources: row.allowed_sources.clone(),
        agent_uuid: row.agent_uuid,
        key,
    }
}

fn unauthorized(message: &str) -> Problem {
    Problem::new(ErrorCode::Unauthorized, message)
}

pub(crate) fn row(tx: &impl Reads, id: ApiKeyId) -> Result<ApiKeyRow, Problem> {
    api_key::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("API key"))
}

/// Whether it is a person's admin key that works.
pub(crate) fn is_open_admin(row: &ApiKeyRow, now: Timestamp) -> bool {
    row.kind == KeyType::Human
        && row.scopes.contains(&Scope::Admin)
        && row.revoked_at.is_none()
        && row.expires_at.is_none_or(|at| at > now)
}

pub(crate) fn last_admin() -> Problem {
    Problem::new(
        ErrorCode::LastAdminKey,
        "this is the last admin key of a person; make another one first, or nobody could come back in",
    )
}

/// The scopes that words name, each once.
pub(crate) fn scopes_of(errors: &mut Vec<FieldError>, words: &[String]) -> Vec<Scope> {
    let mut scopes = Vec::new();
    for (n, word) in words.iter().enumerate() {
        match word.parse::<Scope>() {
            Ok(scope) if !scopes.contains(&scope) => scopes.push(scope),
            Ok(_) => {}
            Err(_) => errors.push(FieldError::unknown_word(
                format!("scopes.{n}"),
                "scope",
                word,
                Scope::WORDS,
            )),
        }
    }
    if words.is_empty() {
        errors.push(FieldError::new("scopes", "must name at least one scope"));
    }
    scopes
}

/// Refuses sources that there are not.
pub(crate) fn check_sources(errors: &mut Vec<FieldError>, sources: &[String], known: &[String]) {
    for (n, source) in sources.iter().enumerate() {
        if !known.contains(source) {
            let path = format!("allowed_sources.{n}");
            errors.push(FieldError::unknown_word(path, "source", source, known));
        }
    }
}

struct Checked {
    scopes: Vec<Scope>,
    kind: KeyType,
}

fn check(request: &ApiKeyRequest, known_sources: &[String]) -> Result<Checked, Problem> {
    let mut errors = Vec::new();
    let name = request.name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX {
        errors.push(FieldError::new("name", "must have 1 to 255 characters"));
    }
    let scopes = scopes_of(&mut errors, &request.scopes);
    let kind = match request.key_type.as_deref() {
        None if request.agent_uuid.is_some() => KeyType::Agent,
        None => KeyType::Human,
        Some(word) => word.parse().unwrap_or_else(|_| {
            errors.push(FieldError::unknown_word(
                "key_type",
                "key type",
                word,
                KeyType::WORDS,
            ));
            KeyType::Human
        }),
    };
    if request.agent_uuid.is_some() && kind == KeyType::Human {
        errors.push(FieldError::new(
            "agent_uuid",
            "only a key of type agent belongs to an agent",
        ));
    }
    let sources = request.allowed_sources.as_deref().unwrap_or_default();
    check_sources(&mut errors, sources, known_sources);
    if errors.is_empty() {
        Ok(Checked { scopes, kind })
    } else {
        Err(Problem::fields(&errors))
    }
}

impl Engine {
    /// Who holds this key. Every refusal reads the same but for an expired key's.
    pub async fn authenticate(&self, key: &str) -> Result<Principal, Problem> {
        if !key.starts_with(PREFIX) || key.len() != KEY_CHARS {
            return Err(unauthorized(
                "this is no Calseta API key; a key begins with cai_",
            ));
        }
        let digest = hash(key);
        let row = match self.inner.keys.get(&digest) {
            Ok(row) => row,
            Err(read_in) => self.load_key(digest, read_in).await?,
        };
        if !bool::from(row.hash.ct_eq(&digest)) || row.revoked_at.is_some() {
            return Err(unauthorized("this API key is not valid"));
        }
        let now = self.inner.clock.now();
        if row.expires_at.is_some_and(|at| at <= now) {
            return Err(Problem::new(
                ErrorCode::KeyExpired,
                "this API key has expired; ask for a new one",
            ));
        }
        self.note_use(&row, now).await;
        Ok(Principal::key(row))
    }

    async fn load_key(
        &self,
        digest: [u8; 32],
        read_in: Generation,
    ) -> Result<Arc<ApiKeyRow>, Problem> {
        let row = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(api_key::by_hash(tx, digest)?))
            .await?;
        let row = Arc::new(row.ok_or_else(|| unauthorized("this API key is not valid"))?);
        self.inner.keys.keep(read_in, digest, &row);
        Ok(row)
    }

    /// Once a day a key; a failure must not refuse the request.
    async fn note_use(&self, row: &Arc<ApiKeyRow>, now: Timestamp) {
        let day = now.millis().div_euclid(DAY_MS);
        if row.last_used_day == Some(day) {
            return;
        }
        let id = row.id;
        let noted = self
            .inner
            .store
            .write(move |tx| api_key::note_use(tx, id, day))
            .await;
        if noted.is_ok() {
            self.inner.keys.forget();
        }
    }

    /// `POST /v1/api-keys`: the key itself is in this answer and nowhere else.
    pub async fn create_api_key(
        &self,
        by: &Principal,
        request: ApiKeyRequest,
    ) -> Result<ApiKeyView, Problem> {
        by.need_human("making API keys")?;
        let checked = check(&request, &self.inner.source_names())?;
        let (now, actor) = (self.inner.clock.now(), self.actor(by));
        let (mut row, key) = mint(request.name.trim(), &checked.scopes, now);
        row.kind = checked.kind;
        row.expires_at = request.expires_at;
        row.allowed_sources = request
            .allowed_sources
            .filter(|sources| !sources.is_empty());
        let agent_uuid = request.agent_uuid;
        let row = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                if let Some(uuid) = agent_uuid {
                    let agent = agent::by_uuid(tx, uuid)?
                        .ok_or_else(|| Problem::field("agent_uuid", "there is no such agent"))?;
                    row.agent = Some(agent.id);
                    row.agent_uuid = Some(uuid);
                    row.agent_name = Some(agent.name);
                }
                row.id = api_key::insert(tx, &row)?;
                let mut detail = Map::new();
                detail.insert("name".to_owned(), json!(row.name));
                detail.insert("scopes".to_owned(), json!(row.scopes));
                detail.insert("key_type".to_owned(), json!(row.kind));
                event::append(
                    tx,
                    NewEvent {
                        at: now,
                        actor: &actor,
                        kind: "key.created",
                        object: ("api_key", Some(row.uuid.uuid())),
                        alert: None,
                        detail,
                    },
                )?;
                Ok::<_, Problem>(row)
            })
            .await?;
        Ok(view(&row, Some(key.to_string())))
    }

    /// `GET /v1/api-keys`: the keys that work, newest first.
    pub async fn api_keys(&self, page: PageNumber) -> Result<Listed<ApiKeyView>, Problem> {
        let (rows, total) = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(api_key::active(tx, page.page_size, page.offset())?))
            .await?;
        Ok(Listed::counted(
            rows.iter().map(|row| view(row, None)).collect(),
            total,
        ))
    }

    /// `GET /v1/api-keys/{uuid}`: revoked keys too.
    pub async fn api_key(&self, id: ApiKeyId) -> Result<ApiKeyView, Problem> {
        let row = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(api_key::by_uuid(tx, id)?))
            .await?;
        row.map(|row| view(&row, None))
            .ok_or_else(|| Problem::not_found("API key"))
    }

    /// `DELETE /v1/api-keys/{uuid}`: works from the next request on. The last human admin key stays.
    pub async fn revoke_api_key(&self, by: &Principal, id: ApiKeyId) -> Result<(), Problem> {
        by.need_human("revoking API keys")?;
        let (now, actor) = (self.inner.clock.now(), self.actor(by));
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = self::row(tx, id)?;
                if row.revoked_at.is_some() {
                    return Ok(());
                }
                if is_open_admin(&row, now) && api_key::other_admins(tx, row.id, now)? == 0 {
                    return Err(last_admin());
                }
                api_key::revoke(tx, row.id, now)?;
                let mut detail = Map::new();
                detail.insert("name".to_owned(), json!(row.name));
                event::append(
                    tx,
                    NewEvent {
                        at: now,
                        actor: &actor,
                        kind: "key.revoked",
                        object: ("api_key", Some(id.uuid())),
                        alert: None,
                        detail,
                    },
                )?;
                Ok::<_, Problem>(())
            })
            .await?;
        self.inner.keys.forget();
        Ok(())
    }
}
