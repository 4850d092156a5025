-- Filtered lists in every order without sorting: beside what a ticket is filed under stand the keys of the orders. A word or a
-- link has none of them (0 and ''): a ticket has many words, and each change would have to write them all.
ALTER TABLE ticket_terms ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ticket_terms ADD COLUMN due_date TEXT NOT NULL DEFAULT '';
UPDATE ticket_terms SET
  revision = (SELECT t.revision FROM tickets t WHERE t.number = ticket_terms.number),
  due_date = (SELECT t.due_date FROM tickets t WHERE t.number = ticket_terms.number)
  WHERE term NOT LIKE 'word:%' AND term NOT LIKE 'link:%';
CREATE UNIQUE INDEX ticket_terms_by_revision ON ticket_terms (term, revision, number) WHERE revision > 0;
CREATE UNIQUE INDEX ticket_terms_by_due_date ON ticket_terms (term, due_date, number) WHERE due_date <> '';
