use std::fs::{self, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use hqv_sys::files::{
    Access, NotPrivate, check_private, check_private_dir, create_private_dir, make_private, open_private,
    why_not_private, write_atomic,
};
use hqv_sys::ordinary::{OTHER_UID, UID, in_child};
use tempfile::TempDir;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn fifo(path: &Path) {
    rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
}

/// The reason why `path` cannot be opened, in words.
fn refusal(path: &Path, access: Access) -> String {
    let error = open_private(path, access).unwrap_err();
    why_not_private(&error).map_or_else(|| format!("kernel: {error}"), ToString::to_string)
}

#[test]
fn st4_only_private_regular_files_open() {
    in_child("files::st4_only_private_regular_files_open", || {
        let dir = TempDir::new().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("good"), "x").unwrap();
        set_mode(&path("good"), 0o600);
        symlink(path("good"), path("link")).unwrap();
        symlink(path("nowhere"), path("dangling")).unwrap();
        fs::create_dir(path("dir")).unwrap();
        fifo(&path("fifo"));
        let _socket = UnixListener::bind(path("socket")).unwrap();
        fs::write(path("open"), "x").unwrap();
        set_mode(&path("open"), 0o644);

        for access in [Access::Read, Access::Write, Access::Create, Access::Append] {
            assert!(open_private(&path("good"), access).is_ok(), "{access:?}");
            assert_eq!(refusal(&path("link"), access), "it is a symbolic link");
            assert_eq!(refusal(&path("dangling"), access), "it is a symbolic link");
            assert_eq!(refusal(&path("dir"), access), "it is a directory");
            assert_eq!(refusal(&path("fifo"), access), "it is a FIFO");
            assert_eq!(refusal(&path("socket"), access), "it is a socket");
            assert_eq!(refusal(&path("open"), access), "others may use it (mode 0644)");
        }
        assert!(!path("nowhere").exists(), "a link was followed to create a file");
        assert_eq!(
            open_private(&path("good"), Access::CreateNew).unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        assert_eq!(
            open_private(&path("dangling"), Access::CreateNew).unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        assert_eq!(open_private(&path("none"), Access::Read).unwrap_err().kind(), ErrorKind::NotFound);
        set_mode(&path("good"), 0o000);
        assert_eq!(
            open_private(&path("good"), Access::Read).unwrap_err().kind(),
            ErrorKind::PermissionDenied
        );
        for mode in [0o640, 0o604, 0o601, 0o620] {
            set_mode(&path("good"), mode);
            assert!(refusal(&path("good"), Access::Read).starts_with("others may use it"), "{mode:o}");
        }
    });
}

#[test]
fn st4_files_of_another_user_are_refused() {
    if hqv_sys::process::uid() != 0 {
        return; // only root can make such a file
    }
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("foreign");
    fs::write(&file, "x").unwrap();
    set_mode(&file, 0o600);
    assert!(open_private(&file, Access::Read).is_ok());
    std::os::unix::fs::chown(&file, Some(OTHER_UID), Some(OTHER_UID)).unwrap();
    assert_eq!(refusal(&file, Access::Read), format!("it belongs to another user (uid {OTHER_UID})"));
    assert!(matches!(check_private(&file), Err(NotPrivate::OtherOwner(OTHER_UID))));
    assert!(make_private(&file).is_err());
}

#[test]
fn directories_are_made_and_checked() {
    in_child("files::directories_are_made_and_checked", || {
        let dir = TempDir::new().unwrap();
        let deep = dir.path().join("a/b c");
        create_private_dir(&deep).unwrap();
        assert_eq!((mode(&dir.path().join("a")), mode(&deep)), (0o700, 0o700));
        create_private_dir(&deep).unwrap();
        check_private_dir(&deep).unwrap();
        check_private(&deep).unwrap();

        set_mode(&deep, 0o750);
        let error = create_private_dir(&deep).unwrap_err();
        assert!(matches!(why_not_private(&error), Some(NotPrivate::Mode(0o750))));
        make_private(&deep).unwrap();
        assert_eq!(mode(&deep), 0o700);

        let link = dir.path().join("link");
        symlink(&deep, &link).unwrap();
        assert!(matches!(check_private_dir(&link), Err(NotPrivate::Symlink)));
        assert!(matches!(
            why_not_private(&create_private_dir(&link).unwrap_err()),
            Some(NotPrivate::Symlink)
        ));
        assert!(matches!(why_not_private(&make_private(&link).unwrap_err()), Some(NotPrivate::Symlink)));
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        set_mode(&file, 0o600);
        let error = create_private_dir(&file).unwrap_err();
        assert!(matches!(why_not_private(&error), Some(NotPrivate::WrongKind("a regular file"))), "{error}");
        assert!(matches!(check_private_dir(&dir.path().join("none")), Err(NotPrivate::Missing)));
        // The directory of another user: `/tmp` is root's and open to all.
        assert!(check_private_dir(Path::new("/tmp")).is_err());
        set_mode(dir.path(), 0o500);
        assert_eq!(
            create_private_dir(&dir.path().join("x")).unwrap_err().kind(),
            ErrorKind::PermissionDenied
        );
        set_mode(dir.path(), 0o700);
        assert_eq!(fs::metadata(&deep).unwrap().uid(), hqv_sys::process::uid());
        assert!(hqv_sys::process::uid() != 0 && UID != 0);
    });
}

#[test]
fn writing_is_whole_or_not_at_all() {
    in_child("files::writing_is_whole_or_not_at_all", || {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("ca.pem");
        write_atomic(&file, b"one", 0o600).unwrap();
        assert_eq!((fs::read(&file).unwrap(), mode(&file)), (b"one".to_vec(), 0o600));
        let before = fs::metadata(&file).unwrap().ino();
        write_atomic(&file, b"two", 0o644).unwrap();
        assert_eq!((fs::read(&file).unwrap(), mode(&file)), (b"two".to_vec(), 0o644));
        assert_ne!(fs::metadata(&file).unwrap().ino(), before, "it was changed in place");

        // A link is replaced, not written through.
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        fs::write(&target, "old").unwrap();
        symlink(&target, &link).unwrap();
        write_atomic(&link, b"new", 0o600).unwrap();
        assert_eq!(
            (fs::read(&target).unwrap(), fs::read(&link).unwrap()),
            (b"old".to_vec(), b"new".to_vec())
        );

        // Where the rename fails, nothing is left behind.
        let blocked = dir.path().join("blocked");
        fs::create_dir(&blocked).unwrap();
        fs::write(blocked.join("x"), "").unwrap();
        assert!(write_atomic(&blocked, b"new", 0o600).is_err());
        let mut names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["blocked", "ca.pem", "link", "target"]);
        let long = dir.path().join("n".repeat(255));
        write_atomic(&long, b"x", 0o600).unwrap();
        assert_eq!(fs::read(&long).unwrap(), b"x");
    });
}

#[test]
fn st2_a_full_file_leaves_the_old_content() {
    // A limit on file sizes stands for a full disk: the write fails half-way.
    in_child("files::st2_a_full_file_leaves_the_old_content", || {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("f");
        write_atomic(&file, b"old", 0o600).unwrap();
        unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
        let limit = rustix::process::Rlimit { current: Some(1000), maximum: Some(1000) };
        rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).unwrap();
        assert_eq!(write_atomic(&file, &[1; 5000], 0o600).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert_eq!(fs::read(&file).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    });
}

#[test]
fn created_files_are_private_whatever_the_umask() {
    in_child("files::created_files_are_private_whatever_the_umask", || {
        let dir = TempDir::new().unwrap();
        rustix::process::umask(rustix::fs::Mode::empty());
        let path = dir.path().join("new");
        let mut file = open_private(&path, Access::Append).unwrap();
        assert_eq!(mode(&path), 0o600);
        file.write_all(b"one").unwrap();
        open_private(&path, Access::Append).unwrap().write_all(b"two").unwrap();
        let mut text = String::new();
        open_private(&path, Access::Read).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "onetwo");
        create_private_dir(&dir.path().join("d")).unwrap();
        assert_eq!(mode(&dir.path().join("d")), 0o700);
    });
}
