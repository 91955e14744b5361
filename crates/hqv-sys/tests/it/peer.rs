use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};

use hqv_sys::ordinary::{become_ordinary, test_command};
use hqv_sys::peer;
use tempfile::TempDir;

#[test]
fn both_ends_know_each_other() {
    let (a, b) = UnixStream::pair().unwrap();
    for end in [&a, &b] {
        let cred = peer::of(end.as_fd()).unwrap();
        assert_eq!(cred.pid, Some(std::process::id()));
        assert_eq!(cred.uid, hqv_sys::process::uid());
        assert_eq!(cred.gid, rustix::process::getegid().as_raw());
    }
}

#[test]
fn what_is_no_connection_has_no_peer() {
    let (read, _write) = std::io::pipe().unwrap();
    assert!(peer::of(read.as_fd()).is_err());
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(peer::of(tcp.as_fd()).is_err());
}

#[test]
fn connects() {
    let Some(path) = std::env::var_os("HQV_SOCKET") else {
        return;
    };
    let stream = UnixStream::connect(path).unwrap();
    std::io::Read::read(&mut &stream, &mut [0]).unwrap();
}

#[test]
fn lc3_another_user_is_seen_as_such() {
    let dir = TempDir::new().unwrap();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = dir.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let mut command = test_command("peer::connects");
    become_ordinary(&mut command);
    let mut child = command.env("HQV_SOCKET", &path).stdout(std::process::Stdio::null()).spawn().unwrap();
    let (stream, _) = listener.accept().unwrap();
    let cred = peer::of(stream.as_fd()).unwrap();
    assert_eq!(cred.pid, Some(child.id()));
    if hqv_sys::process::uid() == 0 {
        assert_eq!((cred.uid, cred.gid), (hqv_sys::ordinary::UID, hqv_sys::ordinary::UID));
    }
    drop(stream);
    assert!(child.wait().unwrap().success());
}
