//! The whole system on the real broker and the real engine, driven as its users drive it: by the `kaizen` command, over
//! gRPC and in a browser. Programs come from `make build`, the browser page from `make web`.

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod api;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod chaos;
#[cfg(test)]
mod client;
#[cfg(test)]
mod command;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod corrections;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fleet;
#[cfg(test)]
mod follow;
#[cfg(test)]
mod malformed;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod outreach;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod returned;
#[cfg(test)]
mod score;
#[cfg(test)]
mod secured;
