//! Texts as models write them, and what is made of them.

mod cases;
mod json_cases;
mod overhead;
mod tool_cases;
mod tool_properties;
