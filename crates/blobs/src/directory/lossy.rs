//! A disk in memory that can lose all that was not synced, at any step.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use model::Timestamp;

use super::disk::Disk;

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub(super) struct Lossy(Arc<Mutex<World>>);

/// What is special about this disk.
#[derive(Clone, Copy, Default)]
pub(super) struct Faults {
    /// Syncing a file does nothing.
    pub(super) deaf_to_files: bool,
    /// Syncing a folder does nothing.
    pub(super) deaf_to_folders: bool,
    /// Nothing can be written: it is full, or (`ReadOnlyFilesystem`) mounted to be read alone.
    pub(super) refuses: Option<io::ErrorKind>,
    /// No read from the page cache gives more than so much.
    pub(super) cached: Option<usize>,
}

/// What a power cut leaves of that which was not synced.
#[derive(Clone, Copy, Debug)]
pub(super) enum Luck {
    /// Neither names nor content.
    Nothing,
    /// The names, over the content as last synced.
    Names,
    /// Names and sizes, with zeros for the content.
    Zeros,
    /// Everything: only the program stopped.
    All,
}

#[derive(Default)]
struct World {
    files: Vec<Content>,
    names: BTreeMap<PathBuf, Node>,
    kept_names: BTreeMap<PathBuf, Node>,
    faults: Faults,
    steps: usize,
    stop_at: Option<usize>,
}

#[derive(Default, Clone)]
struct Content {
    now: Vec<u8>,
    kept: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum Node {
    Folder,
    File(usize),
}

impl Lossy {
    pub(super) fn with(faults: Faults) -> Self {
        let disk = Self::default();
        disk.world().faults = faults;
        disk
    }

    /// Takes a folder, and what is in it, away; or brings it back. As when its disk is not mounted.
    pub(super) fn rename(&self, from: &Path, to: &Path) {
        let mut world = self.world();
        let moved = |path: PathBuf| path.strip_prefix(from).map(|rest| to.join(rest)).unwrap_or(path.clone());
        world.names = std::mem::take(&mut world.names).into_iter().map(|(path, node)| (moved(path), node)).collect();
    }

    /// Stops before step `step`, half-way if it is a write.
    pub(super) fn stopping_at(step: usize) -> Self {
        let disk = Self::default();
        disk.world().stop_at = Some(step);
        disk
    }

    /// How many steps were taken that change something or wait for the storage.
    pub(super) fn steps(&self) -> usize {
        self.world().steps
    }

    pub(super) fn set(&self, faults: Faults) {
        self.world().faults = faults;
    }

