//! A document's earlier contents, and documents that come as files.

use std::sync::Arc;

use calseta_contract::context_document::{
    DocumentRequest, DocumentSummary, DocumentVersionView, DocumentView,
};
use calseta_domain::{DocumentId, FieldError};
use calseta_store::WriteTx;
use calseta_store::tables::Direction;
use calseta_store::tables::document::{
    self, DocumentFilter, DocumentHead, DocumentSort, VersionRow,
};
use serde_json::{Value, json};

use crate::changes::named;
use crate::convert::{self, Upload};
use crate::indicators::slice;
use crate::{Engine, Listed, PageNumber, Principal, Problem, documents, views};

/// The fields of an upload besides the file, as a form sends them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentForm {
    /// The title; the file's name without its ending when absent.
    pub title: Option<String>,
    /// One of the document types; other when absent.
    pub document_type: Option<String>,
    /// true, 1 or yes; anything else but false, 0 and no is refused.
    pub is_global: Option<String>,
    /// One line about it.
    pub description: Option<String>,
    /// A JSON list of texts, or texts with commas between them.
    pub tags: Option<String>,
    /// `{match_any, match_all}` as JSON.
    pub targeting_rules: Option<String>,
}

fn summary(head: DocumentHead) -> DocumentSummary {
    DocumentSummary {
        uuid: head.uuid,
        title: head.title,
        document_type: head.document_type,
        description: head.description,
        is_global: head.is_global,
        tags: head.tags,
        targeting_rules: head.targeting_rules,
        version: head.version,
        content_bytes: head.content_chars,
        created_at: head.created_at,
        updated_at: head.updated_at,
    }
}

fn version_view(row: VersionRow, current: u64, with_content: Content) -> DocumentVersionView {
    DocumentVersionView {
        version: row.version,
        title: row.title,
        saved_by: row.actor,
        saved_at: row.at,
        is_current: row.version == current,
        content_bytes: row.content.len() as u64,
        content: (with_content == Content::Shown).then_some(row.content),
    }
}

/// Whether a version shows its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Shown,
    LeftOut,
}

impl Engine {
    /// `GET /v1/context-documents`, without their contents.
    pub async fn list_documents(
        &self,
        filter: DocumentFilter,
        order: (DocumentSort, Direction),
        page: PageNumber,
    ) -> Result<Listed<DocumentSummary>, Problem> {
        let (heads, total) = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(document::page(tx, &filter, order, slice(page))?))
            .await?;
        Ok(Listed::counted(
            heads.into_iter().map(summary).collect(),
            total,
        ))
    }

    /// `GET /v1/context-documents/{uuid}/versions`, newest first, without their contents.
    pub async fn document_versions(
        &self,
        id: DocumentId,
        page: PageNumber,
    ) -> Result<Listed<DocumentVersionView>, Problem> {
        self.inner
            .store
            .read(move |tx| {
                let row = documents::row(tx, id)?;
                let (rows, total) = document::versions(tx, row.id, slice(page))?;
                let rows = rows
                    .into_iter()
                    .map(|version| version_view(version, row.version, Content::LeftOut))
                    .collect();
                Ok::<_, Problem>(Listed::counted(rows, total))
            })
            .await
    }

    /// `GET /v1/context-documents/{uuid}/versions/{version}`.
    pub async fn document_version(
        &self,
        id: DocumentId,
        version: u64,
    ) -> Result<DocumentVersionView, Problem> {
        self.inner
            .store
            .read(move |tx| {
                let row = documents::row(tx, id)?;
                let stored = document::version(tx, row.id, version)?
                    .ok_or_else(|| Problem::not_found("version of this document"))?;
                Ok::<_, Problem>(version_view(stored, row.version, Content::Shown))
            })
            .await
    }

    /// `POST /v1/context-documents/{uuid}/versions/{version}/restore`: its content becomes the
    /// newest version; nothing of the history is lost.
    pub async fn restore_document(
        &self,
        by: &Principal,
        id: DocumentId,
        version: u64,
    ) -> Result<DocumentView, Problem> {
        by.need_human("writing context documents")?;
        let change = self.change(by);
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let mut row = documents::row(tx, id)?;
                let stored = document::version(tx, row.id, version)?
                    .ok_or_else(|| Problem::not_found("version of this document"))?;
                if stored.content == row.content && stored.title == row.title {
                    return Ok(views::document(row));
                }
                let before = row.version;
                row.title = stored.title;
                row.content = stored.content;
                row.version += 1;
                row.updated_at = change.at;
                document::put(tx, &row, &change.actor.name)?;
                let mut detail = named(&row.title, "restored");
                detail.insert("version".to_owned(), json!([before, row.version]));
                detail.insert("restored_version".to_owned(), json!(version));
                documents::append(tx, &row, &change, detail)?;
                Ok::<_, Problem>(views::document(row))
            })
            .await
    }

    /// `POST /v1/context-documents` with a file: its Markdown is stored, the file is not.
    pub async fn upload_document(
        &self,
        by: &Principal,
        upload: Upload,
        form: DocumentForm,
    ) -> Result<DocumentView, Problem> {
        by.need_human("writing context documents")?;
        let name = upload.file_name.clone();
        let mut request = request_of(form, name.as_deref())?;
        request.content = convert::convert(&Arc::clone(&self.inner.converting), upload).await?;
        self.create_document(by, request).await
    }
}

