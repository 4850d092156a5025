//! The ledger on both of its databases: SQLite in a temporary file, PostgreSQL in a private cluster.

#[cfg(test)]
mod backup;
#[cfg(test)]
mod concurrent;
#[cfg(test)]
mod corrections;
#[cfg(test)]
mod databases;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod listed;
#[cfg(test)]
mod measurements;
#[cfg(test)]
mod migrated;
#[cfg(test)]
mod model;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod random_commands;
#[cfg(test)]
mod tickets;
