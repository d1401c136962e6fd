//! Tests of the parser, and of one connection over loopback.

use super::*;

fn answer(body: &[u8]) -> Answer<'_> {
    Answer { status: 200, body }
}

#[test]
fn status_and_body_of_an_answer_are_found() {
    let head = Head::parse(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}").unwrap();
    assert_eq!(head, Some(Head { status: 201, body: 43..45 }));
}

#[test]
fn an_incomplete_head_waits_for_more() {
    let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    for end in 0..whole.len() {
        assert_eq!(Head::parse(&whole[..end]).unwrap(), None, "after {end} bytes");
    }
    assert!(Head::parse(whole).unwrap().is_some());
}

#[test]
fn header_names_are_read_in_any_case() {
    let head = Head::parse(b"HTTP/1.1 503 x\r\nA: b\r\nCONTENT-LENGTH:  7 \r\n\r\n").unwrap();
    assert_eq!(head.map(|head| (head.status, head.body.len())), Some((503, 7)));
}

#[test]
fn an_answer_without_content_needs_no_length() {
    let head = Head::parse(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    assert_eq!(head.map(|head| head.body.len()), Some(0));
}

#[test]
fn what_cannot_be_measured_is_refused() {
    for bytes in [
        &b"SSH-2.0-OpenSSH\r\n\r\n"[..],
        b"HTTP/1.1 abc\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
    ] {
        assert!(matches!(Head::parse(bytes), Err(WireError::NotHttp(_))), "{bytes:?}");
    }
}

#[test]
fn an_answer_that_announces_too_much_is_refused() {
    let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
    assert!(matches!(Head::parse(bytes), Err(WireError::TooLarge)));
}

#[test]
fn the_first_member_of_a_name_is_found() {
    let answer = answer(br#"{"id":"a-1","revision":7,"events":[{"revision":6}]}"#);
    assert_eq!(answer.member("id"), Some("a-1"));
    assert_eq!(answer.member("revision"), Some("7"));
    assert_eq!(answer.member("position"), None);
}

#[tokio::test]
async fn an_answer_in_pieces_is_put_together_and_the_next_one_follows() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4];
        for answers in [
            &["HTTP/1.1 200 OK\r\ncontent-le", "ngth: 5\r\n\r\nhel", "lo"][..],
            &["HTTP/1.1 409 Conflict\r\ncontent-length: 0\r\n\r\n"],
        ] {
            stream.read_exact(&mut request).await.unwrap();
            for piece in answers {
                stream.write_all(piece.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    };
    let client = async {
        let mut connection = Connection::open(address).await.unwrap();
        let first = connection.exchange(b"ping").await.unwrap();
        assert_eq!((first.status, first.body), (200, &b"hello"[..]));
        let second = connection.exchange(b"ping").await.unwrap();
        assert_eq!((second.status, second.is_success()), (409, false));
        assert!(connection.exchange(b"ping").await.is_err());
    };
    tokio::join!(server, client);
}