fn request_of(form: DocumentForm, file_name: Option<&str>) -> Result<DocumentRequest, Problem> {
    let mut errors = Vec::new();
    let stem = file_name.map(|name| {
        let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
        base.rsplit_once('.')
            .map_or(base, |(stem, _)| stem)
            .to_owned()
    });
    let is_global = match form.is_global.as_deref().map(str::trim) {
        None | Some("" | "false" | "0" | "no") => false,
        Some("true" | "1" | "yes") => true,
        Some(_) => {
            errors.push(FieldError::new("is_global", "must be true or false"));
            false
        }
    };
    let targeting_rules = match form.targeting_rules.as_deref().map(str::trim) {
        None | Some("" | "null") => None,
        Some(text) => {
            let rules = serde_json::from_str::<Value>(text).ok();
            if rules.is_none() {
                errors.push(FieldError::new("targeting_rules", "must be JSON"));
            }
            rules
        }
    };
    let tags = tags_of(&mut errors, form.tags.as_deref().unwrap_or_default());
    if !errors.is_empty() {
        return Err(Problem::fields(&errors));
    }
    Ok(DocumentRequest {
        title: form.title.or(stem).unwrap_or_default(),
        document_type: form.document_type.unwrap_or_else(|| "other".to_owned()),
        content: String::new(),
        description: form.description.filter(|text| !text.trim().is_empty()),
        is_global,
        tags,
        targeting_rules,
    })
}

fn tags_of(errors: &mut Vec<FieldError>, text: &str) -> Vec<String> {
    let text = text.trim();
    if text.starts_with('[') {
        return serde_json::from_str(text).unwrap_or_else(|_| {
            errors.push(FieldError::new("tags", "must be a JSON list of texts"));
            Vec::new()
        });
    }
    text.split(',')
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_old_clients_send_it() {
        let form = DocumentForm {
            is_global: Some("yes".to_owned()),
            tags: Some("phishing, email".to_owned()),
            targeting_rules: Some("null".to_owned()),
            ..DocumentForm::default()
        };
        let request = request_of(form, Some("C:\\docs\\Phishing response.pdf")).unwrap();
        assert_eq!(request.title, "Phishing response");
        assert_eq!(request.document_type, "other");
        assert!(request.is_global);
        assert_eq!(request.tags, ["phishing", "email"]);
        assert_eq!(request.targeting_rules, None);
        let bad = DocumentForm {
            is_global: Some("maybe".to_owned()),
            tags: Some("[1]".to_owned()),
            targeting_rules: Some("{".to_owned()),
            ..DocumentForm::default()
        };
        let refused = request_of(bad, None).unwrap_err();
        assert_eq!(refused.details["errors"].as_array().unwrap().len(), 3);
    }
}
