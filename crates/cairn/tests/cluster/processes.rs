//! A folder with photos, and processes of the program in it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use cairn_synthetic::{Kind, draw};
use tempfile::TempDir;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often whoever waits looks.
const LOOK: Duration = Duration::from_millis(5);

/// Photos in the list; one more is broken, and one is not there.
pub(crate) const PHOTOS: usize = 118;
/// Shards of the list.
pub(crate) const SHARDS: usize = 30;
/// How the list is labelled.
pub(crate) const LABEL: &str = "label list.csv --tta none --shard 4";

/// A temporary folder with drawn photos and `list.csv`.
pub(crate) struct Folder {
    folder: TempDir,
    /// Processes that were started in it.
    started: Cell<usize>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self { folder: tempfile::tempdir().unwrap(), started: Cell::new(0) };
        fs::create_dir(folder.path("photos")).unwrap();
        let mut rows = String::from("photo\n");
        for seed in 0..PHOTOS {
            if seed == 17 {
                fs::write(folder.path("photos/broken.png"), "no photo").unwrap();
                rows += "photos/broken.png\n";
            }
            let name = format!("photos/{seed:03}.png");
            draw(Kind::Dome, seed as u64, 160).save_png(folder.path(&name)).unwrap();
            rows += &format!("{name}\n");
        }
        fs::write(folder.path("list.csv"), rows + "photos/gone.png\n").unwrap();
        folder
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Starts the program with these arguments, which spaces separate; it is killed when it is dropped.
    pub(crate) fn start(&self, arguments: &str) -> Process {
        let log = self.path(&format!("log-{}.txt", self.started.replace(self.started.get() + 1)));
        let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
        command.args(arguments.split_whitespace()).current_dir(self.path("")).env_remove("CAIRN_MODEL");
        // What a killed executor leaves goes with the folder.
        command.env("TMPDIR", self.path(""));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        let child = command.spawn().unwrap();
        Process { child, log, arguments: arguments.to_owned() }
    }

    /// The same, until it ends.
    pub(crate) fn run(&self, arguments: &str) -> Ended {
        self.start(arguments).end()
    }

    /// The same, and what one process alone makes of the list.
    pub(crate) fn with_whole() -> Self {
        let folder = Self::new();
        folder.label_alone();
        folder
    }

    /// What one process alone makes of the list, in the folder `whole`.
    fn label_alone(&self) {
        self.run(&format!("{LABEL} -o whole")).assert_status(2);
    }

    /// The files of an output, without those that are being written, and when they were changed.
    pub(crate) fn files(&self, out: &str) -> BTreeMap<OsString, (Vec<u8>, SystemTime)> {
        let Ok(entries) = fs::read_dir(self.path(out)) else { return BTreeMap::new() };
        let mut files = BTreeMap::new();
        for entry in entries
            .map(Result::unwrap)
            .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        {
            let changed = entry.metadata().unwrap().modified().unwrap();
            files.insert(entry.file_name(), (fs::read(entry.path()).unwrap(), changed));
        }
        files
    }

    /// The shards that are done.
    pub(crate) fn parts(&self, out: &str) -> usize {
        let is_part = |name: &OsString| name.as_encoded_bytes().starts_with(b"part-");
        self.files(out).keys().filter(|name| is_part(name)).count()
    }

    /// Waits until a labelling is under way: some shards are done. It may be over.
    pub(crate) fn wait_for_parts(&self, out: &str, count: usize) {
        wait(&format!("{count} parts"), || self.parts(out) >= count);
    }

    /// An output holds what one process alone makes of the list, file by file.
    #[track_caller]
    pub(crate) fn assert_as_alone(&self, out: &str) {
        let contents = |out: &str| {
            let files = self.files(out).into_iter();
            files.map(|(name, (content, _))| (name, content)).collect::<BTreeMap<_, _>>()
        };
        let (found, expected) = (contents(out), contents("whole"));
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        assert!(found == expected, "the files differ in what they hold");
        assert!(found.contains_key(Path::new("_SUCCESS").as_os_str()));
    }

