//! `fake-provider [--port N] [--workers N]`: the fake provider as a process, for tests in other languages.
//! Prints its base URL on one line when it is ready; port 0 (the default) takes a free one.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

fn main() -> io::Result<()> {
    let (mut port, mut workers) = (0_u16, 1_usize);
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        match flag.as_str() {
            "--port" => port = number(&flag, &value)?,
            "--workers" => workers = number(&flag, &value)?,
            _ => {
                return Err(io::Error::other(format!(
                    "unknown argument {flag}; known: --port N, --workers N"
                )));
            }
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    announce(&listener)?;
    tollgate_testkit::serve(listener, workers)
}

fn number<N: std::str::FromStr>(flag: &str, value: &str) -> io::Result<N> {
    value.parse().map_err(|_| io::Error::other(format!("{flag}: `{value}` is not a number in range")))
}

fn announce(listener: &TcpListener) -> io::Result<()> {
    use io::Write;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "http://{}", listener.local_addr()?)?;
    stdout.flush()
}
