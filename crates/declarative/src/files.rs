//! Where documents come from: files, folders, standard input.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::Trouble;
use crate::yaml::MAX_BYTES;

/// The most files of one folder.
const MAX_FILES: usize = 1000;
/// The most bytes of all files together.
const MAX_TOTAL: usize = 16 * 1024 * 1024;

/// A text with documents, and where it came from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name in messages.
    pub name: String,
    /// What its file references are relative to.
    pub base: PathBuf,
    /// The text.
    pub text: String,
}

impl Source {
    /// Reads files, folders (their `.yaml`, `.yml` and `.json` files by name, not those of folders within) and, for `-`, standard
    /// input.
    pub fn read(paths: &[PathBuf], stdin: &mut dyn Read) -> Result<Vec<Self>, Trouble> {
        let mut sources = Vec::new();
        let mut total = 0;
        for path in paths {
            for source in Self::one(path, stdin)? {
                total += source.text.len();
                sources.push(source);
            }
            if total > MAX_TOTAL {
                return Err(Trouble::file(path, too_large(MAX_TOTAL)));
            }
        }
        Ok(sources)
    }

    fn one(path: &Path, stdin: &mut dyn Read) -> Result<Vec<Self>, Trouble> {
        if path == Path::new("-") {
            let text = bounded(stdin).map_err(|e| Trouble::file(path, e))?;
            return Ok(vec![Self { name: "-".to_owned(), base: PathBuf::new(), text }]);
        }
        let files = if path.is_dir() { listed(path).map_err(|e| Trouble::file(path, e))? } else { vec![path.to_owned()] };
        files.iter().map(|path| Self::file(path)).collect()
    }

    fn file(path: &Path) -> Result<Self, Trouble> {
        let text = read_file(path)?;
        let base = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self { name: path.display().to_string(), base, text })
    }
}

fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let documents = |path: &Path| path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if documents(&path) && path.is_file() {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {MAX_FILES} files")));
        }
    }
    files.sort();
    Ok(files)
}

/// The text of a file of at most a megabyte.
pub(crate) fn read_file(path: &Path) -> Result<String, Trouble> {
    fs::File::open(path).and_then(|mut file| bounded(&mut file)).map_err(|e| Trouble::file(path, e))
}

fn bounded(from: &mut dyn Read) -> io::Result<String> {
    let mut text = String::new();
    let size = from.take(MAX_BYTES as u64 + 1).read_to_string(&mut text)?;
    if size > MAX_BYTES { Err(too_large(MAX_BYTES)) } else { Ok(text) }
}

fn too_large(most: usize) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {most} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_its_documents_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("b.yml", "b"), ("a.yaml", "a"), ("c.json", "c"), ("note.txt", "x")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        fs::create_dir(folder.path().join("d.yaml")).unwrap();
        let read = Source::read(&[folder.path().to_owned(), "-".into()], &mut &b"in"[..]).unwrap();
        let texts: Vec<_> = read.iter().map(|s| s.text.as_str()).collect();
        assert_eq!(texts, ["a", "b", "c", "in"]);
        assert_eq!(read[0].base, folder.path());
    }

    #[test]
    fn files_are_bounded() {
        let large = "x".repeat(MAX_BYTES + 1);
        let error = Source::read(&["-".into()], &mut large.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("more than"), "{error}");
    }
}
