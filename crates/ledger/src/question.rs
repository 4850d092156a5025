//! Composes the question for a page of tickets. Its text is this file's; what callers say is bound.

use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::error::LedgerError;
use crate::list::{Criterion, Cursor, Lead, Listing, Order};
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

type Query = sqlx::query::Query<'static, sqlx::Any, sqlx::any::AnyArguments>;

/// How many tickets have each of the terms, counted up to `most`: a row of one column a term.
pub(crate) fn counts(terms: &[&String], most: i64) -> Query {
    let count = |place: usize| {
        format!("(SELECT count(*) FROM (SELECT 1 FROM ticket_terms WHERE term = ${place} LIMIT $1) AS found)")
    };
    let counts: Vec<String> = (2..2 + terms.len()).map(count).collect();
    let query = sqlx::query(AssertSqlSafe(format!("SELECT {}", counts.join(", ")))).bind(most);
    terms
        .iter()
        .fold(query, |query, term| query.bind((*term).clone()))
}

/// The tickets of a page, in no order. Their numbers are found first, in an index that has all that is asked for, so that rows are
/// read of the page alone.
pub(crate) fn page(listing: &Listing, lead: &Lead, others: &[Criterion]) -> Question {
    let mut question = Question::new();
    question.add(" FROM tickets t WHERE t.number IN (SELECT w.number FROM ");
    match lead {
        Lead::All => {
            question.add("tickets w WHERE 1 = 1");
            question.rest(listing, others);
        }
        Lead::Few(term) => {
            question.add("ticket_terms l CROSS JOIN tickets w WHERE w.number = l.number AND l.term = ");
            question.text(term);
            question.rest(listing, others);
        }
        Lead::Terms(terms) => match terms.as_slice() {
            [term] => {
                question.of_term(term, listing.order);
                question.rest(listing, others);
            }
            terms => question.merged(terms, listing, others),
        },
    }
    question.add(")");
    question
}

impl Question {
    fn new() -> Self {
        let columns: Vec<String> = row::TICKET
            .split(", ")
            .map(|it| format!("t.{}", it.trim()))
            .collect();
        Self {
            sql: format!("SELECT {}", columns.join(", ")),
            values: Vec::new(),
        }
    }

    fn add(&mut self, sql: &'static str) {
        self.sql.push_str(sql);
    }

    fn text(&mut self, text: &str) {
        self.place(Value::Text(text.to_owned()));
    }

    fn number(&mut self, number: i64) {
        self.place(Value::Number(number));
    }

    fn place(&mut self, value: Value) {
        self.values.push(value);
        self.sql.push_str(&format!("${}", self.values.len()));
    }

    /// Tickets of a term, by the index that has them in the order.
    fn of_term(&mut self, term: &str, order: Order) {
        self.add("ticket_terms w WHERE w.term = ");
        self.text(term);
        // As the index says that has them
        self.add(match order {
            Order::Newest | Order::Oldest => "",
            Order::LatestChange => " AND w.revision > 0",
            Order::SoonestDue => " AND w.due_date <> ''",
        });
    }

    /// Tickets of several terms, of which a ticket has one: what the page may have of each, put together in its order.
    fn merged(&mut self, terms: &[String], listing: &Listing, others: &[Criterion]) {
        self.add("(");
        for (index, term) in terms.iter().enumerate() {
            self.add(if index == 0 { "" } else { " UNION ALL " });
            self.add(match listing.order {
                Order::Newest | Order::Oldest => "SELECT p.number FROM (SELECT w.number FROM ",
                Order::LatestChange => "SELECT p.number, p.revision FROM (SELECT w.number, w.revision FROM ",
                Order::SoonestDue => "SELECT p.number, p.due_date FROM (SELECT w.number, w.due_date FROM ",
            });
            self.of_term(term, listing.order);
            self.rest(listing, others);
            self.add(") AS p");
        }
        self.add(") AS w");
        self.cut(listing);
    }

    /// Only tickets that meet the other criteria and come behind the cursor, a page of them in the order of the list.
    fn rest(&mut self, listing: &Listing, others: &[Criterion]) {
        for criterion in others {
            self.add(" AND EXISTS (SELECT 1 FROM ticket_terms o WHERE o.number = w.number AND o.term IN (");
            for (index, term) in criterion.iter().enumerate() {
                self.add(if index == 0 { "" } else { ", " });
                self.text(term);
            }
            self.add("))");
        }
        if let Some(cursor) = &listing.after {
            self.behind(cursor, listing.order);
        }
        self.cut(listing);
    }

    fn behind(&mut self, cursor: &Cursor, order: Order) {
        match order {
            Order::Newest => self.add(" AND w.number < "),
            Order::Oldest => self.add(" AND w.number > "),
            Order::LatestChange => self.add(" AND w.revision < "),
            Order::SoonestDue => self.add(" AND (w.due_date, w.number) > ("),
        }
        match order {
            Order::Newest | Order::Oldest => self.number(cursor.number),
            Order::LatestChange => self.number(cursor.revision),
            Order::SoonestDue => {
                self.text(&cursor.due_date);
                self.add(", ");
                self.number(cursor.number);
                self.add(")");
            }
        }
    }

    /// The first in the order of the list, at most as many as it asks for.
    fn cut(&mut self, listing: &Listing) {
        self.add(match listing.order {
            Order::Newest => " ORDER BY w.number DESC LIMIT ",
            Order::Oldest => " ORDER BY w.number LIMIT ",
            Order::LatestChange => " ORDER BY w.revision DESC LIMIT ",
            Order::SoonestDue => " ORDER BY w.due_date, w.number LIMIT ",
        });
        self.number(i64::from(listing.most));
    }

    /// The tickets.
    pub(crate) async fn ask(self, connection: &mut AnyConnection) -> Result<Vec<Ticket>, LedgerError> {
        let rows = self.query("").fetch_all(connection).await?;
        rows.iter().map(row::ticket).collect()
    }

    /// The statement after `before`, its values bound.
    fn query(self, before: &'static str) -> Query {
        let query = sqlx::query(AssertSqlSafe(format!("{before}{}", self.sql)));
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        })
    }

    /// How the database would answer it, a line a step.
    pub(crate) async fn explain(self, connection: &mut AnyConnection) -> Result<Vec<String>, LedgerError> {
        let (explain, column) = match connection.backend_name() {
            "PostgreSQL" => ("EXPLAIN ", "QUERY PLAN"),
            _ => ("EXPLAIN QUERY PLAN ", "detail"),
        };
        let rows = self.query(explain).fetch_all(connection).await?;
        rows.iter().map(|row| Ok(row.try_get(column)?)).collect()
    }
}
