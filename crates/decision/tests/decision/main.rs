//! The event's contract: what is accepted and how it is read, what is rejected and why, for any bytes at all.

#[cfg(test)]
mod accepted;
#[cfg(test)]
mod asyncapi;
#[cfg(test)]
mod event;
#[cfg(test)]
mod joined;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod protobuf;
#[cfg(test)]
mod rejected;
#[cfg(test)]
mod schema;
