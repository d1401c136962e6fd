//! Small requests must not wait for more data.
//!
//! The official client leaves Nagle's algorithm on: a call's second packet waits until the server's
//! kernel acknowledges the first, which takes 40 ms, so that a command takes 80 (issue 232 of the
//! client; mended there in June 2026, not yet in a release). It offers no way to its sockets. On
//! Linux a process may ask the kernel for its own descriptors again, and so this module sets
//! `TCP_NODELAY` from outside. Where that is not permitted calls are correct and slow. To be
//! deleted with the client's next release.

use std::time::Duration;

/// A call that takes so long may have waited for an acknowledgement.
pub(crate) const SUSPICIOUS_TIME: Duration = Duration::from_millis(35);
/// How often to look at most.
pub(crate) const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Makes this process's connections to these ports prompt.
#[cfg(target_os = "linux")]
pub(crate) fn hasten(ports: &[u16]) {
    use std::net::TcpStream;

    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

    let Ok(own) = pidfd_open(getpid(), PidfdFlags::empty()) else { return };
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    for entry in entries.flatten() {
        let is_socket = std::fs::read_link(entry.path())
            .is_ok_and(|target| target.as_os_str().as_encoded_bytes().starts_with(b"socket:"));
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let Some(number) = number.filter(|_| is_socket) else { continue };
        let Ok(socket) = pidfd_getfd(&own, number, PidfdGetfdFlags::empty()) else { continue };
        // What is not TCP has no such peer.
        let socket = TcpStream::from(socket);
        if socket.peer_addr().is_ok_and(|peer| ports.contains(&peer.port())) {
            let _ = socket.set_nodelay(true);
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn hasten(_ports: &[u16]) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn connections_to_the_given_ports_become_prompt_and_others_stay_as_they_are() {
        let (one, other) =
            (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let to_one = TcpStream::connect(one.local_addr().unwrap()).unwrap();
        let to_other = TcpStream::connect(other.local_addr().unwrap()).unwrap();
        hasten(&[one.local_addr().unwrap().port()]);
        assert_eq!((to_one.nodelay().unwrap(), to_other.nodelay().unwrap()), (true, false));
    }
}