    /// The same disk after the power came back.
    pub(super) fn after_power_cut(&self, luck: Luck) -> Self {
        let old = self.world();
        let names = if matches!(luck, Luck::Nothing) { &old.kept_names } else { &old.names };
        let reachable = |path: &Path| path.ancestors().skip(1).all(|p| p == Path::new("/") || names.contains_key(p));
        let names: BTreeMap<_, _> = names.iter().filter(|(p, _)| reachable(p)).map(|(p, n)| (p.clone(), *n)).collect();
        let files = old.files.iter().map(|file| file.after_power_cut(luck)).collect();
        Self(Arc::new(Mutex::new(World { files, kept_names: names.clone(), names, ..World::default() })))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    fn step(&self) -> io::Result<MutexGuard<'_, World>> {
        let mut world = self.world();
        if world.stop_at.is_some_and(|at| world.steps >= at) {
            return Err(io::Error::other("the power is off"));
        }
        world.steps += 1;
        Ok(world)
    }
}

impl Content {
    fn after_power_cut(&self, luck: Luck) -> Self {
        let left = match luck {
            Luck::Nothing | Luck::Names => self.kept.clone(),
            Luck::All => self.now.clone(),
            Luck::Zeros => {
                let kept_at = |i: usize| self.kept.get(i).filter(|b| self.now.get(i) == Some(b));
                (0..self.now.len()).map(|i| kept_at(i).copied().unwrap_or(0)).collect()
            }
        };
        Self { now: left.clone(), kept: left }
    }
}

impl World {
    fn find(&self, path: &Path) -> io::Result<Node> {
        let root = (path == Path::new("/")).then_some(Node::Folder);
        self.names.get(path).copied().or(root).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn file(&self, path: &Path) -> io::Result<usize> {
        match self.find(path)? {
            Node::File(n) => Ok(n),
            Node::Folder => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn refuse(&self, why: io::ErrorKind) -> io::Result<()> {
        if self.faults.refuses == Some(why) { Err(why.into()) } else { Ok(()) }
    }

    fn add(&mut self, path: &Path, node: Node) -> io::Result<()> {
        let parent = path.parent().unwrap();
        if self.find(parent)? != Node::Folder {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        self.names.insert(path.to_path_buf(), node);
        Ok(())
    }
}

impl Disk for Lossy {
    type File = usize;

    fn make_dir(&self, path: &Path) -> io::Result<()> {
        self.step()?.add(path, Node::Folder)
    }

    fn create(&self, path: &Path) -> io::Result<usize> {
        let mut world = self.step()?;
        world.refuse(io::ErrorKind::ReadOnlyFilesystem)?;
        if world.find(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = world.files.len();
        world.files.push(Content::default());
        world.add(path, Node::File(file))?;
        Ok(file)
    }

    fn open(&self, path: &Path) -> io::Result<usize> {
        let world = self.world();
        world.refuse(io::ErrorKind::ReadOnlyFilesystem)?;
        world.file(path)
    }

    fn open_to_read(&self, path: &Path) -> io::Result<usize> {
        self.world().file(path)
    }

    fn open_now(&self, path: &Path) -> io::Result<usize> {
        if self.world().faults.cached == Some(0) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.open_to_read(path)
    }

    fn try_lock(&self, _: &usize) -> io::Result<bool> {
        Ok(true)
    }

    fn measure(&self, file: &usize) -> io::Result<(u64, bool)> {
        let world = self.world();
        Ok((world.files[*file].now.len() as u64, world.names.values().any(|n| *n == Node::File(*file))))
    }

    fn truncate(&self, file: &usize, size: u64) -> io::Result<()> {
        self.step()?.files[*file].now.resize(usize::try_from(size).unwrap(), 0);
        Ok(())
    }

    fn write_at(&self, file: &usize, bytes: &[u8], offset: u64) -> io::Result<()> {
        let stops_here = {
            let world = self.world();
            world.refuse(io::ErrorKind::StorageFull)?;
            world.stop_at == Some(world.steps)
        };
        let written = if stops_here { &bytes[..bytes.len() / 2] } else { bytes };
        let offset = usize::try_from(offset).unwrap();
        let put = |content: &mut Vec<u8>| {
            content.resize(content.len().max(offset + written.len()), 0);
            content[offset..offset + written.len()].copy_from_slice(written);
        };
        if stops_here {
            put(&mut self.world().files[*file].now);
        }
        put(&mut self.step()?.files[*file].now);
        Ok(())
    }

    fn read_at(&self, file: &usize, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let world = self.world();
        let content = &world.files[*file].now;
        let rest = &content[content.len().min(usize::try_from(offset).unwrap())..];
        let n = rest.len().min(into.len());
        into[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn read_now(&self, file: &usize, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let most = self.world().faults.cached.unwrap_or(into.len()).min(into.len());
        if most == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.read_at(file, &mut into[..most], offset)
    }

    fn sync_file(&self, file: &usize) -> io::Result<()> {
        let mut world = self.step()?;
        if !world.faults.deaf_to_files {
            let content = &mut world.files[*file];
            content.kept.clone_from(&content.now);
        }
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut world = self.step()?;
        if !world.faults.deaf_to_folders {
            let World { names, kept_names, .. } = &mut *world;
            kept_names.retain(|p, _| p.parent() != Some(path));
            kept_names.extend(names.iter().filter(|(p, _)| p.parent() == Some(path)).map(|(p, n)| (p.clone(), *n)));
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.step()?;
        world.file(path)?;
        world.names.remove(path);
        Ok(())
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let world = self.world();
        world.find(path)?;
        let inside = world.names.keys().filter(|p| p.parent() == Some(path));
        Ok(inside.filter_map(|p| Some(p.file_name()?.to_str()?.to_owned())).collect())
    }

    fn stat(&self, path: &Path) -> io::Result<(u64, Timestamp)> {
        let world = self.world();
        match world.find(path)? {
            Node::Folder => Ok((0, Timestamp::default())),
            Node::File(n) => Ok((world.files[n].now.len() as u64, Timestamp::default())),
        }
    }
}
