//! A real service for one test: started on a free port, killed, stopped and continued by signals.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::rig::Folder;

/// A service that runs, or ran.
pub(crate) struct Server {
    program: &'static str,
    port: u16,
    child: Option<Child>,
    /// What it keeps over a restart.
    folder: Option<Folder>,
}

impl Server {
    /// memcached; none if this machine has none.
    pub(crate) fn memcached() -> Option<Self> {
        Self::of("memcached")
    }

    /// Redis; none if this machine has none.
    pub(crate) fn redis() -> Option<Self> {
        Self::of("redis-server")
    }

    /// PostgreSQL; none if this machine has none.
    pub(crate) fn postgres() -> Option<Self> {
        Self::of("postgres")
    }

    fn of(program: &'static str) -> Option<Self> {
        let found = match program {
            "postgres" => as_postgres(program),
            program => Command::new(program),
        }
        .arg("--version")
        .stdout(Stdio::null())
        .status();
        if found.is_err() {
            eprintln!("SKIPPED, NOTHING PROVED: {program} is not installed");
            return None;
        }
        let port = free_port();
        let mut server = Self {
            program,
            port,
            child: None,
            folder: (program == "postgres").then(cluster),
        };
        server.start();
        Some(server)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self) -> String {
        match self.program {
            "postgres" => format!("postgres://postgres@127.0.0.1:{}/postgres", self.port),
            _ => format!("redis://127.0.0.1:{}/0", self.port),
        }
    }

    /// Starts it on the port that it always had: PostgreSQL with what it kept, others empty.
    pub(crate) fn start(&mut self) {
        let port = self.port.to_string();
        let mut command = match self.program {
            "postgres" => as_postgres("postgres"),
            program => Command::new(program),
        };
        match self.program {
            "memcached" => {
                command.args(["-l", "127.0.0.1", "-p", &port, "-U", "0", "-u", "nobody"])
            }
            "postgres" => {
                let folder = &self.folder.as_ref().expect("it has one").0;
                command
                    .arg("-D")
                    .arg(folder)
                    .args(["-h", "127.0.0.1", "-p", &port, "-k", ""])
            }
            _ => command.args([
                "--port",
                &port,
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                "/tmp",
            ]),
        };
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut spawn = || command.spawn().expect("it was there a moment ago");
        let mut child = spawn();
        let began = Instant::now();
        while !self.is_ready() {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "{} does not start",
                self.program
            );
            // PostgreSQL gives up while a process of a killed predecessor is still there.
            if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                child = spawn();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child = Some(child);
    }

    /// PostgreSQL takes connections before it has recovered, and refuses them then.
    fn is_ready(&self) -> bool {
        if self.program == "postgres" {
            let port = self.port.to_string();
            let asked = as_postgres("pg_isready")
                .args(["-q", "-h", "127.0.0.1", "-p", &port])
                .status();
            return asked.is_ok_and(|ready| ready.success());
        }
        TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))).is_ok()
    }

    /// Ends it at once, with all its processes.
    pub(crate) fn kill(&mut self) {
        if self.child.is_some() {
            self.signal("-KILL");
        }
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Makes it hang: connections stay, nothing is answered.
    pub(crate) fn stop(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    /// PostgreSQL has a process for each connection: those come first.
    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect("it runs").id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        for child in children.split_whitespace() {
            // It may have ended by itself.
            let _ = Command::new("kill").args([signal, child]).output();
        }
        let sent = Command::new("kill")
            .args([signal, &id.to_string()])
            .status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program of PostgreSQL's: Debian keeps them out of the way, and they refuse to run as root.
fn as_postgres(program: &str) -> Command {
    let mut command = Command::new(postgres_program(program));
    if let Some((user, group)) = postgres_user() {
        command.uid(user).gid(group);
    }
    command
}

fn postgres_program(program: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let programs = versions
        .flatten()
        .map(|version| version.path().join("bin").join(program));
    programs
        .filter(|program| program.exists())
        .max()
        .unwrap_or_else(|| program.into())
}

/// The user that Debian's package makes, if these tests run as root.
fn postgres_user() -> Option<(u32, u32)> {
    let id = Command::new("id").arg("-u").output().ok()?;
    if id.stdout != b"0\n" {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let fields = users
        .lines()
        .find_map(|line| line.strip_prefix("postgres:"))?;
    let mut fields = fields.split(':').skip(1);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// A new cluster of databases.
fn cluster() -> Folder {
    let folder = Folder::new();
    std::fs::create_dir(&folder.0).unwrap();
    if let Some((user, group)) = postgres_user() {
        std::os::unix::fs::chown(&folder.0, Some(user), Some(group)).unwrap();
    }
    let made = as_postgres("initdb")
        .arg("-D")
        .arg(&folder.0)
        .args([
            "-U",
            "postgres",
            "--auth",
            "trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale",
            "C.UTF-8",
        ])
        .current_dir("/tmp")
        .output()
        .expect("PostgreSQL comes with it");
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(made.status.success(), "{said}");
    folder
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
