//! Composes the question for a page of tickets. Its text is this file's; what callers say is bound.

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::error::LedgerError;
use crate::list::{Cursor, Listing, Order};
use crate::row;
use crate::ticket::Ticket;

/// A question under way.
pub(crate) struct Question {
    sql: String,
    values: Vec<Value>,
}

enum Value {
    Text(String),
    Number(i64),
}

impl Question {
    pub(crate) fn new() -> Self {
        let columns: Vec<String> = row::TICKET
            .split(", ")
            .map(|it| format!("t.{}", it.trim()))
            .collect();
        Self {
            sql: format!("SELECT {}", columns.join(", ")),
            values: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, sql: &'static str) {
        self.sql.push_str(sql);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.place(Value::Text(text.to_owned()));
    }

    pub(crate) fn number(&mut self, number: i64) {
        self.place(Value::Number(number));
    }

    fn place(&mut self, value: Value) {
        self.values.push(value);
        self.sql.push_str(&format!("${}", self.values.len()));
    }

    /// Only tickets of `table` that have each of the terms.
    pub(crate) fn have(&mut self, terms: &[String], table: &'static str) {
        for term in terms {
            self.add(" AND EXISTS (SELECT 1 FROM ticket_terms o WHERE o.term = ");
            self.text(term);
            self.add(" AND o.number = ");
            self.add(table);
            self.add(".number)");
        }
    }

    /// Only what comes behind the cursor, in the order of the list; numbers are those of `table`.
    pub(crate) fn after(&mut self, listing: &Listing, table: &'static str) {
        let (comparison, direction) = match listing.order {
            Order::Newest | Order::LatestChange => (" < ", " DESC"),
            Order::Oldest | Order::SoonestDue => (" > ", ""),
        };
        let columns = match listing.order {
            Order::Newest | Order::Oldest => vec![table, ".number"],
            Order::LatestChange => vec!["t.revision"],
            Order::SoonestDue => vec!["t.due_date, t.number"],
        };
        if let Some(cursor) = &listing.after {
            self.add(" AND (");
            columns.iter().for_each(|it| self.add(it));
            self.add(")");
            self.add(comparison);
            self.cursor(cursor, listing.order);
        }
        self.add(" ORDER BY ");
        columns.iter().for_each(|it| self.add(it));
        self.add(direction);
    }

    fn cursor(&mut self, cursor: &Cursor, order: Order) {
        self.add("(");
        match order {
            Order::Newest | Order::Oldest => self.number(cursor.number),
            Order::LatestChange => self.number(cursor.revision),
            Order::SoonestDue => {
                self.text(&cursor.due_date);
                self.add(", ");
                self.number(cursor.number);
            }
        }
        self.add(")");
    }

    /// The tickets.
    pub(crate) async fn ask(self, connection: &mut AnyConnection) -> Result<Vec<Ticket>, LedgerError> {
        let mut query = sqlx::query(AssertSqlSafe(self.sql));
        for value in self.values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
            };
        }
        let rows = query.fetch_all(connection).await?;
        rows.iter().map(row::ticket).collect()
    }
}
