//! The command line's client: its application and nothing else.

use bytes::Bytes;
use calseta_egress::{BuildError, LocalClient, Refusal, SendError};
use http::{HeaderMap, HeaderValue, Method};

use crate::peer::{Canary, PATIENCE, Peer, respond};

async fn get(client: &LocalClient, path: &str) -> Result<String, SendError> {
    let (headers, body) = (HeaderMap::new(), Bytes::new());
    let answer = client
        .request(Method::GET, path, headers, body, PATIENCE)
        .await?;
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}

#[tokio::test]
async fn it_reaches_its_application_with_its_key() {
    let peer = Peer::start(|seen, stream| {
        let said = format!(
            "{} {}",
            seen.head.lines().next().unwrap_or_default(),
            seen.header("authorization").unwrap_or("no key")
        );
        respond(stream, "200 OK", "", &said)
    });
    let base = format!("http://{}", peer.addr);
    let client = LocalClient::new(&base, "cai_abc").unwrap();
    assert_eq!(client.base(), base);
    assert!(!format!("{client:?}").contains("cai_abc"));
    let said = get(&client, "/v1/alerts?page=2").await.unwrap();
    assert_eq!(said, "GET /v1/alerts?page=2 HTTP/1.1 Bearer cai_abc");
    let keyless = LocalClient::new(&base, None).unwrap();
    assert_eq!(get(&keyless, "/").await.unwrap(), "GET / HTTP/1.1 no key");
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Bearer other"));
    let answer = client
        .request(Method::GET, "/", headers, Bytes::new(), PATIENCE)
        .await
        .unwrap();
    assert_eq!(&answer.body[..], b"GET / HTTP/1.1 Bearer other");
}

#[tokio::test]
async fn no_path_leads_elsewhere() {
    let peer = Peer::saying("base");
    let canary = Canary::new();
    let client = LocalClient::new(&format!("http://{}", peer.addr), "cai_abc").unwrap();
    let elsewhere = canary.addr();
    for path in [
        format!("http://{elsewhere}/"),
        format!("@{elsewhere}/"),
        format!(".{elsewhere}/"),
        format!(":{}/", canary.port()),
        "v1/alerts".to_owned(),
        String::new(),
        format!("\\\\{elsewhere}/"),
    ] {
        let outcome = get(&client, &path).await;
        assert!(
            matches!(
                outcome,
                Err(SendError::Blocked(Refusal::ElsewhereThanBase { .. }))
            ),
            "{path:?}: {outcome:?}"
        );
    }
    // These look like another host and are paths of the application.
    for path in [
        format!("//{elsewhere}/"),
        format!("/@{elsewhere}/"),
        format!("/../{elsewhere}"),
    ] {
        assert_eq!(get(&client, &path).await.unwrap(), "base", "{path:?}");
    }
    let outcome = get(&client, &format!("/\\{elsewhere}/")).await;
    assert!(matches!(outcome, Err(SendError::Blocked(_))), "{outcome:?}");
    assert_eq!(canary.connects(), 0);
}

#[tokio::test]
async fn it_does_not_follow_a_redirect() {
    let canary = Canary::new();
    let location = format!("location: http://{}/\r\n", canary.addr());
    let peer = Peer::start(move |_, stream| respond(stream, "307 Elsewhere", &location, "stay"));
    let client = LocalClient::new(&format!("http://{}", peer.addr), "cai_abc").unwrap();
    assert_eq!(get(&client, "/").await.unwrap(), "stay");
    assert_eq!(canary.connects(), 0);
}

#[test]
fn only_this_machine_is_a_base() {
    for base in [
        "http://127.0.0.1:8000",
        "http://[::1]:8000/",
        "http://localhost:8000",
    ] {
        assert!(LocalClient::new(base, None).is_ok(), "{base}");
    }
    for base in [
        "http://192.168.1.1:8000",
        "http://example.com:8000",
        "https://127.0.0.1:8000",
        "http://1.1.1.1",
        "http://0.0.0.0:8000",
        "127.0.0.1:8000",
        "http://user:pw@127.0.0.1:8000",
        "",
    ] {
        let refused = LocalClient::new(base, None);
        assert!(
            matches!(refused, Err(BuildError::NotLocal(_))),
            "{base}: {refused:?}"
        );
    }
    let refused = LocalClient::new("http://127.0.0.1:8000", "two\nlines");
    assert!(matches!(refused, Err(BuildError::Bearer)));
}
