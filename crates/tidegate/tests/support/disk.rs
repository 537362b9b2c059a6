//! A disk that can be full.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small disk of its own, unmounted when dropped.
pub(crate) struct Disk {
    pub(crate) at: PathBuf,
    folder: Option<tempfile::TempDir>,
}

impl Disk {
    pub(crate) fn of(kibibytes: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = Self::at(&folder.path().join("disk"), kibibytes);
        disk.folder = Some(folder);
        disk
    }

    /// One in a new folder of this name.
    pub(crate) fn at(at: &Path, kibibytes: u64) -> Self {
        std::fs::create_dir(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={kibibytes}k"), "tidegate-test"]).arg(at);
        let done = mount.output().expect("mount is needed (Debian package mount)");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "a disk that can be full needs root and the right to mount a tmpfs: {said}");
        Self { at: at.to_owned(), folder: None }
    }

    /// Takes all the room there is, but so many bytes.
    pub(crate) fn fill_but(&self, room: usize) {
        let path = self.at.join("filler");
        let mut file = File::create(&path).unwrap();
        let block = vec![7; 4096];
        while file.write(&block).is_ok_and(|written| written > 0) {}
        let taken = file.metadata().unwrap().len();
        file.set_len(taken.saturating_sub(u64::try_from(room).unwrap())).unwrap();
    }

    pub(crate) fn fill(&self) {
        self.fill_but(0);
    }

    pub(crate) fn free(&self) {
        std::fs::remove_file(self.at.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the server may still be ending.
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}
