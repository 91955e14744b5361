#![allow(clippy::unwrap_used)]
use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

fn mode(path: &Path, bits: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits)).unwrap();
}

struct Place {
    folder: tempfile::TempDir,
    socket: std::path::PathBuf,
    uid: u32,
    _listener: UnixListener,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    mode(folder.path(), 0o700);
    let socket = folder.path().join("vault.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    mode(&socket, 0o600);
    let uid = std::fs::metadata(&socket).unwrap().uid();
    Place { folder, socket, uid, _listener: listener }
}

fn message(place: &Place, path: &Path) -> String {
    check_file(path, place.uid).unwrap_err().message
}

#[test]
fn our_own_private_socket_is_trusted() {
    let place = place();
    assert!(check_file(&place.socket, place.uid).is_ok());
}

#[test]
fn a_socket_that_others_could_have_made_is_not() {
    let place = place();
    assert!(check_file(&place.socket, place.uid + 1).unwrap_err().message.contains("belongs to uid"));
    for bits in [0o660, 0o606, 0o610, 0o601, 0o777] {
        mode(&place.socket, bits);
        assert!(message(&place, &place.socket).contains("others may use it"), "{bits:o}");
    }
    mode(&place.socket, 0o600);
    mode(place.folder.path(), 0o777);
    assert!(message(&place, &place.socket).contains("others may change its directory"));
    mode(place.folder.path(), 0o1777);
    assert!(check_file(&place.socket, place.uid).is_ok());
    mode(place.folder.path(), 0o700);
}

#[test]
fn what_is_no_socket_is_not_connected_to() {
    let place = place();
    let (file, link) = (place.folder.path().join("file"), place.folder.path().join("link"));
    std::fs::write(&file, b"").unwrap();
    symlink(&place.socket, &link).unwrap();
    assert!(message(&place, &file).contains("not a socket"));
    assert!(message(&place, &link).contains("not a socket"));
    let missing = check_file(&place.folder.path().join("none"), place.uid).unwrap_err();
    assert_eq!((missing.code.as_str(), missing.sent), ("CONNECTION_ERROR", false));
    assert!(missing.message.contains("no vault answers on"));
}