    /// These files are in an output as they were.
    #[track_caller]
    pub(crate) fn assert_untouched(&self, out: &str, before: &BTreeMap<OsString, (Vec<u8>, SystemTime)>) {
        let after = self.files(out);
        for (name, file) in before {
            assert!(after.get(name) == Some(file), "{name:?} was touched");
        }
    }
}

/// A process of the program.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    arguments: String,
}

impl Process {
    /// What it has said.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has said this so many times, or has ended.
    pub(crate) fn wait_for_times(&mut self, text: &str, times: usize) {
        wait(text, || self.said().matches(text).count() >= times || self.has_ended());
    }

    /// Waits until it has said this; what follows it on its line.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let mut rest = None;
        wait(text, || {
            let said = self.said();
            rest = said
                .split_once(text)
                .and_then(|(_, rest)| rest.split_once('\n'))
                .map(|(rest, _)| rest.to_owned());
            let ended = self.child.try_wait().unwrap();
            assert!(rest.is_some() || ended.is_none(), "{} ended ({ended:?}): {said}", self.arguments);
            rest.is_some()
        });
        rest.unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// Ends it as a power cut would.
    pub(crate) fn end_at_once(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The same, for good.
    pub(crate) fn kill(mut self) {
        self.end_at_once();
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let mut status = None;
        wait(&self.arguments, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        Ended { arguments: self.arguments.clone(), status: status.unwrap(), said: self.said() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    arguments: String,
    status: ExitStatus,
    said: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn assert_status(&self, expected: i32) -> &Self {
        let Self { arguments, status, said } = self;
        assert_eq!(status.code(), Some(expected), "cairn {arguments}\n{said}");
        self
    }

    #[track_caller]
    pub(crate) fn assert_said(&self, text: &str) -> &Self {
        assert!(self.said.contains(text), "cairn {} has not said {text:?}:\n{}", self.arguments, self.said);
        self
    }
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "waited too long for {what}");
        sleep(LOOK);
    }
}

/// A scheduler and its executors.
pub(crate) struct Cluster<'a> {
    folder: &'a Folder,
    pub address: String,
    pub scheduler: Process,
    pub executors: Vec<Process>,
}

impl<'a> Cluster<'a> {
    /// Two executors with a thread each, which are ready.
    pub(crate) fn start(folder: &'a Folder) -> Self {
        let mut cluster = Self::without_executors(folder);
        // Both start at once.
        for mut executor in [0, 1].map(|_| cluster.executor("")) {
            executor.wait_for("executor of df://");
            cluster.executors.push(executor);
        }
        cluster
    }

    pub(crate) fn without_executors(folder: &'a Folder) -> Self {
        let mut scheduler = folder.start("cluster scheduler --address 127.0.0.1:0 --lost-after 10");
        let address = scheduler.wait_for("scheduler: ");
        Self { folder, address, scheduler, executors: Vec::new() }
    }

    /// Starts another scheduler where the one was.
    pub(crate) fn another_scheduler(&self) -> Process {
        let place = self.address.strip_prefix("df://").unwrap();
        self.folder.start(&format!("cluster scheduler --address {place} --lost-after 10"))
    }

    /// Starts another executor.
    pub(crate) fn executor(&self, arguments: &str) -> Process {
        self.folder.start(&format!("cluster executor --scheduler {} --threads 1 {arguments}", self.address))
    }

    /// Has it label the list into `out`; some shards are done, perhaps all.
    pub(crate) fn begin_to_label(&self) -> Process {
        let command = self.folder.start(&self.label("out"));
        self.folder.wait_for_parts("out", 3);
        command
    }

    /// The command that has it label the list.
    pub(crate) fn label(&self, out: &str) -> String {
        format!("{LABEL} -o {out} --cluster {}", self.address)
    }
}
