//! The logger on a real broker: what is logged arrives, whatever becomes of the broker and of the process.

#[cfg(test)]
mod arrives;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod recording;
#[cfg(test)]
mod setting;
#[cfg(test)]
mod spill;
#[cfg(test)]
mod trace;
