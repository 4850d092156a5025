-- The tickets of a recommendation, ended ones included: whether it came back is told from them.
CREATE INDEX tickets_by_recommendation ON tickets (recommendation_id, number) WHERE recommendation_id <> '';
