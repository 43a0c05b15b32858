//! Bringing over one kind of thing: read there, recognised here, else made here.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Session;
use super::here::Refused;
use super::nouns::{Choice, Noun};
use super::report::{Line, Outcome};
use super::there::{Bounds, quoted};
use crate::failure::Failure;

/// Sources made in a run: nobody has more, and a server that names thousands must not fill the list here.
const MAX_NEW_SOURCES: usize = 50;

/// What is said of a thing that a dry run leaves alone.
pub(super) const DRY: &str = "a dry run: it would be imported";

/// What became of one thing, why, and its id here.
type Became = (Outcome, Option<String>, Option<String>);

impl Session {
    /// Everything of a kind.
    pub(super) async fn bring(&mut self, noun: Noun) -> Result<(), Failure> {
        let listing = self
            .there
            .list(noun.path, noun.order, Bounds::KEPT, |thing| thing)
            .await?;
        let ours = self.here.list(noun.path).await?;
        let mut known: BTreeMap<String, String> = ours
            .iter()
            .map(|thing| {
                let uuid = thing["uuid"].as_str().unwrap_or_default();
                ((noun.identity)(thing), uuid.to_owned())
            })
            .collect();
        for thing in listing.things {
            self.one(&noun, &thing, &mut known).await?;
        }
        match listing.incomplete {
            None => Ok(()),
            Some(text) => Err(Failure::failed(text)),
        }
    }

    async fn one(
        &mut self,
        noun: &Noun,
        listed: &Value,
        known: &mut BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let name = (noun.name)(listed);
        let identity = (noun.identity)(listed);
        let (outcome, why, uuid) = match (noun.choose)(listed) {
            Choice::Pass => return Ok(()),
            Choice::Skip(why) => (Outcome::Skipped, Some(why.to_owned()), None),
            Choice::Take if name.trim().is_empty() => {
                let why = format!("the server sent a {} without a name", noun.kind);
                (Outcome::Failed, Some(why), None)
            }
            Choice::Take => match known.get(&identity) {
                Some(uuid) => (Outcome::AlreadyThere, None, Some(uuid.clone())),
                None => self.make(noun, listed).await?,
            },
        };
        if let Some(uuid) = &uuid {
            known.insert(identity, uuid.clone());
        }
        self.report.tell(&Line {
            kind: noun.kind,
            name: &quoted(&name),
            outcome,
            why,
            their_uuid: listed["uuid"].as_str(),
            uuid: uuid.as_deref(),
            original: None,
        });
        Ok(())
    }

    async fn make(&mut self, noun: &Noun, listed: &Value) -> Result<Became, Failure> {
        let failed = |why: String| Ok((Outcome::Failed, Some(why), None));
        let fetched;
        let thing = if noun.is_summary {
            let uuid: Option<Uuid> = listed["uuid"].as_str().and_then(|text| text.parse().ok());
            let Some(uuid) = uuid else {
                return failed("the server sent it without a uuid".to_owned());
            };
            match self
                .there
                .object::<Value>(&format!("{}/{uuid}", noun.path))
                .await
            {
                Ok(object) => fetched = object,
                Err(stop) if stop.is_refusal() => return Err(stop),
                Err(failure) => return failed(failure.message().to_owned()),
            }
            &fetched
        } else {
            listed
        };
        let notes = (noun.notes)(thing);
        if self.options.dry_run {
            return Ok((Outcome::Skipped, Some(DRY.to_owned()), None));
        }
        let request = (noun.request)(thing, &self.options);
        if let Some(source) = request["source_name"].as_str() {
            self.ensure_source(source).await?;
        }
        let made = match self.here.create(noun.path, &request).await? {
            Ok(made) => made,
            Err(no) => return failed(no.why),
        };
        let uuid = made["uuid"].as_str().unwrap_or_default().to_owned();
        let mut differs = notes.clone();
        for note in &notes {
            self.report.note(note);
        }
        // What is made is on; what was off there is switched off.
        if request["is_active"] == json!(false) && made["is_active"] == json!(true) {
            let path = format!("{}/{uuid}", noun.path);
            let off = Some(r#"{"is_active":false}"#.to_owned());
            let off = self.here.call(Method::PATCH, &path, off, None).await?;
            if let Err(no) = off.data() {
                differs.push(format!("it is on here and was off there: {}", no.why));
            }
        }
        let why = (!differs.is_empty()).then(|| differs.join("; "));
        Ok((Outcome::Imported, why, Some(uuid)))
    }

    /// A source that things belong to. One that is not known here is made, on the generic plugin; whether there is one
    /// now.
    pub(super) async fn ensure_source(&mut self, name: &str) -> Result<bool, Failure> {
        if let Some(there) = self.sources.get(name) {
            return Ok(*there);
        }
        if self.options.dry_run {
            return Ok(true);
        }
        let made = if self.new_sources < MAX_NEW_SOURCES {
            let request = json!({"source_name": name, "display_name": name});
            self.here.create("/v1/sources", &request).await?
        } else {
            Err(Refused {
                code: "TOO_MANY".to_owned(),
                why: format!(
                    "{MAX_NEW_SOURCES} sources were made in this run; make this one by hand"
                ),
            })
        };
        self.new_sources += usize::from(made.is_ok());
        let (outcome, why) = match &made {
            Ok(_) => (
                Outcome::Imported,
                "not known here: made on the generic plugin; give it a field map".to_owned(),
            ),
            Err(no) => (Outcome::Failed, no.why.clone()),
        };
        self.sources.insert(name.to_owned(), made.is_ok());
        self.report.tell(&Line {
            kind: "source",
            name: &quoted(name),
            outcome,
            why: Some(why),
            their_uuid: None,
            uuid: made.as_ref().ok().and_then(|made| made["uuid"].as_str()),
            original: None,
        });
        Ok(made.is_ok())
    }
}
