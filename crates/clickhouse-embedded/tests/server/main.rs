//! The built server, driven from outside by clients and signals.

#[cfg(test)]
mod clients;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod durability;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod http;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod rust_client;
#[cfg(test)]
mod support;
