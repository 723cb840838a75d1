//! What each URL answers, file by file as the URLs go.

pub mod admin;
pub mod assistants;
pub mod audio;
pub mod chat;
pub mod completions;
pub mod conversations;
pub mod embeddings;
pub mod files;
pub mod health;
pub mod images;
pub mod lm_studio;
pub mod management;
pub mod messages;
pub mod metrics;
pub mod missing;
pub mod model_info;
pub mod models;
pub mod native;
pub mod ollama;
pub mod responses;
pub mod root;
pub mod usage;
pub mod videos;
pub mod web;
