//! The files of a folder, for verifiers. Nothing here writes, locks, or leaves the folder.

use std::{
    fs,
    io::{self, Read as _, Seek as _},
    path::{Component, Path, PathBuf},
};

use hefu_chain::source::Source;

/// A folder as a [`Source`].
#[derive(Clone, Debug)]
pub struct FolderSource {
    root: PathBuf,
}

impl FolderSource {
    /// The files under this folder; whether it exists shows when something is read.
    pub fn new(root: impl Into<PathBuf>) -> FolderSource {
        FolderSource { root: root.into() }
    }

    fn place(&self, path: &str) -> io::Result<PathBuf> {
        let path = Path::new(path);
        if path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Ok(self.root.join(path));
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "a path inside the folder is expected"))
    }
}

impl Source for FolderSource {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.place(path)?) {
            Ok(bytes) => Ok(Some(bytes)),
            // `tile/0/000` is no folder: then `tile/0/000.p/5` below a file of that name is not there either.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn read_range(&self, path: &str, offset: u64, len: usize) -> io::Result<Option<Vec<u8>>> {
        let mut file = match fs::File::open(self.place(path)?) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        file.seek(io::SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(len as u64).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn list(&self, folder: &str) -> io::Result<Option<Vec<String>>> {
        let listed = match fs::read_dir(self.place(folder)?) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(Vec::new())),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in listed {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(Some(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_files_and_nothing_outside_it() {
        let folder = tempfile::TempDir::new().unwrap();
        fs::create_dir_all(folder.path().join("in/tile")).unwrap();
        fs::write(folder.path().join("outside"), "no").unwrap();
        fs::write(folder.path().join("in/tile/000"), "yes").unwrap();
        let source = FolderSource::new(folder.path().join("in"));
        assert_eq!(source.read("tile/000").unwrap(), Some(b"yes".to_vec()));
        assert_eq!(source.read_range("tile/000", 1, 9).unwrap(), Some(b"es".to_vec()));
        assert_eq!(source.read_range("tile/000", 7, 9).unwrap(), Some(Vec::new()));
        assert_eq!(source.read_range("tile/001", 0, 9).unwrap(), None);
        assert_eq!(source.read("tile/001").unwrap(), None);
        assert_eq!(source.read("tile/000/001").unwrap(), None);
        assert_eq!(source.list("tile").unwrap(), Some(vec!["000".to_owned()]));
        assert_eq!(source.list("segments").unwrap(), Some(Vec::new()));
        for path in ["../outside", "/etc/passwd", "tile/../../outside"] {
            assert_eq!(source.read(path).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{path}");
        }
    }
}
