//! What every request goes through on its way in and out, whatever it asks for.

pub mod admit;
pub mod base_path;
pub mod body;
pub mod connection;
pub mod content_disposition;
pub mod context;
pub mod cors;
pub mod deployment;
pub mod drain_body;
pub mod event_stream;
pub mod logged_body;
pub mod long_work;
pub mod multipart;
pub mod open_files;
pub mod reply;
mod route_table;
pub mod router;
pub mod same_origin;
pub mod server;
pub mod settings;
pub mod shutdown;
