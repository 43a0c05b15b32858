//! `calseta ingest`: JSON or NDJSON from a file or standard input, one line out per alert.

use std::io::Read;
use std::path::Path;

use calseta_egress::LocalClient;
use calseta_engine::{Engine, Principal};
use http::Method;
use serde_json::{Value, json};

use crate::arguments::Ingest;
use crate::failure::Failure;
use crate::{output, running};

pub(crate) async fn run(arguments: Ingest, as_json: bool) -> Result<(), Failure> {
    let dir = running::data_dir(&arguments.data)?;
    let text = read(&arguments.file)?;
    let documents = documents(&text)?;
    let way = match running::client(&dir).await {
        Some(client) => Way::Api(client),
        None => Way::Store(running::engine(&dir).await?),
    };
    let mut refused = 0;
    for (number, document) in documents.iter().enumerate() {
        match way.send(&arguments.source, document).await {
            Ok(views) => views.iter().for_each(output::line),
            Err(failure) => {
                refused += 1;
                failure.about_document(number + 1).report(as_json);
            }
        }
    }
    if let Way::Store(engine) = way {
        engine.stop().await;
    }
    match refused {
        0 => Ok(()),
        n => Err(Failure::failed(format!(
            "{n} of {} documents were refused",
            documents.len()
        ))),
    }
}

/// Through the running app, or straight into the data directory.
enum Way {
    Api(LocalClient),
    Store(Engine),
}

impl Way {
    /// One view an alert: a vendor's bundle carries several.
    async fn send(&self, source: &str, document: &str) -> Result<Vec<Value>, Failure> {
        match self {
            Self::Api(client) => {
                let path = format!("/v1/ingest/{source}");
                let body = Some(document.as_bytes());
                let answer = running::call(client, Method::POST, &path, body).await?;
                views(&running::success(answer)?)
            }
            Self::Store(engine) => {
                let by = Principal::analyst();
                let (views, _) = engine
                    .ingest(&by, source, document.as_bytes(), None)
                    .await?;
                Ok(views.iter().map(|view| json!(view)).collect())
            }
        }
    }
}

/// All alerts of an answer: `data` is the first, `meta.alerts` names all of several.
fn views(answer: &Value) -> Result<Vec<Value>, Failure> {
    match (&answer["meta"]["alerts"], &answer["data"]) {
        (Value::Array(all), _) => Ok(all.clone()),
        (_, Value::Null) => Err(Failure::failed("the API's answer names no alert")),
        (_, one) => Ok(vec![one.clone()]),
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let result = if file == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|read| text = read)
    };
    result.map_err(|error| Failure::failed(format!("{}: {error}", file.display())))?;
    Ok(text)
}

/// The documents, verbatim: the whole text when it is one, else one a line.
fn documents(text: &str) -> Result<Vec<String>, Failure> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(Failure::usage(
            "the input is empty; give JSON or one JSON document a line",
        ));
    }
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return Ok(vec![text.to_owned()]);
    }
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_document_over_many_lines_is_one_and_lines_are_many() {
        assert_eq!(documents("{\n \"a\": 1\n}\n").unwrap().len(), 1);
        assert_eq!(
            documents("{\"a\":1}\n\n{\"b\":2}\r\n").unwrap(),
            ["{\"a\":1}", "{\"b\":2}"]
        );
        assert!(documents("  \n").is_err());
    }
}
