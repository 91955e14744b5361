use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hqv_sys::files::{NotPrivate, why_not_private};
use hqv_sys::input::{open_input, open_secret_input, read_bounded};
use hqv_sys::ordinary::in_child;
use tempfile::TempDir;

fn fifo(path: &Path) {
    rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
}

#[test]
fn in3_in4_reading_is_bounded_and_byte_for_byte() {
    let all: Vec<u8> = (0..=255u8).cycle().take(300_000).collect();
    assert_eq!(*read_bounded(&mut all.as_slice(), 1 << 20).unwrap(), all);
    assert_eq!(*read_bounded(&mut all.as_slice(), 1000).unwrap(), all[..1000]);
    assert_eq!(read_bounded(&mut all.as_slice(), 0).unwrap().len(), 0);
    assert_eq!(read_bounded(&mut std::io::empty(), 10).unwrap().len(), 0);
    let mut endless = open_input(Path::new("/dev/zero")).unwrap();
    assert_eq!(read_bounded(&mut endless, (1 << 20) + 1).unwrap().len(), (1 << 20) + 1);
}

#[test]
fn in4_what_can_be_opened() {
    let dir = TempDir::new().unwrap();
    let kind = |path: &Path| match open_input(path) {
        Ok(_) => "opened".to_string(),
        Err(error) => why_not_private(&error).map_or(format!("{:?}", error.kind()), ToString::to_string),
    };
    let file = dir.path().join("file");
    fs::write(&file, "value").unwrap();
    std::os::unix::fs::symlink(&file, dir.path().join("link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
    assert_eq!(kind(&file), "opened");
    assert_eq!(kind(&dir.path().join("link")), "opened");
    assert_eq!(kind(dir.path()), "it is a directory");
    assert_eq!(kind(&dir.path().join("none")), "NotFound");
    assert!(kind(&dir.path().join("socket")).starts_with("it is a socket"));
}

#[test]
fn in4_a_fifo_is_read_when_somebody_writes() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("fifo");
    fifo(&path);
    let writer = std::thread::spawn({
        let path = path.clone();
        move || fs::OpenOptions::new().write(true).open(path).unwrap().write_all(b"from a fifo").unwrap()
    });
    let mut file = open_input(&path).unwrap();
    assert_eq!(*read_bounded(&mut file, 100).unwrap(), b"from a fifo");
    writer.join().unwrap();
}

#[test]
fn in4_a_process_substitution_is_read() {
    let (read, mut write) = std::io::pipe().unwrap();
    write.write_all(b"substituted").unwrap();
    drop(write);
    let path = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&read));
    assert_eq!(*read_bounded(&mut open_input(Path::new(&path)).unwrap(), 100).unwrap(), b"substituted");
}

#[test]
fn in4_in8_unreadable_and_shared_files() {
    in_child("input::in4_in8_unreadable_and_shared_files", || {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("passphrase");
        fs::write(&file, "x").unwrap();
        let with_mode = |mode| {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            open_secret_input(&file)
        };
        assert!(with_mode(0o600).is_ok());
        assert!(with_mode(0o400).is_ok());
        for mode in [0o644, 0o640, 0o604, 0o620] {
            let error = with_mode(mode).unwrap_err();
            assert!(matches!(why_not_private(&error), Some(NotPrivate::Mode(_))), "{mode:o}");
        }
        assert_eq!(with_mode(0o000).unwrap_err().kind(), ErrorKind::PermissionDenied);
        assert_eq!(open_input(&file).unwrap_err().kind(), ErrorKind::PermissionDenied);
    });
}
