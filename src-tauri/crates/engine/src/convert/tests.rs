//! Real files through the real converters, and files that must be refused with a reason.

use std::sync::Arc;

use calseta_domain::ErrorCode;
use tokio::sync::Semaphore;

use super::*;

fn upload(name: &str, bytes: &[u8]) -> Upload {
    Upload {
        file_name: Some(name.to_owned()),
        content_type: None,
        bytes: bytes.to_vec(),
    }
}

async fn run(upload: Upload) -> Result<String, Problem> {
    convert(&Arc::new(Semaphore::new(TOGETHER)), upload).await
}

async fn refused(upload: Upload) -> String {
    let problem = run(upload).await.expect_err("must be refused");
    assert_eq!(problem.code, ErrorCode::UnsupportedFormat);
    problem.message
}

#[tokio::test]
async fn markdown_and_text_stay_as_they_are() {
    let text = "# Title\n\n- one\n- two\n";
    let markdown = run(upload("a.md", text.as_bytes())).await.unwrap();
    assert_eq!(markdown, text.trim_end());
    let wide: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain("Größe\r\nzwei".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    assert_eq!(run(upload("a.txt", &wide)).await.unwrap(), "Größe\nzwei");
}

#[tokio::test]
async fn a_word_document_keeps_headings_lists_and_tables() {
    let markdown = run(upload("r.docx", include_bytes!("fixtures/runbook.docx")))
        .await
        .unwrap();
    assert!(markdown.contains("# Phishing response"), "{markdown}");
    assert!(markdown.contains("## Steps"), "{markdown}");
    assert!(markdown.contains("1. Reset the password"), "{markdown}");
    assert!(
        markdown.contains("\n\n| Who | When |\n|---|---|\n| Mail team | at once |"),
        "{markdown}"
    );
}

#[tokio::test]
async fn a_pdf_gives_the_text_of_all_its_pages() {
    let markdown = run(upload("r.pdf", include_bytes!("fixtures/runbook.pdf")))
        .await
        .unwrap();
    assert!(markdown.contains("Phishing response"), "{markdown}");
    assert!(markdown.contains("Reset the password"), "{markdown}");
    assert!(markdown.contains("Second page"), "{markdown}");
}

#[tokio::test]
async fn a_locked_pdf_and_one_of_pictures_say_so() {
    let locked = refused(upload("r.pdf", include_bytes!("fixtures/locked.pdf"))).await;
    assert!(locked.contains("encrypted"), "{locked}");
    let picture = refused(upload("r.pdf", include_bytes!("fixtures/picture.pdf"))).await;
    assert!(picture.contains("no text"), "{picture}");
}

#[tokio::test]
async fn a_web_page_keeps_its_words_and_loses_what_runs() {
    let page = r#"<html><head><title>T</title><style>p{}</style></head><body>
        <h1>Runbook</h1><script>alert("script ran")</script>
        <p>Call <a href="https://example.com/x">the desk</a>
        or <a href="JaVaScRiPt:alert(1)">this</a>.</p>
        <ul><li>one</li><li>two</li></ul></body></html>"#;
    let markdown = run(upload("a.html", page.as_bytes())).await.unwrap();
    assert!(markdown.contains("# Runbook"), "{markdown}");
    assert!(
        markdown.contains("[the desk](https://example.com/x)"),
        "{markdown}"
    );
    assert!(
        !markdown.to_lowercase().contains("javascript"),
        "{markdown}"
    );
    assert!(!markdown.contains("script ran"), "{markdown}");
    assert!(!markdown.contains("p{}"), "{markdown}");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_a_reason() {
    let deep = "<b>".repeat(100_000);
    assert!(
        refused(upload("a.html", deep.as_bytes()))
            .await
            .contains("nests")
    );
    assert!(
        refused(upload("a.txt", &[0xC3, 0x28]))
            .await
            .contains("UTF-8")
    );
    assert!(refused(upload("a.exe", b"MZ")).await.contains("exe"));
    assert!(refused(upload("a.doc", b"x")).await.contains("DOCX"));
    assert!(
        refused(upload("a.md", b" \n\t\n"))
            .await
            .contains("no text")
    );
    for broken in ["a.docx", "a.pdf"] {
        refused(upload(broken, b"PK\x03\x04 not a document")).await;
    }
    let half = include_bytes!("fixtures/runbook.docx");
    refused(upload("a.docx", &half[..half.len() / 2])).await;
}

#[tokio::test]
async fn damaged_files_never_end_the_program() {
    let pdf = include_bytes!("fixtures/runbook.pdf");
    let docx = include_bytes!("fixtures/runbook.docx");
    let places = Arc::new(Semaphore::new(TOGETHER));
    for n in 0..40_usize {
        let mut bytes = pdf.to_vec();
        let at = n * 37 % bytes.len();
        bytes[at] ^= 0x5A;
        // Read or refused; either way an answer comes.
        drop(convert(&places, upload("a.pdf", &bytes)).await);
        let mut bytes = docx.to_vec();
        let at = n * 911 % bytes.len();
        bytes[at] ^= 0x5A;
        drop(convert(&places, upload("a.docx", &bytes)).await);
    }
    let alive = convert(&places, upload("a.md", b"still here")).await;
    assert_eq!(alive.unwrap(), "still here");
}

#[tokio::test]
async fn a_name_without_an_ending_is_judged_by_type_and_first_bytes() {
    let typed = Upload {
        file_name: Some("runbook".to_owned()),
        content_type: Some("text/markdown; charset=utf-8".to_owned()),
        bytes: b"# x".to_vec(),
    };
    assert_eq!(run(typed).await.unwrap(), "# x");
    let pdf = Upload {
        file_name: None,
        content_type: None,
        bytes: include_bytes!("fixtures/runbook.pdf").to_vec(),
    };
    assert!(run(pdf).await.is_ok());
}
