//! Authorities that a human has added are trusted by providers and workflows, and by nobody else.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use calseta_egress::{Audience, Authorities, Rules, SendError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::peer::{client, granted};

/// A company's own authority, as the PEM file that an administrator hands out, and a server that it vouches for.
fn server() -> (String, SocketAddr) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .expect("an address")
        .signed_by(&key, &authority)
        .expect("a certificate");
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("a server");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
    let address = listener.local_addr().expect("a bound listener");
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || {
                let connection = ServerConnection::new(config).expect("a connection");
                let mut stream = StreamOwned::new(connection, stream);
                let mut head = [0; 4096];
                if stream.read(&mut head).is_ok() {
                    drop(stream.write_all(
                        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
                    ));
                }
            });
        }
    });
    (authority.pem(), address)
}

#[tokio::test]
async fn an_added_authority_is_for_providers_and_workflows() {
    let (pem, address) = server();
    let (client, url) = (client(), format!("https://{address}/"));
    let ask = async |audience| client.send(granted(audience, &url)).await;
    let untrusted = ask(Audience::Provider).await;
    assert!(
        matches!(untrusted, Err(SendError::Tls(_))),
        "the control: {untrusted:?}"
    );
    client.set_rules(Rules {
        authorities: Authorities::from_pem(pem.as_bytes()).expect("a PEM file"),
        ..Rules::default()
    });
    for audience in [Audience::Provider, Audience::Workflow] {
        let answer = ask(audience).await;
        assert_eq!(
            answer.map(|answer| answer.status).ok(),
            Some(200),
            "{audience}"
        );
    }
    let agents = ask(Audience::Agent).await;
    assert!(matches!(agents, Err(SendError::Tls(_))), "{agents:?}");
    client.set_rules(Rules::default());
    let taken_back = ask(Audience::Provider).await;
    assert!(
        matches!(taken_back, Err(SendError::Tls(_))),
        "{taken_back:?}"
    );
}
