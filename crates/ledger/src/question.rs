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

    /// At most as many as the list asks for.
    pub(crate) fn most(&mut self, listing: &Listing) {
        self.add(" LIMIT ");
        self.number(i64::from(listing.most));
    }

    fn number(&mut self, number: i64) {
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

    /// Only what comes behind the cursor, in the order of the list. Numbers are those of `numbers`, the rest of `rows`.
    pub(crate) fn after(&mut self, listing: &Listing, numbers: &'static str, rows: &'static str) {
        if let Some(cursor) = &listing.after {
            self.add(" AND (");
            self.columns(listing.order, numbers, rows);
            self.add(match listing.order {
                Order::Newest | Order::LatestChange => ") < ",
                Order::Oldest | Order::SoonestDue => ") > ",
            });
            self.cursor(cursor, listing.order);
        }
        self.order(listing.order, numbers, rows);
    }

    /// In the order of the list.
    pub(crate) fn order(&mut self, order: Order, numbers: &'static str, rows: &'static str) {
        self.add(" ORDER BY ");
        self.columns(order, numbers, rows);
        if matches!(order, Order::Newest | Order::LatestChange) {
            self.add(" DESC");
        }
    }

    fn columns(&mut self, order: Order, numbers: &'static str, rows: &'static str) {
        match order {
            Order::Newest | Order::Oldest => [numbers, ".number", "", ""],
            Order::LatestChange => [rows, ".revision", "", ""],
            Order::SoonestDue => [rows, ".due_date, ", rows, ".number"],
        }
        .into_iter()
        .for_each(|it| self.add(it));
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
