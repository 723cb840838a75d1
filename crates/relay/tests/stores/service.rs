//! A real service for one test: started on a free port, killed, stopped and continued by signals.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A service that runs, or ran.
pub(crate) struct Server {
    program: &'static str,
    port: u16,
    child: Option<Child>,
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

    fn of(program: &'static str) -> Option<Self> {
        let found = Command::new(program)
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
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Starts it, empty, on the port that it always had.
    pub(crate) fn start(&mut self) {
        let port = self.port.to_string();
        let mut command = Command::new(self.program);
        match self.program {
            "memcached" => {
                command.args(["-l", "127.0.0.1", "-p", &port, "-U", "0", "-u", "nobody"])
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
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.child = Some(child.expect("it was there a moment ago"));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "{} does not start",
                self.program
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
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

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
