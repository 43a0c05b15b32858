//! `/openapi.json` and `/docs`: what the API says about itself. No key is needed, and nothing comes
//! from a network.

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use calseta_engine::Problem;
use http::request::Parts;
use http::{HeaderValue, header};
use serde_json::json;

use crate::answer::Answer;
use crate::caller::App;
use crate::docs::{self, Page};
use crate::openapi::openapi;
use crate::operation::{
    Argument, Content, Facts, Noun, Operation, Reply, ReplyFacts, Schemas, about, get,
};

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Health,
        [
            get("/openapi.json", "get_openapi", document).says(
                "Read this document",
                "OpenAPI 3.1, made from the code that answers.",
            ),
            get("/docs", "get_docs", front).says(
                "Read the documentation",
                "Pages for people; they need no network.",
            ),
            get("/docs/{page}", "get_docs_page", page).says(
                "Read a page of the documentation",
                "A noun, a topic, the stylesheet or the agents' contract.",
            ),
        ],
    )
}

/// The document.
#[derive(Debug)]
struct Document;

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(Bytes::from_static(openapi().as_bytes())));
        let kind = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl Reply for Document {
    fn describe(_: &mut Schemas) -> Vec<ReplyFacts> {
        vec![ReplyFacts {
            status: 200,
            text: "The document.",
            content: Content::Json(json!({"type": "object"})),
        }]
    }
}

async fn document(State(_): State<App>) -> Answer<Document> {
    Ok(Document)
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(Bytes::from_static(self.text.as_bytes())));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(docs::POLICY),
        );
        response
    }
}

impl Reply for Page {
    fn describe(_: &mut Schemas) -> Vec<ReplyFacts> {
        vec![ReplyFacts {
            status: 200,
            text: "The page.",
            content: Content::Text(docs::KINDS),
        }]
    }
}

async fn front(State(_): State<App>) -> Answer<Page> {
    docs::page("index").ok_or_else(|| Problem::not_found("page").into())
}

/// The page's name. One that is no UTF-8 is a page that does not exist.
#[derive(Debug)]
struct PageName(String);

impl FromRequestParts<App> for PageName {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let path = Path::<String>::from_request_parts(parts, app).await;
        Ok(Self(path.map_or_else(|_| String::new(), |Path(name)| name)))
    }
}

impl Argument for PageName {
    fn describe(_: &mut Facts, _: &mut Schemas) {}
}

async fn page(State(_): State<App>, PageName(name): PageName) -> Answer<Page> {
    docs::page(&name).ok_or_else(|| {
        Problem::new(
            calseta_domain::ErrorCode::NotFound,
            "there is no such page; /docs lists them",
        )
        .into()
    })
}
