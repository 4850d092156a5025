//! Logs that grow, are rotated every way there is, and are followed over crashes, on the real file system; time is given.

mod chaos;
mod reader;
mod rotation;
