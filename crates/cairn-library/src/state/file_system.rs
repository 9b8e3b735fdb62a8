//! What file system a folder is on.

use std::path::Path;

/// The file system of a folder, as far as the system tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// Its name: `ext4`, `nfs4`, `fuse.sshfs`; `unknown` where the system does not say.
    pub kind: String,
    /// Whether it is mounted for reading alone.
    pub read_only: bool,
}

/// File systems over a network, by the names of Linux.
const NETWORK: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb",
    "smb2",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "ncpfs",
    "fuse.sshfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.gvfsd-fuse",
    "fuse.davfs",
    "fuse.glusterfs",
    "fuse.ceph",
    "davfs",
    "virtiofs",
];

impl FileSystem {
    /// That of an existing folder or file. Known on Linux alone.
    pub fn of(path: &Path) -> FileSystem {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        FileSystem::in_mounts(&mounts, &path)
    }

    /// Whether it is over a network, where SQLite's shared memory and inode numbers cannot be relied on.
    pub fn is_network(&self) -> bool {
        NETWORK.contains(&self.kind.as_str())
    }

    /// By the lines of `/proc/self/mountinfo` (proc(5)): the mount point is the fifth field, options are the sixth, and the
    /// kind is the first field after ` - `.
    fn in_mounts(mounts: &str, path: &Path) -> FileSystem {
        let mut best = FileSystem { kind: "unknown".to_owned(), read_only: false };
        let mut depth = 0;
        for line in mounts.lines() {
            let Some((mount, source)) = line.split_once(" - ") else { continue };
            let mut fields = mount.split(' ').skip(4);
            let (Some(point), Some(options)) = (fields.next(), fields.next()) else { continue };
            let point = unescaped(point);
            let point = Path::new(&point);
            let here = point.components().count();
            // A later mount on the same point covers the earlier one.
            if path.starts_with(point) && here >= depth {
                depth = here;
                let mut source = source.split(' ');
                let kind = source.next().unwrap_or("unknown").to_owned();
                // A disk with errors turns read-only as a whole: the last field.
                let of_disk = source.nth(1).unwrap_or_default();
                let read_only =
                    [options, of_disk].iter().any(|list| list.split(',').any(|option| option == "ro"));
                best = FileSystem { kind, read_only };
            }
        }
        best
    }
}

/// A space is `\040` there.
fn unescaped(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/nas rw,relatime shared:2 - nfs4 nas:/photos rw,vers=4.2
31 22 0:41 / /mnt/nas/old\\040photos ro,relatime - cifs //nas/old rw
32 22 0:42 / /home/a/remote rw - fuse.sshfs a@b:/ rw
33 22 8:2 / /mnt/worn rw,relatime - ext4 /dev/sdb1 ro,errors=remount-ro
";

    #[test]
    fn the_innermost_mount_counts() {
        let of = |path: &str| FileSystem::in_mounts(MOUNTS, Path::new(path));
        assert_eq!(of("/home/a/photos"), FileSystem { kind: "ext4".to_owned(), read_only: false });
        assert_eq!(of("/mnt/nas/2019"), FileSystem { kind: "nfs4".to_owned(), read_only: false });
        assert_eq!(of("/mnt/nas/old photos/x"), FileSystem { kind: "cifs".to_owned(), read_only: true });
        assert_eq!(of("/mnt/worn/2019"), FileSystem { kind: "ext4".to_owned(), read_only: true });
        assert_eq!(of("/mnt/nasty").kind, "ext4");
        assert!(of("/home/a/remote/x").is_network() && of("/mnt/nas").is_network());
        assert!(!of("/home/a").is_network());
        assert_eq!(FileSystem::in_mounts("", Path::new("/")).kind, "unknown");
    }
}
