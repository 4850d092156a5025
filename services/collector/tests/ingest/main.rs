//! The ways in that are not Kafka, on the real broker and engine: what is accepted is in the topic and then in the table,
//! and whoever sends is told at once what is not.

#[cfg(test)]
mod contract;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod http;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod otlp;
#[cfg(test)]
mod stage;
